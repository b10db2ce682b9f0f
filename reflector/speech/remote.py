"""Use a speech service instead of engines in this process."""

from __future__ import annotations

import time
from typing import Any, ClassVar

import httpx2
from pydantic import SecretStr

from reflector.errors import EngineError
from reflector.media.decode import PcmAudio
from reflector.runtime.settings import Settings
from reflector.speech.client import SpeechService, raise_for, wav_file
from reflector.speech.engines import (
    Checkpoint,
    Diarization,
    DiarizeOptions,
    EngineReport,
    Heard,
    Progress,
    TranscribeOptions,
    Transcription,
)
from reflector.speech.scheduler import Priority
from reflector.transcript.assembly import Turn
from reflector.transcript.words import Word, from_rows, monotone, with_unsure


class _Remote:
    """What remote engines share: an identity, and nothing to fetch or load."""

    kind: ClassVar[str]

    def __init__(self, url: str | None, key: SecretStr | None) -> None:
        assert url is not None  # `validate_backends` has checked it
        self._service = SpeechService(url, key)
        self.model_name = url

    @property
    def _name(self) -> str:
        return f"service {self._service.url}"

    def identity(self) -> str:
        """Return the identity that the service reports, or its address if it does not.

        A reported identity does not include the address, so words stay valid if a service moves.
        """
        return self._service.identities().get(self.kind) or self._name

    def prepare(self) -> None:
        """Do nothing: the models belong to the service."""

    def load(self) -> None:
        """Do nothing: the models belong to the service."""


class RemoteTranscriber(_Remote):
    """Implement `Transcriber` with a speech service."""

    kind = "transcription"

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings.TRANSCRIPT_URL, settings.TRANSCRIPT_MODAL_API_KEY)
        self._file_seconds = settings.TRANSCRIPT_FILE_TIMEOUT

    def transcribe(
        self,
        audio: PcmAudio,
        options: TranscribeOptions,
        progress: Progress,
        heard: Heard | None = None,
        checkpoint: Checkpoint | None = None,
    ) -> Transcription:
        started = time.monotonic()
        chosen = {"language": options.language} if options.language else {}
        chosen |= {"hotwords": options.hotwords} if options.hotwords else {}
        if options.priority is Priority.LIVE:
            return self._in_one_request(audio, {"priority": "live"} | chosen, options, started)
        form = {"kind": "transcription"} | chosen
        result = self._service.job(audio, form, self.identity(), progress)
        if result is None:
            progress(0.0)
            asked = {"language": options.language or "en"}
            return self._in_one_request(audio, asked, options, started)
        progress(audio.duration)
        return Transcription(
            words=with_unsure(from_rows(result["words"]), result.get("unsure", [])),
            language=result["language"],
            speech_seconds=result["speech_seconds"],
            report=_report(result.get("report"), self._name, audio, started),
            warnings=result["warnings"],
        )

    def _in_one_request(
        self, audio: PcmAudio, asked: dict[str, str], options: TranscribeOptions, started: float
    ) -> Transcription:
        """Send the sound in one request with a limit of TRANSCRIPT_FILE_TIMEOUT.

        The reference's service has nothing else. Its answer has no speech seconds and no warnings.
        """
        with self._service.client(self._file_seconds) as client, wav_file(audio) as file:
            try:
                answer = client.post(
                    "/v1/audio/transcriptions",
                    data={"model": "whisper", "batch": "false"} | asked,
                    files={"file": ("audio.wav", file, "audio/wav")},
                )
            except httpx2.TransportError as error:
                raise self._service.away(error) from error
        raise_for(answer)
        found = answer.json()
        words = [Word(w["word"], float(w["start"]), float(w["end"])) for w in found["words"]]
        return Transcription(
            words=monotone(words, audio.duration),
            language=options.language or found.get("language") or "en",
            speech_seconds=sum(word.end - word.start for word in words),
            report=_report(found.get("report"), self._name, audio, started),
        )


class RemoteDiarizer(_Remote):
    """Implement `Diarizer` with a speech service of ours.

    The reference's service only takes URLs, and an unpublished recording has none.
    """

    kind = "diarization"

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings.DIARIZATION_URL, settings.DIARIZATION_MODAL_API_KEY)

    def diarize(
        self,
        audio: PcmAudio,
        options: DiarizeOptions,
        progress: Progress,
        checkpoint: Checkpoint | None = None,
    ) -> Diarization:
        """Diarize remotely. The service keeps its own checkpoints, so `checkpoint` is not used."""
        started = time.monotonic()
        form = {"kind": "diarization"}
        form |= {"min_speakers": str(options.min_speakers)} if options.min_speakers else {}
        form |= {"max_speakers": str(options.max_speakers)} if options.max_speakers else {}
        result = self._service.job(audio, form, self.identity(), progress)
        if result is None:
            raise EngineError(
                f"The service at {self._service.url} takes no recordings for diarization, only "
                "addresses of them.",
                "Set DIARIZATION_URL to a `reflector speech`.",
            )
        progress(audio.duration)
        turns, overlapping = (
            [Turn(t["start"], t["end"], t["speaker"]) for t in result.get(name, [])]
            for name in ("diarization", "overlapping")
        )
        return Diarization(
            turns=turns,
            speakers=len({turn.speaker for turn in turns}),
            report=_report(result.get("report"), self._name, audio, started),
            voices={v["speaker"]: v["embedding"] for v in result["voices"]},
            overlapping=overlapping,
        )


def _report(
    found: dict[str, Any] | None, name: str, audio: PcmAudio, started: float
) -> EngineReport:
    """Return the service's report, with the time measured here."""
    found = found or {}
    return EngineReport(
        model=found.get("model", name),
        device=found.get("device", "service"),
        precision=found.get("precision", "unknown"),
        audio_seconds=audio.duration,
        elapsed=time.monotonic() - started,
    )

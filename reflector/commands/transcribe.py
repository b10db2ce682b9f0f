"""`reflector transcribe`: the steps of the server on files, in a folder that is thrown away."""

from __future__ import annotations

import json
import re
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from reflector import settings as settings_module
from reflector.api import views
from reflector.api.downloads import document_of
from reflector.commands.progress import ProgressBar
from reflector.commands.report import report
from reflector.db.models import SourceKind, Status, Step, Transcript
from reflector.errors import (
    InvalidInput,
    ModelUnavailable,
    OutOfSpace,
    ReflectorError,
    is_out_of_space,
)
from reflector.exports.markdown import markdown
from reflector.media.probe import probe
from reflector.pipeline.inline import InlineRunner
from reflector.pipeline.runs import start_run, steps_of
from reflector.services import Services, open_services
from reflector.settings import Settings
from reflector.speech.loaded import SpeechEngines
from reflector.transcript import formats
from reflector.transcript.words import segments

SUFFIXES = {"webvtt-named": ".vtt", "json": ".json", "srt": ".srt", "md": ".md"}
SPEAKERS = re.compile(r"(\d+)(?:-(\d+))?")


@dataclass(frozen=True)
class Request:
    files: list[Path]
    format: str
    language: str
    model: str | None
    diarization_model: str | None
    speakers: str | None
    hotwords: str | None
    output: Path | None
    as_json: bool


def transcribe(request: Request) -> int:
    """Do all files; the exit code is that of the last one that failed, 0 if none did."""
    speakers = speaker_limits(request.speakers)
    if request.output and len(request.files) > 1 and not request.as_json:
        request.output.mkdir(parents=True, exist_ok=True)
    exit_code = 0
    reports: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="reflector-") as folder:
        services = open_services(_settings(request, Path(folder)))
        _prepare(services, request)
        services.speech.speakers = speakers
        for file in request.files:
            try:
                result = _one(services, file, request)
            except (ReflectorError, OSError) as error:
                exit_code = _exit_code(error)
                reports.append({"file": str(file), "error": _sentence(error)})
                click.echo(f"error: {file}: {_sentence(error)}", err=True)
                continue
            reports.append(result.report)
            if not request.as_json:
                _write(request, file, result.text)
        services.close()
    if request.as_json:
        text = json.dumps({"files": reports}, ensure_ascii=False, indent=2) + "\n"
        if request.output:
            request.output.write_text(text)
        else:
            click.echo(text, nl=False)
    return exit_code


def _prepare(services: Services, request: Request) -> None:
    """Missing models stop the command before any work, but for a diarizer nobody asked for."""
    services.speech.transcriber.prepare()
    try:
        if services.speech.diarizer is not None:
            services.speech.diarizer.prepare()
    except ModelUnavailable as error:
        if request.diarization_model or request.speakers:
            raise
        click.echo(f"warning: one speaker only: {error}", err=True)
        services.speech = SpeechEngines(
            services.settings.model_copy(update={"DIARIZATION_ENABLED": False})
        )


def speaker_limits(value: str | None) -> tuple[int | None, int | None]:
    """`3` → (3, 3), `2-5` → (2, 5)."""
    if value is None:
        return None, None
    match = SPEAKERS.fullmatch(value.strip())
    if match:
        least, most = int(match[1]), int(match[2] or match[1])
        if 1 <= least <= most:
            return least, most
    raise InvalidInput(f"--speakers is N or MIN-MAX, like 3 or 2-5, not {value}.")


def _settings(request: Request, folder: Path) -> Settings:
    user = settings_module.load()
    values: dict[str, object] = {
        "DATA_DIR": folder,
        "MODELS_DIR": user.models_dir,
        "DATABASE_URL": None,
        "CELERY_BROKER_URL": None,
        "TRANSCRIPT_STORAGE_BACKEND": None,
    }
    if request.model:
        values["WHISPER_MODEL"] = request.model
    if request.diarization_model == "none":
        values["DIARIZATION_ENABLED"] = False
    elif request.diarization_model:
        values["DIARIZATION_MODEL"] = request.diarization_model
    if request.hotwords:
        values["HOTWORDS"] = request.hotwords
    return settings_module.load(**values)


@dataclass(frozen=True)
class _Result:
    text: str
    report: dict[str, Any]


def _one(services: Services, file: Path, request: Request) -> _Result:
    with file.open("rb") as source:
        info = probe(source)
    with services.db.write() as session:
        transcript = Transcript(
            name=file.stem, source_kind=SourceKind.FILE, source_language=request.language
        )
        session.add(transcript)
        session.flush()
        transcript.upload_key = f"{transcript.id}/upload{file.suffix.lower()}"
        transcript.upload_version = transcript.id
        run = start_run(session, transcript)
        transcript_id = transcript.id
    _lend(services, file, transcript.upload_key)
    speakers = services.speech.diarizer is not None
    with ProgressBar(file.name, info.duration, speakers) as bar:
        services.bus.listen(bar.message)
        InlineRunner(services).run(transcript_id, run)
    try:
        return _result(services, file, transcript_id, run, request.format)
    finally:
        services.storage.delete_prefix(transcript_id)


def _lend(services: Services, file: Path, key: str) -> None:
    """The file itself under its key: nobody's recording is copied to be read."""
    assert services.storage.root is not None
    target = services.storage.root / key
    target.parent.mkdir(parents=True, exist_ok=True)
    target.symlink_to(file.absolute())


def _result(services: Services, file: Path, transcript_id: str, run: int, format_: str) -> _Result:
    with services.db.read() as session:
        transcript = session.get_one(Transcript, transcript_id)
        steps = steps_of(session, transcript_id, run)
        if transcript.status != Status.ENDED:
            raise _failure(transcript, list(steps.values()))
        words = views.words_of(session, transcript)
        topics = views.topics_of(session, transcript, with_words=False, words=words)
        outputs = {name.value: step.output or {} for name, step in steps.items()}
        for step in steps.values():
            if step.error:
                click.echo(f"warning: {file}: {step.error}", err=True)
        for output in outputs.values():
            for warning in output.get("warnings", []):
                click.echo(f"warning: {file}: {warning}", err=True)
        parts = segments(words)
        if format_ == "md":
            text = markdown(document_of(session, transcript))
        elif format_ == "json":
            text = json.dumps(formats.json_segments(parts, {}), ensure_ascii=False, indent=2) + "\n"
        else:
            render = {
                "text": formats.text,
                "text-timestamped": formats.text_timestamped,
                "webvtt-named": formats.webvtt,
                "srt": formats.srt,
            }[format_]
            text = render(parts, {}).rstrip("\n") + "\n"
        return _Result(text, report(file, transcript, topics, words, steps, outputs))


def _failure(transcript: Transcript, steps: list[Step]) -> ReflectorError:
    message = transcript.error or next((s.error for s in steps if s.error), None)
    return ReflectorError(message or "The work stopped without a reason; the log has more.")


def _write(request: Request, file: Path, text: str) -> None:
    if request.output is None:
        if len(request.files) > 1:
            click.echo(f"== {file}")
        click.echo(text, nl=False)
        return
    target = request.output
    if target.is_dir():
        target = target / (file.stem + SUFFIXES.get(request.format, ".txt"))
    part = target.with_name(target.name + ".part")
    part.write_text(text)
    shutil.move(part, target)
    click.echo(f"{target}", err=not sys.stdout.isatty())


def _exit_code(error: Exception) -> int:
    if is_out_of_space(error):
        return OutOfSpace.exit_code
    return error.exit_code if isinstance(error, ReflectorError) else 1


def _sentence(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}."
    return str(error)

"""Run the server's steps on files, in a temporary folder: `reflector transcribe`."""

from __future__ import annotations

import json
import os
import re
import sys
import tempfile
import uuid
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

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
from reflector.media.probe import probe
from reflector.pipeline.inline import InlineRunner
from reflector.pipeline.runs import start_run, steps_of
from reflector.runtime import settings as settings_module
from reflector.runtime.settings import Settings
from reflector.services import Services, open_services
from reflector.speech.registry import SpeechEngines
from reflector.transcript import formats
from reflector.transcript.words import cues, segments
from reflector.transcripts import queries
from reflector.transcripts.exports.markdown import markdown

SUFFIXES = {"webvtt-named": ".vtt", "json": ".json", "srt": ".srt", "md": ".md"}
# A media suffix begins with a letter, so the .2 of "v1.2" is not one
MEDIA_SUFFIX = re.compile(r"\.[A-Za-z][A-Za-z0-9]{1,4}")
MAX_NAME = 255  # bytes in a file name, on all usual file systems
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
    """Transcribe all files. Return the exit code of the last failure, 0 if all succeeded."""
    speakers = speaker_limits(request.speakers)
    targets = output_files(request)
    exit_code = 0
    reports: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="reflector-") as folder:
        services = open_services(_settings(request, Path(folder)))
        _prepare(services, request)
        services.speech.speakers = speakers
        for file in request.files:
            try:
                result = _one(services, file, request)
                if not request.as_json:
                    _write(request, file, targets.get(file), result.text)
            except (ReflectorError, OSError, UnicodeError) as error:
                exit_code = _exit_code(error)
                reports.append({"file": shown(file), "error": _sentence(error)})
                click.echo(f"error: {shown(file)}: {_sentence(error)}", err=True)
                continue
            reports.append(result.report)
        services.close()
    if request.as_json:
        text = json.dumps({"files": reports}, ensure_ascii=False, indent=2) + "\n"
        if request.output:
            request.output.write_text(text)
        else:
            click.echo(text, nl=False)
    return exit_code


def shown(file: Path) -> str:
    """Return a name to show; bytes that are not UTF-8 are replaced."""
    return os.fsencode(file).decode("utf-8", "replace")


def output_files(request: Request) -> dict[Path, Path]:
    """Return the output file of each recording; empty if the text is printed.

    Raises InvalidInput, before any work, if an output would overwrite a recording or its folder
    cannot be created.
    """
    output, files = request.output, request.files
    if output is None:
        return {}
    if request.as_json or (len(files) == 1 and not output.is_dir()):
        targets = dict.fromkeys(files, output)
    else:
        targets = _named_after(files, output, SUFFIXES.get(request.format, ".txt"))
    recordings = {file.resolve() for file in files}
    for target in targets.values():
        if target.resolve() in recordings:
            raise InvalidInput(f"{shown(target)} is a recording, and would be overwritten.")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InvalidInput(
                f"The folder {shown(target.parent)} cannot be made: {error.strerror}."
            ) from error
    return targets


def _named_after(files: list[Path], folder: Path, suffix: str) -> dict[Path, Path]:
    """Return an output file in `folder` for each recording: `talk.webm` → `talk.srt`.

    If several recordings would share a name, the result is `talk.webm.srt`, then numbers. Only a
    media suffix is removed: `v1.2 review` keeps its name.
    """
    stems = Counter(_stem(file) for file in files)
    names: Counter[str] = Counter()
    targets = {}
    for file in files:
        name = _stem(file) if stems[_stem(file)] == 1 else file.name
        name = _fitting(shown(Path(name)), MAX_NAME - len(suffix) - 8)
        names[name] += 1
        number = f" ({names[name]})" if names[name] > 1 else ""
        targets[file] = folder / f"{name}{number}{suffix}"
    return targets


def _stem(file: Path) -> str:
    return file.stem if MEDIA_SUFFIX.fullmatch(file.suffix) else file.name


def _fitting(name: str, most: int) -> str:
    """Return as much of `name` as fits into `most` bytes of UTF-8."""
    return name.encode()[:most].decode("utf-8", "ignore")


def _prepare(services: Services, request: Request) -> None:
    """Load the models before any work, so that a missing one stops the command.

    If the diarizer is missing and was not asked for, warn and go on without it.
    """
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
    """Parse `--speakers`: `3` → (3, 3), `2-5` → (2, 5). Raises InvalidInput otherwise."""
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
            name=shown(Path(_stem(file)))[:MAX_NAME],
            source_kind=SourceKind.FILE,
            source_language=request.language,
        )
        session.add(transcript)
        session.flush()
        transcript.upload_key = f"{transcript.id}/upload"
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
    """Link the file into the storage under its key, so that the recording is not copied."""
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
        words = queries.words_of(session, transcript)
        topics = queries.topics_of(session, transcript, with_words=False, words=words)
        outputs = {name.value: step.output or {} for name, step in steps.items()}
        for step in steps.values():
            if step.error:
                click.echo(f"warning: {file}: {step.error}", err=True)
        for output in outputs.values():
            for warning in output.get("warnings", []):
                click.echo(f"warning: {file}: {warning}", err=True)
        parts = segments(words)
        names = formats.shown_names({}, words)
        if format_ == "md":
            text = markdown(queries.document_of(session, transcript))
        elif format_ == "json":
            text = (
                json.dumps(formats.json_segments(parts, names), ensure_ascii=False, indent=2) + "\n"
            )
        else:
            render = {
                "text": formats.text,
                "text-timestamped": formats.text_timestamped,
                "webvtt-named": formats.webvtt,
                "srt": formats.srt,
            }[format_]
            pieces = cues(words) if format_ in {"webvtt-named", "srt"} else parts
            text = render(pieces, names).rstrip("\n") + "\n"
        return _Result(text, report(file, transcript, topics, words, steps, outputs))


def _failure(transcript: Transcript, steps: list[Step]) -> ReflectorError:
    message = transcript.error or next((s.error for s in steps if s.error), None)
    return ReflectorError(message or "The work stopped without a reason; the log has more.")


def _write(request: Request, file: Path, target: Path | None, text: str) -> None:
    if target is None:
        if len(request.files) > 1:
            click.echo(f"== {shown(file)}")
        click.echo(text, nl=False)
        return
    part = target.with_name(f".{uuid.uuid4().hex}.part")
    try:
        part.write_text(text)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    click.echo(shown(target), err=not sys.stdout.isatty())


def _exit_code(error: Exception) -> int:
    if is_out_of_space(error):
        return OutOfSpace.exit_code
    return error.exit_code if isinstance(error, ReflectorError) else 1


def _sentence(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}."
    return str(error)

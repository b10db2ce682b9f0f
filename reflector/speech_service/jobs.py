"""Run long recordings as jobs: durable once accepted, resumed after a restart.

A job is a folder with the request, the decoded sound, the results of each batch of windows, and the
final result. The client chooses its name and so finds it again after any interruption. A job runs
while somebody polls it or listens to its events. Otherwise it is stopped, and resumes when somebody
asks for it again.
"""

from __future__ import annotations

import json
import logging
import shutil
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, BinaryIO

from reflector.errors import ReflectorError, Unavailable
from reflector.media.decode import PcmAudio, decode
from reflector.runtime.settings import Settings
from reflector.speech.engines import DiarizeOptions, Phrase, Task, TranscribeOptions
from reflector.speech.registry import SpeechEngines
from reflector.speech.scheduler import Priority
from reflector.speech_service import answers
from reflector.speech_service.checkpoint import CheckpointFile
from reflector.speech_service.limiter import Cancelled
from reflector.speech_service.work import FAILED
from reflector.storage.durable import sync, write_text

log = logging.getLogger(__name__)

ASKED_SECONDS = 60.0
KEPT_SECONDS = 24 * 3600.0
SWEEP_SECONDS = 10.0
PROGRESS_SECONDS = 0.25


class JobKind(StrEnum):
    TRANSCRIPTION = "transcription"
    DIARIZATION = "diarization"


class JobState(StrEnum):
    WAITING = "waiting"
    RUNNING = "running"
    STOPPED = "stopped"
    DONE = "done"
    FAILED = "failed"

    @property
    def is_final(self) -> bool:
        return self in (JobState.DONE, JobState.FAILED)


Event = dict[str, Any]
Listener = Callable[[Event], None]


@dataclass
class Job:
    """A job. `seconds` of `duration` are done; `result` or `error` is set once it has ended."""

    id: str
    kind: JobKind
    options: dict[str, Any]
    folder: Path
    state: JobState = JobState.WAITING
    seconds: float = 0.0
    duration: float = 0.0
    result: dict[str, Any] | None = None
    error: str | None = None
    asked_at: float = field(default_factory=time.monotonic)
    listeners: list[Listener] = field(default_factory=list)

    def view(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "kind": self.kind.value,
            "state": self.state.value,
            "seconds": round(self.seconds, 2),
            "duration": round(self.duration, 3),
            "result": self.result,
            "error": self.error,
        }

    @property
    def is_wanted(self) -> bool:
        return bool(self.listeners) or time.monotonic() - self.asked_at < ASKED_SECONDS


class Jobs:
    """All jobs of this process; at most `limit` may wait or run."""

    def __init__(self, settings: Settings, engines: SpeechEngines) -> None:
        self._engines = engines
        self._root = settings.DATA_DIR / "speech-jobs"
        self._limit = settings.SPEECH_JOBS
        self._threads = ThreadPoolExecutor(settings.SPEECH_REQUESTS, thread_name_prefix="job")
        self._lock = threading.RLock()
        self._jobs: dict[str, Job] = {}
        self._closing = threading.Event()
        threading.Thread(target=self._sweep, name="jobs", daemon=True).start()

    def accept(self, id: str, kind: JobKind, options: dict[str, Any], source: BinaryIO) -> Job:
        """Return a new job, durable when this returns, or the existing one if `id` is known.

        Raises InvalidInput if there is no sound in `source`, and Unavailable if too many jobs wait.
        """
        if (known := self.find(id)) is not None:
            return known
        with self._lock:
            if sum(not job.state.is_final for job in self._jobs.values()) >= self._limit:
                raise Unavailable(f"{self._limit} jobs are waiting already. Try again in a moment.")
        folder = self._root / id
        part = folder.with_name(f"{id}.part-{time.monotonic_ns()}")
        part.mkdir(parents=True)
        try:
            decoded = decode(source, part / "audio.s16")
            sync(part / "audio.s16")
            job = Job(id, kind, options, folder, duration=decoded.duration)
            _write(part / "job.json", {"kind": kind, "options": options})
            with self._lock:
                if (known := self.find(id)) is not None:
                    return known
                part.rename(folder)
                sync(self._root)
                self._jobs[id] = job
        finally:
            shutil.rmtree(part, ignore_errors=True)
        self._start(job)
        return job

    def find(self, id: str) -> Job | None:
        """Return the job, resuming it if it was stopped; None if there is no such job."""
        with self._lock:
            job = self._jobs.get(id) or self._read(id)
            if job is None:
                return None
            self._jobs[id] = job
            job.asked_at = time.monotonic()
            if job.state is JobState.STOPPED:
                self._start(job)
            return job

    def _read(self, id: str) -> Job | None:
        folder = self._root / id
        try:
            asked = json.loads((folder / "job.json").read_text())
        except FileNotFoundError:
            return None
        job = Job(id, JobKind(asked["kind"]), asked["options"], folder, JobState.STOPPED)
        job.duration = PcmAudio(folder / "audio.s16").duration
        ended = folder / "ended.json"
        if ended.exists():
            found = json.loads(ended.read_text())
            job.result, job.error = found["result"], found["error"]
            job.state = JobState.FAILED if job.error else JobState.DONE
            job.seconds = job.duration
        return job

    def remove(self, id: str) -> None:
        """Remove a job; its work ends within a batch of windows."""
        with self._lock:
            self._jobs.pop(id, None)
            # Move the folder away first: the worker may still write to it
            gone = self._root / f"{id}.gone-{time.monotonic_ns()}"
            with suppress(FileNotFoundError):
                (self._root / id).rename(gone)
            shutil.rmtree(gone, ignore_errors=True)

    def listen(self, job: Job, listener: Listener) -> None:
        """Call `listener` with every event from now on, on the thread that works."""
        with self._lock:
            job.listeners.append(listener)

    def leave(self, job: Job, listener: Listener) -> None:
        with self._lock:
            job.listeners.remove(listener)
            job.asked_at = time.monotonic()

    def _start(self, job: Job) -> None:
        job.state = JobState.WAITING
        self._threads.submit(self._run, job)

    def _run(self, job: Job) -> None:
        try:
            self._check(job)
            job.state = JobState.RUNNING
            job.result = self._work(job)
        except Cancelled:
            with self._lock:
                job.state = JobState.STOPPED
                # Somebody may have asked for it just after it was stopped
                if self._jobs.get(job.id) is job and job.is_wanted and not self._closing.is_set():
                    self._start(job)
            return
        except ReflectorError as error:
            job.error = str(error)
        except Exception:
            if self._jobs.get(job.id) is not job:
                job.state = JobState.STOPPED  # removed, with its files
                return
            log.exception("job %s failed", job.id)
            job.error = FAILED
        self._end(job)

    def _end(self, job: Job) -> None:
        with self._lock:
            if self._jobs.get(job.id) is not job:
                return
            try:
                _write(job.folder / "ended.json", {"result": job.result, "error": job.error})
                (job.folder / "windows.jsonl").unlink(missing_ok=True)
            except OSError as error:
                # Report it all the same; after a restart, the windows are still there
                log.warning("the result of job %s was not written down: %s", job.id, error)
            job.state = JobState.FAILED if job.error else JobState.DONE
            job.seconds = job.duration
            self._tell(job, {"event": "ended", **job.view()})

    def _work(self, job: Job) -> dict[str, Any]:
        audio = PcmAudio(job.folder / "audio.s16")
        last = 0.0

        def progress(seconds: float) -> None:
            nonlocal last
            self._check(job)
            job.seconds = seconds
            if time.monotonic() - last >= PROGRESS_SECONDS:
                last = time.monotonic()
                self._tell(job, {"event": "progress", "seconds": round(seconds, 2)})

        def heard(phrase: Phrase) -> None:
            self._tell(job, {"event": "phrase", **asdict(phrase)})

        with CheckpointFile(job.folder / "windows.jsonl") as checkpoint:
            if job.kind is JobKind.DIARIZATION:
                found = self._engines.diarize(
                    audio, DiarizeOptions(**job.options), progress, checkpoint
                )
                return answers.diarization_job(found)
            options = _transcribe_options(job.options)
            result = self._engines.transcriber.transcribe(
                audio, options, progress, heard, checkpoint
            )
        return answers.transcription(result)

    def _check(self, job: Job) -> None:
        if self._closing.is_set() or self._jobs.get(job.id) is not job or not job.is_wanted:
            raise Cancelled

    def _tell(self, job: Job, event: Event) -> None:
        for listener in list(job.listeners):
            listener(event)

    def _sweep(self) -> None:
        while not self._closing.wait(SWEEP_SECONDS):
            try:
                self.clear_old()
            except OSError as error:
                log.warning("old jobs cannot be removed: %s", error)

    def clear_old(self) -> None:
        """Remove jobs that nobody has asked for within a day."""
        for folder in self._root.glob("*/"):
            with suppress(FileNotFoundError):  # removed meanwhile
                age = time.time() - folder.stat().st_mtime
                job = self._jobs.get(folder.name)
                if age > KEPT_SECONDS and (job is None or not job.is_wanted):
                    self.remove(folder.name)

    def close(self) -> None:
        self._closing.set()
        self._threads.shutdown(wait=False, cancel_futures=True)


def _transcribe_options(asked: dict[str, Any]) -> TranscribeOptions:
    return TranscribeOptions(
        **{**asked, "task": Task(asked["task"]), "priority": Priority(asked["priority"])}
    )


def _write(path: Path, body: dict[str, Any]) -> None:
    write_text(path, json.dumps(body, ensure_ascii=False))

"""Run the parts of the benchmark. Times are in seconds, and ratios compare figures of one run."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from bench.recordings import seconds_of
from tests.speech_service.conftest import SpeechServer, speech_server

PATH = "/v1/audio/transcriptions"
LIMIT = 6 * 3600.0


def alone(model: Path, recording: Path, device: str) -> dict[str, Any]:
    with _service(model) as server:
        service = _streamed(server, recording)
    batched, reference = (
        _direct(way, model, recording, device) for way in ("batched", "reference")
    )
    audio = seconds_of(recording)
    ways = {"service": service, "batched": batched, "reference": reference}
    for figures in ways.values():
        figures["real_time_factor"] = round(figures["seconds"] / audio, 4)
    return {
        **ways,
        "times_faster_than_batched": _ratio(batched, service),
        "times_faster_than_reference": _ratio(reference, service),
    }


def two(model: Path, recording: Path, device: str) -> dict[str, Any]:
    def send() -> None:
        _words(server, recording)

    with _service(model) as server:
        one_after_the_other = _timed(send) + _timed(send)
        at_once = _at_once(send, send)
    return {
        "one_after_the_other_s": round(one_after_the_other, 2),
        "at_once_s": round(at_once, 2),
        "ratio": round(at_once / one_after_the_other, 3),
    }


def speakers(model: Path, recording: Path, device: str) -> dict[str, Any]:
    """Measure with the tests' tiny diarizer: a real one takes hours on a CPU."""

    def words() -> None:
        _words(server, recording)

    def turns() -> None:
        with recording.open("rb") as file:
            answer = server.http.post("/diarize", files={"file": file}, timeout=LIMIT)
        answer.raise_for_status()

    with _service(model, speakers=True) as server:
        turns()  # the first request warms up torch
        each = {"words_s": _timed(words), "speakers_s": _timed(turns)}
        at_once = _at_once(words, turns)
    return {
        **{name: round(seconds, 2) for name, seconds in each.items()},
        "at_once_s": round(at_once, 2),
        "ratio_to_slower": round(at_once / max(each.values()), 3),
        "ratio_to_sum": round(at_once / sum(each.values()), 3),
    }


@contextmanager
def _service(model: Path, *, speakers: bool = False) -> Iterator[SpeechServer]:
    with tempfile.TemporaryDirectory() as folder:
        environment = {"WHISPER_MODEL": str(model), "DIARIZATION_ENABLED": str(speakers)}
        with speech_server(Path(folder), **environment) as server:
            server.wait_until_loaded()
            yield server


def _streamed(server: SpeechServer, recording: Path) -> dict[str, Any]:
    """Stream the result as server-sent events, so that its first part can be timed."""
    process = psutil.Process(server.process.pid)
    cpu = sum(process.cpu_times()[:2])
    started, first, text = time.monotonic(), None, ""
    with (
        recording.open("rb") as file,
        server.http.stream(
            "POST",
            PATH,
            files={"file": (recording.name, file)},
            data={"language": "en", "stream": "true"},
            timeout=LIMIT,
        ) as answer,
    ):
        answer.raise_for_status()
        for line in answer.iter_lines():
            if line.startswith("data: {"):
                first = first or time.monotonic() - started
                text = json.loads(line[len("data: ") :]).get("text", text)
    return {
        "seconds": round(time.monotonic() - started, 2),
        "first_s": round(first or 0.0, 2),
        "cpu_s": round(sum(process.cpu_times()[:2]) - cpu, 2),
        "peak_mib": _peak(server.process.pid),
        "words": len(text.split()),
    }


def _words(server: SpeechServer, recording: Path) -> None:
    with recording.open("rb") as file:
        answer = server.http.post(
            PATH, files={"file": file}, data={"language": "en"}, timeout=LIMIT
        )
    answer.raise_for_status()


def _direct(way: str, model: Path, recording: Path, device: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "bench.speech.ways", way, str(model), str(recording), device],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    figures: dict[str, Any] = json.loads(done.stdout)
    return figures


def _timed(do: Callable[[], None]) -> float:
    started = time.monotonic()
    do()
    return time.monotonic() - started


def _at_once(*works: Callable[[], None]) -> float:
    threads = [threading.Thread(target=work) for work in works]
    started = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.monotonic() - started


def _peak(pid: int) -> int:
    """Return the peak memory of a process since its start, in MiB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return round(int(line.split()[1]) / 1024)
    raise RuntimeError(f"/proc/{pid}/status does not tell the peak")


def _ratio(other: dict[str, Any], service: dict[str, Any]) -> dict[str, float]:
    return {
        "seconds": round(other["seconds"] / service["seconds"], 2),
        "cpu_s": round(other["cpu_s"] / service["cpu_s"], 2),
        "first_s": round(other["first_s"] / service["first_s"], 2),
    }

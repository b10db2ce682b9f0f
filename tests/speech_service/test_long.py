"""Six hours of sound in the memory of a short recording."""

from __future__ import annotations

import resource
import wave
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import SAMPLE, reference
from tests.live.client import cut
from tests.speech_service.conftest import speech_server
from tests.speech_service.test_jobs import FORM, ended

HOURS = 6
# The sound alone would be 1.4 GB as the engines take it
PEAK_BYTES = 700 << 20
ADDRESS_SPACE = 4 << 30


def six_hours(folder: Path) -> Path:
    """Each hour begins with the sample meeting; the rest is faint noise."""
    once = cut(SAMPLE, 0.0, reference(SAMPLE).duration, folder / "once.wav")
    with wave.open(str(once)) as file:
        said = np.frombuffer(file.readframes(file.getnframes()), np.int16)
    hour = np.random.default_rng(1).normal(0, 3, 3600 * 16_000).astype(np.int16)
    hour[: len(said)] += said
    with wave.open(str(folder / "long.wav"), "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        for _ in range(HOURS):
            file.writeframes(hour.tobytes())
    return folder / "long.wav"


@pytest.mark.timeout(900)
def test_six_hours_stay_within_a_limit_of_memory(tmp_path: Path) -> None:
    recording = six_hours(tmp_path)
    with speech_server(tmp_path / "data", DIARIZATION_ENABLED="false") as server:
        server.wait_until_loaded()
        resource.prlimit(server.process.pid, resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
        with recording.open("rb") as file:
            answer = server.http.put(
                "/v1/jobs/six-hours", data=FORM, files={"file": ("a.wav", file)}
            )
        assert answer.status_code == 200, answer.text
        recording.unlink()
        job = ended(server, "six-hours", 800)
        assert job["error"] is None
        words = job["result"]["words"]
        for hour in range(HOURS):
            said = [word for word in words if 3600 * hour <= word[1] < 3600 * hour + 130]
            assert len(said) > 100, hour
        assert sum(word[1] % 3600 > 140 for word in words) == 0
        status = Path(f"/proc/{server.process.pid}/status").read_text()
        peak = 1024 * int(status.split("VmHWM:")[1].split()[0])
        assert peak < PEAK_BYTES, f"{peak >> 20} MiB"

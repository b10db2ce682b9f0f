"""Six hours of sound in the memory of a short recording."""

from __future__ import annotations

import resource
import wave
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import SAMPLE, reference
from tests.live.client import cut
from tests.speech_service.conftest import SpeechServer, speech_server
from tests.speech_service.test_jobs import FORM, ended, put

HOURS = 6
# The sound alone would be 1.4 GB as the engines take it, and 700 MB as it was sent
MORE_THAN_A_SHORT_ONE = 300 << 20
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


def peak(server: SpeechServer) -> int:
    """The most memory that the service ever held, in bytes."""
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return 1024 * int(status.split("VmHWM:")[1].split()[0])


@pytest.mark.timeout(900)
def test_six_hours_stay_within_a_limit_of_memory(tmp_path: Path) -> None:
    recording = six_hours(tmp_path)
    with speech_server(tmp_path / "data", DIARIZATION_ENABLED="false") as server:
        server.wait_until_loaded()
        put(server, "two-minutes", SAMPLE.read_bytes())
        ended(server, "two-minutes")
        before = peak(server)
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
        more = peak(server) - before
        assert more < MORE_THAN_A_SHORT_ONE, f"{more >> 20} MiB more than {before >> 20} MiB"

"""Debian 12: Redis, PostgreSQL 15, Python 3.11, systemd 252 that cannot seal a secret without a TPM; and
speakers, where there is a build of torch for it."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.boot import tree
from tests.boot.client import Client
from tests.boot.conftest import PASSWORD, Appliance, authority_of, configure
from tests.boot.machine import booted
from tests.conftest import SAMPLE, reference

TOML = """\
[speech]
model = "whisper"
diarization_model = "/var/lib/reflector/models/diarizer"
"""
WITHOUT = '[speech]\nmodel = "whisper"\ndiarization = false\n'


@pytest.fixture(scope="module")
def debian12(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Appliance]:
    base = tree.installed(tmp_path_factory.mktemp("tree12") / "tree", "12")
    folder = tmp_path_factory.mktemp("machine12")
    with booted(base, folder, f"deb12x{os.getpid()}") as machine:
        said = configure(machine, TOML if tree.has_torch("12") else WITHOUT)
        yield Appliance(
            machine, said, authority_of(machine, tmp_path_factory.mktemp("authority12"))
        )


def test_it_runs_and_is_as_configured(debian12: Appliance) -> None:
    assert debian12.failed_units() == ""
    assert debian12.planned() == []
    assert "redis" in debian12.machine.run("appliance", "status")


def test_secrets_are_files_that_only_root_reads(debian12: Appliance) -> None:
    kept = debian12.machine.root / "etc/reflector/credentials"
    assert kept.stat().st_mode & 0o777 == 0o700
    assert {path.name for path in kept.iterdir()} == {
        "SECRET_KEY", "REFLECTOR_GPU_APIKEY", "ADMIN_PASSWORD_HASH"
    }  # fmt: skip
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in kept.iterdir())


def test_meeting_has_words_and_speakers(debian12: Appliance) -> None:
    with Client(f"https://{debian12.machine.address}", debian12.authority) as client:
        client.log_in("admin@localhost", PASSWORD)
        found = client.upload()
        assert client.wait_for(found)["status"] == "ended"
        assert len(client.words(found).split()) == len(reference(SAMPLE).words)
        query = {"transcript_format": "json"}
        segments = client.get(f"/v1/transcripts/{found}", **query)["transcript"]
    speakers = {segment["speaker"] for segment in segments}
    expected = {word[3] for word in reference(SAMPLE).words} if tree.has_torch("12") else {0}
    assert len(speakers) == len(expected)

"""Other ways to configure the same machine: certificates by an ACME authority, a proxy of one's own, S3
elsewhere. Each leaves it as it was."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.appliance.test_preflight import certificate
from tests.boot import tree
from tests.boot.client import Client
from tests.boot.conftest import Appliance
from tests.real import s3 as real_s3
from tests.waiting import wait_until

DOMAIN = "meetings.example.test"
PEBBLE = {
    "pebble": {
        "listenAddress": "127.0.0.1:14000", "managementListenAddress": "127.0.0.1:15000",
        "certificate": "/srv/acme/server.pem", "privateKey": "/srv/acme/server-key.pem",
        "httpPort": 80, "tlsPort": 443, "ocspResponderURL": "", "externalAccountBindingRequired": False,
        "profiles": {"default": {"description": "usual", "validityPeriod": 7776000}},
    }
}  # fmt: skip
ACME = f"""
[proxy]
domain = "{DOMAIN}"
email = "admin@example.test"
acme_directory = "https://localhost:14000/dir"
extra_ca = ["/srv/acme/server.pem"]
"""


@pytest.fixture
def toml(appliance: Appliance) -> Iterator[Path]:
    """The operator's file; afterwards the machine is again what it says now."""
    file = appliance.machine.root / "etc/reflector/appliance.toml"
    before = file.read_text()
    yield file
    file.write_text(before)
    appliance.configure()
    assert appliance.planned() == []
    assert appliance.failed_units() == ""


def test_certificate_comes_from_an_acme_authority(
    appliance: Appliance, toml: Path, tmp_path: Path
) -> None:
    machine = appliance.machine
    certificate(tmp_path, "localhost")
    shutil.copytree(tmp_path, machine.root / "srv/acme", ignore=shutil.ignore_patterns("roots.pem"))
    (machine.root / "srv/acme/pebble.json").write_text(json.dumps(PEBBLE))
    hosts = machine.root / "etc/hosts"
    hosts.write_text(
        f"{hosts.read_text() if hosts.exists() else ''}\n127.0.0.1 localhost {DOMAIN}\n"
    )
    machine.run("systemd-run", "--unit=pebble", "--setenv=PEBBLE_VA_NOSLEEP=1",
                "pebble", "-config", "/srv/acme/pebble.json")  # fmt: skip
    wait_until(lambda: ":14000" in machine.run("ss", "-ltn"), "the authority listens")
    toml.write_text(toml.read_text() + ACME)
    appliance.configure()
    root = tmp_path / "roots.pem"
    root.write_text(machine.run("curl", "-sk", "https://localhost:15000/roots/0"))
    address = f"{DOMAIN}:443:{machine.address}"

    def answers() -> bool:
        asked = [
            "curl",
            "-s",
            "--cacert",
            str(root),
            "--resolve",
            address,
            f"https://{DOMAIN}/health",
        ]
        done = subprocess.run(asked, check=False, capture_output=True, text=True)
        return '"healthy"' in done.stdout

    wait_until(answers, "a certificate of the authority", 240)
    headers = tree.run(
        "curl", "-sI", "--cacert", str(root), "--resolve", address, f"https://{DOMAIN}/login"
    )
    assert "strict-transport-security: max-age=31536000" in headers
    machine.run("systemctl", "stop", "pebble")


def test_own_proxy_finds_both_ports(appliance: Appliance, toml: Path) -> None:
    machine = appliance.machine
    appliance.configure("--no-caddy")
    for port in (1250, 3000):
        assert "healthy" in machine.run("curl", "-s", f"http://127.0.0.1:{port}/health")
    assert ":443" not in machine.run("ss", "--tcp", "--listening", "--numeric")
    assert appliance.planned() == []


@pytest.fixture
def s3(appliance: Appliance, tmp_path: Path) -> Iterator[real_s3.S3]:
    """A real server, at the other end of the machine's cable."""
    binary = real_s3.installed()
    if binary is None:
        pytest.skip("rclone is not installed")
    found = real_s3.S3(tmp_path, binary, appliance.machine.outside)
    yield found
    found.stop()


def test_recordings_go_to_s3_elsewhere(
    appliance: Appliance, toml: Path, client: Client, s3: real_s3.S3
) -> None:
    machine = appliance.machine
    toml.write_text(
        f'{toml.read_text()}\n[storage]\non = "s3"\nbucket = "{real_s3.BUCKET}"\n'
        f'region = "us-east-1"\nendpoint = "{s3.url}"\n'
    )
    names = ("TRANSCRIPT_STORAGE_AWS_ACCESS_KEY_ID", "TRANSCRIPT_STORAGE_AWS_SECRET_ACCESS_KEY")
    files = [machine.root / "root/key", machine.root / "root/secret"]
    flags = [f"--secret={name}=/root/{file.name}" for name, file in zip(names, files, strict=True)]
    files[0].write_text(s3.key)
    files[1].write_text("a wrong secret")
    before = (machine.root / "etc/reflector/reflector.env").read_text()
    refused = appliance.configure(*flags, check=False)
    assert f"The bucket {real_s3.BUCKET} at {s3.url} cannot be written to" in refused
    assert "Nothing was changed." in refused
    assert (machine.root / "etc/reflector/reflector.env").read_text() == before
    files[1].write_text(s3.secret)
    appliance.configure(*flags)
    for file in files:
        file.unlink()
    assert appliance.planned() == []
    transcript = client.upload(name="To the bucket")
    assert client.wait_for(transcript)["status"] == "ended"
    stored = [path.name for path in (s3.objects / real_s3.BUCKET).rglob("*") if path.is_file()]
    assert "audio.mp3" in stored

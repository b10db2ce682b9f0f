"""What happens to a machine in its life: services that are killed, stopped and frozen, a reboot, files
that somebody edited, two administrators at once."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator

import pytest

from tests.boot.client import Client
from tests.boot.conftest import Appliance
from tests.boot.machine import Machine
from tests.conftest import SAMPLE, reference
from tests.waiting import wait_until

WORKERS = [
    f"reflector-worker@{queue}.service" for queue in ("media", "speech", "language", "default")
]
WATCHED = ["reflector-api.service", "reflector-live.service", "reflector-beat.service", "reflector-transcription.service",
           *WORKERS]  # fmt: skip
OTHERS = ["valkey-server@reflector.service", "postgresql@17-reflector.service", "caddy.service"]
SOON = "[Service]\nWatchdogSec=6s\n"
FAILS = "[Service]\nExecStart=\nExecStart=/bin/false\nRestart=no\n"
AGAIN_AND_AGAIN = "from appliance.boot import trial; print(*trial._failed_again_and_again())"


@contextlib.contextmanager
def changed(machine: Machine, lines: str, *units: str) -> Iterator[None]:
    """The units with these lines of their own, until the end of the block or the machine's next start."""
    folders = [f"/run/systemd/system/{unit}.d" for unit in units]
    for folder in folders:
        machine.run("mkdir", "-p", folder)
        machine.run("sh", "-c", f"cat > '{folder}/99-test.conf'", stdin=lines)
    machine.run("systemctl", "daemon-reload")
    try:
        yield
    finally:
        machine.run("rm", "-r", *folders)
        machine.run("systemctl", "daemon-reload")


@pytest.mark.parametrize("unit", [*WATCHED, *OTHERS])
def test_restart_of_a_service_during_a_job_loses_nothing(
    appliance: Appliance, client: Client, unit: str
) -> None:
    transcript = client.upload(name=f"Restart of {unit}")
    appliance.machine.run("systemctl", "restart", unit)
    found = client.wait_for(transcript)
    assert found["status"] == "ended", found
    assert len(client.words(transcript).split()) == len(reference(SAMPLE).words)
    assert appliance.failed_units() == ""


def test_frozen_service_is_started_again_by_its_watchdog(appliance: Appliance) -> None:
    """Each has a watchdog of one or two minutes; here of six seconds, so as not to wait for it."""
    machine = appliance.machine

    def shown(unit: str, name: str) -> str:
        return machine.run("systemctl", "show", "--value", f"--property={name}", unit).strip()

    with changed(machine, SOON, *WATCHED):
        machine.run("systemctl", "restart", *WATCHED)
        before = {unit: shown(unit, "MainPID") for unit in WATCHED}
        machine.run("kill", "-STOP", *before.values())

        def is_back(unit: str) -> bool:
            return shown(unit, "ActiveState") == "active" and shown(unit, "MainPID") != before[unit]

        wait_until(lambda: all(map(is_back, WATCHED)), "all services are back", 180)
    machine.run("systemctl", "restart", *WATCHED)


def test_service_that_fails_whenever_it_is_asked_is_found(appliance: Appliance) -> None:
    """By the trial of a new version: while its socket starts it once more, systemd does not have it among the failed."""
    machine, unit = appliance.machine, "reflector-api.service"

    def is_found() -> bool:
        machine.run("systemctl", "start", unit, check=False)
        return unit in machine.run("/usr/lib/reflector/venv/bin/python", "-c", AGAIN_AND_AGAIN)

    with changed(machine, FAILS, unit):
        machine.run("systemctl", "stop", unit)
        assert not is_found()
        wait_until(is_found, "it is found", 180)
    machine.run("systemctl", "reset-failed", unit)
    machine.run("systemctl", "restart", unit)
    assert appliance.failed_units() == ""


def test_target_stops_and_starts_everything(appliance: Appliance, client: Client) -> None:
    machine = appliance.machine
    machine.run("systemctl", "stop", "reflector.target")
    wait_until(lambda: _active(appliance) == ["reflector-firewall.service"], "all have stopped", 60)
    machine.run("systemctl", "start", "reflector.target")
    wait_until(lambda: client.http.get("/health").status_code == 200, "the server is back")
    assert appliance.failed_units() == ""


def _active(appliance: Appliance) -> list[str]:
    said = appliance.machine.run(
        "systemctl", "list-units", "--state=active", "--plain", "--no-legend",
        "reflector-*.service", "reflector-*.socket",
    )  # fmt: skip
    return [line.split()[0] for line in said.splitlines()]


def test_edited_file_stays_and_its_difference_is_shown(appliance: Appliance) -> None:
    file = appliance.machine.root / "etc/caddy/Caddyfile"
    before = file.read_text()
    file.write_text(f"{before}# mine\n")
    said = appliance.configure()
    assert "/etc/caddy/Caddyfile was edited by hand and is not changed" in said
    assert "-# mine" in said
    assert file.read_text().endswith("# mine\n")
    appliance.configure("--force")
    assert file.read_text() == before


def test_changed_setting_restarts_what_reads_it(appliance: Appliance, client: Client) -> None:
    toml = appliance.machine.root / "etc/reflector/appliance.toml"
    before = toml.read_text()
    toml.write_text(before + "\n[network]\nwebrtc_last_port = 50050\n")
    assert [title for title in appliance.planned() if "caddy" in title] == []
    appliance.configure()
    assert appliance.planned() == []
    assert "50000-50050" in appliance.machine.run("nft", "list", "table", "inet", "reflector")
    assert client.http.get("/health").status_code == 200
    toml.write_text(before)
    appliance.configure()


def test_two_runs_at_once_do_not_meet(appliance: Appliance) -> None:
    """The first holds the lock; the second says so and changes nothing."""
    machine = appliance.machine
    toml = machine.root / "etc/reflector/appliance.toml"
    before = toml.read_text()
    toml.write_text(before + "\n[storage]\nlow_space_gib = 5\n")
    held = ["python3", "-c", "import fcntl,sys; f=open('/run/reflector-appliance.lock','w'); "
            "fcntl.flock(f, fcntl.LOCK_EX); print('held', flush=True); sys.stdin.read()"]  # fmt: skip
    other = machine.start(*held)
    try:
        assert other.stdout
        assert other.stdout.readline() == b"held\n"
        said = appliance.configure(check=False)
        assert "Another `appliance` is changing this machine." in said
    finally:
        other.communicate(timeout=30)  # closes what it waits for
    toml.write_text(before)
    assert appliance.planned() == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[proxi]\n", "line 1: proxi is unknown."),
        ('[speech]\non = "fast"\n', "speech.on is 'fast'; allowed are auto, gpu, cpu, hosted."),
        ("[network]\nwebrtc_last_port = 99\n", "webrtc_first_port after webrtc_last_port"),
        ("speech = \n", "is not TOML"),
    ],
)
def test_mistake_in_the_file_is_said_and_nothing_changes(
    appliance: Appliance, text: str, said: str
) -> None:
    toml = appliance.machine.root / "etc/reflector/appliance.toml"
    before = toml.read_text()
    toml.write_text(text)
    assert said in appliance.configure(check=False)
    toml.write_text(before)
    assert appliance.planned() == []


def test_reboot_brings_everything_back(appliance: Appliance, client: Client) -> None:
    meetings = client.get("/v1/transcripts")["total"]
    appliance.machine.reboot()
    wait_until(lambda: _is_well(client), "the server answers")
    assert appliance.machine.run("systemctl", "is-system-running").strip() == "running"
    assert client.get("/v1/transcripts")["total"] == meetings
    assert appliance.planned() == []
    found = client.wait_for(client.upload(name="After the reboot"))
    assert found["status"] == "ended"


def _is_well(client: Client) -> bool:
    said = client.http.get("/health")
    return said.status_code == 200 and json.loads(said.text)["status"] == "healthy"

"""Updates of a machine: one that works, and each kind that does not. `make test-image` runs these."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.boot.client import Client
from tests.boot.test_booted import plain
from tests.image import broken, updates
from tests.image.build import Images
from tests.image.conftest import Switch
from tests.image.machine import VirtualMachine
from tests.image.meeting import spoken
from tests.image.updates import Served

pytestmark = [pytest.mark.needs_image, pytest.mark.long]
# Short, because a version that hangs uses up all of it three times
TRIAL_MINUTES = 4


@pytest.fixture(scope="module")
def machine(switch_on: Switch, served: Served) -> Iterator[VirtualMachine]:
    with switch_on(served=served.port) as found:
        found.wait_until_up()
        toml = "/etc/reflector/appliance.toml"
        found.run("sed", "-i", f"s/trial_minutes = .*/trial_minutes = {TRIAL_MINUTES}/", toml)
        yield found


def test_newer_version_is_started_blessed_and_has_the_data(
    machine: VirtualMachine, images: Images, served: Served, client: Client, meeting: str
) -> None:
    """And back again, as the operator wishes, and once more forward."""
    served.folder = images.newer(1, broken.nothing)
    newer = f"{images.version}.1"
    assert f"{newer} is newer" in machine.run(
        "appliance", "update", "check", "--from", updates.ADDRESS
    )
    updates.apply(machine, "--reboot", check=False)
    updates.wait_for_version(machine, newer)
    assert machine.run("systemctl", "is-system-running").strip() == "running"
    assert updates.kernels(machine) == [f"reflector_{images.version}.efi", f"reflector_{newer}.efi"]
    assert updates.history(machine)["by_version"][newer]["outcome"] == "proven"
    assert plain(client.words(meeting)) == spoken()
    assert f"{images.version} starts next" in machine.run(
        "appliance", "update", "rollback", "--yes"
    )
    updates.reboot(machine)
    updates.wait_for_version(machine, images.version)
    assert updates.history(machine)["by_version"][newer]["outcome"] == "left"
    assert plain(client.words(meeting)) == spoken()
    assert "was rolled back" in updates.apply(machine, check=False)


@pytest.mark.parametrize(
    ("number", "change", "reason"),
    [
        (2, broken.unit_that_fails, "reflector-api.service failed"),
        (3, broken.unit_that_hangs, "not done with starting are reflector-api.service"),
        (4, broken.migration_that_fails, "reflector-migrate.service failed"),
        (7, broken.unit_that_hangs_early, "an early unit hangs"),
    ],
    ids=["unit that fails", "unit that hangs", "migration that fails", "unit that hangs early"],
)
def test_version_that_does_not_work_is_left_again(
    machine: VirtualMachine, images: Images, served: Served, client: Client, meeting: str,
    number: int, change: Callable[[Path], None], reason: str,
) -> None:  # fmt: skip
    """After three starts; with the data as they were, and the reason wherever somebody looks."""
    served.folder = images.newer(number, change)
    goes_back(machine, images, number, reason)
    assert plain(client.words(meeting)) == spoken()
    assert reason in client.http.get("/login").text


def test_version_that_took_away_from_the_database_gives_it_back(
    machine: VirtualMachine, images: Images, served: Served, client: Client, meeting: str
) -> None:
    served.folder = images.newer(5, broken.migration_that_takes_away)
    goes_back(machine, images, 5, "reflector-api.service failed")
    assert plain(client.words(meeting)) == spoken()
    said = machine.run("journalctl", "-b", "-u", "reflector-slot", "--output=cat")
    assert "in a way that" in said
    kept = f"reflector_{images.version}.5".replace(".", "_").replace("reflector_", "", 1)
    listed = machine.run(
        "runuser", "-u", "postgres", "--", "psql", "-h", "/run/reflector-postgresql", "-Atl"
    )
    assert f"reflector_{kept}" in listed


def test_version_on_a_damaged_partition_is_left_again(
    machine: VirtualMachine, images: Images, served: Served, client: Client, meeting: str
) -> None:
    """A megabyte of the new slot is overwritten before it is started."""
    served.folder = images.newer(6, broken.nothing)
    newer = f"{images.version}.6"
    updates.apply(machine)
    device = machine.run("readlink", "-f", f"/dev/disk/by-partlabel/reflector_{newer}").strip()
    write = ["if=/dev/urandom", f"of={device}", "bs=1M", "count=1", "seek=700", "conv=fsync"]
    machine.run("dd", *write)
    goes_back(machine, images, 6, "The system partition is damaged at", applied=True)
    assert plain(client.words(meeting)) == spoken()


def goes_back(
    machine: VirtualMachine, images: Images, number: int, reason: str, *, applied: bool = False
) -> None:
    broken_one = f"{images.version}.{number}"
    if not applied:
        updates.apply(machine)
    updates.reboot(machine)
    updates.wait_for_version(machine, images.version, 3000)
    event = updates.history(machine)["by_version"][broken_one]
    assert event["outcome"] == "failed", event
    assert reason in " ".join(event["reasons"]), event
    status = machine.run("appliance", "status", check=False)
    assert f"{broken_one} did not work" in status
    assert reason in status
    assert reason in machine.run("cat", "/run/issue.d/reflector.issue")
    assert machine.failed_units() == ""

"""The disk image as a machine: flashed, started, used, given updates that are refused and one that does not work."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509

from tests.boot.client import Client
from tests.boot.test_booted import plain
from tests.image import broken, updates
from tests.image.build import Images
from tests.image.conftest import PASSWORD, Switch
from tests.image.machine import VirtualMachine
from tests.image.meeting import spoken
from tests.image.updates import Served

pytestmark = pytest.mark.needs_image


@pytest.fixture(scope="module")
def machine(switch_on: Switch, served: Served) -> Iterator[VirtualMachine]:
    with switch_on(served=served.port) as found:
        found.wait_until_up()
        yield found


def test_first_start_ends_with_a_version_that_is_blessed(
    machine: VirtualMachine, images: Images
) -> None:
    assert machine.failed_units() == ""
    assert machine.run("systemctl", "is-system-running").strip() == "running"
    assert updates.kernels(machine) == [f"reflector_{images.version}.efi"]
    assert updates.history(machine)["by_version"][images.version]["outcome"] == "proven"
    journal = machine.run("journalctl", "-b", "--output=cat", "--no-pager")
    assert "ordering cycle" not in journal
    assert "three seconds of speech were transcribed" in journal
    assert "can't exec" not in journal
    assert PASSWORD not in journal + machine.console()


def test_operators_answers_are_the_machines_configuration(machine: VirtualMachine) -> None:
    text = machine.run("cat", "/etc/reflector/appliance.toml")
    assert text.startswith("# The operator's own remark")
    assert "Nothing to change" in machine.run("appliance", "configure", "--dry-run", "--yes")


def test_system_partition_cannot_be_changed_and_etc_can(machine: VirtualMachine) -> None:
    assert "Read-only" in machine.run("touch", "/usr/bin/new", check=False)
    mounts = machine.run("findmnt", "--noheadings", "--output=TARGET,SOURCE,FSTYPE", "--list")
    assert "/usr /dev/mapper/usr erofs" in " ".join(mounts.split())
    machine.run("sh", "-c", "echo kept > /etc/own-file")


def test_commands_of_an_installed_machine_are_refused(machine: VirtualMachine) -> None:
    for command in (
        ["install"],
        ["uninstall", "--purge", "--yes"],
        ["configure", "--build", "--yes"],
    ):
        assert "was installed from an image" in machine.run("appliance", *command, check=False)


def test_setup_page_is_closed_for_good(machine: VirtualMachine, client: Client) -> None:
    assert "Set up Reflector" not in client.http.get("/").text
    assert (
        machine.run(
            "systemctl", "show", "--value", "-p", "ActiveState", "reflector-firstboot"
        ).strip()
        == "active"
    )
    machine.run("systemctl", "restart", "reflector-firstboot")
    assert "condition" in machine.run("systemctl", "status", "reflector-firstboot", check=False)


def test_console_shows_addresses_fingerprint_and_health(machine: VirtualMachine) -> None:
    shown = machine.run("cat", "/run/issue.d/reflector.issue")
    assert "https://10.0.2.15" in shown
    assert shown.count(":") > 31
    assert "Everything works." in shown


def test_beginning_of_the_sample_becomes_words_over_https(client: Client, meeting: str) -> None:
    assert plain(client.words(meeting)) == spoken()


def test_signatures_do_not_have_the_time_of_the_build(images: Images) -> None:
    """Or the same commit would not give the same image."""
    certificate = x509.load_pem_x509_certificate(images.request.keys.certificate.read_bytes())
    (kernel,) = (images.request.output / "updates").glob("*.efi")
    valid = (certificate.not_valid_before_utc, certificate.not_valid_after_utc)
    start, end = (f"{time:%y%m%d%H%M%S}Z".encode() for time in valid)
    # Debian's own signature of the kernel has others
    times = re.findall(rb"\x17\x0d(\d{12}Z)", kernel.read_bytes())
    signed = [times[i + 2] for i in range(len(times) - 2) if times[i : i + 2] == [start, end]]
    assert signed == [start, start], times


def test_update_that_somebody_else_signed_is_refused(
    machine: VirtualMachine, images: Images, served: Served, tmp_path: Path
) -> None:
    shutil.copytree(
        images.newer(1, broken.nothing, broken.PANIC), tmp_path / "u", dirs_exist_ok=True
    )
    sums = tmp_path / "u/SHA256SUMS"
    sums.write_text(sums.read_text().replace("0", "1"))
    served.folder = tmp_path / "u"
    said = updates.apply(machine, check=False)
    assert "has no signature that this machine trusts" in said
    assert "Nothing was changed" in said
    assert updates.kernels(machine) == [f"reflector_{images.version}.efi"]


def test_update_that_is_cut_off_is_refused(
    machine: VirtualMachine, images: Images, served: Served, tmp_path: Path
) -> None:
    shutil.copytree(
        images.newer(1, broken.nothing, broken.PANIC), tmp_path / "u", dirs_exist_ok=True
    )
    kernel = next((tmp_path / "u").glob("*.efi"))
    with kernel.open("r+b") as file:
        file.truncate(kernel.stat().st_size // 2)
    served.folder = tmp_path / "u"
    said = updates.apply(machine, check=False)
    assert "damaged or incomplete" in said
    assert updates.kernels(machine) == [f"reflector_{images.version}.efi"]
    assert "_empty" in machine.run("lsblk", "--noheadings", "--output=PARTLABEL")


@pytest.mark.long
def test_update_whose_kernel_panics_goes_back_by_itself(
    machine: VirtualMachine, images: Images, served: Served, client: Client, meeting: str
) -> None:
    """Three starts of it, then the old version with all that it had; and why is said."""
    served.folder = images.newer(1, broken.nothing, broken.PANIC)
    newer = f"{images.version}.1"
    assert f"{newer} starts next" in updates.apply(machine)
    updates.reboot(machine)
    updates.wait_for_version(machine, images.version)
    assert machine.console().count("Kernel panic") >= 3
    assert f"reflector_{images.version}.efi" in updates.kernels(machine)
    event = updates.history(machine)["by_version"][newer]
    assert event["outcome"] == "failed"
    assert f"{newer} did not work" in machine.run("appliance", "status", check=False)
    assert f"{newer} did not work" in machine.run("journalctl", "-b", "-u", "reflector-slot")
    assert f"{newer} did not work" in machine.run("cat", "/run/issue.d/reflector.issue")
    assert machine.failed_units() == ""
    assert machine.run("cat", "/etc/own-file").strip() == "kept"
    assert plain(client.words(meeting)) == spoken()
    client.http.cookies.clear()
    assert f"{newer} did not work" in client.http.get("/login").text
    assert "--again" in updates.apply(machine, check=False)

"""The disks of a machine: installed from a stick, erased, encrypted by a TPM, a second one. `make test-image` runs these."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.image.esp import Esp
from appliance.image.tools import Tools
from tests.boot.tree import run
from tests.image import updates
from tests.image.build import Images
from tests.image.conftest import PASSWORD, TOML, Switch
from tests.image.machine import VirtualMachine, switched_on
from tests.waiting import wait_until

pytestmark = [pytest.mark.needs_image, pytest.mark.long]


def test_stick_installs_to_the_disk_that_was_chosen(
    images: Images, key: Path, tmp_path: Path
) -> None:
    """By the boot menu's entry; the stick itself stays as it was, and its answers come along."""
    stick, target = tmp_path / "stick.raw", tmp_path / "target.qcow2"
    shutil.copyfile(images.disk, stick)
    (tmp_path / "appliance.toml").write_bytes(TOML)
    (tmp_path / "password").write_text(PASSWORD)
    choose(stick, "install", tmp_path)
    esp = Esp(stick)
    esp.make_folder("reflector")
    esp.put([tmp_path / "appliance.toml", tmp_path / "password"], "reflector")
    before = stick.read_bytes()[2 << 20 : 600 << 20]
    images.tools.run("qemu-img", "create", "-q", "-f", "qcow2", target, "16G", sees=[tmp_path])
    images.tools.run(
        "qemu-img", "create", "-q", "-f", "qcow2", "-b", stick, "-F", "raw", tmp_path / "layer.qcow2", sees=[tmp_path]
    )  # fmt: skip
    disk = [
        "-drive",
        f"if=none,id=target,format=qcow2,file={target}",
        "-device",
        "virtio-blk-pci,drive=target",
    ]
    machine = VirtualMachine(
        images.tools, tmp_path, tmp_path / "layer.qcow2", stick, key, more=disk
    )
    with switched_on(machine):
        machine.wait_for_console("Install to")
        machine.type("1\n")
        machine.wait_for_console("again to confirm")
        machine.type("/dev/vdb\n")
        wait_until(
            lambda: not machine.is_on, "the machine switching itself off", 900, machine.console
        )
    assert "The installation is done." in machine.console()
    assert stick.read_bytes()[2 << 20 : 600 << 20] == before
    installed = VirtualMachine(
        images.tools, _folder(tmp_path / "installed"), target, stick, key,
        {"ssh.authorized_keys.root": key.with_suffix(".pub").read_bytes()},
    )  # fmt: skip
    with switched_on(installed):
        assert installed.wait_until_up() == "running"
        assert updates.kernels(installed) == [f"reflector_{images.version}.efi"]
        assert "password" not in installed.run("ls", "/boot/reflector")
        labels = installed.run("lsblk", "--noheadings", "--output=PARTLABEL").split()
        assert labels.count("_empty") == 3


def test_factory_reset_leaves_nothing_of_the_machine(switch_on: Switch, images: Images) -> None:
    with switch_on() as machine:
        machine.wait_until_up()
        machine.run("sh", "-c", "echo kept > /etc/own-file; echo kept > /var/lib/own-file")
        first = machine.run("cat", "/etc/machine-id")
        before = machine.boot_id()
        machine.run("appliance", "factory-reset", "--yes", check=False)
        wait_until(
            lambda: machine.boot_id() not in {"", before}, "another start", 900, machine.console
        )
        assert machine.wait_until_up() == "running"
        assert "No such file" in machine.run(
            "cat", "/etc/own-file", "/var/lib/own-file", check=False
        )
        assert machine.run("cat", "/etc/machine-id") != first
        assert len(updates.history(machine)["events"]) == 1


def test_reset_in_the_boot_menu_asks_first(images: Images, key: Path, tmp_path: Path) -> None:
    """Whoever types something else than ERASE starts the machine as it is."""
    stick = tmp_path / "disk.raw"
    shutil.copyfile(images.disk, stick)
    choose(stick, "factory-reset", tmp_path)
    images.tools.run(
        "qemu-img", "create", "-q", "-f", "qcow2", "-b", stick, "-F", "raw", tmp_path / "l.qcow2", "16G", sees=[tmp_path]
    )  # fmt: skip
    machine = VirtualMachine(images.tools, tmp_path, tmp_path / "l.qcow2", stick, key)
    with switched_on(machine):
        machine.wait_for_console("Type ERASE")
        mark = len(machine.console())
        machine.type("no\n")
        machine.wait_for_console("Type ERASE", after=mark + 20)
        machine.type("ERASE\n")
        machine.wait_for_console("This is a new Reflector")


def test_encrypted_state_is_opened_by_the_tpm_and_by_the_recovery_key(
    switch_on: Switch, images: Images, tmp_path: Path
) -> None:
    with (
        tpm(images.tools, tmp_path) as arguments,
        switch_on(more=arguments, encrypt=True, sees=[tmp_path]) as machine,
    ):
        machine.wait_until_up()
        said = machine.console()
        shown = next(
            line.strip()
            for line in said.splitlines()
            if line.strip().count("-") == 7 and len(line.strip()) > 60
        )
        assert "crypto_LUKS" in machine.run("lsblk", "--noheadings", "--output=FSTYPE")
        device = machine.run(
            "sh", "-c", "lsblk -rno PATH,FSTYPE | awk '$2==\"crypto_LUKS\"{print $1}'"
        ).strip()
        machine.run(
            "sh",
            "-c",
            f"echo -n {shown} > /run/key; cryptsetup open --test-passphrase --key-file /run/key {device}",
        )
        updates.reboot(machine)
        assert machine.wait_until_up() == "running"


def test_encryption_without_a_tpm_stops_with_a_sentence(switch_on: Switch) -> None:
    with switch_on(encrypt=True) as machine:
        machine.wait_for_console("this machine has no TPM 2.0")


def test_second_disk_takes_the_recordings(
    switch_on: Switch, images: Images, tmp_path: Path
) -> None:
    disk = tmp_path / "data.qcow2"
    images.tools.run("qemu-img", "create", "-q", "-f", "qcow2", disk, "4G", sees=[tmp_path])
    toml = TOML + b'[disk]\ndata = "/dev/disk/by-id/virtio-recordings"\n'
    more = [
        "-drive", f"if=none,id=data,format=qcow2,file={disk}",
        "-device", "virtio-blk-pci,drive=data,serial=recordings",
    ]  # fmt: skip
    with switch_on(toml=toml, more=more, sees=[tmp_path]) as machine:
        assert machine.wait_until_up() == "running"
        assert "/dev/vdb" in machine.run(
            "findmnt", "--noheadings", "--output=SOURCE", "/var/lib/reflector"
        )
        updates.reboot(machine)
        assert machine.wait_until_up() == "running"
        assert "/dev/vdb" in machine.run(
            "findmnt", "--noheadings", "--output=SOURCE", "/var/lib/reflector"
        )
        assert machine.run("ls", "/var/lib/reflector/models")


def test_nothing_ready_shows_a_code_and_answers_at_the_console(switch_on: Switch) -> None:
    with switch_on(toml=None) as machine:
        machine.wait_for_console("or press Enter to do it here.")
        machine.type("\n")
        for question, answer in (
            ("Speech runs on", ""),
            ("Titles and summaries", ""),
            ("Domain of this machine", ""),
        ):
            machine.wait_for_console(question)
            machine.type(f"{answer}\n")
        machine.wait_for_console("Password for admin@localhost")
        machine.type("short\n")
        machine.wait_for_console("Repeat for confirmation")
        machine.type("short\n")
        machine.wait_for_console("8 are the least")


def test_stick_with_a_mistake_shows_it_and_asks(switch_on: Switch, tmp_path: Path) -> None:
    stick = tmp_path / "stick.raw"
    with stick.open("wb") as file:
        file.truncate(40 << 20)
    (tmp_path / "appliance.toml").write_text('[speech]\nom = "cpu"\n')
    run("mkfs.vfat", "-n", "REFLECTOR", str(stick))
    run("mcopy", "-i", str(stick), str(tmp_path / "appliance.toml"), "::/")
    more = [
        "-drive",
        f"if=none,id=stick,format=raw,readonly=on,file={stick}",
        "-device",
        "virtio-blk-pci,drive=stick",
    ]
    with switch_on(toml=None, more=more, sees=[tmp_path]) as machine:
        said = machine.wait_for_console("or press Enter to do it here.")
        assert "appliance.toml on the USB stick, line 2: speech.om is unknown" in said


def choose(image: Path, entry: str, folder: Path) -> None:
    """Its entry of the boot menu instead of the first. systemd-boot 257 knows it by name only where starts are not
    counted, so the kernel image loses its counter."""
    esp = Esp(image)
    [kernel] = esp.listing("EFI/Linux")
    run("mren", "-i", esp.drive, f"::/EFI/Linux/{kernel}", kernel.replace("+3", ""))
    (folder / "loader.conf").write_text(f"timeout 3\ndefault reflector_*@{entry}\n")
    esp.put([folder / "loader.conf"], "loader")


@contextlib.contextmanager
def tpm(tools: Tools, folder: Path) -> Iterator[list[str]]:
    """A TPM 2.0 in software, as QEMU's arguments."""
    state = _folder(folder / "tpm")
    socket = folder / "tpm.sock"
    command = tools.command(
        "swtpm", "socket", "--tpm2", "--tpmstate", f"dir={state}", "--ctrl", f"type=unixio,path={socket}", sees=[folder]
    )  # fmt: skip
    process = subprocess.Popen([str(word) for word in command], start_new_session=True)
    try:
        wait_until(socket.exists, "the TPM")
        yield [
            "-chardev", f"socket,id=tpm,path={socket}", "-tpmdev", "emulator,id=tpm0,chardev=tpm",
            "-device", "tpm-crb,tpmdev=tpm0",
        ]  # fmt: skip
    finally:
        process.terminate()
        process.wait(30)


def _folder(path: Path) -> Path:
    path.mkdir()
    return path

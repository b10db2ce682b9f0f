"""A disk image in QEMU: UEFI firmware, software emulation, answers by SMBIOS, one network card that leads to this
machine's loopback and nowhere else.

What the machine writes goes into a layer over the image; pulling the plug is SIGKILL.
"""

from __future__ import annotations

import base64
import contextlib
import os
import re
import shlex
import signal
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from appliance.image.tools import Tools
from tests.boot.tree import run
from tests.waiting import wait_until

SIZE = "16G"
CODE, VARS = "/usr/share/OVMF/OVMF_CODE_4M.fd", "usr/share/OVMF/OVMF_VARS_4M.fd"
BOOT_SECONDS = 1800.0
COMMAND_SECONDS = 600.0
NICE = -15
ESCAPES = re.compile(rb"\x1b(\[[0-9;?!]*[A-Za-z]|[()][A-Z0-9])")
# Where the machine finds a server that this one has on loopback
SERVER = "10.0.2.100"


class NotUp(AssertionError):
    """The machine does not answer; what its console has is told."""


@dataclass
class VirtualMachine:
    """`disk` is a layer over `image`. `served`: a port on this machine's loopback that it reaches as http://SERVER. `network`: False for one with
    its cable cut. `more`: further arguments of QEMU, which sees the folders `sees`."""

    tools: Tools
    folder: Path
    disk: Path
    image: Path
    key: Path
    credentials: dict[str, bytes] = field(default_factory=dict)
    served: int | None = None
    network: bool = True
    firmware: str = "uefi"
    memory: int = 4096
    more: list[str] = field(default_factory=list)
    sees: list[Path] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self.ssh_port, self.https_port, self.http_port = _free_ports(3)
        self.log = self.folder / "console.log"
        self.serial = self.folder / "serial"

    # Power

    def start(self) -> None:
        variables = self.folder / "vars.fd"
        if not variables.exists():
            variables.write_bytes((self.tools.tree / VARS).read_bytes())
        command = self.tools.command(
            *self._qemu(variables),
            sees=[self.folder, self.disk.parent, self.image.parent, *self.sees],
        )
        with (self.folder / "qemu.log").open("ab") as said:
            self._process = subprocess.Popen(
                [str(word) for word in command], stdin=subprocess.DEVNULL, stdout=said, stderr=said,
                start_new_session=True,
            )  # fmt: skip
        _prefer(self._process.pid)

    def pull_the_plug(self) -> None:
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(30)
            self._process = None

    def power_off(self) -> None:
        """As somebody does it who looks after the machine."""
        assert self._process
        self.run("systemctl", "poweroff", check=False)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(180)
        self.pull_the_plug()

    @property
    def is_on(self) -> bool:
        return self._process is not None and self._process.poll() is None

    # What it says

    def console(self) -> str:
        raw = self.log.read_bytes() if self.log.exists() else b""
        return ESCAPES.sub(b"", raw).decode(errors="replace").replace("\r", "")

    def wait_for_console(self, text: str, seconds: float = BOOT_SECONDS, after: int = 0) -> str:
        """All that it said after character `after`, once `text` is among it."""

        def said() -> str | None:
            found = self.console()[after:]
            assert self.is_on or text in found, f"the machine went off: {found[-3000:]}"
            return found if text in found else None

        return str(wait_until(said, f"{text!r} on the console", seconds, self._last_words))

    def type(self, text: str) -> None:
        """At the serial console; a line is there when the machine has answered with one."""
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(30)
            line.connect(str(self.serial))
            line.sendall(text.encode())
            said = b""
            while b"\n" not in said:
                said += line.recv(4096)

    # Commands inside, as root

    def run(self, *command: str, check: bool = True, seconds: float = COMMAND_SECONDS) -> str:
        """What it says on both streams."""
        done = subprocess.run(
            [*self._ssh(), " ".join(_quoted(word) for word in command)], check=False, capture_output=True, text=True,
            errors="replace", timeout=seconds,
        )  # fmt: skip
        said = done.stdout + done.stderr
        assert not check or done.returncode == 0, f"{' '.join(command)[:300]}: {said[-3000:]}"
        return said

    def start_command(self, *command: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [*self._ssh(), " ".join(_quoted(word) for word in command)],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def copy(self, file: Path, to: str) -> None:
        with file.open("rb") as content:
            subprocess.run(
                [*self._ssh(), f"cat > {_quoted(to)}"], stdin=content, check=True, timeout=COMMAND_SECONDS,
                capture_output=True,
            )  # fmt: skip

    def wait_until_up(self, seconds: float = BOOT_SECONDS) -> str:
        """The state in systemd's word, once everything that is to start has, or has failed."""

        def state() -> str | None:
            assert self.is_on, f"the machine went off: {self._last_words()}"
            with contextlib.suppress(subprocess.TimeoutExpired):
                said = self.run("systemctl", "is-system-running", check=False, seconds=60).strip()
                return said if said in {"running", "degraded"} else None
            return None

        # Each login costs an emulated machine seconds that it needs for starting
        what = "a system that has started"
        return str(wait_until(state, what, seconds, self._last_words, every=15))

    def boot_id(self) -> str:
        """Another one at each start; empty while it does not answer."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            said = self.run(
                "cat", "/proc/sys/kernel/random/boot_id", check=False, seconds=60
            ).strip()
            return said if len(said) == 36 else ""
        return ""

    def version(self) -> str:
        return self.run("sh", "-c", ". /usr/lib/os-release; echo $IMAGE_VERSION").strip()

    def failed_units(self) -> str:
        return self.run("systemctl", "--failed", "--no-legend", "--plain").strip()

    def _last_words(self) -> str:
        return self.console()[-3000:]

    def _ssh(self) -> list[str]:
        options = [
            "StrictHostKeyChecking=no",
            "UserKnownHostsFile=/dev/null",
            "ConnectTimeout=20",
            "LogLevel=ERROR",
        ]
        flags = [word for option in options for word in ("-o", option)]
        return [
            "ssh",
            "-F",
            "none",
            "-i",
            str(self.key),
            *flags,
            "-p",
            str(self.ssh_port),
            "root@127.0.0.1",
        ]

    def _qemu(self, variables: Path) -> list[str]:
        pflash = "if=pflash,format=raw"
        texts = [
            f"value=io.systemd.credential.binary:{name}={base64.b64encode(value).decode()}"
            for name, value in self.credentials.items()
        ]
        return [
            "qemu-system-x86_64", "-machine", f"q35,smm=off{',graphics=off' if self.firmware == 'bios' else ''}", "-accel", "tcg,thread=multi,tb-size=512",
            "-cpu", "max", "-smp", "2", "-m", str(self.memory), "-nodefaults", "-no-user-config", "-display", "none",
            "-chardev", f"socket,id=serial,path={self.serial},server=on,wait=off,logfile={self.log},logappend=on",
            "-serial", "chardev:serial", "-monitor", "none", "-device", "virtio-rng-pci",
            *(["-drive", f"{pflash},readonly=on,file={CODE}", "-drive", f"{pflash},file={variables}"]
              if self.firmware == "uefi" else []),
            "-drive", f"if=none,id=disk,format=qcow2,file={self.disk},discard=unmap",
            "-device", "virtio-blk-pci,drive=disk,bootindex=1",
            *(["-smbios", f"type=11,{','.join(texts)}"] if texts else []),
            *(self._card() if self.network else []), *self.more,
        ]  # fmt: skip

    def _card(self) -> list[str]:
        ports = {self.ssh_port: 22, self.https_port: 443, self.http_port: 80}
        forwards = [f"hostfwd=tcp:127.0.0.1:{here}-:{there}" for here, there in ports.items()]
        if self.served is not None:
            forwards.append(f"guestfwd=tcp:{SERVER}:80-cmd:socat - TCP:127.0.0.1:{self.served}")
        network = ",".join(["user", "id=net", "restrict=on", *forwards])
        return ["-netdev", network, "-device", "virtio-net-pci,netdev=net"]


def layer(tools: Tools, image: Path, disk: Path, size: str = SIZE) -> None:
    """A disk of `size` that is `image` until something is written."""
    tools.run(
        "qemu-img", "create", "-q", "-f", "qcow2", "-b", image, "-F", "raw", disk, size,
        sees=[image.parent, disk.parent],
    )  # fmt: skip


def ssh_key(folder: Path) -> Path:
    key = folder / "key"
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key))
    return key


@contextlib.contextmanager
def switched_on(machine: VirtualMachine) -> Iterator[VirtualMachine]:
    machine.start()
    try:
        yield machine
    finally:
        machine.pull_the_plug()


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        found = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in found:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in found]


def _prefer(pid: int) -> None:
    """Over the tests beside it: one emulated processor waits for the other very often, so a machine that
    gets half the time is ten times slower, not two."""
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PGRP, pid, NICE)
        # Of its session, where the kernel shares time out between sessions (sched(7), autogroup)
        Path(f"/proc/{pid}/autogroup").write_text(str(NICE))


def _quoted(word: str) -> str:
    return shlex.quote(word)

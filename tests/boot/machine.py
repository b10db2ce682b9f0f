"""A tree, booted with systemd as PID 1 in a network namespace of its own, over a layer that takes all
that it writes: a reboot finds it again, and the tree stays as it was."""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.boot import tree

HERE = Path(__file__).parent
NETWORK = """\
[Match]
Name=test0
[Network]
Address={address}/24
LinkLocalAddressing=no
"""
BOOT_SECONDS = 90.0
COMMAND_SECONDS = 300.0
# The third number of their addresses: another for each machine of this run
NETWORKS = itertools.count(os.getpid() % 200 + 1)
ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", "HOME": "/root"}
CAPABILITIES = "CAP_NET_ADMIN,CAP_BPF,CAP_PERFMON"


class Machine:
    """`root` is its file system as this process sees it, `upper` what of it is not the tree's.
    `address` is its own, `outside` this machine's at the other end of the cable. Commands run inside
    as root."""

    def __init__(self, name: str, folder: Path, network: int) -> None:
        self.name, self._folder = name, folder
        self.address, self.outside = (f"10.77.{network}.{host}" for host in (2, 1))
        self.root, self.upper = folder / "root", folder / "upper"
        self._process: subprocess.Popen[bytes] | None = None
        self.console = folder / "console.log"

    def boot(self) -> None:
        nspawn = [
            "systemd-nspawn", "--quiet", "--keep-unit", "--register=no", "--console=read-only",
            f"--capability={CAPABILITIES}", "--system-call-filter=bpf", f"--machine={self.name}",
            f"--directory={self.root}", "--boot", "systemd.firstboot=no",
        ]  # fmt: skip
        command = [
            str(HERE / "in_own_system"),
            self.name,
            self.name,
            str(tree.tools().tree),
            str(self._folder),
        ]
        with self.console.open("ab") as console:
            self._process = subprocess.Popen(
                [*command, *nspawn], stdin=subprocess.DEVNULL, stdout=console, stderr=console,
                start_new_session=True,
            )  # fmt: skip
        self.wait_until_up()

    def wait_until_up(self) -> None:
        self.until(
            lambda: self.run("systemctl", "is-system-running", check=False).strip()
            in {"running", "degraded"},
            BOOT_SECONDS, "the system did not come up",
        )  # fmt: skip

    def reboot(self) -> None:
        """systemd-nspawn ends with its system; what starts it again is whoever started it."""
        assert self._process
        self.run("systemctl", "reboot", check=False)
        self._process.wait(BOOT_SECONDS)
        self.boot()

    def run(
        self, *command: str, check: bool = True, stdin: str = "", seconds: float = COMMAND_SECONDS
    ) -> str:
        """What it says on both streams; AssertionError where it fails."""
        try:
            inside = self._inside(command)
        except AssertionError:
            if check:
                raise
            return ""
        done = subprocess.run(
            inside, check=False, input=stdin, capture_output=True, text=True, errors="replace",
            timeout=seconds, env=ENVIRONMENT,
        )  # fmt: skip
        said = done.stdout + done.stderr
        assert not check or done.returncode == 0, f"{' '.join(command)[:300]}: {said[-3000:]}"
        return said

    def status(self, *command: str) -> int:
        done = subprocess.run(
            self._inside(command), check=False, capture_output=True, env=ENVIRONMENT,
            timeout=COMMAND_SECONDS,
        )  # fmt: skip
        return done.returncode

    def start(self, *command: str) -> subprocess.Popen[bytes]:
        """A process inside, with pipes."""
        return subprocess.Popen(
            self._inside(command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=ENVIRONMENT
        )

    def _inside(self, command: Sequence[str]) -> list[str]:
        pid = self._pid()
        assert pid is not None, f"{self.name} is not running: {self._last_words()}"
        return [
            "nsenter",
            "-t",
            str(pid),
            *["-m", "-p", "-u", "-n", "-i", "-C", "-r", "-w", "--"],
            *command,
        ]

    @staticmethod
    def until(condition: object, seconds: float, what: str) -> None:
        assert callable(condition)
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, what
            time.sleep(0.2)

    def power_off(self) -> None:
        if self._process is None:
            return
        with contextlib.suppress(AssertionError, subprocess.TimeoutExpired):
            self.run("systemctl", "poweroff", check=False, seconds=10)
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(10)
        self._process = None

    def _pid(self) -> int | None:
        """Of its PID 1, as this machine counts."""
        groups = Path("/sys/fs/cgroup/unified")
        groups = groups if groups.is_dir() else Path("/sys/fs/cgroup")
        try:
            lines = (groups / self.name / "payload/init.scope/cgroup.procs").read_text().split()
        except OSError:
            return None
        return int(lines[0]) if lines else None

    def _last_words(self) -> str:
        return self.console.read_text(errors="replace")[-3000:] if self.console.exists() else ""


@contextlib.contextmanager
def booted(base: Path, folder: Path, name: str) -> Iterator[Machine]:
    """A machine made of `base`, running; ended with all that belongs to it."""
    machine = Machine(name, folder, next(NETWORKS))
    for layer in ("upper", "work", "root"):
        (folder / layer).mkdir(exist_ok=True)
    with contextlib.ExitStack() as stack:
        options = f"lowerdir={base},upperdir={folder}/upper,workdir={folder}/work"
        tree.run("mount", "-t", "overlay", "overlay", "-o", options, str(machine.root))
        stack.callback(tree.run, "umount", "--lazy", str(machine.root))
        _network(machine, stack)
        stack.callback(machine.power_off)
        machine.boot()
        yield machine


def _network(machine: Machine, stack: contextlib.ExitStack) -> None:
    """A cable between this machine and that one; nothing leads further."""
    outside = f"v{machine.name}"[:15]
    tree.run("ip", "netns", "add", machine.name)
    stack.callback(tree.run, "ip", "netns", "delete", machine.name)
    tree.run(
        "ip", "link", "add", outside, "type", "veth", "peer", "name", "test0", "netns", machine.name
    )
    tree.run("ip", "address", "add", f"{machine.outside}/24", "dev", outside)
    tree.run("ip", "link", "set", outside, "up")
    tree.run("ip", "netns", "exec", machine.name, "ip", "link", "set", "lo", "up")
    file = machine.root / "etc/systemd/network/test0.network"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(NETWORK.format(address=machine.address))

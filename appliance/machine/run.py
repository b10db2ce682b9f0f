"""Running other programs: the one place where that is done.

A program that fails is told with what it was asked and the last thing that it said; what is written
to its standard input is never shown.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from appliance.errors import CommandError

QUICK_SECONDS = 60.0
# In a mount namespace of its own, which takes the mounts with it however it ends
CHROOT = """\
root=$1; shift
for each in proc sys dev; do mount --rbind "/$each" "$root/$each" || exit; done
exec chroot "$root" "$@"
"""


@dataclass(frozen=True)
class CompletedCommand:
    status: int
    output: str
    error: str

    @property
    def last_words(self) -> str:
        """Return the end of the output, where programs say why they failed."""
        lines = [line.strip() for line in f"{self.output}\n{self.error}".splitlines()]
        return next((line for line in reversed(lines) if line), "it said nothing")


def run(
    command: Sequence[str | Path],
    *,
    stdin: str = "",
    check: bool = True,
    root: Path | None = None,
    environment: Mapping[str, str] | None = None,
    seconds: float = QUICK_SECONDS,
) -> CompletedCommand:
    """Raise CommandError if the program is missing, takes longer than `seconds`, or (`check`)
    fails.

    `root`: a tree to run it in (chroot). `environment` is added to this process's.
    """
    words = [str(word) for word in command]
    whole = _inside(root, words)
    try:
        done = subprocess.run(  # noqa: S603 - the callers name what is run
            whole, input=stdin, check=False, capture_output=True, text=True, errors="replace",
            timeout=seconds, env={**os.environ, "LC_ALL": "C.UTF-8", **(environment or {})},
        )  # fmt: skip
    except FileNotFoundError as error:
        raise CommandError(f"{whole[0]} is not installed.", "Run `appliance install`.") from error
    except subprocess.TimeoutExpired as error:
        raise CommandError(f"`{' '.join(words)}` took longer than {seconds:.0f} s.") from error
    result = CompletedCommand(done.returncode, done.stdout, done.stderr)
    if check and result.status:
        raise _failed(words, result.status, result.last_words)
    return result


def _failed(command: Sequence[str], status: int, reason: str) -> CommandError:
    return CommandError(
        f"`{' '.join(command)}` failed ({status}): {reason[:500]}",
        command=command, status=status, reason=reason[:500],
    )  # fmt: skip


def _inside(root: Path | None, words: list[str]) -> list[str]:
    if root is None or root == Path("/"):
        return words
    unshare = ["unshare", "--mount", "--propagation", "private"]
    return [*unshare, "sh", "-c", CHROOT, "chroot", str(root), *words]


def first_line(*command: str) -> str | None:
    """Return the first line that a program prints, also where it ends with an error; None without
    one."""
    if shutil.which(command[0]) is None:
        return None
    try:
        done = run(command, check=False, seconds=10)
    except (CommandError, OSError):
        return None
    lines = done.output.strip().splitlines()
    return lines[0] if lines else None


def follow(
    command: Sequence[str | Path],
    line: Callable[[str], None],
    *,
    root: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> None:
    """Run what takes long, and hand each line that it says to `line`; CommandError where it fails."""
    words = [str(word) for word in command]
    whole = _inside(root, words)
    last = ""
    try:
        with subprocess.Popen(  # noqa: S603
            whole, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, errors="replace", env={**os.environ, "LC_ALL": "C.UTF-8", **(environment or {})},
        ) as program:  # fmt: skip
            assert program.stdout
            for said in program.stdout:
                last = said.strip() or last
                line(said.rstrip())
    except FileNotFoundError as error:
        raise CommandError(f"{whole[0]} is not installed.", "Run `appliance install`.") from error
    if program.returncode:
        raise _failed(words, program.returncode, last)


def replace_by(command: Sequence[str | Path]) -> None:
    """Become `command`: for one that the operator talks to, like journalctl."""
    words = [str(word) for word in command]
    try:
        os.execvp(words[0], words)  # noqa: S606
    except FileNotFoundError as error:
        raise CommandError(f"{words[0]} is not installed.") from error

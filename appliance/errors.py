"""What goes wrong on a machine, in a sentence, with what to do.

ApplianceError   1   anything else
├── ConfigError  3   appliance.toml or a flag is wrong
├── PlanError    4   what is asked for cannot be on this machine
├── CheckError   5   something that is needed is not as it has to be: nothing was changed
├── ApplyError   6   a change failed; the next run goes on from there
├── BusyError    7   another run is at work
└── CommandError 1   a program failed; whoever ran it says what that means
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar


class ApplianceError(Exception):
    """`hint`: what to do. `exit_code`: of the command."""

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message, self.hint = message, hint

    def __str__(self) -> str:
        return f"{self.message}\n{self.hint}" if self.hint else self.message


class ConfigError(ApplianceError):
    """`appliance.toml`, or a flag, is wrong; nothing was changed."""

    exit_code = 3


class PlanError(ApplianceError):
    """What was asked for cannot be on this machine; nothing was changed."""

    exit_code = 4


class CheckError(ApplianceError):
    """A port that is taken, a name that leads elsewhere, a key that is refused: nothing was changed."""

    exit_code = 5


class ApplyError(ApplianceError):
    """A change could not be made; those before it were, and the next run goes on from there."""

    exit_code = 6


class BusyError(ApplianceError):
    """Another run is changing this machine."""

    exit_code = 7


class CommandError(ApplianceError):
    """A program is missing, timed out, or failed.

    `status`: its exit status, None where it did not end by itself. `reason`: the last line that it
    printed.
    """

    def __init__(
        self,
        message: str,
        hint: str | None = None,
        *,
        command: Sequence[str] = (),
        status: int | None = None,
        reason: str = "",
    ) -> None:
        super().__init__(message, hint)
        self.command, self.status, self.reason = command, status, reason

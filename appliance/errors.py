"""Define the errors: each is a sentence for the operator, with a remedy.

    ApplianceError   1   anything else
    ├── ConfigError  3   appliance.toml or a flag is wrong
    ├── PlanError    4   this machine cannot do what is configured
    ├── CheckError   5   a condition is not met; nothing was changed
    ├── ApplyError   6   a change failed; the next run continues from there
    ├── BusyError    7   another run is changing this machine
    └── CommandError 1   a program failed; the caller says what that means

The number is the exit code.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar


class ApplianceError(Exception):
    """An error that an operator can read. `hint` says what to do; `exit_code` is the command's."""

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message, self.hint = message, hint

    def __str__(self) -> str:
        return f"{self.message}\n{self.hint}" if self.hint else self.message


class ConfigError(ApplianceError):
    """The configuration or a flag is wrong; nothing was changed."""

    exit_code = 3


class PlanError(ApplianceError):
    """This machine cannot do what is configured; nothing was changed."""

    exit_code = 4


class CheckError(ApplianceError):
    """A port is taken, a name leads elsewhere, a key is refused: nothing was changed."""

    exit_code = 5


class ApplyError(ApplianceError):
    """A change failed. Those before it were made, and the next run continues from there."""

    exit_code = 6


class BusyError(ApplianceError):
    """Another run is changing this machine."""

    exit_code = 7


class CommandError(ApplianceError):
    """A program is missing, timed out, or failed.

    `status` is its exit status, or None if it did not exit by itself. `reason` is the last line
    that it printed.
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

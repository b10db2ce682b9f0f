"""What goes wrong on a machine, in a sentence, with what to do."""

from __future__ import annotations

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

"""Apply a plan, one change after the other, under a lock."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import filelock

import appliance.configure.effects.artifacts
import appliance.configure.effects.data_disk
import appliance.configure.effects.database
import appliance.configure.effects.files
import appliance.configure.effects.garage
import appliance.configure.effects.models
import appliance.configure.effects.ollama
import appliance.configure.effects.secrets
import appliance.configure.effects.units  # noqa: F401 - each registers its kinds of changes
from appliance.configure.effects.machine import Machine, apply
from appliance.configure.plan.changes import Change
from appliance.errors import ApplianceError, ApplyError, BusyError

LOCK = "run/reflector-appliance.lock"


@contextmanager
def exclusive_lock(root: Path) -> Iterator[None]:
    """Raise BusyError if another run is at work on this machine."""
    path = root / LOCK
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = filelock.FileLock(path, mode=0o600)
    try:
        lock.acquire(blocking=False)
    except filelock.Timeout as error:
        raise BusyError(
            "Another `appliance` is changing this machine.", "Wait until it is done."
        ) from error
    except OSError as error:
        raise ApplianceError(
            f"{path} cannot be written: {error.strerror}.", "Run it with sudo."
        ) from error
    try:
        yield
    finally:
        lock.release()


def execute(changes: Sequence[Change], machine: Machine) -> None:
    """Apply the changes in order. Raises ApplyError that names the change that failed.

    Changes before it stay, and the next run continues after them.
    """
    for number, change in enumerate(changes, 1):
        machine.say(f"[{number}/{len(changes)}] {change.title()}")
        try:
            apply(change, machine)
        except ApplyError:
            raise  # a unit that did not start: it says more than the list of all of them
        except ApplianceError as error:
            raise ApplyError(
                f"Could not {change.title()}: {error.message}",
                error.hint or "Fix that and run the command again. It continues from here.",
            ) from error
        except KeyboardInterrupt:
            raise ApplyError(
                f"Stopped at “{change.title()}”.", "Run the command again. It continues from here."
            ) from None

"""Check the image's version that runs, and how the last update ended."""

from __future__ import annotations

from collections.abc import Iterator

from appliance.boot import notices
from appliance.boot.history import History, Outcome
from appliance.boot.machine import image_version, running
from appliance.diagnose.finding import Finding, ok, warning
from appliance.errors import ApplianceError

CHECK = "version"


def findings() -> Iterator[Finding]:
    """None on a machine that was installed."""
    if image_version() is None:
        return
    try:
        now, history = running(), History()
        last, told = history.last(), notices.of(now, history)
    except ApplianceError as error:
        yield warning(CHECK, error.message, error.hint or "")
        return
    if told:
        yield warning(
            CHECK,
            told[0],
            "Wait for a newer one, or try it once more with `appliance update apply --again`.",
        )
    elif last is not None and last.version != now.version and last.outcome is Outcome.WAITING:
        yield warning(
            CHECK,
            f"{last.version} is installed, {now.version} runs",
            "`systemctl reboot` starts it.",
        )
    elif not now.blessing.is_proven:
        yield warning(
            CHECK,
            f"{now.version} has yet to show that it works",
            "See `systemctl status reflector-health`.",
        )
    else:
        yield ok(CHECK, f"{now.version} runs and has shown that it works")

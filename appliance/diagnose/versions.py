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
    """Return findings about image versions; none on a machine that was installed."""
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
            "Wait for a newer version, or try this one again with `appliance update apply --again`.",
        )
    elif last is not None and last.version != now.version and last.outcome is Outcome.WAITING:
        yield warning(
            CHECK,
            f"{last.version} is installed, but {now.version} runs",
            "Restart with `systemctl reboot` to use it.",
        )
    elif not now.blessing.is_proven:
        yield warning(
            CHECK,
            f"{now.version} is not proven yet",
            "See `systemctl status reflector-health`.",
        )
    else:
        yield ok(CHECK, f"{now.version} runs and is proven")

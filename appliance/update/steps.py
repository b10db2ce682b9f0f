"""`appliance update`: what may be done, and in which order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from appliance.boot import entries
from appliance.boot.entries import Entry, order
from appliance.boot.history import Event, History, Outcome
from appliance.boot.machine import Running, running
from appliance.errors import ApplianceError, CheckError
from appliance.update import write
from appliance.update.manifest import Manifest, Offer, read
from appliance.update.source import Source

Say = Callable[[str], None]


@dataclass(frozen=True)
class Found:
    """`offer`: the newest that is newer than what runs, None where there is none. `event`: what became of it
    here, where it was here before."""

    now: Running
    manifest: Manifest
    offer: Offer | None
    event: Event | None


def look(source: Source, version: str | None = None) -> Found:
    """Raise ApplianceError if the source cannot be trusted, or does not have `version`."""
    now, manifest = running(), read(source)
    newer = [o for o in manifest.offers if order(o.version) > order(now.version)]
    offer = manifest.offer(version) if version else next(iter(newer), None)
    if offer is not None and order(offer.version) <= order(now.version):
        raise ApplianceError(
            f"{offer.version} is not newer than the running version {now.version}.",
            "Go back to the previous version with `appliance update rollback`.",
        )
    return Found(now, manifest, offer, History().last(offer.version) if offer else None)


def apply(source: Source, version: str | None, again: bool, say: Say) -> str | None:
    """Return the version that starts next, None where there is nothing newer; ApplianceError with
    nothing changed where the running version is on trial, or this one did not work here before
    (unless `again`)."""
    now = running()
    if not now.blessing.is_proven:
        raise CheckError(
            f"{now.version}, which runs, is not proven yet; the version to go back to is needed until "
            "then.",
            "See `systemctl status reflector-health`, and try again when it is done.",
        )
    found = look(source, version)
    if found.offer is None:
        return None
    wanted = found.offer.version
    if found.event and found.event.outcome in {Outcome.FAILED, Outcome.LEFT} and not again:
        raise CheckError(
            f"{found.event.sentence}.",
            "Wait for a newer version, or try this one again with --again.",
        )
    installed = _entry(wanted)
    if installed is not None and found.event and found.event.outcome is Outcome.FAILED:
        say(f"removing {wanted}, which failed before")
        write.clear()
        installed = None
    if installed is None:
        folder = write.fetch(source, found.manifest, found.offer, say)
        say(f"writing {wanted} to the free slot")
        write.write(folder, wanted)
    elif installed.tries_left is None or installed.has_failed:
        entries.revive(installed)
    if found.event is None or found.event.outcome is not Outcome.WAITING:
        History().came(wanted, now.version)
    return wanted


def rollback() -> str:
    """Return the version that starts next; CheckError where there is none to go back to."""
    now = running()
    other = next((e for e in _entries() if e.version != now.version and not e.has_failed), None)
    if other is None:
        raise CheckError(
            f"There is no version to go back to. {now.version} is the only working one.",
            "See earlier versions with `appliance update history`.",
        )
    if order(other.version) > order(now.version):
        raise CheckError(
            f"{other.version} is newer than the running version {now.version} and starts next anyway.",
            "Restart with `systemctl reboot` to use it.",
        )
    own = _entry(now.version)
    if own is None:
        raise ApplianceError(
            f"{now.version} is not on the boot partition, although it runs.", "See `bootctl list`."
        )
    entries.retire(own)
    History().decide(now.version, Outcome.LEFT)
    return other.version


def _entries() -> list[Entry]:
    return entries.entries(entries.esp())


def _entry(version: str) -> Entry | None:
    return next((e for e in _entries() if e.version == version), None)

"""What is done at each start of a version: the judgement on the one before, and the proof of this one.

Units of the image call these; what they say with a level in front (sd-daemon(3)) is the journal's priority.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from appliance.boot import entries, snapshot, trial
from appliance.boot.entries import Entry
from appliance.boot.history import Event, History, Outcome
from appliance.boot.machine import Running, running
from appliance.boot.notices import tell_pages
from appliance.config.load import load
from appliance.configure.run import CONFIGURED, ConfigureRun
from appliance.errors import ApplianceError
from appliance.machine.durable import write_durably
from appliance.machine.facts import gather

ERROR, WARNING = "<3>", "<4>"
Say = Callable[[str], None]


def begin(say: Say) -> None:
    """Prepare this version's first use of the database.

    Raises ApplianceError if the database could not be kept as it was.
    """
    now, history = running(), History()
    newest = history.last()
    if newest is not None and newest.version != now.version:
        judge(newest, now, history, entries.entries(entries.esp()), say)
    if history.last(now.version) is None:
        history.came(now.version, None)
    configure_again(now, say)
    if now.blessing.is_proven:
        snapshot.give_back_if_needed(history, now.version, say)
    else:
        snapshot.take(now.version, say)
    tell_pages(now, history)


def configure_again(now: Running, say: Say) -> None:
    """Write the files that follow from the configuration, as this version makes them.

    Another version may have made them otherwise. This runs before the application starts. If it is
    not possible now, `appliance doctor` shows and plans it.
    """
    marker = Path("/") / CONFIGURED
    if not marker.is_file() or marker.read_text() == now.version:
        return
    try:
        ConfigureRun(gather(), load()).write_files(say)
    except ApplianceError as error:
        say(f"{WARNING}The configuration could not be made by {now.version}: {error.message}")
        return
    write_durably(marker, now.version, 0o644)


def judge(event: Event, now: Running, history: History, known: list[Entry], say: Say) -> None:
    """Record that the version of `event` failed, if it has used up its tries."""
    if event.outcome is not Outcome.WAITING:
        return
    entry = next((e for e in known if e.version == event.version), None)
    if entry is not None and not entry.has_failed:
        return  # somebody chose this one in the boot menu
    history.decide(event.version, Outcome.FAILED)
    failed = history.last(event.version)
    assert failed
    say(f"{ERROR}{failed.sentence}. This machine is back at {now.version}.")


def prove(say: Say) -> None:
    """Try this version, and record the outcome.

    Raises ApplianceError with the reason if it does not work.
    """
    now, history = running(), History()
    try:
        trial.read_whole(say)
        config = load()
        trial.wait_until_proven(gather(), config, say, config.update.trial_minutes * 60)
    except ApplianceError as error:
        record(" ".join(error.message.split()))
        raise
    history.decide(now.version, Outcome.PROVEN)
    tell_pages(now, history)
    say(f"{now.version} works.")


def record(reason: str) -> None:
    """Record why this start failed."""
    history = History(Path("/"))
    history.start_failed(running().version, reason)

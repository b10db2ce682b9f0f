"""Keep the database as it was before a new version changed it, and restore it if needed.

Migrations normally leave a database that the previous version can use. `reflector migrate --check`
tells when that is not so, and only then is the snapshot restored. What the newer version wrote
stays in a separate database.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from appliance import application
from appliance.boot.history import History, Outcome
from appliance.configure.effects.database import as_postgres, sql
from appliance.configure.environment import DATABASE_FOLDER
from appliance.errors import ApplianceError, CommandError
from appliance.machine.facts import gather
from appliance.machine.ledger import Ledger
from appliance.machine.run import run

FOLDER = Path("/var/lib/reflector-appliance/snapshots")
SECONDS = 3 * 3600.0
WARNING = "<4>"
# Exit code of `reflector migrate --check` if a newer version left a database that this one cannot
# use
UNUSABLE = 8
NAME = "reflector"
CONNECTION = [f"--host={DATABASE_FOLDER}"]
Say = Callable[[str], None]


def take(version: str, say: Say) -> None:
    """Save the database before `version` changes it, once for each version.

    The snapshot of an earlier version is removed afterwards. Raises ApplianceError if the database
    cannot be saved, for example because the disk is full.
    """
    if "database" not in Ledger(Path("/")).done:
        return
    file = file_of(version)
    if file.exists():
        return
    FOLDER.mkdir(parents=True, exist_ok=True)
    run(["chown", "postgres:postgres", FOLDER])
    FOLDER.chmod(0o700)
    part = file.with_suffix(".part")
    try:
        as_postgres(
            "pg_dump", *CONNECTION, "--format=custom", "--compress=zstd:3", f"--file={part}", NAME,
            seconds=SECONDS,
        )  # fmt: skip
    except CommandError as error:
        part.unlink(missing_ok=True)
        raise ApplianceError(
            f"The snapshot of the database failed before {version}: {error.message}",
            "Free some space, and apply the update again.",
        ) from error
    part.rename(file)
    for old in FOLDER.glob("before-*.dump"):
        if old != file:
            old.unlink()
    say(f"took a snapshot of the database before {version}")


def give_back_if_needed(history: History, version: str, say: Say) -> None:
    """Restore the snapshot if this version cannot use the database that a newer one left.

    Does nothing unless the newest version failed or was rolled back. Raises ApplianceError if the
    snapshot is missing.
    """
    last = history.last()
    went_back = last is not None and last.outcome in {Outcome.FAILED, Outcome.LEFT}
    if (
        last is None
        or not went_back
        or last.version == version
        or not Path(application.SETTINGS).exists()
    ):
        return
    if application.status_of(gather(), ["SECRET_KEY"], "migrate", "--check") != UNUSABLE:
        return
    file = file_of(last.version)
    if not file.is_file():
        raise ApplianceError(
            f"{last.version} changed the database in a way that {version} cannot use, and there is no "
            f"snapshot {file}.",
            "Restore a backup of the database, or start the newer version from the boot menu.",
        )
    aside = f"{NAME}_{re.sub('[^0-9A-Za-z]', '_', last.version)}"
    sql(f'ALTER DATABASE {NAME} RENAME TO "{aside}"')
    sql(f"CREATE DATABASE {NAME} OWNER {NAME}")
    as_postgres(
        "pg_restore", *CONNECTION, f"--dbname={NAME}", "--exit-on-error", str(file), seconds=SECONDS
    )
    say(
        f"{WARNING}{last.version} changed the database in a way that {version} cannot use: it is as it was before "
        f"that update. What was done since is kept in the database {aside}."
    )


def file_of(version: str) -> Path:
    return FOLDER / f"before-{version}.dump"

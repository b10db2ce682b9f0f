"""Newer versions that do not work, each in another way: what is changed in their trees."""

from __future__ import annotations

from pathlib import Path

SYSTEM = "usr/lib/systemd/system"
HANG = "ExecStart=\nExecStart=/bin/sleep infinity\nTimeoutStartSec=infinity"


def nothing(tree: Path) -> None:
    """For a version that is only newer, or is broken in another place."""


def migration_that_fails(tree: Path) -> None:
    """A schema that cannot be made of this database."""
    _migration(tree, "0003", "ALTER TABLE no_such_table ADD COLUMN nothing text")


def migration_that_takes_away(tree: Path) -> None:
    """Works, but programs before it cannot use the database afterwards; and then the version does not work."""
    _migration(tree, "9999", "ALTER TABLE transcript RENAME COLUMN title TO heading")
    unit_that_fails(tree)


def unit_that_fails(tree: Path) -> None:
    _drop_in(
        tree, "reflector-api.service", "[Service]\nExecStart=\nExecStart=/bin/false\nRestart=no"
    )


def unit_that_hangs(tree: Path) -> None:
    _drop_in(tree, "reflector-api.service", f"[Service]\n{HANG}")


def unit_that_hangs_early(tree: Path) -> None:
    """Before there is anything that could ask whether the version works. Half an hour is shortened."""
    _drop_in(tree, "systemd-sysctl.service", f"[Service]\n{HANG}")
    _drop_in(tree, "reflector-trial-limit.timer", "[Timer]\nOnBootSec=\nOnBootSec=4min")


def _migration(tree: Path, oldest_reader: str, statement: str) -> None:
    packages = "usr/lib/reflector/venv-*/lib/python3*/site-packages"
    folder = next(tree.glob(f"{packages}/reflector/db/migrations/versions"))
    before = max(file.name.partition("_")[0] for file in folder.glob("[0-9]*_*.py"))
    (folder / "9999_newer.py").write_text(
        '"""Of a version that does not work."""\n\nfrom alembic import op\n\n'
        f'revision = "9999"\ndown_revision = "{before}"\nOLDEST_READER = "{oldest_reader}"\n\n\n'
        f'def upgrade() -> None:\n    op.execute("{statement}")\n'
    )


def _drop_in(tree: Path, unit: str, text: str) -> None:
    folder = tree / SYSTEM / f"{unit}.d"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "99-broken.conf").write_text(f"{text}\n")


# An option for the disk: the kernel finds nothing to start, and panics
PANIC = "--kernel-command-line=rdinit=/nonexistent"

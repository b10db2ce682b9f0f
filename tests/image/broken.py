"""Newer versions that do not work, each in another way: what is changed in their trees."""

from __future__ import annotations

from pathlib import Path

SYSTEM = "usr/lib/systemd/system"


def nothing(tree: Path) -> None:
    """For a version that is only newer, or is broken in another place."""


def migration_that_fails(tree: Path) -> None:
    """A schema that cannot be made of this database."""
    folder = next(
        tree.glob(
            "usr/lib/reflector/venv-*/lib/python3*/site-packages/reflector/db/migrations/versions"
        )
    )
    (folder / "9999_broken.py").write_text(
        '"""Fails."""\n\nfrom alembic import op\n\nrevision = "9999"\ndown_revision = "0003"\nOLDEST_READER = "0003"\n\n\n'
        'def upgrade() -> None:\n    op.execute("ALTER TABLE no_such_table ADD COLUMN nothing text")\n'
    )


def migration_that_takes_away(tree: Path) -> None:
    """Works, but programs before it cannot use the database afterwards; and then the version does not work."""
    folder = next(
        tree.glob(
            "usr/lib/reflector/venv-*/lib/python3*/site-packages/reflector/db/migrations/versions"
        )
    )
    (folder / "9999_away.py").write_text(
        '"""Takes away."""\n\nfrom alembic import op\n\nrevision = "9999"\ndown_revision = "0003"\nOLDEST_READER = "9999"\n\n\n'
        'def upgrade() -> None:\n    op.execute("ALTER TABLE transcript RENAME COLUMN title TO heading")\n'
    )
    unit_that_fails(tree)


def unit_that_fails(tree: Path) -> None:
    _drop_in(tree, "reflector-api.service", "ExecStart=\nExecStart=/bin/false\nRestart=no")


def unit_that_hangs(tree: Path) -> None:
    _drop_in(
        tree,
        "reflector-api.service",
        "ExecStart=\nExecStart=/bin/sleep infinity\nTimeoutStartSec=infinity",
    )


def _drop_in(tree: Path, unit: str, lines: str) -> None:
    folder = tree / SYSTEM / f"{unit}.d"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "99-broken.conf").write_text(f"[Service]\n{lines}\n")


# An option for the disk: the kernel finds nothing to start, and panics
PANIC = "--kernel-command-line=rdinit=/nonexistent"

"""Create PostgreSQL's cluster, role and database."""

from __future__ import annotations

from appliance.configure import environment
from appliance.configure.effects.machine import Machine, apply
from appliance.configure.effects.units import start
from appliance.configure.plan.changes import MakeCluster, MakeDatabase
from appliance.machine.run import QUICK_SECONDS, CompletedCommand, run

MINUTES = 5 * 60


@apply.register
def make_cluster(change: MakeCluster, machine: Machine) -> None:
    """Create the cluster. Only local connections exist; the kernel identifies them (peer)."""
    command = [
        "pg_createcluster", change.version, change.name, "--start-conf=auto", "--",
        "--auth-local=peer", "--auth-host=reject", "--data-checksums", "--encoding=UTF8",
        "--locale=C.UTF-8",
    ]  # fmt: skip
    run(command, seconds=MINUTES)


@apply.register
def make_database(change: MakeDatabase, machine: Machine) -> None:
    start(machine, [change.unit])
    for kind, query, statement in (
        ("role", "SELECT 1 FROM pg_roles WHERE rolname = 'reflector'", "CREATE ROLE reflector LOGIN"),
        (
            "database", "SELECT 1 FROM pg_database WHERE datname = 'reflector'",
            "CREATE DATABASE reflector OWNER reflector",
        ),
    ):  # fmt: skip
        if not sql(query).strip():
            machine.say(f"making the {kind} reflector")
            sql(statement)
    machine.ledger.did("database")


def as_postgres(*command: str, seconds: float = QUICK_SECONDS) -> CompletedCommand:
    """Run a command as the cluster's owner. Raises CommandError on failure."""
    return run(["runuser", "-u", "postgres", "--", *command], seconds=seconds)


def sql(statement: str) -> str:
    """Run SQL; return what the cluster answers, a row a line; CommandError where it refuses."""
    return as_postgres(
        "psql", f"--host={environment.DATABASE_FOLDER}", "--no-psqlrc", "--tuples-only", "--no-align",
        "--set=ON_ERROR_STOP=1", "--dbname=postgres", "--command", statement,
    ).output  # fmt: skip

"""One machine for all tests of this folder: installed, booted, configured as an operator does it."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.boot import tree
from tests.boot.client import Client
from tests.boot.machine import Machine, booted
from tests.conftest import DIARIZER, WHISPER

PASSWORD = "correct horse battery staple"
TOML = """\
# The operator's own remark
[speech]
model = "whisper"
diarization = false
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The first test waits for the tree; each may wait for services that start."""
    mine = [item for item in items if "tests/boot/" in str(item.path)]
    lacking = tree.missing()
    for item in mine:
        item.add_marker(pytest.mark.timeout(1500))
        if lacking:
            item.add_marker(pytest.mark.skip(reason=f"booting a tree needs {', '.join(lacking)}"))


@pytest.fixture(scope="package")
def installed_tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tree.installed(tmp_path_factory.mktemp("tree") / "tree")


@pytest.fixture(scope="package")
def machine(installed_tree: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    name = f"refl{os.getpid()}"
    with booted(installed_tree, tmp_path_factory.mktemp("machine"), name) as found:
        yield found


@dataclass(frozen=True)
class Appliance:
    """The configured machine. `said`: what the first run of `configure` printed."""

    machine: Machine
    said: str
    authority: Path

    def configure(self, *flags: str, stdin: str = "", check: bool = True) -> str:
        return self.machine.run("appliance", "configure", "--yes", *flags, stdin=stdin, check=check)

    def planned(self, *flags: str) -> list[str]:
        said = self.machine.run("appliance", "configure", "--dry-run", "--json", *flags)
        return [change["title"] for change in json.loads(said[said.index("{") :])["changes"]]

    def failed_units(self) -> str:
        return self.machine.run("systemctl", "--failed", "--no-legend", "--plain").strip()


def configure(machine: Machine, toml: str = TOML) -> str:
    """The first run; the stick has the tiny models."""
    for folder in (WHISPER, DIARIZER):
        shutil.copytree(folder, machine.root / "srv/stick" / folder.name)
    (machine.root / "etc/reflector/appliance.toml").write_text(toml)
    flags = ["--cpu", "--caddy", "--models", "/srv/stick", "--password-file", "-"]
    return machine.run("appliance", "configure", "--yes", *flags, stdin=f"{PASSWORD}\n")


@pytest.fixture(scope="package")
def appliance(machine: Machine, tmp_path_factory: pytest.TempPathFactory) -> Appliance:
    """`--cpu --caddy` and a password on standard input; models from a stick."""
    said = configure(machine)
    return Appliance(machine, said, authority_of(machine, tmp_path_factory.mktemp("authority")))


def authority_of(machine: Machine, folder: Path) -> Path:
    """Its root certificate, as a visitor gets it."""
    file = folder / "root.crt"
    address = f"http://{machine.address}/reflector-root.crt"
    tree.run("curl", "--silent", "--fail", "--output", str(file), address)
    return file


@pytest.fixture
def client(appliance: Appliance) -> Iterator[Client]:
    """The administrator's."""
    with Client(f"https://{appliance.machine.address}", appliance.authority) as found:
        found.log_in("admin@localhost", PASSWORD)
        yield found

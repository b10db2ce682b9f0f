"""The end of an appliance, and a tree that becomes one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.boot import tree
from tests.boot.client import Client
from tests.boot.conftest import Appliance, configure
from tests.boot.machine import Machine, booted


@pytest.fixture
def layered(installed_tree: Path, tmp_path: Path) -> Iterator[Path]:
    """The installed tree, for changes that are thrown away."""
    for layer in ("upper", "work", "root"):
        (tmp_path / layer).mkdir()
    options = f"lowerdir={installed_tree},upperdir={tmp_path}/upper,workdir={tmp_path}/work"
    tree.run("mount", "-t", "overlay", "overlay", "-o", options, str(tmp_path / "root"))
    yield tmp_path / "root"
    tree.run("umount", str(tmp_path / "root"))


def test_tree_is_installed_whole_and_a_second_run_changes_nothing(installed_tree: Path) -> None:
    said = tree.appliance("install", "--root", str(installed_tree), "--wheels", str(tree.wheels()))
    assert "Everything is installed already." in said
    assert list((installed_tree / "var/lib/postgresql").glob("*/*/PG_VERSION")) == []
    assert list((installed_tree / "etc/reflector/credentials").iterdir()) == []


def test_configured_tree_has_files_and_no_secrets(layered: Path) -> None:
    said = tree.appliance("configure", "--root", str(layered), "--cpu", "--domain", "a.example.org")
    assert "enable reflector-api.service" in said
    assert "https://a.example.org {" in (layered / "etc/caddy/Caddyfile").read_text()
    enabled = layered / "etc/systemd/system/reflector.target.wants/reflector-api.service"
    assert enabled.is_symlink()
    again = tree.appliance("configure", "--root", str(layered))
    assert "create the secret" not in again


def test_interrupted_run_is_gone_on_with(appliance: Appliance) -> None:
    """Ctrl-C at a few moments of a run that changes much, then once more to its end."""
    machine = appliance.machine
    toml = machine.root / "etc/reflector/appliance.toml"
    before = toml.read_text()
    toml.write_text(
        f"{before}\n[network]\nwebrtc_last_port = 50020\n[storage]\nlow_space_gib = 3\n"
    )
    for number in (1, 2, 3, 4):
        run = machine.start("env", "--default-signal=INT", "appliance", "configure", "--yes")
        assert run.stdout
        for line in run.stdout:
            if line.startswith(b"[%d/" % number):
                machine.run("pkill", "--signal", "INT", "--full", "appliance configure")
                break
        rest, _ = run.communicate(timeout=120)
        assert b"Reflector is at" not in rest
    appliance.configure()
    assert appliance.planned() == []
    assert "50000-50020" in machine.run("nft", "list", "table", "inet", "reflector")
    leftovers = [p.name for p in (machine.root / "etc/reflector").iterdir() if p.name[0] == "."]
    assert leftovers == []
    toml.write_text(before)
    appliance.configure()
    assert appliance.failed_units() == ""


def test_uninstalled_machine_keeps_its_data(appliance: Appliance, client: Client) -> None:
    """The last test of this machine."""
    machine = appliance.machine
    client.wait_for(client.upload(name="The last one"))
    machine.run("appliance", "uninstall")
    assert not (machine.root / "usr/bin/appliance").exists()
    assert units(machine) == ""
    assert list((machine.root / "var/lib/reflector/storage").iterdir())
    assert (machine.root / "etc/reflector/appliance.toml").is_file()
    assert list((machine.root / "var/lib/postgresql/17/reflector").glob("PG_VERSION"))


def test_purged_machine_has_nothing_left(installed_tree: Path, tmp_path: Path) -> None:
    with booted(installed_tree, tmp_path, f"purge{os.getpid()}") as machine:
        configure(machine)
        machine.run("appliance", "uninstall", "--purge", "--yes")
        assert units(machine) == ""
        for folder in ("etc/reflector", "var/lib/reflector", "usr/lib/reflector"):
            assert not (machine.root / folder).exists()
        assert list((machine.root / "var/lib/postgresql").glob("*/*/PG_VERSION")) == []
        assert list((machine.root / "etc/systemd/system").glob("*.d/5?-*.conf")) == []


def units(machine: Machine) -> str:
    return machine.run("systemctl", "list-units", "--plain", "--no-legend", "--state=active",
                       "reflector*.service", "postgresql@*", "valkey*", "caddy*")  # fmt: skip

"""The units, as `systemd-analyze` sees them without starting any."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
UNITS = ROOT / "units"
PROGRAMS = [
    "usr/lib/reflector/venv/bin/reflector", "usr/lib/reflector/garage/bin/garage",
    "usr/lib/reflector/ollama/bin/ollama", "usr/sbin/nft",
]  # fmt: skip
SYSTEM = Path("/usr/lib/systemd/system")
# What systemd's own units name; the rest of them are not looked at
BASICS = [
    "network-pre", "basic", "local-fs", "local-fs-pre", "multi-user", "network", "paths", "shutdown", "slices",
    "sockets", "swap", "sysinit", "timers",
]  # fmt: skip
MEAN_EXPOSURE, MOST_EXPOSURE = 1.5, 2.5
SINCE_254 = {"RestartSteps", "RestartMaxDelaySec"}

pytestmark = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed"
)


def unit_names() -> list[str]:
    return sorted(path.name for path in UNITS.iterdir() if path.is_file() and path.suffix != ".md")


def services() -> list[str]:
    found = sorted(path.name for path in UNITS.glob("*.service"))
    return [name.replace("@.", "@media.") for name in found]


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root with our units, systemd's basic ones, and something to start."""
    root = tmp_path_factory.mktemp("root")
    folder = root / "usr/lib/systemd/system"
    shutil.copytree(UNITS, folder)
    for name in BASICS:
        shutil.copy(SYSTEM / f"{name}.target", folder)
    for name in PROGRAMS:
        program = root / name
        program.parent.mkdir(parents=True)
        program.write_text("#!/bin/sh\n")
        program.chmod(0o755)
    return root


def analyze(*arguments: str) -> str:
    done = subprocess.run(
        ["systemd-analyze", *arguments], check=False, capture_output=True, text=True, timeout=60
    )
    return done.stdout + done.stderr


def version() -> int:
    found = re.search(r"systemd (\d+)", analyze("--version"))
    assert found
    return int(found[1])


def test_units_have_no_mistakes_and_no_ordering_cycles(tree: Path) -> None:
    names = [name.replace("@.", "@media.") for name in unit_names()]
    said = analyze("verify", "--man=no", f"--root={tree}", *names).splitlines()
    if version() < 254:
        said = [line for line in said if not any(f"'{key}'" in line for key in SINCE_254)]
    assert said == []


def test_little_can_be_reached_from_a_service(tree: Path) -> None:
    exposure = {}
    for name in services():
        said = analyze("security", "--offline=true", "--no-pager", f"--root={tree}", name)
        found = re.search(r"exposure level for \S+: ([\d.]+)", said)
        assert found, said
        exposure[name] = float(found[1])
    assert max(exposure.values()) <= MOST_EXPOSURE, exposure
    assert sum(exposure.values()) / len(exposure) <= MEAN_EXPOSURE, exposure


@pytest.mark.parametrize("name", services())
def test_only_what_computes_on_a_card_reaches_one(tree: Path, name: str) -> None:
    said = analyze("security", "--offline=true", "--no-pager", f"--root={tree}", name)
    devices = re.search(r"special devices: (.*?)\s+[\d.]+\n", said)
    allowed = {device.split(":")[0] for device in devices[1].split()} if devices else set()
    expected = {"char-rtc"}  # ProtectClock= lets the clock be read
    if name in {"reflector-transcription.service", "ollama.service"}:
        expected |= {f"char-nvidia{part}" for part in ("", "-frontend", "-uvm", "-caps")}
    assert allowed <= expected


def test_what_a_unit_needs_beyond_the_others_comes_after_what_holds_for_all() -> None:
    """A drop-in overrides the unit: an exception in the unit itself would be without effect."""
    common = "".join(path.read_text() for path in (UNITS / "reflector-.service.d").glob("1*.conf"))
    keys = set(re.findall(r"^(\w+)=", common, re.MULTILINE)) - {
        "Environment",
        "ConditionPathExists",
    }
    for unit in UNITS.glob("reflector-*.service"):
        own = set(re.findall(r"^(\w+)=", unit.read_text(), re.MULTILINE))
        assert own & keys <= {"Restart"}, unit.name
    names = [path.name for path in UNITS.rglob("*.conf")]
    assert all(name >= "10-hardening.conf" for name in names)


def test_every_unit_is_documented() -> None:
    text = (ROOT / "docs" / "operations.md").read_text()
    assert [name for name in unit_names() if f"`{name}`" not in text] == []


def test_everything_that_the_target_starts_stops_with_it() -> None:
    for unit in [*UNITS.glob("*.service"), *UNITS.glob("*.socket")]:
        if unit.name == "reflector-firewall.service":
            continue  # it protects the machine, whether Reflector runs or not
        assert "PartOf=reflector.target" in unit.read_text(), unit.name

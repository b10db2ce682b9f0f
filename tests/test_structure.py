"""How the code is laid out: imports run downhill, files stay short, docs name everything."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import click
import pytest

from appliance.cli import cli as agent
from appliance.config import ApplianceConfig
from reflector.cli import cli
from reflector.pipeline.step import StepName
from reflector.runtime.settings import Settings

ROOT = Path(__file__).parent.parent
MAX_LINES = 700

# Each may import what stands in a later row, and its own; of a folder with parts in several rows
# each is named
LAYERS = [
    ["cli"],
    ["commands"],
    ["app"],
    ["web"],
    ["summary_templates.routes"],
    ["administration"],
    [
        "accounts.routes",
        "calendars.routes",
        "events.routes",
        "live.routes",
        "mail.routes",
        "notes.routes",
        "rooms.routes",
        "search.routes",
        "sharing.routes",
        "tags.routes",
        "transcripts.routes",
        "webhooks.routes",
    ],
    ["events.schemas", "search.results"],
    ["uploads"],
    ["rooms"],
    ["transcripts", "tags", "sharing", "notes"],
    ["summary_templates"],
    ["http"],
    ["runtime.health"],
    ["accounts.schemas", "search.schemas"],
    ["worker"],
    ["speech_service.app"],
    ["live", "speech_service.routes"],
    ["speech_service"],
    ["calendars"],
    ["webhooks.delivery", "mail.delivery"],
    ["webhooks.body", "mail.message", "mail.smtp"],
    ["transcripts.queries"],
    ["pipeline", "housekeeping", "schedule"],
    ["webhooks", "mail"],
    ["services"],
    ["translation"],
    ["accounts"],
    ["language", "speech", "search", "transcripts.exports"],
    ["storage", "media", "outgoing", "events", "db", "http.request_sizes", "http.schemas"],
    ["transcript", "recorder", "localization"],
    ["runtime"],
    ["errors", "runtime.journald"],
]
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names}
# The tables of results are made of words and topics; what media reads ends up as words
ALLOWED = {("events", "db")}


# The same for the agent
AGENT_LAYERS = [
    ["cli"],
    ["commands"],
    ["image"],
    ["firstboot", "boot.start"],
    ["configure.setup_answers"],
    ["configure.run", "update", "secrets.input", "disks"],
    ["install"],
    ["configure.apply", "configure.preflight", "diagnose"],
    ["boot"],
    ["machine.state", "health"],
    ["configure.effects"],
    ["application"],
    ["configure.parts"],
    ["configure.plan"],
    ["artifacts"],
    ["configure.environment", "secrets"],
    ["configure.placement", "render", "machine.units"],
    ["config"],
    ["machine.facts"],
    ["machine"],
    ["log"],
    ["errors"],
]
AGENT_LEVEL = {name: level for level, names in enumerate(AGENT_LAYERS) for name in names}


def part(module: str, levels: Mapping[str, int]) -> str:
    """The part that a module belongs to: the longest that is named."""
    words = module.split(".")[1:]
    names = [".".join(words[:count]) for count in range(len(words), 0, -1)]
    return next((name for name in names if name in levels), words[0])


def imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            folder = ROOT / node.module.replace(".", "/")
            for name in (alias.name for alias in node.names):
                is_module = (folder / f"{name}.py").exists() or (folder / name).is_dir()
                found.add(f"{node.module}.{name}" if is_module else node.module)
        elif isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
    return found


def python_files(*folders: str) -> list[Path]:
    return [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]


def uphill(package: str, levels: Mapping[str, int]) -> Iterator[str]:
    for path in python_files(package):
        words = path.relative_to(ROOT).with_suffix("").parts
        if words[-1] in {"__init__", "__main__"} and len(words) == 2:
            continue
        own = part(".".join(words), levels)
        for module in imports(path):
            if module.startswith(f"{package}."):
                other = part(module, levels)
                allowed = other == own or (own, other) in ALLOWED
                if not allowed and levels[other] <= levels[own]:
                    yield f"{path.relative_to(ROOT)} imports {module}"


def test_imports_run_downhill() -> None:
    assert list(uphill("reflector", LEVEL)) == []


def test_imports_of_the_agent_run_downhill() -> None:
    assert list(uphill("appliance", AGENT_LEVEL)) == []


def test_fastapi_stays_in_routes_and_what_they_share() -> None:
    """Who reads data, in a command or a step, needs no HTTP code for that."""
    serving = {"http", "web", "routes", "app"}
    for path in python_files("reflector"):
        words = {module.split(".")[0] for module in imports(path)}
        if words & {"fastapi", "starlette", "fastapi_pagination"}:
            parts = path.relative_to(ROOT / "reflector").with_suffix("").parts
            assert set(parts) & serving or parts == ("commands", "gunicorn"), path


def test_no_step_of_the_pipeline_imports_another() -> None:
    steps = "reflector.pipeline.steps"
    for path in python_files("reflector/pipeline/steps"):
        assert not [m for m in imports(path) if m.startswith(steps)], path


def test_readers_of_the_machine_import_nothing_that_changes_it() -> None:
    readers = [*python_files("appliance/machine/facts"), ROOT / "appliance/machine/state.py"]
    for path in readers:
        assert not [m for m in imports(path) if "effects" in m or "durable" in m], path


def test_one_module_of_the_agent_runs_programs() -> None:
    running = [p for p in python_files("appliance") if "subprocess" in imports(p)]
    assert [path.name for path in running] == ["run.py"]


def test_every_key_of_the_appliance_is_documented() -> None:
    text = (ROOT / "docs" / "appliance.md").read_text()
    for table, field in ApplianceConfig.model_fields.items():
        model = field.annotation
        assert model
        for key in model.model_fields:
            assert f"`{table}.{key}`" in text


def test_every_command_of_the_agent_is_documented() -> None:
    text = "".join((ROOT / "docs" / name).read_text() for name in ("appliance.md", "image.md"))
    for path, command in commands_of("appliance", agent):
        assert path in text, path
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                assert f"`{parameter.opts[0]}" in text, (path, parameter.opts)


def commands_of(path: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    if isinstance(command, click.Group):
        for name, each in command.commands.items():
            if each.hidden:
                continue  # units call it
            yield from commands_of(f"{path} {name}", each)
    else:
        yield path, command


def test_application_does_not_know_the_agent() -> None:
    assert not [
        p for p in python_files("reflector") if any(m.startswith("appliance") for m in imports(p))
    ]


def test_agent_reads_nothing_of_the_application_but_its_settings() -> None:
    """And which passwords are refused: one rule, wherever somebody chooses one."""
    for path in python_files("appliance"):
        known = {m for m in imports(path) if m.startswith("reflector")}
        assert known <= {"reflector.runtime.settings", "reflector.accounts.strength"}


def test_no_file_is_too_long() -> None:
    files = [*python_files("reflector", "appliance", "tests", "demo", "bench", "tools")]
    files += [
        *(ROOT / "reflector" / "web").rglob("*.js"),
        *(ROOT / "reflector" / "web").rglob("*.css"),
    ]
    assert not [p for p in files if len(p.read_text().splitlines()) > MAX_LINES]


def test_pages_load_nothing_from_elsewhere() -> None:
    for path in (ROOT / "reflector" / "web").rglob("*"):
        if path.suffix in {".html", ".js", ".css"}:
            assert not re.search(r"(src|href|import|url)\W{1,3}(https?:)?//", path.read_text()), (
                path
            )


def section(text: str, heading: str) -> str:
    """What stands under a heading that begins so, to the next of its level or above."""
    level = len(heading) - len(heading.lstrip("#"))
    found = re.search(
        rf"^{re.escape(heading)}\b.*?(?=^#{{1,{level}}} |\Z)", text, re.MULTILINE | re.DOTALL
    )
    assert found, heading
    return found[0]


@pytest.mark.parametrize("name", list(Settings.model_fields))
def test_every_setting_has_its_row(name: str) -> None:
    """Or stands among those that are accepted and do nothing."""
    text = (ROOT / "docs" / "configuration.md").read_text()
    idle = section(text, "## Accepted, not used yet")
    assert re.search(rf"^\| [^|]*`{name}`", text, re.MULTILINE) or f"`{name}`" in idle


@pytest.mark.parametrize("name", list(cli.commands))
def test_every_command_has_its_section_with_all_options(name: str) -> None:
    text = section((ROOT / "docs" / "operations.md").read_text(), f"### `reflector {name}")
    for _, command in commands_of(f"reflector {name}", cli.commands[name]):
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                names = [*parameter.opts, *parameter.secondary_opts]
                assert any(f"`{each}" in text for each in names), names


def test_every_step_is_documented() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text()
    assert all(f"`{name.value}`" in text for name in StepName)


def test_every_file_that_the_architecture_names_is_there() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text()
    known = [
        str(path.relative_to(ROOT))
        for path in python_files("reflector", "appliance", "tests", "tools")
    ]
    for name in re.findall(r"`([\w/]+\.py)`", text):
        assert any(path.endswith(f"/{name}") or path == name for path in known), name


def test_every_path_of_the_api_is_documented() -> None:
    text = (ROOT / "docs" / "api.md").read_text()
    for path in python_files("reflector"):
        for route in re.findall(r'"(/transcripts[^"?.]*)"', path.read_text()):
            assert route.replace("{transcript_id}", "{id}") in text, route

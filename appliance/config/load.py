"""Read `appliance.toml`; name file, line, key and allowed values where it is wrong."""

from __future__ import annotations

import difflib
import re
import tomllib
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from appliance.config.model import ApplianceConfig
from appliance.errors import ConfigError

PATH = Path("/etc/reflector/appliance.toml")


def load(path: Path = PATH) -> ApplianceConfig:
    """Return the settings in `path`, the defaults where there is no file; ConfigError for what is
    wrong."""
    try:
        text = path.read_text("utf-8-sig")  # some editors begin a file with a mark
    except FileNotFoundError:
        return ApplianceConfig()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}", "Check its owner and mode.") from error
    return parse(text, str(path))


def parse(text: str, name: str) -> ApplianceConfig:
    """Parse a configuration. Raises ConfigError with one line for each fault.

    `name` is what the file is called in the error.
    """
    try:
        values = tomllib.loads(text.removeprefix("\ufeff"))
    except tomllib.TOMLDecodeError as error:
        end = f"at line {len(text.splitlines())}"
        said = str(error).replace("at end of document", end)
        raise ConfigError(f"{name} is not TOML: {said}.", "Mend that line.") from error
    try:
        return ApplianceConfig.model_validate(values)
    except ValidationError as error:
        problems = [_sentence(problem, text, name) for problem in error.errors()]
        raise ConfigError("\n".join(problems), "Nothing was changed.") from error


def _sentence(problem: ErrorDetails, text: str, name: str) -> str:
    path = tuple(str(part) for part in problem["loc"])
    line = line_of(text, path)
    where = f"{name}, line {line}: " if line else f"{name}: "
    key = ".".join(path) or "the file"
    match problem["type"]:
        case "extra_forbidden":
            return f"{where}{key} is unknown. {_known(path)}"
        case "enum":
            allowed = problem["ctx"]["expected"].replace("'", "").replace(" or ", ", ")
            return f"{where}{key} is {problem['input']!r}; allowed are {allowed}."
        case "value_error":
            return f"{where}{key} {problem['ctx']['error']}."
        case _:
            return f"{where}{key} is {problem['input']!r}: {problem['msg'].lower()}."


def _known(path: tuple[str, ...]) -> str:
    """Return the keys that exist beside the last of `path`, and the nearest of them."""
    names = list(_table(path[:-1]).model_fields)
    near = difflib.get_close_matches(path[-1], names, 1)
    meant = f" Did you mean {near[0]}?" if near else ""
    return f"Known are {', '.join(names)}.{meant}"


def _table(path: tuple[str, ...]) -> type[BaseModel]:
    model: type[BaseModel] = ApplianceConfig
    for part in path:
        field: Any = model.model_fields[part].annotation
        model = field
    return model


def line_of(text: str, path: tuple[str, ...]) -> int | None:
    """Return where the value at `path` stands, or the nearest table around it; None where none
    does."""
    found: int | None = None
    table: tuple[str, ...] = ()
    for number, line in enumerate(text.splitlines(), 1):
        if header := re.match(r"\s*\[+\s*([\w.\"-]+)\s*\]+", line):
            table = tuple(part.strip('"') for part in header[1].split("."))
            if table == path[: len(table)]:
                found = found or number
        elif key := re.match(r"\s*([\w.\"-]+)\s*=", line):
            here = (*table, *(part.strip('"') for part in key[1].split(".")))
            if here == path[: len(here)]:
                return number
    return found

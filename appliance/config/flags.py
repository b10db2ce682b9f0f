"""Map the flags of the reference's installer to changes of the configuration."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from appliance.config.model import ApplianceConfig
from appliance.errors import ConfigError

Command = TypeVar("Command", bound=Callable[..., Any])

OPTIONS = [
    click.option("--gpu", is_flag=True, help="Recognise speech on a card."),
    click.option("--cpu", is_flag=True, help="Recognise speech on the processor."),
    click.option("--hosted", metavar="URL", help="Use a speech service elsewhere."),
    click.option("--ollama-gpu", is_flag=True, help="Run a language model here, on a card."),
    click.option("--ollama-cpu", is_flag=True, help="Run a language model here, on the processor."),
    click.option("--llm-model", metavar="NAME", help="The language model."),
    click.option("--garage", is_flag=True, help="Run S3 storage on this machine."),
    click.option("--caddy/--no-caddy", default=None, help="TLS by Caddy, or by your own proxy."),
    click.option(
        "--domain", metavar="NAME", help="The machine's domain, with a certificate by ACME."
    ),
    click.option("--ip", metavar="ADDRESS", help="The machine's IP address, if it has no domain."),
    click.option(
        "--custom-ca",
        metavar="PATH",
        help="Certificate authority to trust: a PEM file, or a folder with ca.crt and optionally server.pem and server-key.pem.",
    ),
    click.option(
        "--extra-ca", multiple=True, metavar="FILE", help="Another certificate authority to trust."
    ),
    click.option("--build", is_flag=True, help="Install the application from this checkout first."),
]
# What cannot be together, in the reference's order
# In which they are applied: a domain first, so that what belongs to one has it
ORDER = [
    "gpu", "cpu", "hosted", "ollama_gpu", "ollama_cpu", "llm_model", "garage", "caddy", "domain", "ip",
    "custom_ca", "extra_ca", "build",
]  # fmt: skip
EXCLUSIVE = [("gpu", "cpu", "hosted"), ("ollama_gpu", "ollama_cpu"), ("domain", "ip")]


def named_flags(flags: dict[str, Any]) -> set[str]:
    """Return those that were given."""
    return {name for name, value in flags.items() if value not in (None, False, ())} | (
        {"caddy"} if flags.get("caddy") is not None else set()
    )


def with_options(command: Command) -> Command:
    for option in reversed(OPTIONS):
        command = option(command)
    return command


def with_flags(config: ApplianceConfig, flags: dict[str, Any]) -> ApplianceConfig:
    """Return `config` as the flags want it; ConfigError where they contradict each other or make no
    sense.

    What no flag speaks of stays as it is: a login that is required is never turned off here.
    """
    given = named_flags(flags)
    for names in EXCLUSIVE:
        if len(both := [name for name in names if name in given]) > 1:
            first, second = (f"--{name.replace('_', '-')}" for name in both[:2])
            raise ConfigError(f"{first} and {second} exclude each other.", "Choose one of them.")
    if flags.get("caddy") is False and "domain" in given:
        raise ConfigError(
            "--no-caddy and --domain exclude each other.",
            "Without Caddy, your own proxy has the domain.",
        )
    if (
        "custom_ca" in given
        and (Path(flags["custom_ca"]) / "server.pem").is_file()
        and not (config.proxy.domain or "domain" in given)
    ):
        raise ConfigError(
            "The server certificate in --custom-ca needs --domain.", "Add --domain NAME."
        )
    values = config.model_dump(mode="json", exclude_none=True)
    for name in sorted(given, key=ORDER.index):
        for table, changes in _changes(name, flags[name]).items():
            for key, value in changes.items():
                if value is None:
                    values[table].pop(key, None)
                else:
                    values[table][key] = value
    return validated(values, "flags")


def validated(values: dict[str, Any], what: str) -> ApplianceConfig:
    """Validate values. Raises ConfigError with every reason; `what` names them in it."""
    try:
        return ApplianceConfig.model_validate(values)
    except ValueError as error:
        reasons = [str(problem["msg"]) for problem in getattr(error, "errors", list)()]
        said = "; ".join(reasons).removeprefix("Value error, ")
        raise ConfigError(f"These {what} are invalid: {said}.", "Nothing was changed.") from error


def _changes(flag: str, value: Any) -> dict[str, dict[str, Any]]:
    """Return what a flag changes, by table and key; None removes a key."""
    if flag == "custom_ca":
        return {"proxy": _custom_ca(value)}
    if flag == "extra_ca":
        return {"proxy": {"extra_ca": [str(Path(file).absolute()) for file in value]}}
    on = flag.replace("_", "-")
    proxy = {"caddy": True, "domain": None, "ip": None}
    return {
        "gpu": {"speech": {"on": on, "url": None}},
        "cpu": {"speech": {"on": on, "url": None}},
        "hosted": {"speech": {"on": on, "url": value}},
        "ollama_gpu": {"llm": {"on": on, "url": None}},
        "ollama_cpu": {"llm": {"on": on, "url": None}},
        "llm_model": {"llm": {"model": value}},
        "garage": {"storage": {"on": on, "endpoint": None}},
        "caddy": {"proxy": {"caddy": value}},
        "domain": {"proxy": {**proxy, "domain": value}},
        "ip": {"proxy": {**proxy, "ip": value}},
        "build": {},
    }[flag]


def _custom_ca(value: str) -> dict[str, Any]:
    """Return a file, or the folder that the reference's `generate-certs.sh` makes."""
    path = Path(value).absolute()
    if not path.is_dir():
        return {"custom_ca": str(path)}
    found: dict[str, Any] = {"custom_ca": str(path / "ca.crt")}
    if (path / "server.pem").is_file():
        found |= {
            "certificate": "custom", "certificate_file": str(path / "server.pem"),
            "key_file": str(path / "server-key.pem"),
        }  # fmt: skip
    return found

"""The first start, from an unconfigured machine to one with an administrator.

Answers that lie ready are used. Without them, or where they do not do, the console shows a code and asks for Enter:
whoever comes first, at the console or with the code at the setup page, answers the questions.
"""

from __future__ import annotations

import os
import select
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from appliance.config.load import PATH, load
from appliance.config.model import ApplianceConfig
from appliance.configure.environment import sites
from appliance.configure.parts.admin import HASH, PASSWORD
from appliance.configure.run import ConfigureRun, configure_machine
from appliance.disks import recovery
from appliance.errors import ApplianceError
from appliance.firstboot import answers, page
from appliance.firstboot.answers import Answers
from appliance.firstboot.certificate import Certificate, make
from appliance.firstboot.code import Code
from appliance.firstboot.page import Filled, Server
from appliance.machine.durable import write_durably
from appliance.machine.facts import Facts, gather
from appliance.machine.run import run
from appliance.secrets import input as secret_input
from appliance.secrets import store

PORT = 443
NETWORK_SECONDS = 20
# `appliance image build --with-models` puts them there
MODELS = Path("/usr/share/reflector/models")
ARTIFACTS = Path("/usr/share/reflector/artifacts")
Say = Callable[[str], None]
# The questions of the console: a configuration and the administrator's password
Ask = Callable[[Facts, ApplianceConfig], Filled]


def first_boot(say: Say, ask: Ask) -> None:
    """Ask for what is missing, and return when the machine is configured and works."""
    wait = [
        "/usr/lib/systemd/systemd-networkd-wait-online",
        "--any",
        f"--timeout={NETWORK_SECONDS}",
    ]
    run(wait, check=False)
    problem = _go_on(say) if HASH in store.names(Path("/")) else _by_answers(say)
    while problem is not None:
        filled = _somebody(problem, say, ask)
        problem = _tried(lambda f=filled: _make(f.config, {PASSWORD: f.password}, None, None, say))  # type: ignore[misc]
        if problem:
            say(problem)
    if recovery.encrypted() is not None:
        say(
            "The data of this machine is encrypted, and its TPM unlocks it. Without the TPM, only this key unlocks it:"
        )
        say(f"    {recovery.renew()}")
        say("It is not shown again. Create another one with `appliance recovery-key`.")


def _go_on(say: Say) -> str | None:
    """Resume a run that was cut off: the machine has its administrator, so nobody is asked any
    more."""
    say("The first configuration was interrupted. It continues.")
    return _tried(lambda: _make(load(), {}, None, None, say))


def _by_answers(say: Say) -> str | None:
    """Return None if they did; else why somebody has to be asked, empty where there are none."""
    with answers.found(say) as there:
        if there is None:
            return ""
        say(f"Configuring this machine from {there.source}.")
        problem = _tried(lambda: _take_over(there, say))
    if problem is None:
        with suppress(ApplianceError, OSError):
            answers.forget_secrets(answers.esp_folder())
        return None
    said = f"{there.source} is invalid:\n{problem}"
    say(said)
    return said


def _take_over(there: Answers, say: Say) -> None:
    config = there.config()
    write_durably(Path(PATH), there.text, 0o644)
    _make(
        config,
        {**secret_input.from_credentials(), **there.handed},
        there.models,
        there.artifacts,
        say,
    )


def _make(
    config: ApplianceConfig,
    handed: dict[str, str],
    models: Path | None,
    artifacts: Path | None,
    say: Say,
) -> None:
    models = models or (MODELS if MODELS.is_dir() else None)
    artifacts = artifacts or (ARTIFACTS if ARTIFACTS.is_dir() else None)
    configure_machine(
        ConfigureRun(gather(), config, handed=handed, models=models, artifacts=artifacts), say
    )
    if PASSWORD in handed:
        console_password(handed[PASSWORD])


def console_password(password: str) -> None:
    """Set root's password at the console to the administrator's, so that they can log in.

    Over ssh root needs a key (sshd_config(5), PermitRootLogin).
    """
    if run(["passwd", "--status", "root"]).output.split()[1:2] == ["L"]:
        run(["chpasswd"], stdin=f"root:{password}\n")


def _tried(action: Callable[[], None]) -> str | None:
    """Return what went wrong, in sentences."""
    try:
        action()
    except ApplianceError as error:
        return str(error)
    return None


def _somebody(problem: str, say: Say, ask: Ask) -> Filled:
    """Return the answers of whoever comes first."""
    facts, config = gather(), _configuration(say)
    received: list[Filled] = []
    wake, woken = os.pipe()

    def done(filled: Filled) -> None:
        received.append(filled)
        os.write(woken, b".")

    with tempfile.TemporaryDirectory(dir="/run") as folder:
        certificate = make(Path(folder), {*sites(facts, config), "localhost"})
        code = Code(lambda shown: _invite(facts, config, certificate, shown, say))
        server = Server(page.app(facts, config, code, done, problem or None), certificate, "", PORT)
        server.start()
        try:
            while not received:
                ready, _, _ = select.select([sys.stdin, wake], [], [])
                if wake in ready:
                    continue
                if not sys.stdin.readline():
                    raise ApplianceError("The console was closed.", "It is opened again.")
                server.stop()
                if not received:
                    return ask(facts, config)
                say("The setup page was answered meanwhile.")
        finally:
            server.stop()
            os.close(wake)
            os.close(woken)
    return received[0]


def _configuration(say: Say) -> ApplianceConfig:
    """Return what an earlier attempt wrote, as far as it can be used."""
    try:
        return load()
    except ApplianceError as error:
        say(str(error))
        return ApplianceConfig()


def _invite(
    facts: Facts, config: ApplianceConfig, certificate: Certificate, code: str, say: Say
) -> None:
    say("")
    say("This is a new Reflector. Set it up in a browser:")
    for name in sites(facts, config):
        say(f"    https://{name}")
    say(f"with the code     {code}")
    say("Its certificate has the SHA-256 fingerprint")
    for half in (certificate.fingerprint[:48], certificate.fingerprint[48:]):
        say(f"    {half}")
    say("or press Enter to do it here.")

"""Show addresses and health above the console's login (issue(5))."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from cryptography import x509

from appliance import health
from appliance.boot.history import History
from appliance.boot.machine import image_version, running
from appliance.boot.notices import of
from appliance.config import load
from appliance.configure.environment import is_own_authority, public_url, sites
from appliance.configure.run import ConfigureRun
from appliance.errors import ApplianceError
from appliance.firstboot.certificate import fingerprint
from appliance.machine.durable import write_durably
from appliance.machine.facts import gather
from appliance.machine.run import run

ISSUE = Path("/run/issue.d/reflector.issue")
ROOT = Path("/var/lib/caddy/.local/share/caddy/pki/authorities/local/root.crt")


CADDYFILE = Path("/etc/caddy/Caddyfile")


def follow_address(say: Callable[[str], None]) -> None:
    """Update certificate and links if the machine's address has changed.

    The network may assign another address, or the first one after the machine was configured.
    """
    facts, config = gather(), load()
    named = config.proxy.domain or config.proxy.ip or not config.proxy.caddy
    current = [a for a in facts.addresses if ":" not in a]
    known = CADDYFILE.read_text() if CADDYFILE.is_file() else ""
    if named or not current or all(f"https://{a}" in known for a in current):
        return
    say(f"The address of this machine is {', '.join(current)} now.")
    ConfigureRun(facts, config).write_files(say)


def write() -> None:
    write_durably(ISSUE, text(), 0o644)
    run(["agetty", "--reload"], check=False)


def text() -> str:
    facts, config = gather(), load()
    lines = [f"Reflector {image_version() or ''}", "", f"  {public_url(facts, config)}"]
    for name in sites(facts, config):
        if (url := f"https://{name}") != public_url(facts, config):
            lines.append(f"  {url}")
    if is_own_authority(config) and ROOT.is_file():
        found = fingerprint(x509.load_pem_x509_certificate(ROOT.read_bytes()))
        lines += [
            "",
            "  The SHA-256 fingerprint of its root certificate is",
            f"  {found[:48]}",
            f"  {found[48:]}",
        ]
    return "\n".join(map(plain, [*lines, "", *(f"  {line}" for line in _health()), "", ""]))


def plain(line: str) -> str:
    """Return `line` without characters that move a terminal's cursor or hide text.

    Text from elsewhere may hold them. Backslashes are replaced because agetty interprets them.
    """
    return "".join(c if c.isprintable() else "?" for c in line).replace("\\", "/")


def _health() -> list[str]:
    """Return what does not work, including an update that failed."""
    try:
        bad = of(running(), History()) if image_version() is not None else []
    except ApplianceError as error:
        bad = [error.message]
    checks = health.checks()
    if checks is None:
        return [*bad, "The server does not answer. See `appliance status`."]
    bad += [f"{c['name']}: {c['summary']}" for c in checks if c["status"] != "ok"]
    return bad or ["Everything works."]

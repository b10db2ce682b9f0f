"""Plan Caddy: TLS, and the only TCP ports beyond loopback."""

from __future__ import annotations

from appliance.config.model import Certificate
from appliance.configure import environment
from appliance.configure.plan.view import TRUST_STORE, Note, Planned, View
from appliance.errors import PlanError
from appliance.machine import units
from appliance.render import render

STEP = "proxy"
CADDYFILE = "/etc/caddy/Caddyfile"
STAGING = "https://acme-staging-v02.api.letsencrypt.org/directory"
SECOND_PORT = "/etc/systemd/system/reflector-api.socket.d/50-appliance.conf"
SECOND = """\
# Written by `appliance configure`: your own proxy does TLS and connects to this port
[Socket]
ListenStream=127.0.0.1:3000
"""
TRUST = "/usr/local/share/ca-certificates"


def plan(view: View) -> Planned:
    yield from _trusted(view)
    if not view.config.proxy.caddy:
        restarts = (units.API_SOCKET, units.API)
        yield from view.file(STEP, SECOND_PORT, SECOND, "for your own proxy", restarts=restarts)
        if view.config.proxy.url is None:
            yield Note(STEP, "proxy.url is not set, so links lead to http://localhost:1250.")
        return
    yield from view.no_file(
        STEP, SECOND_PORT, "Caddy brings TLS", restarts=(units.API_SOCKET, units.API)
    )
    _ports_are_free(view)
    certificate = view.config.proxy.chosen_certificate
    own = certificate is Certificate.CUSTOM
    text = render(
        "Caddyfile.j2",
        email=view.config.proxy.email,
        acme_directory=_directory(view),
        internal=certificate is Certificate.INTERNAL,
        name=environment.address(view.facts, view.config).strip("[]"),
        sites=[f"https://{name}" for name in environment.sites(view.facts, view.config)],
        root_certificate=environment.ROOT_CERTIFICATE,
        certificate="/run/credentials/caddy.service/certificate" if own else None,
        key="/run/credentials/caddy.service/key",
    )
    yield from view.file(
        STEP, CADDYFILE, text, "domain and certificate",
        restarts=(units.CADDY,),
    )  # fmt: skip
    credentials = [
        f"LoadCredential=certificate:{view.config.proxy.certificate_file}",
        f"LoadCredential=key:{view.config.proxy.key_file}",
    ]
    drop_in = render(
        "caddy-unit.conf.j2", hardening=units.hardening(), credentials=credentials if own else []
    )
    yield from view.file(
        STEP, units.drop_in(units.CADDY), drop_in, "hardened", restarts=(units.CADDY,)
    )


def _ports_are_free(view: View) -> None:
    for port in (80, 443):
        program = view.state.listening.get(port)
        if program not in {None, "caddy"}:
            raise PlanError(
                f"Port {port} is in use by {program}.",
                f"Stop {program}, or let it do TLS with --no-caddy.",
            )


def _directory(view: View) -> str | None:
    if view.config.proxy.acme_directory:
        return str(view.config.proxy.acme_directory)
    return STAGING if view.config.proxy.staging else None


def _trusted(view: View) -> Planned:
    """Yield authorities that the machine trusts when it asks others."""
    restarts = (TRUST_STORE, units.CADDY, *units.APPLICATION)
    wanted = {
        f"{TRUST}/reflector-{number}.crt": text for number, text in enumerate(view.authorities, 1)
    }
    for path, text in wanted.items():
        yield from view.file(STEP, path, text, "a trusted certificate authority", restarts=restarts)
    for path in sorted(view.state.written):
        if path.startswith(f"{TRUST}/") and path not in wanted:
            yield from view.no_file(
                STEP, path, "is no longer in the configuration", restarts=restarts
            )

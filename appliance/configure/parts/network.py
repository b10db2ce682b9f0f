"""Plan the firewall, and the machine's name in its own network."""

from __future__ import annotations

from appliance.configure.plan.view import Note, Planned, View
from appliance.machine import units
from appliance.render import render

STEP = "network"
RULES = "/etc/reflector/firewall.nft"


def wants_firewall(view: View) -> bool:
    return view.config.network.firewall and not view.state.firewalls


def plan(view: View) -> Planned:
    network = view.config.network
    if network.mdns:
        text = render("avahi-unit.conf.j2", hardening=units.hardening())
        yield from view.file(
            STEP, units.drop_in(units.AVAHI), text, "hardened", restarts=(units.AVAHI,)
        )
    if network.firewall and view.state.firewalls:
        first, last = network.webrtc_first_port, network.webrtc_last_port
        yield Note(
            STEP,
            f"{' and '.join(sorted(view.state.firewalls))} is already in use and is not changed. "
            f"Allow TCP 80, TCP 443 and UDP {first}-{last} in it.",
        )
    if not wants_firewall(view):
        yield from view.no_file(STEP, RULES, "the configuration asks for no firewall")
        return
    text = render(
        "firewall.nft.j2",
        ssh_ports=network.ssh_ports,
        caddy=view.config.proxy.caddy,
        mdns=network.mdns,
        first=network.webrtc_first_port,
        last=network.webrtc_last_port,
    )
    yield from view.file(
        STEP, RULES, text, "only public ports are open",
        mode=0o644, restarts=(units.FIREWALL,),
    )  # fmt: skip

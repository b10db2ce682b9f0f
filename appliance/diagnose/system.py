"""Check the machine: disk, memory, clock, card, certificate, secrets, interrupted runs."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from cryptography import x509

from appliance.config.model import Certificate, SpeechOn
from appliance.configure import environment
from appliance.configure.parts.build import build
from appliance.configure.parts.storage import disk_of
from appliance.configure.placement import place
from appliance.configure.plan.view import View
from appliance.diagnose.finding import Finding, failed, ok, warning
from appliance.errors import ApplianceError, PlanError
from appliance.secrets import store

GIB = 1 << 30
SECONDS = 10.0
# Caddy renews a certificate of ACME a month before it ends, one of its own after eight of twelve hours
ACME_DAYS = 14


def findings(view: View) -> Iterator[Finding]:
    yield _disk(view)
    yield _clock(view)
    yield from _card(view)
    yield from _certificate(view)
    yield _secrets(view)
    yield _plan(view)


def _disk(view: View) -> Finding:
    disk = disk_of(view.facts, str(view.config.storage.folder))
    if disk is None:
        return warning("disk", "is not known", "See `df -h`.")
    least = view.config.storage.low_space_gib
    said = f"{disk.free / GIB:.1f} of {disk.total / GIB:.1f} GiB are free at {disk.mount}"
    if disk.free < least * GIB:
        return failed("disk", said, f"Free some space. Below {least} GiB uploads are refused.")
    if disk.free < 2 * least * GIB:
        return warning(
            "disk", said, f"Free some space soon. Below {least} GiB uploads are refused."
        )
    return ok("disk", said)


def _clock(view: View) -> Finding:
    if view.facts.clock_synchronized is False:
        return warning(
            "clock",
            "is not synchronised",
            "Install systemd-timesyncd or chrony. Certificates need the right time.",
        )
    return ok("clock", "is synchronised" if view.facts.clock_synchronized else "cannot be asked")


def _card(view: View) -> Iterator[Finding]:
    if view.config.speech.on is SpeechOn.HOSTED:
        return
    try:
        placement = place(view.facts, view.config)
    except PlanError as error:
        yield failed("card", error.message, error.hint or "")
        return
    where = placement.speech_device or ""
    remarks = " ".join(placement.remarks)
    if remarks:
        yield warning("card", remarks, "See `appliance plan`.")
    else:
        yield ok("card", f"speech on {where} with {placement.whisper_model}")


def _certificate(view: View) -> Iterator[Finding]:
    proxy = view.config.proxy
    if not proxy.caddy:
        return
    name = environment.address(view.facts, view.config).strip("[]")
    try:
        ends = _ends(name)
    except OSError as error:
        yield failed("certificate", f"no TLS for {name}: {error}", "See `journalctl -u caddy`.")
        return
    left = ends - datetime.now(UTC)
    said = f"of {name} is valid until {ends:%Y-%m-%d %H:%M} UTC"
    least = (
        timedelta(0) if proxy.chosen_certificate is Certificate.INTERNAL else timedelta(ACME_DAYS)
    )
    if left < least:
        yield failed("certificate", said, "It was not renewed. See `journalctl -u caddy`.")
    else:
        yield ok("certificate", said)


def _ends(name: str) -> datetime:
    """Return when the certificate for `name` ends. Whether clients trust it is not checked."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with (
        socket.create_connection(("127.0.0.1", 443), SECONDS) as plain,
        context.wrap_socket(plain, server_hostname=name) as secure,
    ):
        found = secure.getpeercert(binary_form=True)
    return x509.load_der_x509_certificate(found or b"").not_valid_after_utc


def _secrets(view: View) -> Finding:
    for name in sorted(view.state.credentials):
        try:
            store.reveal(view.facts, name)
        except ApplianceError as error:
            return failed("secrets", error.message, error.hint or "")
    count = len(view.state.credentials)
    return ok("secrets", f"{count} are stored, {view.facts.sealing.described}")


def _plan(view: View) -> Finding:
    try:
        plan = build(view)
    except PlanError as error:
        return failed("configuration", error.message, error.hint or "")
    edited = [note for note in plan.notes if note.diff]
    if plan.changes:
        titles = "; ".join(change.title() for change in plan.changes[:5])
        return warning(
            "configuration",
            f"this machine differs from its configuration: {titles}",
            "Run `appliance configure`.",
        )
    if edited:
        return warning("configuration", edited[0].text, "Nothing, if this is intended.")
    return ok("configuration", "this machine matches its configuration")

"""Check whether this machine can become an appliance, before anything is installed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from appliance.errors import CheckError
from appliance.install.target import Target
from appliance.machine.facts.model import Facts
from appliance.machine.state import listening

GIB = 1 << 30
RELEASES = {("debian", "12"), ("debian", "13")}
ARCHITECTURES = {"x86_64", "aarch64"}
MEMORY, GOOD_MEMORY = 3.5, 15.0
DISK = 6.0
PORTS = {80: "Caddy", 443: "Caddy", 1250: "the API", 8000: "the speech service"}
# Ours, by the names under which the system knows them
OWN = {"caddy", "systemd", "reflector", "python3", "gunicorn"}


def check(target: Target, facts: Facts) -> Iterator[str]:
    """Yield sentences about what will be slow or in the way later; CheckError with all that cannot
    be."""
    problems = list(_problems(target, facts))
    if problems:
        raise CheckError("\n".join(problems), "Nothing was changed.")
    if facts.memory / GIB < GOOD_MEMORY:
        yield (
            f"This machine has {facts.memory / GIB:.0f} GiB of memory. At least 16 are recommended for "
            "larger models and a language model."
        )
    if facts.clock_synchronized is False:
        yield "The clock is not synchronised. Certificates and logins need the right time."
    if target.is_running:
        taken = listening()
        for port, what in PORTS.items():
            if (program := taken.get(port)) and program not in OWN:
                yield f"Port {port}, which {what} needs, is in use by {program}."


def _problems(target: Target, facts: Facts) -> Iterator[str]:
    if os.geteuid():
        yield "Only root can install. Run it with sudo."
    release = facts.release
    if (release.id, release.version) not in RELEASES:
        yield f"{release.name} is not supported: Debian 12 or 13 is needed."
    if facts.processor.architecture not in ARCHITECTURES:
        yield f"{facts.processor.architecture} is not supported: x86_64 or aarch64 is needed."
    if facts.processor.missing:
        yield (
            f"The processor ({facts.processor.name}) lacks {', '.join(facts.processor.missing)}, which "
            "the application's libraries need. Set a virtual machine's processor type to host, or to "
            "x86-64-v2 or newer."
        )
    if target.is_running and facts.memory / GIB < MEMORY:
        yield f"{facts.memory / GIB:.1f} GiB of memory are too little. At least 4 are needed."
    free = shutil.disk_usage(target.root).free / GIB
    if free < DISK:
        yield f"{free:.1f} GiB free at {target.root} are too little. At least {DISK:.0f} are needed."
    if target.is_running and not Path("/run/systemd/system").is_dir():
        yield "This machine does not run systemd, which the appliance needs."

"""Show the recovery key of an encrypted state partition once (systemd-cryptenroll(1))."""

from __future__ import annotations

import json

from appliance.errors import CheckError
from appliance.machine.run import run

SECONDS = 300.0


def encrypted() -> str | None:
    """Return the device that LUKS is on, None where the state is not encrypted."""
    said = run(["findmnt", "--noheadings", "--output", "SOURCE", "/"], check=False).output.strip()
    rows = run(
        ["lsblk", "--json", "--inverse", "--output", "PATH,FSTYPE", said], check=False
    ).output
    try:
        devices = json.loads(rows)["blockdevices"]
    except ValueError:
        return None
    while devices:
        for device in devices:
            if device["fstype"] == "crypto_LUKS":
                return str(device["path"])
        devices = [child for device in devices for child in device.get("children") or []]
    return None


def renew() -> str:
    """Replace the recovery key. Raises CheckError if nothing is encrypted."""
    device = encrypted()
    if device is None:
        raise CheckError(
            "The data of this machine is not encrypted.",
            "Set disk.encrypt in the answers for the first start. Afterwards only a factory reset can change it.",
        )
    command = [
        "systemd-cryptenroll",
        "--unlock-tpm2-device=auto",
        "--wipe-slot=recovery",
        "--recovery-key",
        device,
    ]
    said = run(command, seconds=SECONDS).output
    return next(line.strip() for line in said.splitlines() if line.count("-") >= 7)

"""Erase everything that is the machine's own at its next start (systemd-repart(8), “Factory reset”)."""

from __future__ import annotations

from pathlib import Path

from appliance.boot.machine import running
from appliance.errors import ApplianceError
from appliance.machine.run import run

VARIABLE = Path("/sys/firmware/efi/efivars/FactoryReset-8cf2644b-4b0b-428f-9387-6d876050dc67")
# EFI_VARIABLE_NON_VOLATILE, _BOOTSERVICE_ACCESS, _RUNTIME_ACCESS
ATTRIBUTES = (7).to_bytes(4, "little")


def request() -> None:
    """Raise ApplianceError if this machine is not made from an image, or its firmware does not keep
    the wish."""
    running()
    try:
        if VARIABLE.exists():
            run(["chattr", "-i", VARIABLE], check=False)
        VARIABLE.write_bytes(ATTRIBUTES + "yes\0".encode("utf-16-le"))
    except OSError as error:
        raise ApplianceError(
            f"The firmware did not store the request: {error.strerror}.",
            "Choose “erase all data of this machine” in the boot menu.",
        ) from error

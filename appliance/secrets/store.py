"""Store secrets as systemd credentials, sealed with the TPM or the host's key.

A machine that can do neither keeps them in files that only root can read. Units get secrets by
`LoadCredential…=` only: not by the environment, an argument or a log.
"""

from __future__ import annotations

from pathlib import Path

from appliance.errors import ApplianceError
from appliance.machine.facts.model import Facts, Sealing
from appliance.machine.run import run

FOLDER = "/etc/reflector/credentials"
# systemd binds a sealed secret to a name, but the speech service's key has a name for each of its
# users
ANY_NAME = "--name="


def path_of(facts: Facts, name: str) -> str:
    return f"{FOLDER}/{name}" if facts.sealing is Sealing.FILE else f"{FOLDER}/{name}.cred"


def credential_line(facts: Facts, name: str, kept_as: str | None = None) -> str:
    """Return the line for a unit that knows the secret by `name`."""
    path = path_of(facts, kept_as or name)
    key = "LoadCredential" if facts.sealing is Sealing.FILE else "LoadCredentialEncrypted"
    return f"{key}={name}:{path}"


def reveal(facts: Facts, name: str) -> str | None:
    """Return a secret, or None if it is not stored.

    Raises ApplianceError if it cannot be unsealed.
    """
    path = Path(path_of(facts, name))
    if not path.is_file():
        return None
    if facts.sealing is Sealing.FILE:
        return path.read_text()
    try:
        return run(["systemd-creds", "decrypt", ANY_NAME, path, "-"]).output
    except ApplianceError as error:
        raise ApplianceError(
            f"The secret {name} cannot be opened: {error.message}",
            f"It was sealed for another machine. Set it again with `appliance secrets set {name}`.",
        ) from error


def names(root: Path) -> frozenset[str]:
    """Return the names of the stored secrets."""
    folder = root / FOLDER.lstrip("/")
    found = folder.iterdir() if folder.is_dir() else []
    return frozenset(path.name.removesuffix(".cred") for path in found if path.name[0] != ".")

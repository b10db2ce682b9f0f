"""Where secrets are kept: as systemd credentials, sealed with the TPM or the host's key where the
machine can, else in files that only root reads.

They reach units by `LoadCredential…=` and nothing else: no environment, no argument, no log.
"""

from __future__ import annotations

from appliance.facts.model import Facts, Sealing

FOLDER = "/etc/reflector/credentials"


def path_of(facts: Facts, name: str) -> str:
    return f"{FOLDER}/{name}" if facts.sealing is Sealing.FILE else f"{FOLDER}/{name}.cred"


def credential_line(facts: Facts, name: str, kept_as: str | None = None) -> str:
    """For a unit that knows it by `name`."""
    path = path_of(facts, kept_as or name)
    key = "LoadCredential" if facts.sealing is Sealing.FILE else "LoadCredentialEncrypted"
    return f"{key}={name}:{path}"

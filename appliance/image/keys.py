"""The builder's keys: one signs what a machine starts, the other what it updates itself with.

Whoever has them can make images that the machines take for ours. They stay with the builder; in the image are
the certificate and the public key.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from appliance.errors import ConfigError
from appliance.image.tools import Tools
from appliance.machine.durable import write_durably

YEARS = 15
# What UEFI firmware can check
BITS = 2048
# A list of updates that is older is taken for one that somebody keeps machines on an old version with
VALID_DAYS = 400
IDENTITY = "Reflector image"
# In a home of its own, whose agent ends with it
GNUPG = """\
set -eu
export GNUPGHOME=/tmp/gnupg
mkdir -m 700 $GNUPGHOME
trap 'gpgconf --kill all' EXIT
{}
"""


@dataclass(frozen=True)
class Keys:
    """A folder with both."""

    folder: Path

    @property
    def key(self) -> Path:
        return self.folder / "image.key"

    @property
    def certificate(self) -> Path:
        return self.folder / "image.crt"

    @property
    def private(self) -> Path:
        return self.folder / "updates.key"

    @property
    def public(self) -> Path:
        return self.folder / "updates.gpg"

    @property
    def are_there(self) -> bool:
        return all(
            path.is_file() for path in (self.key, self.certificate, self.private, self.public)
        )


def make(keys: Keys, tools: Tools, say: Callable[[str], None]) -> None:
    """Create both keys, once. Raises ConfigError if there are some, as they would be lost."""
    if keys.are_there:
        raise ConfigError(
            f"{keys.folder} has keys already.",
            "Keep them: machines made with them accept updates only with these keys.",
        )
    keys.folder.mkdir(parents=True, exist_ok=True)
    keys.folder.chmod(0o700)
    _certificate(keys)
    _for_updates(keys, tools)
    say(f"created keys in {keys.folder}; keep a private copy")


def _certificate(keys: Keys) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=BITS)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, IDENTITY)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=365 * YEARS))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    plain = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    write_durably(keys.key, plain.decode(), 0o600)
    write_durably(
        keys.certificate, certificate.public_bytes(serialization.Encoding.PEM).decode(), 0o644
    )


def sign(keys: Keys, tools: Tools, file: Path) -> None:
    """Sign `file`: write FILE.gpg beside it, valid for VALID_DAYS."""
    script = (
        f'gpg --quiet --batch --import "$1/{keys.private.name}"; '
        f'gpg --batch --yes --default-sig-expire {VALID_DAYS}d --output "$2.gpg" --detach-sign "$2"'
    )
    tools.run(
        "bash",
        "-c",
        GNUPG.format(script),
        "gpg",
        keys.folder,
        file,
        sees=(keys.folder, file.parent),
    )


def _for_updates(keys: Keys, tools: Tools) -> None:
    script = f"""\
gpg --quiet --batch --passphrase '' --quick-generate-key "{IDENTITY}" rsa3072 sign never
(umask 077; gpg --batch --export-secret-keys --output "$1/{keys.private.name}")
gpg --batch --export --output "$1/{keys.public.name}\""""
    tools.run("bash", "-c", GNUPG.format(script), "gpg", keys.folder, sees=(keys.folder,))

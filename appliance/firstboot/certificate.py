"""Create a certificate for the setup page, and compute the fingerprints that the console shows."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from appliance.machine.durable import write_durably

DAYS = 30


@dataclass(frozen=True)
class Certificate:
    file: Path
    key: Path
    fingerprint: str


def make(folder: Path, names: Iterable[str]) -> Certificate:
    """Create a self-signed certificate for host names and addresses. Only root can read the key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Reflector: first configuration")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        # A machine's clock may be wrong before it has a network
        .not_valid_before(now - timedelta(days=DAYS))
        .not_valid_after(now + timedelta(days=DAYS))
        .add_extension(x509.SubjectAlternativeName([_name(each) for each in names]), critical=False)
        .sign(key, hashes.SHA256())
    )
    made = Certificate(folder / "setup.crt", folder / "setup.key", fingerprint(certificate))
    plain = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    write_durably(made.key, plain.decode(), 0o600)
    write_durably(made.file, certificate.public_bytes(serialization.Encoding.PEM).decode(), 0o644)
    return made


def fingerprint(certificate: x509.Certificate) -> str:
    """Return the SHA-256 fingerprint in the form that browsers show."""
    return certificate.fingerprint(hashes.SHA256()).hex(":").upper()


def _name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name.strip("[]")))
    except ValueError:
        return x509.DNSName(name)

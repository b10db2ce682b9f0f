"""Add NVIDIA's driver to an image: fetch it, sign its modules, check its version."""

from __future__ import annotations

import re
import shutil
import struct
from enum import StrEnum
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import pkcs7

from appliance.errors import ApplianceError, CheckError
from appliance.image.keys import Keys
from appliance.machine.run import run

# The least driver for each major version of CUDA (NVIDIA: "CUDA Compatibility", minor version compatibility)
NEEDS = {11: 450, 12: 525, 13: 580}
OPTIONS = [
    pkcs7.PKCS7Options.Binary, pkcs7.PKCS7Options.DetachedSignature, pkcs7.PKCS7Options.NoAttributes,
    pkcs7.PKCS7Options.NoCerts,
]  # fmt: skip
# include/linux/module_signature.h: algo, hash, id_type, signer_len, key_id_len, padding, sig_len
MODULE_SIGNATURE = struct.Struct(">xxBxx3xI")
PKEY_ID_PKCS7 = 2
MARK = b"~Module signature appended~\n"
CUDA_PART = re.compile(r"(?:nvidia[-_].*[-_]cu|nvidia_cublas-|nvidia_cuda_runtime-)(\d+)")


class Publisher(StrEnum):
    DEBIAN = "debian"
    """550, CUDA 12.4."""
    NVIDIA = "nvidia"
    """580 and newer: CUDA 13, Blackwell."""


class Modules(StrEnum):
    OPEN = "open"
    CLOSED = "closed"
    """For cards before Turing."""


def profile(publisher: Publisher, modules: Modules) -> str:
    """Return the driver's profile in `image/tree/mkosi.profiles`."""
    return f"nvidia-{'own' if publisher is Publisher.NVIDIA else 'debian'}-{modules.value}"


def repository(address: str | None, key: Path | None, sandbox: Path) -> str:
    """Return a source of packages (deb822), its key put into `sandbox`; CheckError without both."""
    if address is None or key is None:
        raise CheckError(
            "The address and key of NVIDIA's repository are missing.",
            "See NVIDIA's Driver Installation Guide, “Debian”, and give --nvidia-repository URL and --nvidia-key "
            "FILE (of its package cuda-keyring).",
        )
    place = sandbox / "usr/share/keyrings/nvidia.gpg"
    place.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(key, place)
    return f"Types: deb\nURIs: {address.rstrip('/')}/\nSuites: /\nSigned-By: /usr/share/keyrings/nvidia.gpg\n"


def sign_modules(tree: Path, keys: Keys) -> int:
    """Sign those that were built here; return how many. CheckError where there are none."""
    modules = sorted(tree.glob("usr/lib/modules/*/updates/*.ko"))
    if not modules:
        raise CheckError(
            "No kernel module of NVIDIA's driver was built.", "See build.log in the work folder."
        )
    key = serialization.load_pem_private_key(keys.key.read_bytes(), None)
    assert isinstance(key, RSAPrivateKey)
    certificate = x509.load_pem_x509_certificate(keys.certificate.read_bytes())
    for module in modules:
        module.write_bytes(signed(module.read_bytes(), certificate, key))
    run(["depmod", "--all", modules[0].parent.parent.name], root=tree)
    return len(modules)


def signed(module: bytes, certificate: x509.Certificate, key: RSAPrivateKey) -> bytes:
    """Append a signature to a kernel module as the kernel's scripts/sign-file does.

    It is PKCS#7 without attributes and certificates, then `struct module_signature`, then a marker
    (Documentation/admin-guide/module-signing.rst).
    """
    signature = (
        pkcs7.PKCS7SignatureBuilder()
        .set_data(module)
        .add_signer(certificate, key, hashes.SHA512())
        .sign(serialization.Encoding.DER, OPTIONS)
    )
    return module + signature + MODULE_SIGNATURE.pack(PKEY_ID_PKCS7, len(signature)) + MARK


def check(tree: Path) -> str:
    """Return a sentence on driver and wheels; CheckError where the wheels need a newer driver than
    the tree has."""
    driver, cuda = _driver(tree), _cuda(tree)
    if cuda is None:
        return f"driver {driver}; no wheel needs CUDA"
    least = NEEDS.get(cuda)
    if least is None:
        raise CheckError(
            f"The wheels are for CUDA {cuda}, and the driver that it needs is unknown.",
            "Add it to appliance/image/driver.py.",
        )
    if int(driver.split(".")[0]) < least:
        raise CheckError(
            f"The wheels are for CUDA {cuda}, which needs NVIDIA's driver {least} or newer, but the image has {driver}.",
            "Use the driver from NVIDIA's repository (--driver nvidia), or wheels for an older CUDA (--torch-index).",
        )
    return f"driver {driver}, wheels of CUDA {cuda}"


def _driver(tree: Path) -> str:
    """Return the version of the user space, which is that of the modules: Debian's and NVIDIA's
    packages see to that."""
    text = (tree / "var/lib/dpkg/status").read_text(errors="replace")
    for paragraph in text.split("\n\n"):
        if re.search(r"^Package: libcuda1$", paragraph, re.MULTILINE):
            found = re.search(r"^Version: (?:\d+:)?(\d+(?:\.\d+)*)", paragraph, re.MULTILINE)
            if found:
                return found[1]
    raise ApplianceError("The image has no libcuda1.", "Check the profile nvidia-* in image/tree.")


def _cuda(tree: Path) -> int | None:
    """Return the newest major version that a wheel in the tree is made for; None without any."""
    packages = tree.glob("usr/lib/reflector/venv-*/lib/python3*/site-packages/nvidia_*.dist-info")
    found = [int(match[1]) for path in packages if (match := CUDA_PART.search(path.name))]
    return max(found, default=None)

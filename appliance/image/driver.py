"""NVIDIA's driver in an image: where it comes from, its modules signed, and whether it is new enough."""

from __future__ import annotations

import re
import shutil
from enum import StrEnum
from pathlib import Path

from appliance.errors import ApplianceError, CheckError
from appliance.image.keys import Keys
from appliance.image.tools import Tools
from appliance.run import run

# The least driver for each major version of CUDA (NVIDIA: "CUDA Compatibility", minor version compatibility)
NEEDS = {11: 450, 12: 525, 13: 580}
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
    """Of `image/tree/mkosi.profiles`."""
    return f"nvidia-{'own' if publisher is Publisher.NVIDIA else 'debian'}-{modules.value}"


def repository(address: str | None, key: Path | None, sandbox: Path) -> str:
    """A source of packages (deb822), its key put into `sandbox`; CheckError without both."""
    if address is None or key is None:
        raise CheckError(
            "NVIDIA's repository has an address and a key that Debian does not know.",
            "Both are in NVIDIA's Driver Installation Guide, “Debian”: give --nvidia-repository URL and --nvidia-key "
            "FILE (of its package cuda-keyring).",
        )
    place = sandbox / "usr/share/keyrings/nvidia.gpg"
    place.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(key, place)
    return f"Types: deb\nURIs: {address.rstrip('/')}/\nSuites: /\nSigned-By: /usr/share/keyrings/nvidia.gpg\n"


def sign_modules(tree: Path, keys: Keys, tools: Tools) -> int:
    """Those that were built here; how many. CheckError where there are none."""
    modules = sorted(tree.glob("usr/lib/modules/*/updates/*.ko"))
    if not modules:
        raise CheckError(
            "No kernel module of NVIDIA's driver was built.", "See build.log in the work folder."
        )
    for module in modules:
        tools.run(
            "kmodsign", "sha512", keys.key, keys.certificate, module, sees=(keys.folder, module.parent)
        )  # fmt: skip
    run(["depmod", "--all", modules[0].parent.parent.name], root=tree)
    return len(modules)


def check(tree: Path) -> str:
    """A sentence on driver and wheels; CheckError where the wheels need a newer driver than the tree has."""
    driver, cuda = _driver(tree), _cuda(tree)
    if cuda is None:
        return f"driver {driver}; no wheel needs CUDA"
    least = NEEDS.get(cuda)
    if least is None:
        raise CheckError(
            f"The wheels are of CUDA {cuda}, and it is not known which driver that needs.",
            "Write it into appliance/image/driver.py.",
        )
    if int(driver.split(".")[0]) < least:
        raise CheckError(
            f"The wheels are of CUDA {cuda}, which needs NVIDIA's driver {least} or newer, and the image has {driver}.",
            "Take the driver from NVIDIA's repository (--driver nvidia), or wheels of an older CUDA (--torch-index).",
        )
    return f"driver {driver}, wheels of CUDA {cuda}"


def _driver(tree: Path) -> str:
    """The version of the user space, which is that of the modules: Debian's and NVIDIA's packages see to that."""
    text = (tree / "var/lib/dpkg/status").read_text(errors="replace")
    for paragraph in text.split("\n\n"):
        if re.search(r"^Package: libcuda1$", paragraph, re.MULTILINE):
            found = re.search(r"^Version: (?:\d+:)?(\d+(?:\.\d+)*)", paragraph, re.MULTILINE)
            if found:
                return found[1]
    raise ApplianceError(
        "The image has no libcuda1.", "Look at the profile nvidia-* of image/tree."
    )


def _cuda(tree: Path) -> int | None:
    """The newest major version that a wheel in the tree is made for; None without any."""
    packages = tree.glob("usr/lib/reflector/venv-*/lib/python3*/site-packages/nvidia_*.dist-info")
    found = [int(match[1]) for path in packages if (match := CUDA_PART.search(path.name))]
    return max(found, default=None)

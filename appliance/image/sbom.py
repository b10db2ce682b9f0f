"""List what is in an image: packages of Debian and Python, and models, with versions and licences.

The list is written as CycloneDX 1.6 (https://cyclonedx.org/docs/1.6/json/) and as a short manifest.

No library is used: the list consists of plain values, and no library finds out the licences, which
are the difficult part.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from email.parser import HeaderParser
from pathlib import Path
from typing import Any

from appliance.image.version import NAMESPACE, Version

DEBIAN = "pkg:deb/debian"
LICENSE_LINE = re.compile(r"^License:[ \t]*(\S.*)$", re.MULTILINE)
# Older copyright files only say where Debian keeps the text of a licence
COMMON = re.compile(r"/usr/share/common-licenses/([A-Za-z0-9.+-]+)")
FRONT_MATTER = re.compile(r"^license:\s*(\S+)", re.MULTILINE)
UNKNOWN = "not stated"


@dataclass(frozen=True, order=True)
class Part:
    """A part of the image.

    `kind` is deb, python or model. `licences` are as the part itself states them.
    """

    kind: str
    name: str
    version: str
    licences: tuple[str, ...]
    architecture: str | None = None

    @property
    def purl(self) -> str | None:
        match self.kind:
            case "deb":
                return f"{DEBIAN}/{self.name}@{self.version}?arch={self.architecture}"
            case "python":
                return f"pkg:pypi/{self.name.lower().replace('_', '-')}@{self.version}"
        return None

    def as_json(self) -> dict[str, Any]:
        """Return the part as a component of CycloneDX."""
        found: dict[str, Any] = {
            "type": "machine-learning-model" if self.kind == "model" else "library",
            "bom-ref": self.purl or f"model:{self.name}",
            "name": self.name,
            "version": self.version,
            "licenses": [{"license": {"name": each}} for each in self.licences or (UNKNOWN,)],
        }
        return {**found, "purl": self.purl} if self.purl else found


def write(tree: Path, models: Path, to: Path, version: Version) -> list[Part]:
    """Write NAME.cdx.json and NAME.manifest.json beside the image `to`, and return the parts."""
    parts = sorted([*debian(tree), *python(tree), *trained(models)])
    stem = to.name.removesuffix(".raw")
    made = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(version.epoch))
    bill = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(NAMESPACE, f'{version.text} bill')}",
        "version": 1,
        "metadata": {
            "timestamp": made,
            "component": {"type": "operating-system", "name": "reflector", "version": version.text},
        },
        "components": [part.as_json() for part in parts],
    }
    manifest = {
        "image": "reflector", "version": version.text, "made": made,
        "packages": [
            {"kind": p.kind, "name": p.name, "version": p.version, "licences": list(p.licences)} for p in parts
        ],
    }  # fmt: skip
    for name, content in ((f"{stem}.cdx.json", bill), (f"{stem}.manifest.json", manifest)):
        (to.parent / name).write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")
    return parts


def debian(tree: Path) -> Iterator[Part]:
    """Yield Debian's packages, from dpkg's list.

    Licences come from machine-readable copyright files (DEP-5) if a package has one.
    """
    text = (tree / "var/lib/dpkg/status").read_text(errors="replace")
    for paragraph in text.split("\n\n"):
        fields = HeaderParser().parsestr(paragraph)
        if fields.get("Status", "").endswith(" installed"):
            name = fields["Package"]
            yield Part(
                "deb", name, fields["Version"], _licences(tree, name), fields["Architecture"]
            )


def _licences(tree: Path, package: str) -> tuple[str, ...]:
    file = tree / f"usr/share/doc/{package}/copyright"
    try:
        text = file.read_text(errors="replace")
    except OSError:
        return ()
    stated = LICENSE_LINE.findall(text) or COMMON.findall(text)
    return tuple(sorted({found.strip().rstrip(".,") for found in stated}))


def python(tree: Path) -> Iterator[Part]:
    """Yield the packages in the application's virtual environment."""
    for file in (tree / "usr/lib/reflector").glob(
        "venv-*/lib/python3*/site-packages/*.dist-info/METADATA"
    ):
        fields = HeaderParser().parsestr(file.read_text(errors="replace"))
        stated = fields.get("License-Expression") or (fields.get("License") or "").split("\n")[0]
        named = [
            value.rpartition(" :: ")[2]
            for value in fields.get_all("Classifier") or []
            if value.startswith("License ::")
        ]
        licences = (stated,) if stated and len(stated) < 100 else tuple(named)
        yield Part("python", fields["Name"], fields["Version"], licences)


def trained(models: Path) -> Iterator[Part]:
    """Yield the models.

    A model's version is the checksum of its files. Its README states the licence, as on the hub.
    """
    for folder in sorted(models.glob("*/")):
        found = hashlib.sha256()
        for file in sorted(p for p in folder.rglob("*") if p.is_file()):
            found.update(f"{file.relative_to(folder)}\0".encode())
            with file.open("rb") as content:
                found.update(hashlib.file_digest(content, "sha256").digest())
        readme = folder / "README.md"
        stated = (
            FRONT_MATTER.search(readme.read_text(errors="replace")) if readme.is_file() else None
        )
        yield Part(
            "model", folder.name, f"sha256:{found.hexdigest()}", (stated[1],) if stated else ()
        )

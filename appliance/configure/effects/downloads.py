"""Download files: resume after an interruption, and use a file only if its checksum is right."""

from __future__ import annotations

import hashlib
import ssl
from collections.abc import Callable
from pathlib import Path

import httpx2

from appliance.artifacts import Artifact
from appliance.errors import ApplianceError

SECONDS = 60.0


def fetch(
    artifact: Artifact,
    architecture: str,
    folder: Path,
    say: Callable[[str], None],
) -> Path:
    """Fetch the file into `folder` if it is not there; ApplianceError where its sum
    differs."""
    wanted = artifact.sum(architecture)
    target = folder / artifact.file_name(architecture)
    if not target.is_file():
        part = target.with_name(f"{target.name}.part")
        download(artifact.address(architecture), part, say)
        check(part, wanted, artifact)
        part.rename(target)
    check(target, wanted, artifact)
    return target


def check(file: Path, wanted: str, artifact: Artifact) -> None:
    found = sha256(file)
    if found != wanted:
        file.unlink()
        raise ApplianceError(
            f"{file.name} is not {artifact.name} {artifact.version}: its SHA-256 is {found}, and the lock "
            f"has {wanted}. It was removed.",
            "Try again. If it happens again, do not install the file.",
        )


def download(
    address: str, part: Path, say: Callable[[str], None], trust: ssl.SSLContext | None = None
) -> None:
    """Download to `part`, and resume an earlier download.

    Raises ApplianceError, and keeps what has arrived. `trust` has other certificate authorities
    than the usual ones.
    """
    try:
        part.parent.mkdir(parents=True, exist_ok=True)
        have = part.stat().st_size if part.exists() else 0
        headers = {"Range": f"bytes={have}-"} if have else {}
        with httpx2.stream(
            "GET",
            address,
            headers=headers,
            timeout=SECONDS,
            follow_redirects=True,
            verify=trust if trust is not None else True,
        ) as answer:
            if answer.status_code == 416:
                return  # nothing is missing: the sum says whether it is right
            answer.raise_for_status()
            goes_on = answer.status_code == 206
            total = int(answer.headers.get("content-length", 0)) + (have if goes_on else 0)
            _write(answer, part, have if goes_on else 0, total, say)
    except httpx2.HTTPError as error:
        raise ApplianceError(
            f"{address} could not be downloaded: {error}.",
            "Run the command again to resume. Without a network, give --artifacts FOLDER.",
        ) from error
    except OSError as error:
        raise ApplianceError(
            f"{part} cannot be written: {error.strerror}.", "Check the free space of the disk."
        ) from error


def _write(
    answer: httpx2.Response, part: Path, have: int, total: int, say: Callable[[str], None]
) -> None:
    told = 0
    with part.open("r+b" if have else "wb") as file:
        file.seek(have)
        for chunk in answer.iter_bytes():
            file.write(chunk)
            have += len(chunk)
            percent = 100 * have // total if total else 0
            if percent >= told + 10:
                told = percent
                say(f"{part.name.removesuffix('.part')}: {percent} %")


def sha256(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()

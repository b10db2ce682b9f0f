"""Write the lock file's checksums, from the publishers' own lists."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import tomlkit

from appliance.artifacts import Artifact
from appliance.configure.effects.downloads import download, sha256
from appliance.errors import ApplianceError

SECONDS = 60.0


def with_sums(text: str, say: Callable[[str], None]) -> str:
    """Return the lock file `text` with the sum of every file that it names; ApplianceError where
    one cannot be had. Of a publisher without a list the file itself is fetched, and that is said.
    """
    document = tomlkit.parse(text)
    for name, values in document.items():
        table: Any = values
        artifact = Artifact(name, **table.unwrap())
        sums = _published(artifact) if artifact.checksums else None
        found = tomlkit.inline_table()
        for architecture in artifact.files:
            if sums is None:
                say(
                    f"{name} has no list of checksums. The files downloaded now become the accepted ones."
                )
                found[architecture] = _of_the_file(artifact, architecture, say)
            else:
                found[architecture] = _in(sums, artifact, architecture)
        table["sha256"] = found
    return tomlkit.dumps(document)


def _published(artifact: Artifact) -> str:
    address = artifact.checksums_address()
    assert address
    try:
        answer = httpx2.get(address, timeout=SECONDS, follow_redirects=True).raise_for_status()
    except httpx2.HTTPError as error:
        raise ApplianceError(
            f"{address} could not be downloaded: {error}.", "Check the network."
        ) from error
    return answer.text


def _in(sums: str, artifact: Artifact, architecture: str) -> str:
    """Return an artifact's checksum from lines that sha256sum wrote.

    Each line has the checksum, then the name after `*` or `./`.
    """
    wanted = artifact.published_name(architecture)
    for line in sums.splitlines():
        found = re.fullmatch(r"([0-9a-f]{64})\s+\*?(?:\./)?(\S+)", line.strip())
        if found and found[2] == wanted:
            return found[1]
    raise ApplianceError(
        f"The publisher's list of checksums has no {wanted} of {artifact.name} {artifact.version}.",
        "Check the version and the names in the lock file.",
    )


def _of_the_file(artifact: Artifact, architecture: str, say: Callable[[str], None]) -> str:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / artifact.published_name(architecture)
        download(artifact.address(architecture), file, say)
        return sha256(file)

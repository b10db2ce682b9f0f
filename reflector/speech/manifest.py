"""Manage `manifest.json`: names, sizes, SHA-256 and licences of the models in a folder.

A folder that was copied to another machine with its manifest is checked there against the original
checksums, so damage by a USB stick or a network is found before the model is used.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from reflector.errors import InvalidInput, ModelUnavailable
from reflector.storage.durable import sync, write_text

FILE = "manifest.json"
# As on the hub: an optional owner and a name; neither begins with a dot
NAME = re.compile(r"([A-Za-z0-9_][A-Za-z0-9._-]{0,95}/)?[A-Za-z0-9_][A-Za-z0-9._-]{0,95}")
IGNORED = {".cache"}  # what the hub's client stores beside its downloads


@dataclass(frozen=True)
class ModelFile:
    """A file of a model. `size` is in bytes."""

    size: int
    sha256: str


@dataclass(frozen=True)
class ModelEntry:
    """A model in the manifest. `files` are keyed by their paths in its folder."""

    name: str
    licence: str | None
    files: dict[str, ModelFile]

    @property
    def size(self) -> int:
        return sum(file.size for file in self.files.values())


def folder_name(name: str) -> str:
    """Return the folder of a model: `owner/model` → `owner--model`."""
    return name.replace("/", "--")


def checked_name(name: str) -> str:
    """Return `name`. Raises InvalidInput if it is not valid as a model's name.

    Such a name could lead out of the models folder, or hide in it.
    """
    if not NAME.fullmatch(name):
        raise InvalidInput(
            f"{name[:80]!r} cannot be the name of a model.",
            "Use letters, digits, dots, - and _, as in large-v3-turbo or owner/model.",
        )
    return name


class Manifest:
    """The models in `folder`. Methods raise InvalidInput if the manifest cannot be read."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def entries(self) -> dict[str, ModelEntry]:
        try:
            body = json.loads((self.folder / FILE).read_text())
            return {
                checked_name(name): ModelEntry(
                    name,
                    entry["licence"],
                    {path: ModelFile(**file) for path, file in entry["files"].items()},
                )
                for name, entry in body["models"].items()
            }
        except FileNotFoundError:
            return {}
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise InvalidInput(
                f"{self.folder / FILE} is not a list of models.",
                "Remove it, and import or pull the models again.",
            ) from error

    def unlisted(self) -> list[str]:
        """Return the folders that are not in the manifest: somebody added them by hand."""
        known = {folder_name(name) for name in self.entries()}
        if not self.folder.is_dir():
            return []
        folders = (path for path in self.folder.iterdir() if path.is_dir())
        names = (path.name for path in folders if not path.name.startswith("."))
        return sorted(name for name in names if name not in known)

    def add(self, name: str, licence: str | None) -> ModelEntry:
        """Record the model that is in the folder of `name`."""
        checked_name(name)
        entry = ModelEntry(name, licence, _files_of(self.folder / folder_name(name)))
        self._save({**self.entries(), name: entry})
        return entry

    def problems(self, entry: ModelEntry) -> list[str]:
        """Return what is missing or changed; reads all files."""
        root = self.folder / folder_name(entry.name)
        found = []
        for path, expected in entry.files.items():
            file = root / path
            if not file.is_file():
                found.append(f"{path} is missing")
            elif file.stat().st_size != expected.size:
                found.append(f"{path} has {file.stat().st_size} bytes, not {expected.size}")
            elif _digest(file) != expected.sha256:
                found.append(f"{path} is damaged")
        return found

    def take(
        self, source: Path, name: str, licence: str | None, expected: ModelEntry | None
    ) -> ModelEntry:
        """Copy the model in `source`. Raises ModelUnavailable if it is empty or not as `expected`.

        Nothing of a damaged copy is kept.
        """
        target = self.folder / folder_name(checked_name(name))
        part = self.folder / f".{folder_name(name)}.part"
        shutil.rmtree(part, ignore_errors=True)
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            shutil.copytree(source, part, ignore=shutil.ignore_patterns(*IGNORED, FILE))
            copied = _files_of(part)
            if not copied:
                raise ModelUnavailable(f"{source} holds no files.")
            if expected is not None and copied != expected.files:
                raise ModelUnavailable(
                    f"The copy of {name} in {source} is damaged.",
                    "Copy it again from where it came, or pull it.",
                )
            _sync_all(part)
            shutil.rmtree(target, ignore_errors=True)
            part.rename(target)
            sync(self.folder)
        finally:
            shutil.rmtree(part, ignore_errors=True)
        return self.add(name, licence)

    def _save(self, entries: dict[str, ModelEntry]) -> None:
        body = {
            "models": {
                name: {
                    "licence": entry.licence,
                    "files": {path: asdict(file) for path, file in sorted(entry.files.items())},
                }
                for name, entry in sorted(entries.items())
            }
        }
        write_text(self.folder / FILE, json.dumps(body, indent=2, ensure_ascii=False) + "\n")


def import_models(
    manifest: Manifest,
    source: Path,
    name: str | None,
    licence: str | None,
    tell: Callable[[str], None],
) -> list[ModelEntry]:
    """Import the model in `source`, or all that its manifest lists; return their entries.

    `tell` gets the name of each before it is copied. Raises ModelUnavailable if one is damaged.
    """
    if not source.is_dir():
        raise ModelUnavailable(f"{source} is not a folder.")
    there = Manifest(source).entries()
    if there and name is None:
        taken = []
        for entry in there.values():
            tell(entry.name)
            folder = source / folder_name(entry.name)
            taken.append(manifest.take(folder, entry.name, entry.licence, entry))
        return taken
    chosen = name or source.resolve().name
    tell(chosen)
    return [manifest.take(source, chosen, licence, None)]


def _files_of(folder: Path) -> dict[str, ModelFile]:
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {
        str(path.relative_to(folder)): ModelFile(path.stat().st_size, _digest(path))
        for path in paths
        if not IGNORED & set(path.relative_to(folder).parts)
    }


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync_all(folder: Path) -> None:
    for path in [*folder.rglob("*"), folder]:
        sync(path)

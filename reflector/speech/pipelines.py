"""Find or fetch the diarization pipeline: in a folder, the models folder, the hub, or a bundle.

Unless the operator names one, these are tried in order: community-1, the better one, whose licence
must be accepted on the hub; speaker-diarization-3.1 if the hub refuses that, whose licence many
have already accepted; a bundle at an address of the operator. The pipeline is made complete in the
models folder, so that nothing is fetched when it is loaded.
"""

from __future__ import annotations

import hashlib
import logging
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

import httpx2
from filelock import FileLock

from reflector.errors import ModelRefused, ModelUnavailable
from reflector.runtime.settings import Settings
from reflector.speech.hub import fetch_snapshot
from reflector.speech.manifest import folder_name
from reflector.speech.whole_pipeline import make_whole

log = logging.getLogger(__name__)

ORDER = ("pyannote/speaker-diarization-community-1", "pyannote/speaker-diarization-3.1")
LICENCES = dict(zip(ORDER, ("CC-BY-4.0", "MIT"), strict=True))
BUNDLE = "diarization-bundle"
CONFIG = "config.yaml"


@dataclass(frozen=True)
class PipelineFolder:
    name: str
    path: Path


def find_pipeline(settings: Settings) -> PipelineFolder | None:
    """Return the pipeline on this machine, None if it has to be fetched.

    Raises ModelUnavailable if the settings name a folder without one.
    """
    chosen = settings.DIARIZATION_MODEL
    if chosen is None:
        names = [*ORDER, BUNDLE]
    elif _is_path(chosen):
        folder = Path(chosen).expanduser()
        if not (folder / CONFIG).is_file():
            raise ModelUnavailable(
                f"{folder} is not a diarization pipeline: {CONFIG} missing.",
                "Give a folder with a pyannote.audio pipeline, or its name on the hub.",
            )
        return PipelineFolder(chosen, folder)
    else:
        names = [chosen]
    for name in names:
        local = settings.models_dir / folder_name(name)
        if (local / CONFIG).is_file():
            return PipelineFolder(name, local)
    return None


def _is_path(name: str) -> bool:
    path = Path(name).expanduser()
    return path.is_absolute() or path.exists() or name.startswith(".")


def fetch_pipeline(settings: Settings) -> PipelineFolder:
    """Return the pipeline on this machine; fetch the first available one if there is none.

    Raises ModelUnavailable, with a remedy, if none is available.
    """
    if found := find_pipeline(settings):
        return found
    settings.models_dir.mkdir(parents=True, exist_ok=True)
    with FileLock(settings.models_dir / ".diarization.lock"):  # one process fetches
        return find_pipeline(settings) or _first_that_can_be_had(settings)


def _first_that_can_be_had(settings: Settings) -> PipelineFolder:
    names = [settings.DIARIZATION_MODEL] if settings.DIARIZATION_MODEL else list(ORDER)
    bundle = None if settings.DIARIZATION_MODEL else settings.DIARIZATION_BUNDLE_URL
    if settings.HF_TOKEN or settings.DIARIZATION_MODEL:
        for name in names:
            try:
                return PipelineFolder(name, _from_hub(settings, name))
            except ModelRefused as error:
                log.warning("%s", error)
            except ModelUnavailable as error:
                # A temporary network failure must not select the lesser pipeline for good
                if not bundle:
                    raise
                log.warning("%s", error)
                break
    if bundle:
        return PipelineFolder(BUNDLE, _bundle(settings, bundle))
    raise ModelUnavailable(
        f"The diarization model {names[0]} is not on this machine and could not be fetched.",
        "Accept its licence on the hub and set HF_TOKEN, or set DIARIZATION_MODEL to a folder "
        "that holds it, or DIARIZATION_ENABLED=false.",
    )


def _from_hub(settings: Settings, name: str) -> Path:
    target = _free_place(settings, folder_name(name))
    part = settings.models_dir / f".{folder_name(name)}.part"
    fetch_snapshot(settings, name, part)
    make_whole(part, lambda other, folder: fetch_snapshot(settings, other, folder))
    part.rename(target)
    return target


def _free_place(settings: Settings, name: str) -> Path:
    """Return the folder for model `name`. Raises ModelUnavailable if something is in the way."""
    target = settings.models_dir / name
    if target.exists():
        raise ModelUnavailable(
            f"{target} is not a complete diarization pipeline: {CONFIG} missing.",
            "Complete it, or move it away so that the model is downloaded again.",
        )
    return target


def _bundle(settings: Settings, url: str) -> Path:
    """Fetch the bundle and unpack it if its checksum is right. Return its folder.

    This matters because loading a checkpoint runs its code.
    """
    wanted = settings.DIARIZATION_BUNDLE_SHA256
    if wanted is None:
        raise ModelUnavailable(
            "DIARIZATION_BUNDLE_URL is set, but not what its SHA-256 must be.",
            "Set DIARIZATION_BUNDLE_SHA256; a checkpoint can run code when it is loaded.",
        )
    target = _free_place(settings, BUNDLE)
    with tempfile.TemporaryDirectory(dir=settings.models_dir, prefix=".bundle-") as name:
        folder = Path(name)
        archive = folder / Path(httpx2.URL(url).path).name
        _download(url, archive, wanted.lower())
        unpacked = folder / "unpacked"
        _unpack(archive, unpacked)
        config = next(iter(sorted(unpacked.rglob(CONFIG), key=lambda path: len(path.parts))), None)
        if config is None:
            raise ModelUnavailable(f"The bundle at {url} holds no {CONFIG}.")
        make_whole(config.parent, None)
        config.parent.rename(target)
        return target


def _download(url: str, target: Path, wanted: str) -> None:
    digest = hashlib.sha256()
    try:
        with (
            httpx2.stream("GET", url, follow_redirects=True, timeout=60) as answer,
            target.open("wb") as file,
        ):
            answer.raise_for_status()
            for block in answer.iter_bytes():
                digest.update(block)
                file.write(block)
    except httpx2.HTTPError as error:
        raise ModelUnavailable(
            f"The diarization bundle at {url} cannot be fetched: {error}"
        ) from error
    if digest.hexdigest() != wanted:
        raise ModelUnavailable(
            f"The bundle at {url} has the SHA-256 {digest.hexdigest()}, not the one that is set.",
            "Look at DIARIZATION_BUNDLE_SHA256, and at who may write to that address.",
        )


def _unpack(archive: Path, folder: Path) -> None:
    try:
        if archive.suffix == ".zip":
            shutil.unpack_archive(archive, folder)
        else:
            shutil.unpack_archive(archive, folder, filter="data")
    except (shutil.ReadError, ValueError, OSError) as error:
        raise ModelUnavailable(
            f"{archive.name} is no archive that is known here: {error}"
        ) from error

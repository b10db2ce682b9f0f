"""Find or fetch models: in a folder, the models folder, a cache, or on the hub."""

from __future__ import annotations

import logging
import os
import threading
import warnings
from dataclasses import dataclass
from pathlib import Path

import psutil

from reflector.errors import ModelUnavailable, OutOfSpace, is_out_of_space
from reflector.runtime.settings import Settings
from reflector.speech.known import verify_fetched
from reflector.speech.manifest import folder_name

log = logging.getLogger(__name__)

WHISPER_FILES = ["model.bin", "config.json", "tokenizer.json"]
GIB = 1 << 30
_download_lock = threading.Lock()


def default_whisper_model(device: str) -> str:
    """Return the name of the largest model that keeps up on this machine.

    Figures are in bench/ and docs/configuration.md.
    """
    if device == "cuda":
        return "large-v3-turbo"
    cores = len(os.sched_getaffinity(0))
    memory = psutil.virtual_memory().total
    if cores >= 8 and memory >= 8 * GIB:
        return "small"
    if memory >= 3 * GIB:
        return "base"
    return "tiny"


@dataclass(frozen=True)
class WhisperModelFolder:
    """A folder that holds a CTranslate2 Whisper model."""

    name: str
    path: Path


def find_whisper(settings: Settings, name: str) -> WhisperModelFolder | None:
    """Return the folder of model `name` on this machine, None if it has to be fetched.

    `name` is a folder, a model's short name (`small`) or a hub name (`owner/model`). Raises
    ModelUnavailable if it is a folder without a model.
    """
    folder = Path(name).expanduser()
    if folder.is_dir():
        return WhisperModelFolder(folder.name, _checked(folder))
    if folder.is_absolute() or name.startswith("."):
        raise ModelUnavailable(f"The model folder {name} does not exist.")
    local = settings.models_dir / folder_name(name)
    if (local / "model.bin").is_file():
        return WhisperModelFolder(name, _checked(local))
    cached = _from_cache(name)
    return WhisperModelFolder(name, cached) if cached else None


def known_whisper_names() -> set[str]:
    """Return the short names of the models converted from OpenAI's weights."""
    import faster_whisper

    return set(faster_whisper.available_models())


def _checked(folder: Path) -> Path:
    missing = [name for name in WHISPER_FILES if not (folder / name).is_file()]
    if missing:
        raise ModelUnavailable(
            f"{folder} is not a Whisper model for CTranslate2: {', '.join(missing)} missing.",
            "Give a folder made by ct2-transformers-converter, or the name of a model.",
        )
    return folder


def _from_cache(name: str) -> Path | None:
    import faster_whisper

    try:
        return Path(faster_whisper.download_model(name, local_files_only=True))
    except (OSError, ValueError):
        return None


def fetch_whisper(settings: Settings, name: str) -> WhisperModelFolder:
    """Return the folder of model `name`; fetch it if it is missing.

    A download is resumed, and shows a progress bar. Raises ModelUnavailable, with a remedy, if the
    model cannot be fetched, and OutOfSpace if the disk is full.
    """
    with _download_lock:
        found = find_whisper(settings, name)
        if found:
            return found
        import faster_whisper

        target = settings.models_dir / folder_name(name)
        log.info("fetching the speech model %s to %s", name, target)
        try:
            target.mkdir(parents=True, exist_ok=True)
            with warnings.catch_warnings():
                # faster-whisper passes an option that huggingface-hub no longer uses
                warnings.filterwarnings("ignore", message=".*local_dir_use_symlinks.*")
                faster_whisper.download_model(name, output_dir=str(target))
        except ValueError as error:
            raise ModelUnavailable(
                f"There is no Whisper model called {name}.", str(error)
            ) from error
        except Exception as error:
            log.debug("fetching %s failed", name, exc_info=True)
            if is_out_of_space(error):
                raise OutOfSpace(f"There is no room in {target.parent} for {name}.") from error
            raise ModelUnavailable(*missing_model(settings, name)) from error
        verify_fetched(name, target)
        return WhisperModelFolder(name, _checked(target))


def missing_model(settings: Settings, name: str) -> tuple[str, str]:
    """Return sentence and remedy for a model that is missing and cannot be fetched."""
    target = settings.models_dir / folder_name(name)
    return (
        f"The speech model {name} is not on this machine and could not be fetched.",
        f"Connect the machine, or put the model's files ({', '.join(WHISPER_FILES)}) into {target}. "
        "`make demo` runs without it, on the small model that comes with the source.",
    )

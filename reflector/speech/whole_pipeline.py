"""Copy a pipeline's parts into its own folder, where pyannote.audio finds them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from reflector.errors import ModelUnavailable

Fetch = Callable[[str, Path], None]
"""Fetches a model of the hub, by its name, into a folder."""

PARTS = ("segmentation", "embedding")
OWN = "$model/"
CHECKPOINT = "pytorch_model.bin"
# Width of the embeddings that pyannote.audio uses, and what its PLDA reduces that to
WIDTH, REDUCED = 256, 128


def make_whole(folder: Path, fetch: Fetch | None) -> None:
    """Rewrite `config.yaml` so that it names only parts in `folder`.

    Pipelines before 4.0 name models of the hub, which `fetch` gets, or checkpoints by their paths
    on their author's machine, which are searched by file name. Raises ModelUnavailable if one is
    missing. These pipelines have no PLDA. Version 4.0 requires one, but only a newer clustering
    uses it, so they get a neutral one.
    """
    file = folder / "config.yaml"
    try:
        config = yaml.safe_load(file.read_text())
        parameters = config["pipeline"]["params"]
    except (yaml.YAMLError, KeyError, TypeError) as error:
        raise ModelUnavailable(f"{file} does not describe a diarization pipeline.") from error
    for part in PARTS:
        if not str(parameters.get(part, "")).startswith(OWN):
            _bring(folder, part, parameters, fetch)
    if "plda" not in parameters:
        _write_neutral_plda(folder / "plda")
        parameters["plda"] = f"{OWN}plda"
    file.write_text(yaml.safe_dump(config, sort_keys=False))


def _bring(folder: Path, part: str, parameters: dict[str, Any], fetch: Fetch | None) -> None:
    named = parameters.get(part)
    if not isinstance(named, str):
        raise ModelUnavailable(f"{folder / 'config.yaml'} names no {part} model.")
    own = folder / part
    here = next((path for path in folder.rglob(Path(named).name) if path.is_file()), None)
    if here is not None:
        own.mkdir(exist_ok=True)
        here.rename(own / CHECKPOINT)
    elif fetch is not None:
        fetch(named, own)
    if not (own / CHECKPOINT).is_file():
        raise ModelUnavailable(f"The {part} model {named} of the pipeline is missing.")
    parameters[part] = f"{OWN}{part}"


def _write_neutral_plda(folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    np.savez(
        folder / "xvec_transform.npz",
        mean1=np.zeros(WIDTH), mean2=np.zeros(REDUCED), lda=np.eye(WIDTH, REDUCED),
    )  # fmt: skip
    np.savez(
        folder / "plda.npz",
        mu=np.zeros(REDUCED), tr=np.eye(REDUCED), psi=np.linspace(2.0, 0.1, REDUCED),
    )  # fmt: skip

"""Build a diarization pipeline from real weights: segmentation-3.0 and the GE2E speaker encoder."""

from __future__ import annotations

import shutil
import sys
import warnings
from importlib import import_module
from pathlib import Path
from typing import Any

import yaml

from reflector.speech.whole_pipeline import make_whole

CODE = Path(__file__).resolve().parents[2] / "tests" / "fixtures" / "ge2e"
# A distance of embeddings that suits this encoder, found on the meetings of `conversations`
CLUSTERING = {"method": "centroid", "min_cluster_size": 12, "threshold": 0.4}


def pipeline_of(weights: Path, folder: Path) -> Path:
    """Make `folder` a pipeline in the format before 4.0, and return it.

    `weights` is the folder that `tools/real_models.py` filled.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torchcodec, which is not used
        import torch
        from pyannote.audio.core.task import Problem, Resolution, Specifications

        sys.path.insert(0, str(CODE))
        embedding = import_module("ge2e_embedding").Ge2eEmbedding()
    checkpoint = torch.load(weights / "ge2e/pretrained.pt", map_location="cpu", weights_only=True)
    published = checkpoint["model_state"]
    wanted = {name: published[name] for name in published if not name.startswith("similarity")}
    embedding.load_state_dict({**embedding.state_dict(), **wanted})
    embedding.specifications = Specifications(
        problem=Problem.REPRESENTATION, resolution=Resolution.CHUNK, duration=10.0
    )
    (folder / "embedding").mkdir(parents=True)
    _save(embedding, folder / "embedding" / "pytorch_model.bin")
    shutil.copytree(weights / "segmentation-3.0", folder / "segmentation")
    shutil.copytree(CODE, folder / "code", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "config.yaml").write_text(yaml.safe_dump(_configuration()))
    make_whole(folder, None)
    return folder


def _save(model: Any, path: Path) -> None:
    """Save a checkpoint that pyannote.audio's `Model.from_pretrained` can read."""
    import lightning
    import pyannote.audio
    import torch

    kind = type(model)
    torch.save(
        {
            "state_dict": model.state_dict(),
            "hyper_parameters": dict(model.hparams),
            "pytorch-lightning_version": lightning.__version__,
            "epoch": 0,
            "global_step": 0,
            "pyannote.audio": {
                "versions": {"torch": torch.__version__, "pyannote.audio": pyannote.audio.__version__},
                "architecture": {"module": kind.__module__, "class": kind.__name__},
                "specifications": model.specifications,
            },
        },
        path,
    )  # fmt: skip


def _configuration() -> dict[str, Any]:
    return {
        "pipeline": {
            "name": "pyannote.audio.pipelines.SpeakerDiarization",
            "params": {
                "segmentation": "$model/segmentation",
                "embedding": "$model/embedding",
                "clustering": "AgglomerativeClustering",
                "embedding_exclude_overlap": True,
            },
        },
        "params": {"segmentation": {"min_duration_off": 0.0}, "clustering": CLUSTERING},
    }

"""Plan the speech models: fetched from the hub, or imported from a folder."""

from __future__ import annotations

from appliance.config.model import SpeechOn
from appliance.configure.plan.changes import ImportModels, PullModel
from appliance.configure.plan.view import Note, Planned, View

STEP = "models"
DIARIZATION = "diarization"


def plan(view: View) -> Planned:
    if view.config.speech.on is SpeechOn.HOSTED or view.offline:
        return
    there = view.state.models | set(view.models)
    folders = {path for name, path in view.models.items() if name not in view.state.models}
    for folder in sorted(folders):
        yield ImportModels(
            step=STEP, reason="given", folder=str(folder), target=str(view.config.storage.folder)
        )
    model = view.placement.whisper_model
    if model and model not in there:
        yield PullModel(step=STEP, reason="turns speech into words", name=model)
    if not view.config.speech.diarization:
        return
    name = view.config.speech.diarization_model or DIARIZATION
    if (
        name.startswith("/")
        or name in there
        or (name == DIARIZATION and any("speaker-diarization" in n for n in there))
    ):
        return
    if view.has_secret("HF_TOKEN"):
        yield PullModel(step=STEP, reason="tells speakers apart", name=name)
    else:
        yield Note(
            STEP,
            "There is no model for speaker diarization and no HF_TOKEN to download one, so "
            "transcripts have no speakers. Accept the model's licence on the hub and give --secret "
            "HF_TOKEN=FILE, or copy models with --models FOLDER.",
        )

"""Translate with CTranslate2, on the device of the speech models."""

from __future__ import annotations

import json
import logging
import threading
from pathlib import Path

from reflector.errors import EngineError, ModelUnavailable
from reflector.runtime.settings import Settings
from reflector.speech.device import Device, choose_device
from reflector.speech.fingerprint import fingerprint
from reflector.speech.manifest import folder_name
from reflector.translation.sentences import fitting, sentences
from reflector.translation.translator import base_language

log = logging.getLogger(__name__)

MAX_PIECES = 200
BEAM = 4
BATCH_TOKENS = 2048
PIVOT = "en"
PAIR = "opus-mt-{source}-{target}"


class CTranslateTranslator:
    """Implement `Translator`. Models are loaded at first use and stay loaded."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._loaded: dict[Path, _Model] = {}
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        return f"ctranslate2 {self._settings.TRANSLATION_MODEL or 'opus-mt'}"

    def identity(self, source: str, target: str) -> str:
        ways = self._way(source, target)
        return f"ctranslate2 {self._precision} " + " ".join(
            f"{folder.name} {fingerprint(folder)}" for folder, _, _ in ways
        )

    @property
    def _precision(self) -> str:
        settings = self._settings
        chosen = choose_device(settings.SPEECH_DEVICE, settings.SPEECH_THREADS)
        return settings.SPEECH_COMPUTE_TYPE or chosen.compute_type

    def is_meant(self, source: str, target: str) -> bool:
        """Return whether the operator named a model, or there is one for the pair."""
        if self._settings.TRANSLATION_MODEL:
            return True
        try:
            return bool(self._way(source, target))
        except ModelUnavailable:
            return False

    def translate(self, text: str, source: str, target: str) -> str:
        for folder, first, second in self._way(source, target):
            text = self._model(folder).translate(text, first, second)
        return text

    def _way(self, source: str, target: str) -> list[tuple[Path, str, str]]:
        """Return the models to apply: one, or one to English and one from there.

        Raises ModelUnavailable if there are none.
        """
        if name := self._settings.TRANSLATION_MODEL:
            return [(self._named(name), source, target)]
        first, last = base_language(source), base_language(target)
        if direct := self._pair(first, last):
            return [(direct, first, last)]
        to_pivot, from_pivot = self._pair(first, PIVOT), self._pair(PIVOT, last)
        if to_pivot and from_pivot:
            return [(to_pivot, first, PIVOT), (from_pivot, PIVOT, last)]
        wanted = PAIR.format(source=first, target=last)
        raise ModelUnavailable(
            f"There is no model to translate from {source} to {target}.",
            f"Import one with `reflector models import FOLDER --name {wanted}`, "
            "or set TRANSLATION_MODEL to a model of many languages, or LLM_URL to a language model.",
        )

    def _named(self, name: str) -> Path:
        for folder in (Path(name).expanduser(), self._settings.models_dir / folder_name(name)):
            if (folder / "model.bin").is_file():
                return folder
        raise ModelUnavailable(
            f"The translation model {name} is not on this machine.",
            f"Fetch it with `reflector models pull {name}`, or import it from a folder.",
        )

    def _pair(self, source: str, target: str) -> Path | None:
        """Return the folder of `opus-mt-en-fr` or `owner--opus-mt-en-fr`; None if there is none."""
        name = PAIR.format(source=source, target=target)
        found = sorted(self._settings.models_dir.glob(f"*{name}"))
        return next((path for path in found if (path / "model.bin").is_file()), None)

    def _model(self, folder: Path) -> _Model:
        with self._lock:
            if folder not in self._loaded:
                settings = self._settings
                device = choose_device(settings.SPEECH_DEVICE, settings.SPEECH_THREADS)
                self._loaded[folder] = _Model(folder, device, self._precision)
            return self._loaded[folder]


class _Model:
    def __init__(self, folder: Path, device: Device, precision: str) -> None:
        import ctranslate2

        from reflector.translation.families import END, open_family

        self._family = open_family(folder)
        try:
            self._translator = ctranslate2.Translator(
                str(folder),
                device=device.kind,
                device_index=list(device.indexes),
                compute_type=precision,
                inter_threads=device.workers if device.kind == "cpu" else 1,
                intra_threads=device.threads,
            )
        except (RuntimeError, ValueError) as error:
            raise ModelUnavailable(
                f"The translation model in {folder} cannot be loaded: {error}",
                "Import or pull it again.",
            ) from error
        # Converters differ in whether the model adds the end token of the source itself
        config = json.loads((folder / "config.json").read_text())
        self._end = [] if config.get("add_source_eos") else [END]

    def translate(self, text: str, source: str, target: str) -> str:
        """Translate line by line; the sentences of a line are joined with a space."""
        family = self._family
        lines = [
            [
                part
                for sentence in sentences(line)
                for part in fitting(sentence, MAX_PIECES, lambda t: len(family.pieces(t)))
            ]
            for line in text.split("\n")
        ]
        asked = [
            [*family.source(family.pieces(part), source, target), *self._end]
            for line in lines
            for part in line
        ]
        prefix = family.prefix(target)
        answers = iter(self._translated(asked, prefix))
        return "\n".join(" ".join(next(answers) for _ in line) for line in lines)

    def _translated(self, asked: list[list[str]], prefix: list[str]) -> list[str]:
        if not asked:
            return []
        try:
            results = self._translator.translate_batch(
                asked,
                target_prefix=[prefix] * len(asked) if prefix else None,
                beam_size=BEAM,
                max_batch_size=BATCH_TOKENS,
                batch_type="tokens",
                max_decoding_length=2 * MAX_PIECES,
                disable_unk=True,
            )
        except RuntimeError as error:
            raise EngineError(f"The translation model failed: {error}") from error
        return [self._family.text(result.hypotheses[0][len(prefix) :]) for result in results]

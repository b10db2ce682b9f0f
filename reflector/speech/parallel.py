"""Run a Whisper model on all cards or cores: workers share the windows of a batch.

On a CPU, two workers with one thread each take half the time of one worker with two threads
(figures: bench/results-cpu.json), because the threads of a worker wait for each other in every
layer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

import ctranslate2
import numpy as np
from faster_whisper import WhisperModel
from faster_whisper.audio import pad_or_trim

from reflector.speech.device import Device

# Windows that decide the language, and the mean probability at which fewer are enough
LANGUAGE_WINDOWS, CLEAR_LANGUAGE = 5, 0.85
Part = TypeVar("Part")
Result = TypeVar("Result")


class ParallelWhisper(WhisperModel):  # type: ignore[misc]
    """faster-whisper's model with `device.workers` workers; on a CPU they share the weights."""

    def __init__(
        self, folder: Path, device: Device, compute_type: str, expected: Sequence[str] = ()
    ) -> None:
        """Load the model. `expected` are the languages of recordings; none for any."""
        super().__init__(
            str(folder),
            device=device.kind,
            device_index=list(device.indexes),
            compute_type=compute_type,
            cpu_threads=device.threads,
            num_workers=device.workers if device.kind == "cpu" else 1,
            local_files_only=True,
        )
        self.workers, self.expected = device.workers, frozenset(expected)
        self._pool = ThreadPoolExecutor(device.workers, thread_name_prefix="windows")

    def share_out(self, do: Callable[[Part], Result], parts: Sequence[Part]) -> list[Result]:
        """Return `do` of each part, run at once. Raises the first error after all have ended."""
        if len(parts) == 1:
            return [do(parts[0])]
        running = [self._pool.submit(do, part) for part in parts]
        errors = [error for future in running if (error := future.exception())]
        if errors:
            raise errors[0]
        return [future.result() for future in running]

    def detect_language(
        self, audio: Any = None, features: Any = None, **options: Any
    ) -> tuple[str, float, list[tuple[str, float]]]:
        """Return the language of `features`, its probability, and all languages by probability.

        The original decides by the first window. Here windows from the whole recording are used,
        until two of them are sure together or five were used, so a difficult start does not decide.
        """
        if features is None:
            found: tuple[str, float, list[tuple[str, float]]] = super().detect_language(
                audio, features, **options
            )
            return found
        frames = self.feature_extractor.nb_max_frames
        windows = max(1, features.shape[-1] // frames)
        total: Counter[str] = Counter()
        asked = _spread(windows, LANGUAGE_WINDOWS)
        for count, number in enumerate(asked, 1):
            part = features[..., number * frames : (number + 1) * frames]
            for token, probability in self.model.detect_language(self.encode(pad_or_trim(part)))[0]:
                total[token[2:-2]] += probability
            if count > 1 and total.most_common(1)[0][1] / count > CLEAR_LANGUAGE:
                break
        wanted = {name: value for name, value in total.items() if name in self.expected} or total
        order = sorted(wanted.items(), key=lambda item: -item[1])
        whole = sum(wanted.values())
        likely = [(name, value / whole) for name, value in order]
        return likely[0][0], likely[0][1], likely

    def find_alignment(
        self,
        tokenizer: Any,
        text_tokens: list[list[int]],
        encoder_output: Any,
        num_frames: Any,
        median_filter_width: int = 7,
    ) -> list[Any]:
        """Find word times like the original, for several windows at once."""
        shares = ranges(len(text_tokens), self.workers)
        original = super().find_alignment
        if len(shares) <= 1:
            return list(
                original(tokenizer, text_tokens, encoder_output, num_frames, median_filter_width)
            )
        encoded = as_array(encoder_output)
        frames = num_frames if isinstance(num_frames, list) else [num_frames] * len(text_tokens)
        found = self.share_out(
            lambda part: original(
                tokenizer, text_tokens[part], as_view(encoded[part]), frames[part],
                median_filter_width,
            ),
            shares,
        )  # fmt: skip
        return [alignment for part in found for alignment in part]


def _spread(count: int, most: int) -> list[int]:
    """Return at most `most` of `count` numbers, spread: the first, the middle, and so on."""
    order = [0, count // 2, count - 1, count // 4, 3 * count // 4]
    return list(dict.fromkeys(order))[:most]


def ranges(count: int, parts: int) -> list[slice]:
    """Return slices that divide `count` things into at most `parts` parts, none empty."""
    bounds = np.linspace(0, count, min(count, parts) + 1).astype(int)
    return [slice(int(first), int(last)) for first, last in pairwise(bounds)]


def as_array(encoded: Any) -> Any:
    """Return the encoder's output as an array that can be sliced.

    It is a torch tensor on a card, a numpy array otherwise.
    """
    if encoded.device == "cuda":
        import torch

        return torch.as_tensor(encoded, device="cuda")
    return np.asarray(encoded)


def joined(parts: Sequence[Any]) -> Any:
    if isinstance(parts[0], np.ndarray):
        return np.concatenate(parts)
    import torch

    return torch.cat(list(parts))


def as_view(array: Any) -> Any:
    """Return an array as CTranslate2's type, on the same device."""
    whole = np.ascontiguousarray(array) if isinstance(array, np.ndarray) else array.contiguous()
    return ctranslate2.StorageView.from_array(whole)

"""faster-whisper's batched pipeline, whose batches take turns on the device."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from faster_whisper import BatchedInferencePipeline, WhisperModel

from reflector.speech.engines import Memo


class SharedPipeline(BatchedInferencePipeline):  # type: ignore[misc]
    """For one request: faster-whisper keeps the time of the last word in the object, which two
    requests must not share. The model behind is shared by all.

    What a batch found goes to `memo`, under `place` and where its windows are, and is taken from
    there the next time: a recording that is begun again does not pay for it twice.
    """

    def __init__(
        self,
        model: WhisperModel,
        turn: Callable[[], AbstractContextManager[None]],
        memo: Memo,
    ) -> None:
        super().__init__(model)
        self._turn, self._memo = turn, memo
        self.place = ""

    def forward(self, features: Any, tokenizer: Any, chunks_metadata: Any, options: Any) -> Any:
        windows = [(chunk["offset"], chunk["duration"]) for chunk in chunks_metadata]
        key = json.dumps([self.place, tokenizer.language_code, windows])
        if (known := self._memo.get(key)) is not None:
            self.last_speech_timestamp = known["last"]
            return known["found"]
        with self._turn():
            found = super().forward(features, tokenizer, chunks_metadata, options)
        # JSON's numbers in place of numpy's, now and the next time alike
        plain = json.loads(json.dumps(found, default=float))
        self._memo[key] = {"found": plain, "last": float(self.last_speech_timestamp)}
        return plain

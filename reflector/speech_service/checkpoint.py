"""Keep what a job has computed so far across a restart, one line per batch."""

from __future__ import annotations

import json
from collections.abc import Iterator, MutableMapping
from pathlib import Path
from types import TracebackType
from typing import Any


class CheckpointFile(MutableMapping[str, Any]):
    """Implement `Checkpoint` with a file, as a context manager. A line that was cut off is dropped."""

    def __init__(self, path: Path) -> None:
        self._known: dict[str, Any] = {}
        whole = 0
        if path.exists():
            with path.open("rb") as lines:
                for line in lines:
                    if not line.endswith(b"\n"):
                        break
                    key, value = json.loads(line)
                    self._known[key] = value
                    whole += len(line)
        self._file = path.open("ab")
        self._file.truncate(whole)

    def __enter__(self) -> CheckpointFile:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def __getitem__(self, key: str) -> Any:
        return self._known[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self._known[key] = value
        self._file.write(json.dumps([key, value]).encode() + b"\n")
        self._file.flush()

    def __delitem__(self, key: str) -> None:
        raise TypeError("what was found stays")

    def __iter__(self) -> Iterator[str]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)

"""Record on this machine into a server: `reflector record`."""

from __future__ import annotations

import signal
import sys
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.text import Text

from reflector.errors import EngineError, ReflectorError
from reflector.recorder.client import Server, events, send
from reflector.recorder.source import Spool, open_source, record
from reflector.transcript.formats import minutes

LATE_SECONDS = 5.0


@dataclass(frozen=True)
class Recording:
    """What to record, and what to call it."""

    server: Server
    device: str | None
    file: Path | None
    in_real_time: bool
    name: str
    language: str
    target: str | None


def run_record(wanted: Recording) -> None:
    """Record until the file ends or Ctrl-C, print the words, and then the final text.

    What is recorded is kept in a folder of its own until the server has it. Raises EngineError if
    the server could not process it.
    """
    source = open_source(wanted.device, wanted.file)
    body = {"name": wanted.name, "source_kind": "live", "source_language": wanted.language}
    if wanted.target:
        body["target_language"] = wanted.target
    server = wanted.server
    transcript_id = str(server.request("POST", "/v1/transcripts", body)["id"])
    folder = Path(tempfile.mkdtemp(prefix="reflector-record-"))
    spool = Spool(folder / "recording.webm")
    console = Console(highlight=False, soft_wrap=True)
    console.print(f"Recording to {server.url}/transcripts/{transcript_id}")
    stop, over = threading.Event(), threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: _stop_or_leave(stop, spool))
    viewer = _Viewer(console)
    watching = threading.Thread(
        target=viewer.watch, args=(server, transcript_id, over), daemon=True
    )
    recording = threading.Thread(
        target=record, args=(source, spool, wanted.in_real_time, stop), daemon=True
    )
    watching.start()
    recording.start()
    try:
        send(server, transcript_id, folder.name, spool)
        recording.join()
        viewer.wait()
    except ReflectorError:
        stop.set()
        recording.join()
        print(f"The recording is kept in {spool.path}: upload it.", file=sys.stderr)
        raise
    finally:
        over.set()
    spool.path.unlink()
    folder.rmdir()
    text = server.request("GET", f"/v1/transcripts/{transcript_id}?transcript_format=text")
    console.print(f"\n[bold]{text['title'] or wanted.name}[/bold]")
    console.print(text["transcript"], markup=False)


def _stop_or_leave(stop: threading.Event, spool: Spool) -> None:
    """Stop recording; at the second time, leave although the server does not have all of it."""
    if stop.is_set():
        raise SystemExit(f"The recording is kept in {spool.path} while it is not on the server.")
    stop.set()


class _Viewer:
    """Print lines as they become final; on a terminal, also the words that are being said."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._has_begun = False
        self._ended = threading.Event()
        self._error = False

    def watch(self, server: Server, transcript_id: str, over: threading.Event) -> None:
        with Live(Text(), console=self._console, transient=True, auto_refresh=False) as live:
            for name, data in events(server, transcript_id, over):
                if name == "LIVE":
                    self._show(data, live)
                elif name == "STATUS" and data["value"] in {"ended", "error"}:
                    self._error = data["value"] == "error"
                    break
                elif name == "STATUS" and data["value"] == "idle" and self._has_begun:
                    break  # nothing was to be heard
                elif name == "STATUS" and data["value"] == "recording":
                    self._has_begun = True
                elif name == "STATUS" and self._has_begun:
                    live.update(Text(f"{data['value']} …", style="dim"), refresh=True)
        self._ended.set()

    def _show(self, data: dict[str, Any], live: Live) -> None:
        if line := data.get("line"):
            live.console.print(f"{minutes(line['start'])}  {line['text']}", markup=False)
        elif topic := data.get("topic"):
            live.console.print(Text(f"{minutes(topic['start'])}  — {topic['title']}", style="bold"))
        elif "partial" in data and self._console.is_terminal:
            running = Text(data["final"]).append(f" {data['partial']}", style="dim")
            if data["lag"] > LATE_SECONDS:
                running.append(f"  ({data['lag']:.0f} s behind)", style="yellow")
            live.update(running, refresh=True)

    def wait(self) -> None:
        """Wait for the final text. Raises EngineError if it cannot be made."""
        self._ended.wait()
        if self._error:
            raise EngineError("The server could not process the recording: its page says why.")

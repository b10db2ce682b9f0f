"""Start a server on the tiny models, upload a meeting, record another, and print the results."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from demo.client import Client

FIXTURES = Path(__file__).resolve().parent.parent / "tests" / "fixtures"
SAMPLE = FIXTURES / "recordings" / "sample.flac"
SPOKEN = FIXTURES / "recordings" / "held-out.flac"
ADDRESS = re.compile(r"http://\S+?(?=/ )")
PASSED_ON = {"PATH", "HOME", "LANG", "TERM", "TMPDIR", "XDG_CACHE_HOME"}
console = Console(highlight=False, soft_wrap=True)


def server_environment(data: str) -> dict[str, str]:
    """Return the demo's own settings. Other configuration of this machine stays out."""
    kept = {name: value for name, value in os.environ.items() if name in PASSED_ON}
    return {
        **kept,
        "DATA_DIR": data,
        "WHISPER_MODEL": str(FIXTURES / "models" / "whisper"),
        "DIARIZATION_MODEL": str(FIXTURES / "models" / "diarizer"),
        "DIARIZATION_ENABLED": "true" if find_spec("pyannote") else "false",
        "HF_HUB_OFFLINE": "1",
    }


def start_server(host: str, port: int, data: str) -> tuple[subprocess.Popen[str], str]:
    command = [sys.executable, "-m", "reflector", "serve", "--host", host, "--port", str(port)]
    log = Path(data) / "server.log"
    server = subprocess.Popen(
        [*command, "--next-free-port"],
        stdout=subprocess.PIPE,
        stderr=log.open("w"),
        text=True,
        cwd=data,
        env=server_environment(data),
    )
    assert server.stdout is not None
    for line in server.stdout:
        console.print(line.rstrip())
        if found := ADDRESS.search(line):
            return server, found[0]
    code = server.wait() or 1
    console.print(log.read_text(), markup=False)
    raise SystemExit(code)


def process(client: Client) -> str:
    """Upload the sample, follow its events to the end, and return the transcript's id."""
    transcript_id = client.create("Sample meeting")
    events = client.events(transcript_id)
    next(events)
    console.print(f"Uploading {SAMPLE.name} ({SAMPLE.stat().st_size / 1e6:.1f} MB)")
    client.upload(transcript_id, SAMPLE)
    columns = [
        TextColumn("{task.description:>10}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
    ]
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        tasks: dict[str, TaskID] = {}
        for name, data in events:
            if name == "PROGRESS":
                task = tasks.setdefault(data["step"], progress.add_task(data["step"], total=1.0))
                progress.update(task, completed=data["fraction"])
                if not console.is_terminal and data["fraction"] >= 1:
                    console.print(f"{data['step']}: done")
            elif name == "STATUS" and data["value"] == "error":
                raise SystemExit(client.get(f"/v1/transcripts/{transcript_id}/run")["error"])
            elif name == "STATUS" and data["value"] == "ended":
                for task in tasks.values():
                    progress.update(task, completed=1.0)
                return transcript_id
    raise SystemExit("The server ended the connection.")


def show(client: Client, transcript_id: str) -> None:
    base = f"/v1/transcripts/{transcript_id}"
    meeting = client.get(base, transcript_format="text-timestamped")
    run = client.get(f"{base}/run")
    topics = client.get(f"{base}/topics")
    table = [f"{s['name']} {s['seconds']:.1f} s" for s in run["steps"] if s["seconds"] is not None]
    console.print(f"[dim]{', '.join(table)}[/dim]")
    for step in run["steps"]:
        for text in [*step["warnings"], *([step["error"]] if step["error"] else [])]:
            console.print(f"[yellow]{step['name']}: {text}[/yellow]")
    methods = {step["method"] for step in run["steps"] if step["method"]}
    heading(f"{meeting['title']}")
    console.print(f"[dim]method: {', '.join(sorted(methods))}[/dim]\n{meeting['short_summary']}")
    heading("Topics")
    for topic in topics:
        console.print(f"[{topic['timestamp']:6.1f} s] {topic['title']}", markup=False)
    heading("Action items")
    for decision in run["action_items"]["decisions"]:
        console.print(f"decided: {decision['decision']}")
    for item in run["action_items"]["next_steps"]:
        console.print(f"to do:   {item['task']} ({item['assigned_to'] or 'nobody named'})")
    heading("Transcript")
    console.print(meeting["transcript"], markup=False)


def record(url: str, in_real_time: bool) -> None:
    """Record another meeting as if it were spoken now, and print its words as they come."""
    heading("A recording, while it is spoken")
    command = [sys.executable, "-m", "reflector", "record", url, "--file", str(SPOKEN)]
    options = ["--name", "Live meeting", "--language", "en"]
    done = subprocess.run([*command, *options, *([] if in_real_time else ["--fast"])], check=False)
    if done.returncode:
        raise SystemExit(done.returncode)


def heading(text: str) -> None:
    console.print(f"\n[bold]{text}[/bold]")


@click.command()
@click.option("--host", default="127.0.0.1")
@click.option("--port", default=1250)
@click.option("--once", is_flag=True, help="End after printing.")
def main(host: str, port: int, once: bool) -> None:
    with tempfile.TemporaryDirectory(prefix="reflector-demo-") as data:
        server, url = start_server(host, port, data)
        try:
            client = Client(url)
            transcript_id = process(client)
            show(client, transcript_id)
            record(url, in_real_time=not once)
            console.print(f"\nThe page: [bold]{url}/transcripts/{transcript_id}[/bold]")
            if not once:
                console.print("It stays up until Ctrl-C.")
                wait_for_signal(server)
        except KeyboardInterrupt:
            pass
        finally:
            stop(server)


def wait_for_signal(server: subprocess.Popen[Any]) -> None:
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if server.wait():
        raise SystemExit("The server ended unexpectedly.")


def stop(server: subprocess.Popen[Any]) -> None:
    server.terminate()
    try:
        server.wait(20)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


if __name__ == "__main__":
    main()

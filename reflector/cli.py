"""Define the `reflector` command.

Each subcommand imports its module when it is called: a process that serves or supervises then needs
half the memory.
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

import click

from reflector import __version__
from reflector.errors import ConfigurationError, ReflectorError
from reflector.pipeline.step import Queue
from reflector.runtime import log, settings
from reflector.transcript.formats import FILE_FORMATS

# Exit code of `migrate --check` if a newer version left a schema that this one cannot use
NEWER_DATABASE = 8


class _Commands(click.Group):
    """A command group that loads its subgroups from modules of their own."""

    GROUPS = ("admin", "models")

    def list_commands(self, context: click.Context) -> list[str]:
        return sorted([*super().list_commands(context), *self.GROUPS])

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in self.GROUPS:
            return super().get_command(context, name)
        group: click.Command = getattr(import_module(f"reflector.commands.{name}"), name)
        return group


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="reflector")
@click.option("--debug", is_flag=True, help="Log more, and show tracebacks.")
@click.pass_context
def cli(context: click.Context, debug: bool) -> None:
    """Run a private meeting-transcription server."""
    context.obj = debug
    log.setup(debug)


@cli.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=1250, show_default=True, type=click.IntRange(0, 65535))
@click.option(
    "--next-free-port", is_flag=True, help="Take the next free port if that one is taken."
)
@click.option(
    "--workers", default=1, show_default=True, type=click.IntRange(1, 64), help="API processes."
)
def serve(host: str, port: int, next_free_port: bool, workers: int) -> None:
    """Run the API, the pages and, in embedded mode, the workers."""
    from reflector.commands.serve import serve as run

    run(settings.load(), host, port, next_free_port, workers)


@cli.command()
@click.option(
    "--queue",
    "queues",
    multiple=True,
    type=click.Choice([queue.value for queue in Queue]),
    help="A queue to work on; may be given several times. Default: all.",
)
@click.option("--concurrency", default=2, show_default=True, type=click.IntRange(1, 64))
@click.option(
    "--metrics-port", type=click.IntRange(1, 65535), help="Serve /metrics here, on loopback only."
)
@click.option("--ended", is_flag=True, help="For its unit: note that memory ran out, and end.")
def worker(
    queues: tuple[str, ...], concurrency: int, metrics_port: int | None, ended: bool
) -> None:
    """Process recordings, on a server with PostgreSQL and a broker."""
    from reflector.commands.worker import note_end, run_worker

    if ended:
        note_end(settings.load())
        return
    chosen = [Queue(name) for name in queues] or list(Queue)
    run_worker(settings.load(), chosen, concurrency, metrics_port)


@cli.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535))
def speech(host: str, port: int) -> None:
    """Run the speech service: transcription and diarization for other processes."""
    from reflector.commands.speech import run_speech

    run_speech(settings.load(), host, port)


@cli.command()
@click.argument("url")
@click.option("--device", help="A microphone of PulseAudio or ALSA. Default: the usual one.")
@click.option(
    "--file", type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Play a recording in real time instead.",
)  # fmt: skip
@click.option("--fast", is_flag=True, help="Send a file as fast as it can be read.")
@click.option("--name", default="Recording", show_default=True)
@click.option(
    "--language", default="auto", show_default=True, help="A code like en; auto detects it."
)
@click.option("--target-language", help="Translate to this language.")
@click.option("--api-key", envvar="REFLECTOR_API_KEY", help="Default: $REFLECTOR_API_KEY.")
@click.option(
    "--ca-file", type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The root certificate of a server with its own authority.",
)  # fmt: skip
@click.pass_obj
def record(
    debug: bool,
    url: str,
    device: str | None,
    file: Path | None,
    fast: bool,
    name: str,
    language: str,
    target_language: str | None,
    api_key: str | None,
    ca_file: Path | None,
) -> None:
    """Record this machine's microphone into the server at URL, until Ctrl-C."""
    from reflector.commands.record import Recording, run_record
    from reflector.recorder.client import Server

    if not debug:
        log.quiet()
    in_real_time = file is not None and not fast
    server = Server(url, api_key, ca_file)
    run_record(Recording(server, device, file, in_real_time, name, language, target_language))


@cli.command()
def beat() -> None:
    """Send scheduled jobs to the workers."""
    from reflector.commands.worker import run_beat

    run_beat(settings.load())


@cli.command()
@click.option("--check", is_flag=True, help="Change nothing; say whether this version can use it.")
def migrate(check: bool) -> None:
    """Bring the database schema up to date before anything uses it."""
    from reflector.db.engine import Database

    database = Database(settings.load().database_url)
    if check:
        try:
            database.check()
        except ConfigurationError as error:
            click.echo(str(error), err=True)
            sys.exit(NEWER_DATABASE)
        click.echo("This version can use the database.")
        return
    database.migrate()
    click.echo("The database is up to date.")


@cli.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--format", "format_", type=click.Choice(FILE_FORMATS), default="text", show_default=True
)
@click.option(
    "--language", default="auto", show_default=True, help="A code like en; auto detects it."
)
@click.option("--model", help="A Whisper model: its name, or a folder. Default: WHISPER_MODEL.")
@click.option("--diarization-model", help="A pyannote.audio pipeline: its name, or a folder; none.")
@click.option("--speakers", help="How many speakers: N or MIN-MAX.")
@click.option("--hotwords", help="Names and jargon to expect.")
@click.option("--output", type=click.Path(path_type=Path), help="A file, or a folder for several.")
@click.option("--json", "as_json", is_flag=True, help="One machine-readable report on all files.")
@click.pass_obj
def transcribe(
    debug: bool,
    files: tuple[Path, ...],
    format_: str,
    language: str,
    model: str | None,
    diarization_model: str | None,
    speakers: str | None,
    hotwords: str | None,
    output: Path | None,
    as_json: bool,
) -> None:
    """Transcribe recordings to text, without a server."""
    from reflector.commands.transcribe import Request
    from reflector.commands.transcribe import transcribe as run

    if not debug:
        log.quiet()
    request = Request(
        list(files),
        format_,
        language,
        model,
        diarization_model,
        speakers,
        hotwords,
        output,
        as_json,
    )
    sys.exit(run(request))


def main() -> None:
    """Run the command; report every expected error as one sentence and an exit code."""
    try:
        cli()
    except ReflectorError as error:
        if "--debug" in sys.argv:
            raise
        log.die(error.message, error.hint, error.exit_code)

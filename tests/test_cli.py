"""The `reflector` and `appliance` commands as someone types them."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from reflector import __version__
from reflector.commands.transcribe import Request, output_files, speaker_limits
from reflector.errors import InvalidInput
from tests.conftest import DIARIZER, HELD_OUT, SAMPLE, WHISPER
from tests.environment import inherited
from tests.media_files import make_file

BIN = Path(sys.executable).parent
ROOT = Path(__file__).parent.parent
MODELS = ["--model", str(WHISPER), "--diarization-model", "none"]


def run(*arguments: str, program: str = "reflector") -> subprocess.CompletedProcess[str]:
    kept = inherited()
    return subprocess.run(
        [str(BIN / program), *arguments],
        capture_output=True, text=True, timeout=240, check=False,
        env={**kept, "HF_HUB_OFFLINE": "1"}, cwd="/",
    )  # fmt: skip


def transcribe(*arguments: str) -> subprocess.CompletedProcess[str]:
    return run("transcribe", str(HELD_OUT), *MODELS, "--language", "en", *arguments)


@pytest.mark.parametrize(
    ("format_", "start", "inside"),
    [
        ("text", "Speaker 1: Hello everyone", "The next meeting is Tuesday."),
        ("text-timestamped", "[00:00] Speaker 1: Hello", "[00:"),
        ("webvtt-named", "WEBVTT\n\n00:00:00.", "<v Speaker 1>"),
        ("srt", "1\n00:00:00,", " --> "),
        ("md", "# ", "## Transcript"),
        ("json", "[\n  {", '"speaker_name": "Speaker 1"'),
    ],
)
def test_every_format_and_nothing_else_in_a_pipe(format_: str, start: str, inside: str) -> None:
    result = transcribe("--format", format_)
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith(start)
    assert inside in result.stdout
    assert result.stderr == ""


@pytest.mark.skipif(find_spec("pyannote") is None, reason="pyannote.audio is not installed")
def test_json_is_one_report_with_everything() -> None:
    arguments = ["--model", str(WHISPER), "--diarization-model", str(DIARIZER), "--speakers", "3"]
    result = run("transcribe", str(SAMPLE), *arguments, "--json")
    assert result.returncode == 0, result.stderr
    (report,) = json.loads(result.stdout)["files"]
    assert report["speakers"] == 3
    assert report["duration"] == pytest.approx(128, abs=1)
    assert report["method"]["summary"] == "extractive"
    assert report["engines"]["transcribe"]["precision"] == "int8"
    assert len(report["words"]) > 250
    assert report["topics"]
    assert report["seconds"]["transcribe"] > 0


def test_output_to_a_file_and_to_a_folder(tmp_path: Path) -> None:
    target = tmp_path / "out.vtt"
    assert transcribe("--format", "webvtt-named", "--output", str(target)).returncode == 0
    assert target.read_text().startswith("WEBVTT")
    folder = tmp_path / "several"
    wave = make_file(tmp_path / "tone.wav", 1.0)
    result = run(
        "transcribe", str(HELD_OUT), str(wave), *MODELS, "--format", "srt", "--output", str(folder)
    )
    assert result.returncode == 0, result.stderr
    assert sorted(path.name for path in folder.iterdir()) == ["held-out.srt", "tone.srt"]


def test_bad_file_is_one_sentence_and_the_others_are_done(tmp_path: Path) -> None:
    bad = tmp_path / "notes.mp3"
    bad.write_text("no sound here\n" * 50)
    result = run("transcribe", str(bad), str(HELD_OUT), *MODELS)
    assert result.returncode == 2
    assert result.stderr.count("\n") == 1
    assert "notes.mp3: File cannot be read" in result.stderr
    assert "Hello everyone" in result.stdout


def test_missing_file_is_one_sentence() -> None:
    result = run("transcribe", "/no/such/file.mp3", *MODELS)
    assert result.returncode != 0
    assert "No such file or directory" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["--model", "/etc"],
        ["--model", "/no/such/folder"],
        ["--model", str(WHISPER), "--diarization-model", "/etc"],
    ],
)
def test_model_that_is_none_is_a_sentence_and_an_exit_code(arguments: list[str]) -> None:
    result = run("transcribe", str(HELD_OUT), *arguments)
    assert result.returncode == 4
    assert result.stderr.startswith("error: ")
    assert "Traceback" not in result.stderr
    assert result.stdout == ""


def test_diarizer_that_nobody_asked_for_is_a_warning() -> None:
    result = run("transcribe", str(HELD_OUT), "--model", str(WHISPER))
    assert result.returncode == 0
    assert result.stderr.startswith("warning: one speaker only: ")
    assert "Hello everyone" in result.stdout


def test_model_that_cannot_be_fetched_says_what_to_do() -> None:
    result = run("transcribe", str(HELD_OUT), "--model", "small", "--diarization-model", "none")
    assert result.returncode == 4
    assert "small is not on this machine" in result.stderr
    assert "make demo" in result.stderr


@pytest.mark.parametrize(
    ("value", "limits"), [("3", (3, 3)), ("2-5", (2, 5)), (None, (None, None))]
)
def test_speakers_are_a_number_or_a_range(
    value: str | None, limits: tuple[int | None, int | None]
) -> None:
    assert speaker_limits(value) == limits


@pytest.mark.parametrize("value", ["0", "5-2", "two", "-1", "1-", ""])
def test_speakers_that_cannot_be_are_refused(value: str) -> None:
    with pytest.raises(InvalidInput, match="--speakers"):
        speaker_limits(value)


def test_taken_port_is_said_or_the_next_one_used(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = run("serve", "--port", str(port))
    assert result.returncode == 3
    assert f"port {port} of 127.0.0.1 is taken" in result.stderr


def test_settings_that_cannot_be_used_stop_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = {**inherited(), "DATABASE_URL": "postgresql://u@h/db"}
    result = subprocess.run(
        [str(BIN / "reflector"), "serve"], capture_output=True, text=True, env=kept, check=False
    )
    assert result.returncode == 3
    assert "SECRET_KEY" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("program", ["reflector", "appliance"])
def test_version_and_help(program: str) -> None:
    assert __version__ in run("--version", program=program).stdout
    assert "Usage:" in run("--help", program=program).stdout


def test_terminal_shows_progress_to_the_end(tmp_path: Path) -> None:
    command = [str(BIN / "reflector"), "transcribe", str(HELD_OUT), *MODELS]
    screen, terminal = os.openpty()
    kept = inherited()
    with subprocess.Popen(
        [*command, "--output", str(tmp_path / "o.txt")],
        stdout=subprocess.DEVNULL, stderr=terminal, env={**kept, "TERM": "xterm", "COLUMNS": "120"},
    ) as process:  # fmt: skip
        os.close(terminal)
        shown = b""
        while True:
            try:
                shown += os.read(screen, 65536)
            except OSError:  # the program has closed its end
                break
        assert process.wait() == 0
    os.close(screen)
    assert b"100 %" in shown
    assert "× real time".encode() in shown


def admin(folder: Path, *arguments: str, password: str = "correct horse") -> tuple[int, str, str]:
    result = subprocess.run(
        [sys.executable, "-m", "reflector", "admin", *arguments],
        input=password + "\n", capture_output=True, text=True, check=False, cwd=folder,
        env={**inherited(), "DATA_DIR": str(folder), "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    return result.returncode, result.stdout, result.stderr


def test_accounts_are_made_listed_and_changed_from_the_command_line(tmp_path: Path) -> None:
    pipe = ["--password-file", "-"]
    assert admin(tmp_path, "list")[2].startswith("There are no accounts.")
    code, out, err = admin(tmp_path, "create", "Anna@Example.org", *pipe)
    assert (code, out) == (0, "Made the account anna@example.org.\n")
    assert "AUTH_BACKEND=password" in err
    assert admin(tmp_path, "create", "anna@example.org", *pipe)[0] == 2
    assert admin(tmp_path, "set-password", "ANNA@example.org", *pipe)[0] == 0
    assert admin(tmp_path, "set-password", "ben@example.org", *pipe)[0] == 2
    assert admin(tmp_path, "list")[1].startswith("anna@example.org\tpassword\t")
    assert admin(tmp_path, "create", "nobody", *pipe)[0] == 2
    assert "8 are the least" in admin(tmp_path, "hash", *pipe, password="short")[2]
    assert admin(tmp_path, "hash", *pipe)[1].startswith("pbkdf2:sha256:600000$")
    assert "no terminal" in admin(tmp_path, "hash")[2]


@pytest.mark.parametrize("command", ["worker", "beat"])
def test_worker_of_an_embedded_server_says_why_it_cannot_help(tmp_path: Path, command: str) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "reflector", command],
        capture_output=True, text=True, check=False, cwd=tmp_path, timeout=60,
        env={**inherited(), "DATA_DIR": str(tmp_path), "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert result.returncode == 3
    assert "no other process can help" in result.stderr


def request(files: list[Path], output: Path, format_: str = "srt") -> Request:
    return Request(files, format_, "en", None, None, None, None, output, False)


def test_recordings_whose_names_collide_get_a_file_each(tmp_path: Path) -> None:
    names = ["talk.webm", "talk.mp4", "d1/talk.webm", "v1.2 review", "v1.3 review", "a.mp3"]
    files = [tmp_path / name for name in names]
    targets = output_files(request(files, tmp_path / "out"))
    assert len(set(targets.values())) == len(files)
    assert [target.name for target in targets.values()] == [
        "talk.webm.srt", "talk.mp4.srt", "talk.webm (2).srt", "v1.2 review.srt", "v1.3 review.srt",
        "a.srt",
    ]  # fmt: skip


def test_recording_is_never_written_over(tmp_path: Path) -> None:
    recording = tmp_path / "mine.webm"
    recording.write_bytes(HELD_OUT.read_bytes())
    (tmp_path / "link").symlink_to(recording)
    for output in (recording, tmp_path / "link", tmp_path / "d" / ".." / "mine.webm"):
        with pytest.raises(InvalidInput, match="is a recording, and would be overwritten"):
            output_files(request([recording], output))
    notes = tmp_path / "notes.txt"
    notes.write_bytes(HELD_OUT.read_bytes())
    with pytest.raises(InvalidInput, match="would be overwritten"):
        output_files(request([notes, recording], tmp_path, "text"))


def test_folder_that_cannot_be_made_is_said_before_the_work(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InvalidInput, match="cannot be made"):
        output_files(request([HELD_OUT], tmp_path / "file" / "x.srt"))
    made = output_files(request([HELD_OUT], tmp_path / "new" / "dir" / "x.srt"))
    assert made[HELD_OUT].parent.is_dir()


def test_long_and_undecodable_names_end_no_call(tmp_path: Path) -> None:
    sound = HELD_OUT.read_bytes()
    long = tmp_path / f"{'x' * 245}.flac"
    strange = Path(os.fsdecode(os.fsencode(tmp_path) + b"/latin\xfc1.flac"))
    for file in (long, strange, tmp_path / "talk.flac"):
        file.write_bytes(sound)
    out = tmp_path / "out"
    files = [str(long), str(strange), str(tmp_path / "talk.flac")]
    done = run("transcribe", *files, *MODELS, "--output", str(out), "--format", "srt")
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert len(list(out.iterdir())) == 3
    assert (out / "talk.srt").read_text().startswith("1\n00:00:00,")


@pytest.mark.parametrize(
    ("url", "certificate", "sentence"),
    [
        ("http://127.0.0.1:9", "", "has no certificate to check"),
        ("https://127.0.0.1:9", "no certificate", "is not the certificate of an authority"),
    ],
)
def test_certificate_that_cannot_be_checked_stops_before_anything_is_sent(
    tmp_path: Path, url: str, certificate: str, sentence: str
) -> None:
    file = tmp_path / "root.crt"
    file.write_text(certificate)
    done = run("record", url, "--ca-file", str(file), "--file", str(HELD_OUT))
    assert done.returncode == 2
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr

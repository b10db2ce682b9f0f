"""Programs from elsewhere: gone on with after a break, refused where a sum differs."""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from backports import zstd

import appliance.configure.apply  # noqa: F401 - registers the effects
from appliance import artifacts
from appliance.artifacts import Artifact, read
from appliance.configure.effects import downloads, ollama
from appliance.configure.effects.machine import Machine, apply
from appliance.configure.plan.changes import InstallArtifact
from appliance.errors import ApplianceError, PlanError
from appliance.install.lock import with_sums
from appliance.machine.ledger import Ledger
from tests.appliance.planning import MACHINE
from tests.doubles.publisher import Publisher

ARCHITECTURE = "x86_64"


def archive() -> bytes:
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w:gz") as found:
        program = tarfile.TarInfo("bin/ollama")
        program.size, program.mode = 9, 0o755
        found.addfile(program, io.BytesIO(b"#!/bin/sh"))
    return written.getvalue()


ARCHIVE = archive()


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    found = Publisher({"ollama.tgz": ARCHIVE})
    yield found
    found.close()


def artifact(publisher: Publisher, sum_: str | None = None, **more: str) -> Artifact:
    found = sum_ if sum_ is not None else hashlib.sha256(ARCHIVE).hexdigest()
    return Artifact(
        "ollama", "1.0", f"{publisher.url}/{{file}}", {ARCHITECTURE: "ollama.tgz"},
        {ARCHITECTURE: found} if found else {}, **more,
    )  # fmt: skip


def fetch(which: Artifact, folder: Path) -> Path:
    return downloads.fetch(which, ARCHITECTURE, folder, lambda line: None)


def test_download_that_broke_off_is_gone_on_with(publisher: Publisher, tmp_path: Path) -> None:
    publisher.break_after = 40
    with pytest.raises(ApplianceError, match="could not be downloaded"):
        fetch(artifact(publisher), tmp_path)
    assert fetch(artifact(publisher), tmp_path).read_bytes() == ARCHIVE
    assert publisher.ranges == ["", "bytes=40-"]


def test_file_whose_sum_differs_is_removed(publisher: Publisher, tmp_path: Path) -> None:
    with pytest.raises(ApplianceError, match=r"is not ollama 1\.0: its SHA-256 is") as refused:
        fetch(artifact(publisher, "0" * 64), tmp_path)
    assert refused.value.hint
    assert list(tmp_path.iterdir()) == []


def test_file_without_a_sum_is_not_even_fetched(publisher: Publisher, tmp_path: Path) -> None:
    with pytest.raises(PlanError, match=r"has no SHA-256 of ollama 1\.0"):
        fetch(artifact(publisher, ""), tmp_path)
    assert publisher.ranges == []


def test_file_in_the_folder_needs_no_network(publisher: Publisher, tmp_path: Path) -> None:
    which = artifact(publisher)
    (tmp_path / which.file_name(ARCHITECTURE)).write_bytes(ARCHIVE)
    publisher.close()
    assert fetch(which, tmp_path).read_bytes() == ARCHIVE


def test_file_in_the_folder_that_was_changed_is_refused(
    publisher: Publisher, tmp_path: Path
) -> None:
    which = artifact(publisher)
    (tmp_path / which.file_name(ARCHITECTURE)).write_bytes(ARCHIVE + b"x")
    with pytest.raises(ApplianceError, match=r"is not ollama 1\.0"):
        fetch(which, tmp_path)


def test_new_version_takes_the_place_of_the_old(
    publisher: Publisher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "appliance.configure.effects.artifacts.pinned", lambda name: artifact(publisher)
    )
    old = tmp_path / "usr/lib/reflector/ollama-0.9/bin"
    old.mkdir(parents=True)
    machine = Machine(tmp_path, MACHINE, Ledger(tmp_path))
    apply(InstallArtifact(step="llm", reason="", name="ollama", version="1.0"), machine)
    program = tmp_path / "usr/lib/reflector/ollama/bin/ollama"
    assert program.read_bytes() == b"#!/bin/sh"
    assert program.stat().st_mode & 0o111
    assert not old.exists()
    assert Ledger(tmp_path).artifacts == {"ollama": "1.0"}


@pytest.mark.parametrize("suffix", ["tgz", "tar.zst"])
def test_archive_of_every_kind_that_is_published_is_unpacked(
    suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = ARCHIVE if suffix == "tgz" else zstd.compress(gzip.decompress(ARCHIVE))
    assert install(content, f"ollama.{suffix}", tmp_path, monkeypatch) == b"#!/bin/sh"


def test_program_without_an_archive_is_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = b"\x7fELF and so on"
    assert install(content, "ollama", tmp_path, monkeypatch) == content


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"\x37\x7a\xbc\xaf\x27\x1c an archive of 7-Zip", "neither a program nor an archive"),
        (b"<html>not found</html>", "neither a program nor an archive"),
        (ARCHIVE[: len(ARCHIVE) // 2], "cannot be unpacked|neither a program"),
        (zstd.compress(gzip.decompress(ARCHIVE))[:-20], "cannot be unpacked|neither a program"),
    ],
    ids=["7-Zip", "page", "half an archive", "end missing"],
)
def test_file_of_an_unknown_kind_is_never_installed(
    content: bytes, problem: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sum is right, and what would be installed is not a program."""
    with pytest.raises(ApplianceError, match=problem):
        install(content, "ollama.7z", tmp_path, monkeypatch)
    assert not (tmp_path / "usr/lib/reflector/ollama").exists()


def test_archive_without_the_program_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w:gz") as found:
        found.addfile(tarfile.TarInfo("lib/ollama/libggml.so"))
    with pytest.raises(ApplianceError, match="does not contain the program bin/ollama"):
        install(written.getvalue(), "ollama.tgz", tmp_path, monkeypatch)


def install(content: bytes, name: str, root: Path, monkeypatch: pytest.MonkeyPatch) -> bytes:
    """What lies where the program is started from, after `content` was installed as `name`."""
    publisher = Publisher({name: content})
    which = Artifact(
        "ollama", "1.0", f"{publisher.url}/{{file}}", {ARCHITECTURE: name},
        {ARCHITECTURE: hashlib.sha256(content).hexdigest()},
    )  # fmt: skip
    monkeypatch.setattr("appliance.configure.effects.artifacts.pinned", lambda _: which)
    try:
        machine = Machine(root, MACHINE, Ledger(root))
        apply(InstallArtifact(step="llm", reason="", name="ollama", version="1.0"), machine)
    finally:
        publisher.close()
    return (root / "usr/lib/reflector/ollama/bin/ollama").read_bytes()


def test_lock_of_the_source_has_a_sum_for_every_program() -> None:
    for each in read(artifacts.LOCK).values():
        for architecture in ("x86_64", "aarch64"):
            assert len(each.sum(architecture)) == 64


def test_lock_is_filled_from_the_publishers_list(publisher: Publisher) -> None:
    found = hashlib.sha256(ARCHIVE).hexdigest()
    publisher.files["sums.txt"] = f"{'1' * 64}  ./other.tgz\n{found}  ./ollama.tgz\n".encode()
    text = lock(publisher, 'checksums = "{url}/sums.txt"\n')
    said: list[str] = []
    filled = with_sums(text, said.append)
    assert f'x86_64 = "{found}"' in filled
    assert filled.startswith("# a remark\n")
    assert said == []


def test_publisher_without_a_list_is_said(publisher: Publisher) -> None:
    said: list[str] = []
    filled = with_sums(lock(publisher, ""), said.append)
    assert hashlib.sha256(ARCHIVE).hexdigest() in filled
    assert "no list of checksums" in said[0]


def test_name_that_is_not_in_the_list_is_said(publisher: Publisher) -> None:
    publisher.files["sums.txt"] = b"nothing\n"
    with pytest.raises(ApplianceError, match=r"list of checksums has no ollama\.tgz"):
        with_sums(lock(publisher, 'checksums = "{url}/sums.txt"\n'), print)


def lock(publisher: Publisher, more: str) -> str:
    return (
        '# a remark\n[ollama]\nversion = "1.0"\n'
        f'url = "{publisher.url}/{{file}}"\n{more.replace("{url}", publisher.url)}'
        'files = { x86_64 = "ollama.tgz" }\nsha256 = {}\n'
    )


def test_lock_of_the_source_names_every_program_for_both_architectures() -> None:
    found = read(artifacts.LOCK)
    assert set(found) == {"ollama", "garage"}
    for each in found.values():
        assert set(each.files) == {"x86_64", "aarch64"}
        assert each.address("x86_64").startswith("https://")


def test_program_of_an_image_goes_to_where_can_be_written(
    publisher: Publisher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """/usr is read-only there, and its name leads to /var."""
    monkeypatch.setattr(artifacts, "read", lambda: {"ollama": artifact(publisher)})
    link = tmp_path / "usr/lib/reflector/ollama"
    link.parent.mkdir(parents=True)
    link.symlink_to("../../../var/lib/reflector-programs/ollama")
    machine = Machine(tmp_path, MACHINE, Ledger(tmp_path))
    apply(InstallArtifact(step="llm", reason="", name="ollama", version="1.0"), machine)
    assert (link / "bin/ollama").is_file()
    assert link.readlink() == Path("../../../var/lib/reflector-programs/ollama")


def test_language_models_that_were_brought_lie_beside_those_that_are_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ollama, "run", lambda *_, **__: None)
    brought, there = tmp_path / "ollama-models", tmp_path / "ollama/models"
    for folder, name in (
        (brought, "blobs/sha256-1"),
        (brought, "manifests/q/14b"),
        (there, "blobs/sha256-2"),
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    ollama.take_over(brought, there, print)
    found = sorted(str(p.relative_to(there)) for p in there.rglob("*") if p.is_file())
    assert found == ["blobs/sha256-1", "blobs/sha256-2", "manifests/q/14b"]

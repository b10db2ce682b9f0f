"""Updates before anything is written: signatures, sums, what is whole, where they come from."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from appliance.errors import ApplianceError, ConfigError
from appliance.update import source as sources
from appliance.update import write
from appliance.update.manifest import SIGNATURE, SUMS, read
from appliance.update.source import Source, chosen
from tests.image.updates import Served

pytestmark = pytest.mark.skipif(
    shutil.which("gpg") is None or shutil.which("gpgv") is None, reason="gpg is not installed"
)
OLD, NEW = "0.1.0.1", "0.1.0.2"
UUID = "6f0ffc839783361734e8cb6140d52374"


@dataclass(frozen=True)
class Builder:
    """Somebody with a key."""

    home: Path

    @property
    def keyring(self) -> Path:
        return self.home / "public.gpg"

    def gpg(self, *arguments: str) -> None:
        subprocess.run(
            ["gpg", "--homedir", str(self.home), "--batch", "--quiet", *arguments],
            check=True,
            timeout=60,
        )

    def publish(self, folder: Path, *versions: str) -> None:
        folder.mkdir(exist_ok=True)
        for version in versions:
            for end in (
                f"usr.{UUID}.raw",
                f"usr-verity.{UUID}.raw",
                f"usr-verity-sig.{UUID}.raw",
                "efi",
            ):
                (folder / f"reflector_{version}.{end}").write_text(f"{version} {end}\n" * 1000)
        self.sign(folder)

    def sign(self, folder: Path, *options: str) -> None:
        files = sorted(folder.glob("reflector_*"))
        lines = [f"{hashlib.sha256(f.read_bytes()).hexdigest()}  {f.name}\n" for f in files]
        (folder / SUMS).write_text("".join(lines))
        output = ("--yes", "--output", str(folder / SIGNATURE))
        self.gpg(*options, *output, "--detach-sign", str(folder / SUMS))


def builder(home: Path) -> Builder:
    home.mkdir(mode=0o700)
    found = Builder(home)
    # Older than the oldest signature of these tests
    made = f"{datetime.now(UTC) - timedelta(days=800):%Y%m%dT%H%M%S}!"
    found.gpg(
        "--faked-system-time", made, "--passphrase", "",
        "--quick-generate-key", "Builder", "rsa2048", "sign", "never",
    )  # fmt: skip
    found.gpg("--export", "--output", str(found.keyring))
    return found


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Builder]:
    made = builder(tmp_path_factory.mktemp("gpg") / "ours")
    yield made
    subprocess.run(
        ["gpgconf", "--homedir", str(made.home), "--kill", "all"], check=False, timeout=60
    )


@pytest.fixture
def folder(ours: Builder, tmp_path: Path) -> Path:
    ours.publish(tmp_path / "updates", OLD, NEW)
    return tmp_path / "updates"


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(write, "FOLDER", tmp_path / "machine")


def test_newest_whole_version_comes_first(folder: Path, ours: Builder) -> None:
    (folder / f"reflector_{NEW}.efi").unlink()
    ours.sign(folder)
    manifest = read(Source(folder), ours.keyring)
    assert [offer.version for offer in manifest.offers] == [OLD]
    assert len(manifest.offer(OLD).files) == 4
    with pytest.raises(ApplianceError, match=f"{NEW} is not offered"):
        manifest.offer(NEW)


def test_list_that_was_changed_after_it_was_signed_is_refused(folder: Path, ours: Builder) -> None:
    (folder / SUMS).write_text((folder / SUMS).read_text().replace(NEW, "0.1.0.9"))
    with pytest.raises(ApplianceError, match="has no signature that this machine trusts"):
        read(Source(folder), ours.keyring)


def test_list_signed_by_somebody_else_is_refused(
    folder: Path, ours: Builder, tmp_path: Path
) -> None:
    other = builder(tmp_path / "other")
    other.sign(folder)
    with pytest.raises(ApplianceError, match="Nothing was changed"):
        read(Source(folder), ours.keyring)
    subprocess.run(
        ["gpgconf", "--homedir", str(other.home), "--kill", "all"], check=False, timeout=60
    )


def test_old_list_cannot_keep_a_machine_on_an_old_version(folder: Path, ours: Builder) -> None:
    last_year = f"{datetime.now(UTC) - timedelta(days=401):%Y%m%dT%H%M%S}!"
    made_then = ("--faked-system-time", last_year, "--ignore-time-conflict")
    ours.sign(folder, *made_then, "--default-sig-expire", "400d")
    with pytest.raises(ApplianceError, match="has expired"):
        read(Source(folder), ours.keyring)
    ours.sign(folder, "--default-sig-expire", "400d")
    assert read(Source(folder), ours.keyring).offers


def test_folder_without_a_signature_is_refused(folder: Path, ours: Builder) -> None:
    (folder / SIGNATURE).unlink()
    with pytest.raises(ApplianceError, match=SIGNATURE):
        read(Source(folder), ours.keyring)


@pytest.mark.parametrize("over_http", [True, False])
def test_everything_is_fetched_and_checked(folder: Path, ours: Builder, over_http: bool) -> None:
    with Served() as server:
        server.folder = folder
        source = Source(f"http://127.0.0.1:{server.port}" if over_http else folder)
        manifest = read(source, ours.keyring)
        to = write.fetch(source, manifest, manifest.offer(NEW), print)
    assert sorted(p.name for p in to.iterdir()) == sorted(
        [SUMS, SIGNATURE, *manifest.offer(NEW).files]
    )


def test_file_that_is_cut_off_is_removed_and_said(folder: Path, ours: Builder) -> None:
    manifest = read(Source(folder), ours.keyring)
    kernel = folder / f"reflector_{NEW}.efi"
    kernel.write_bytes(kernel.read_bytes()[:100])
    with pytest.raises(ApplianceError, match="damaged or incomplete"):
        write.fetch(Source(folder), manifest, manifest.offer(NEW), print)
    assert not list(write.FOLDER.rglob("*.efi*"))


def test_download_that_broke_off_goes_on(folder: Path, ours: Builder) -> None:
    """What is there already with its right sum is not fetched once more, and the next version removes it."""
    manifest = read(Source(folder), ours.keyring)
    first = write.fetch(Source(folder), manifest, manifest.offer(OLD), print)
    stays = next(first.glob("*.efi"))
    before = stays.stat().st_mtime_ns
    next(first.glob("*.usr.*")).unlink()
    write.fetch(Source(folder), manifest, manifest.offer(OLD), print)
    assert stays.stat().st_mtime_ns == before
    write.fetch(Source(folder), manifest, manifest.offer(NEW), print)
    assert not first.exists()


@pytest.mark.parametrize(
    ("wanted", "sentence"),
    [
        ("ftp://example.org", "not the address"),
        ("http://updates.example.org/reflector", "plain HTTP"),
        ("http://192.0.2.300/reflector", "plain HTTP"),
        ("/nonexistent", "is not a folder"),
        (None, "no source of updates"),
    ],
)
def test_source_that_cannot_be_is_said(
    wanted: str | None, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "run", lambda *_, **__: None)
    with pytest.raises(ConfigError, match=sentence), chosen(wanted, None):
        pass

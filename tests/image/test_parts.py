"""What an image is made from and of, without building one: answers, sources, versions, lists, the driver's rules."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from appliance.cli import cli
from appliance.disks.install import least
from appliance.errors import ApplianceError, CheckError, ConfigError
from appliance.image import bios, driver, keys, sbom, tools
from appliance.image.driver import Modules, Publisher
from appliance.image.keys import Keys
from appliance.image.sources import own_mirror, sources
from appliance.image.version import version
from tests.boot.tree import ROOT
from tests.conftest import WHISPER

DEFINITION = ROOT / "image"
needs_mtools = pytest.mark.skipif(
    shutil.which("mcopy") is None
    or shutil.which("mkfs.vfat") is None
    or shutil.which("sfdisk") is None,
    reason="mtools, dosfstools or fdisk are not installed",
)
GOOD = '[speech]\non = "cpu"\n'


def appliance(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli, [str(word) for word in arguments])


def said(result: Result) -> str:
    """An error of ours is told by `main`, not by click."""
    return f"{result.output}{result.exception or ''}"


@pytest.fixture
def toml(tmp_path: Path) -> Path:
    file = tmp_path / "appliance.toml"
    file.write_text(GOOD)
    return file


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """A GPT disk with an ESP, as small as it can be."""
    disk = tmp_path / "disk.raw"
    with disk.open("wb") as file:
        file.truncate(48 << 20)
    table = "label: gpt\nsize=40MiB, type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B\n"
    subprocess.run(["sfdisk", "--quiet", str(disk)], input=table, text=True, check=True, timeout=60)
    esp = tmp_path / "esp"
    with esp.open("wb") as file:
        file.truncate(40 << 20)
    subprocess.run(["mkfs.vfat", "-F", "32", str(esp)], check=True, timeout=60, capture_output=True)
    with disk.open("r+b") as file:
        file.seek(1 << 20)
        file.write(esp.read_bytes())
    return disk


def read(image: Path, name: str) -> str:
    drive = f"{image}@@{1 << 20}"
    return subprocess.run(
        ["mtype", "-i", drive, f"::/{name}"], check=True, capture_output=True, text=True, timeout=60
    ).stdout


def test_good_answers_can_be_used_and_what_is_missing_is_said(toml: Path) -> None:
    result = appliance("image", "validate", toml)
    assert result.exit_code == 0
    assert "There is no password. The machine will ask for one" in result.output
    assert f"{toml} is valid." in result.output


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[speech\n", "is not TOML"),
        ('[speech]\nom = "cpu"\n', "line 2: speech.om is unknown"),
        ('[speech]\non = "quantum"\n', "allowed are auto, gpu, cpu, hosted"),
        ("[update]\ntrial_minutes = 0\n", "update.trial_minutes"),
    ],
)
def test_bad_answers_are_told_before_a_machine_has_them(
    toml: Path, text: str, sentence: str
) -> None:
    toml.write_text(text)
    result = appliance("image", "validate", toml)
    assert result.exit_code != 0
    assert sentence in said(result)


def test_short_password_and_unknown_secret_are_refused(toml: Path, tmp_path: Path) -> None:
    (tmp_path / "pw").write_text("short\n")
    assert "8 are the least" in said(
        appliance("image", "validate", toml, "--password-file", tmp_path / "pw")
    )
    wrong = appliance("image", "validate", toml, "--secret", f"NOTHING={tmp_path / 'pw'}")
    assert "no secret of that name" in said(wrong)
    assert "no speech model" in said(appliance("image", "validate", toml, "--models", tmp_path))


@needs_mtools
def test_answers_lie_in_the_image_with_all_that_belongs_to_them(
    image: Path, toml: Path, tmp_path: Path
) -> None:
    (tmp_path / "pw").write_text("correct horse\n")
    toml.write_text(f"{GOOD}[disk]\nencrypt = true\n")
    arguments: list[str | Path] = [
        "--password-file",
        tmp_path / "pw",
        "--secret",
        f"HF_TOKEN={tmp_path / 'pw'}",
        "--models",
        WHISPER,
    ]
    for _ in range(2):  # the second one replaces the first
        result = appliance("image", "inject", image, toml, *arguments)
        assert result.exit_code == 0, said(result)
    assert read(image, "reflector/appliance.toml") == toml.read_text()
    assert read(image, "reflector/password") == "correct horse\n"
    assert read(image, "reflector/secrets/HF_TOKEN") == "correct horse\n"
    assert read(image, "reflector/encrypt") == ""
    assert json.loads(read(image, "reflector/models/whisper/config.json"))


@needs_mtools
def test_answers_that_do_not_fit_are_said(image: Path, toml: Path, tmp_path: Path) -> None:
    model = tmp_path / "large"
    model.mkdir()
    (model / "model.bin").write_bytes(b"x" * (45 << 20))
    result = appliance("image", "inject", image, toml, "--models", model)
    assert "Disk full" in said(result)


@needs_mtools
@pytest.mark.parametrize("content", [b"", b"x" * 5000], ids=["empty", "something else"])
def test_file_that_is_no_image_is_refused(toml: Path, tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "image.raw"
    file.write_bytes(content)
    assert "Give the .raw file" in said(appliance("image", "inject", file, toml))


def test_missing_program_is_named_with_its_command(
    image: Path, toml: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    assert "apt install mtools" in said(appliance("image", "inject", image, toml))


def test_build_without_root_or_tools_says_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(CheckError, match="run it with sudo"):
        tools.prepared(tmp_path, sources("https://deb.example.org/debian"), print)
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(CheckError) as error:
        tools.prepared(tmp_path, sources("https://deb.example.org/debian"), print)
    assert "apt install mmdebstrap" in str(error.value)


def test_moment_of_the_archive_gives_the_same_packages_for_ever() -> None:
    found = sources("https://snapshot.example.org/archive/", "20261101T000000Z")
    assert found.main == "https://snapshot.example.org/archive/debian/20261101T000000Z"
    assert "trixie-security" in found.text()
    with pytest.raises(ConfigError, match="not a moment of the archive"):
        sources(snapshot="yesterday")
    with pytest.raises(ConfigError) as error:
        sources(snapshot="20261101T000000Z")
    assert "--mirror" in str(error.value)


def test_mirror_is_that_of_this_machines_apt(tmp_path: Path) -> None:
    lists = tmp_path / "etc/apt/sources.list.d"
    lists.mkdir(parents=True)
    (lists / "debian.sources").write_text(
        "Types: deb\n# a remark\nURIs: https://deb.example.org/debian\n"
    )
    assert own_mirror(tmp_path) == "https://deb.example.org/debian"
    with pytest.raises(ConfigError, match="--mirror"):
        own_mirror(tmp_path / "nothing")


def test_same_commit_has_the_same_version_and_a_later_one_a_newer() -> None:
    first, again = version(ROOT, "0.1.0"), version(ROOT, "0.1.0")
    assert first == again
    assert first.seed == again.seed
    assert re.fullmatch(r"0\.1\.0\.\d{12}", first.text)
    assert first.epoch <= time.time()
    with pytest.raises(ConfigError, match="not a valid version of an image"):
        version(ROOT, "0.1.0", "version two")


def test_partitions_have_room_for_what_they_hold() -> None:
    """Slot A as large as slot B, in both profiles; hashes for the largest /usr (SHA-256, blocks of 4 KiB)."""
    base = DEFINITION / "disk/mkosi.extra/usr/lib/repart.d"
    gpu = DEFINITION / "disk/mkosi.profiles/gpu/mkosi.extra/usr/lib/repart.d"
    for folder, gib in ((base, 3), (gpu, 7)):
        assert size(folder / "12-usr-a.conf") == size(folder / "22-usr-b.conf") == gib << 30
    assert 11e9 < least(base) < 12e9
    hashes = size(base / "11-usr-a-verity.conf")
    assert (
        hashes
        == size(base / "21-usr-b-verity.conf")
        == size(DEFINITION / "disk/mkosi.repart/11-usr-verity.conf")
    )
    assert hashes > (7 << 30) * 32 / 4096 * 128 / 127
    encrypted = DEFINITION / "disk/mkosi.extra/usr/lib/reflector-image/repart-encrypted.d"
    assert sorted(p.name for p in encrypted.iterdir()) == sorted(p.name for p in base.iterdir())
    assert all((encrypted / p.name).read_text() for p in base.iterdir())


def size(file: Path) -> int:
    found = re.search(r"^SizeMinBytes=(\d+)([MG])$", file.read_text(), re.MULTILINE)
    assert found
    return int(found[1]) << {"M": 20, "G": 30}[found[2]]


def test_boot_sector_prints_its_sentence_and_fits(tmp_path: Path) -> None:
    sector = bios.sector()
    assert len(sector) <= bios.ROOM
    load = sector.index(b"\xbe")  # mov si
    start = int.from_bytes(sector[load + 1 : load + 3], "little") - 0x7C00
    assert sector[start:].rstrip(b"\0").strip().decode() == bios.SENTENCE
    assert all(len(line) <= 80 for line in bios.SENTENCE.splitlines())
    disk = tmp_path / "disk"
    disk.write_bytes(b"\1" * 1024)
    bios.put(disk)
    assert disk.read_bytes() == b"\1" * 1024


def test_list_of_what_is_in_an_image_has_versions_and_licences(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    (tree / "var/lib/dpkg").mkdir(parents=True)
    (tree / "var/lib/dpkg/status").write_text(
        "Package: caddy\nStatus: install ok installed\nVersion: 2.6.2-12\nArchitecture: amd64\n\n"
        "Package: gone\nStatus: deinstall ok config-files\nVersion: 1\nArchitecture: all\n"
    )
    copyright_ = tree / "usr/share/doc/caddy/copyright"
    copyright_.parent.mkdir(parents=True)
    copyright_.write_text("Files: *\nLicense: Apache-2.0\n\nFiles: debian/*\nLicense: Expat\n")
    info = tree / "usr/lib/reflector/venv-1/lib/python3.13/site-packages/click-8.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Name: click\nVersion: 8.2\nLicense-Expression: BSD-3-Clause\n")
    made = version(ROOT, "0.1.0")
    parts = sbom.write(tree, WHISPER.parent, tmp_path / "reflector_1.raw", made)
    named = {(part.kind, part.name): part for part in parts}
    assert named["deb", "caddy"].licences == ("Apache-2.0", "Expat")
    assert named["python", "click"].purl == "pkg:pypi/click@8.2"
    assert named["model", "whisper"].version.startswith("sha256:")
    assert ("deb", "gone") not in named
    listed = json.loads((tmp_path / "reflector_1.cdx.json").read_text())
    assert listed["bomFormat"] == "CycloneDX"
    assert len({part["bom-ref"] for part in listed["components"]}) == len(parts)
    assert json.loads((tmp_path / "reflector_1.manifest.json").read_text())["packages"]


@pytest.fixture
def gpu_tree(tmp_path: Path) -> Path:
    (tmp_path / "var/lib/dpkg").mkdir(parents=True)
    (tmp_path / "var/lib/dpkg/status").write_text("Package: libcuda1\nVersion: 550.163.01-2\n")
    return tmp_path


@pytest.mark.parametrize(
    ("wheel", "fits"),
    [
        ("nvidia_cublas_cu12-12.9.3.13", True), ("nvidia_cublas-13.1.0.3", False),
        ("nvidia_cudnn_cu13-9.1", False), ("nvidia_ml_py-13.615.71", True), ("nvidia_cublas_cu14-14.0", False),
    ],
)  # fmt: skip
def test_build_stops_where_wheels_need_a_newer_driver(
    gpu_tree: Path, wheel: str, fits: bool
) -> None:
    (gpu_tree / f"usr/lib/reflector/venv-1/lib/python3.13/site-packages/{wheel}.dist-info").mkdir(
        parents=True
    )
    if fits:
        assert "driver 550.163.01" in driver.check(gpu_tree)
        return
    with pytest.raises(CheckError, match=r"CUDA 1[34]"):
        driver.check(gpu_tree)


def test_every_driver_has_its_profile() -> None:
    for publisher in Publisher:
        for modules in Modules:
            assert (
                DEFINITION
                / "tree/mkosi.profiles"
                / driver.profile(publisher, modules)
                / "mkosi.conf"
            ).is_file()


def test_nvidias_repository_needs_its_key(tmp_path: Path) -> None:
    with pytest.raises(CheckError) as error:
        driver.repository("https://nvidia.example.org/debian13", None, tmp_path)
    assert "--nvidia-key" in str(error.value)
    (tmp_path / "key").write_text("key")
    address = "https://nvidia.example.org/debian13"
    assert f"URIs: {address}/" in driver.repository(address, tmp_path / "key", tmp_path / "sandbox")


def test_tree_without_a_driver_is_an_error(gpu_tree: Path) -> None:
    (gpu_tree / "var/lib/dpkg/status").write_text("")
    with pytest.raises(ApplianceError, match="no libcuda1"):
        driver.check(gpu_tree)


def test_units_of_the_image_are_covered_from_the_applications_hardening() -> None:
    """They are the agent's, and change the machine: see image/README.md."""
    system = DEFINITION / "disk/mkosi.extra/usr/lib/systemd/system"
    common = {path.name for path in (ROOT / "units/reflector-.service.d").iterdir()}
    common |= {path.name for path in (system / "reflector-.service.d").iterdir()}
    for unit in system.glob("reflector-*.service"):
        covered = {
            p.name
            for p in (system / f"{unit.name}.d").iterdir()
            if p.is_symlink() and str(p.readlink()) == "/dev/null"
        }
        assert common <= covered, unit.name


def test_module_is_signed_as_the_kernel_wants_it(tmp_path: Path) -> None:
    """Checked by OpenSSL, over exactly what stands before the signature."""
    signing = Keys(tmp_path)
    keys._certificate(signing)
    key = load_pem_private_key(signing.key.read_bytes(), None)
    assert isinstance(key, RSAPrivateKey)
    certificate = x509.load_pem_x509_certificate(signing.certificate.read_bytes())
    module = b"\x7fELF" + bytes(range(256)) * 8
    signed = driver.signed(module, certificate, key)
    assert signed.endswith(b"~Module signature appended~\n")
    end = len(signed) - len(driver.MARK) - driver.MODULE_SIGNATURE.size
    kind, length = driver.MODULE_SIGNATURE.unpack(signed[end : end + driver.MODULE_SIGNATURE.size])
    assert (kind, end - length) == (2, len(module))
    (tmp_path / "signature").write_bytes(signed[end - length : end])
    (tmp_path / "module").write_bytes(module)
    verify = ["openssl", "cms", "-verify", "-binary", "-inform", "DER", "-in", "signature", "-content", "module",
              "-certfile", "image.crt", "-noverify", "-out", "/dev/null"]  # fmt: skip
    subprocess.run(verify, cwd=tmp_path, check=True, timeout=60, capture_output=True)
    (tmp_path / "module").write_bytes(module + b"x")
    assert (
        subprocess.run(
            verify, cwd=tmp_path, check=False, timeout=60, capture_output=True
        ).returncode
        != 0
    )

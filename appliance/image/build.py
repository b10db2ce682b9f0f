"""Build the image step by step: Debian's tree, our programs in it, the disk, and the updates.

Trees that do not depend on the source are cached in the work folder. Their names hold the digest of
their definition.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from appliance.errors import ApplianceError, CommandError
from appliance.image import driver, output, sbom
from appliance.image.driver import Modules, Publisher
from appliance.image.keys import Keys
from appliance.image.sources import Sources
from appliance.image.tools import prepared
from appliance.image.version import Version
from appliance.install.target import checkout
from appliance.machine.run import follow, run

# The first start takes models and artifacts from here (`firstboot/flow.py`)
MODELS = "usr/share/reflector/models"
ARTIFACTS = "usr/share/reflector/artifacts"


class Profile(StrEnum):
    CPU = "cpu"
    GPU = "gpu"


@dataclass(frozen=True)
class Request:
    """What to build.

    `dev` adds a console that asks for no password. `work` is the folder where trees are cached.
    `models` are folders of speech models that come with the image, and `artifacts` is a folder with
    Ollama, Garage and language models. The other fields describe NVIDIA's driver, for the profile
    `gpu`.
    """

    version: Version
    profile: Profile
    dev: bool
    keys: Keys
    sources: Sources
    work: Path
    output: Path
    say: Callable[[str], None]
    models: tuple[Path, ...] = ()
    artifacts: Path | None = None
    publisher: Publisher = Publisher.DEBIAN
    modules: Modules = Modules.OPEN
    nvidia_repository: str | None = None
    nvidia_key: Path | None = None

    @property
    def profiles(self) -> list[str]:
        own = (
            {driver.profile(self.publisher, self.modules)} if self.profile is Profile.GPU else set()
        )
        return [self.profile.value, *own, *(["dev"] if self.dev else [])]


def build(request: Request, install: Callable[[Path], None]) -> Path:
    """Build the disk image, and return its path.

    `install` puts our programs into a tree. Raises CheckError if this machine cannot build, before
    anything is done, and ApplianceError with mkosi's own message if the build fails.
    """
    return disk(request, tree(request, install))


def tree(request: Request, install: Callable[[Path], None]) -> Path:
    """Build the content of the image as a folder, and return its path."""
    return Mkosi(request).tree(install)


def disk(request: Request, tree: Path, *options: str) -> Path:
    """Build the image of a tree, and return its path. `options` are further options of mkosi."""
    mkosi, keys = Mkosi(request), request.keys
    initrd = mkosi.kept("initrd", "initrd.cpio.zst")
    request.say("making the disk")
    folder = request.work / "out"
    shutil.rmtree(folder, ignore_errors=True)
    signing = [
        f"--verity-key={keys.key}", f"--verity-certificate={keys.certificate}", "--secure-boot=yes",
        "--secure-boot-auto-enroll=no", f"--secure-boot-key={keys.key}",
        f"--secure-boot-certificate={keys.certificate}",
    ]  # fmt: skip
    mkosi.run(
        "disk", folder, f"--base-tree={tree}", f"--initrd={initrd}", *signing, *options, sees=(tree,)
    )  # fmt: skip
    made = output.publish(mkosi.tools, keys, folder, request.output, request.version, request.say)
    sbom.write(tree, tree / MODELS, made, request.version)
    return made


class Mkosi:
    def __init__(self, request: Request) -> None:
        self._request, self._work = request, request.work
        self._work.mkdir(parents=True, exist_ok=True)
        self.tools = prepared(self._work, request.sources, request.say)
        self._definitions = self._work / "definitions"
        shutil.rmtree(self._definitions, ignore_errors=True)
        shutil.copytree(checkout() / "image", self._definitions, symlinks=True)
        lists = self._work / "sandbox/etc/apt/sources.list.d"
        lists.mkdir(parents=True, exist_ok=True)
        self._lists = request.sources.text()
        if request.profile is Profile.GPU and request.publisher is Publisher.NVIDIA:
            self._lists += "\n" + driver.repository(
                request.nvidia_repository, request.nvidia_key, self._work / "sandbox"
            )
        (lists / "mkosi.sources").write_text(self._lists)

    def tree(self, install: Callable[[Path], None]) -> Path:
        """Build Debian's tree with our programs in it."""
        plain = self.kept("tree", "tree")
        whole = self._work / "tree"
        _remove_tree(whole)
        run(["cp", "--archive", "--reflink=auto", plain, whole], seconds=600)
        keyring = whole / "usr/lib/systemd/import-pubring.gpg"
        shutil.copy(self._request.keys.public, keyring)
        verity = whole / "usr/lib/verity.d"
        verity.mkdir(exist_ok=True)
        shutil.copy(self._request.keys.certificate, verity / "reflector.crt")
        install(whole)
        for model in self._request.models:
            shutil.copytree(model, whole / MODELS / model.name)
        if self._request.artifacts is not None:
            shutil.copytree(self._request.artifacts, whole / ARTIFACTS)
        _compile(whole)
        if self._request.profile is Profile.GPU:
            count = driver.sign_modules(whole, self._request.keys)
            self._request.say(f"signed {count} kernel modules; {driver.check(whole)}")
        return whole

    def kept(self, definition: str, name: str) -> Path:
        """Return the result of `definition`; build it unless an earlier run did."""
        folder = self._work / f"{definition}-{self._digest(definition)}"
        if not (folder / name).exists():
            self._request.say(f"downloading Debian for the {definition}")
            part = folder.with_name(f".{folder.name}.part")
            _remove_tree(part)
            self.run(definition, part)
            for old in self._work.glob(f"{definition}-*"):
                _remove_tree(old)
            part.rename(folder)
        return folder / name

    def run(
        self, definition: str, output_folder: Path, *arguments: str, sees: tuple[Path, ...] = ()
    ) -> None:
        """Run mkosi. Raises ApplianceError with its last message if it fails."""
        request, work = self._request, self._work
        for name in ("workspace", "packages", "cache"):
            (work / name).mkdir(exist_ok=True)
        output_folder.mkdir(parents=True, exist_ok=True)
        options = [
            f"--directory={self._definitions / definition}", f"--sandbox-tree={work / 'sandbox'}",
            f"--workspace-directory={work / 'workspace'}", f"--package-cache-dir={work / 'packages'}",
            f"--output-directory={output_folder}", f"--image-version={request.version.text}",
            f"--source-date-epoch={request.version.epoch}", f"--seed={request.version.seed}",
            *(f"--profile={name}" for name in request.profiles),
        ]  # fmt: skip
        log = (work / "build.log").open("a")
        with log:
            command = self.tools.command(
                "mkosi", *options, *arguments, "--force", "build",
                sees=(request.keys.folder, *sees),
            )  # fmt: skip
            log.write(f"{' '.join(map(str, command))}\n")
            try:
                follow(command, lambda line: print(line, file=log, flush=True))
            except CommandError as error:
                raise ApplianceError(
                    f"mkosi could not build {definition}: {_reason(work / 'build.log')}",
                    f"Its whole output is in {work / 'build.log'}.",
                ) from error

    def _digest(self, definition: str) -> str:
        found = hashlib.sha256(self._lists.encode())
        found.update(" ".join(self._request.profiles).encode())
        for file in sorted((self._definitions / definition).rglob("*")):
            if file.is_file():
                found.update(str(file.relative_to(self._definitions)).encode() + file.read_bytes())
        return found.hexdigest()[:12]


def _compile(tree: Path) -> None:
    """Compile Python's byte code with a hash of the source instead of its time.

    /usr is read-only, and all files of an image have the same time.
    """
    command = ["python3", "-m", "compileall", "-q", "-f", "--invalidation-mode", "unchecked-hash"]
    run([*command, "/usr/lib/reflector"], root=tree, seconds=900)


def _reason(log: Path) -> str:
    """Return the last line that mkosi marks as its own, or else the last line."""
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    own = [line for line in lines if line.startswith("‣")]
    return (own or lines or ["it said nothing"])[-1][:500]


def _remove_tree(path: Path) -> None:
    if path.exists():
        shutil.rmtree(path)

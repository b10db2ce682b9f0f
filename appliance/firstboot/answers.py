"""What somebody put on the machine before its first start: `appliance.toml`, and what belongs to it.

Looked for in systemd credentials (SMBIOS, the kernel's command line, a container manager), on a stick labelled
REFLECTOR, on the boot partition; the first that has an `appliance.toml` counts. Beside the file may lie
`password` (the administrator's), `secrets/NAME`, `models/` and `artifacts/`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from appliance.boot import entries
from appliance.boot.usb_media import mounted
from appliance.config.load import parse
from appliance.config.model import ApplianceConfig
from appliance.configure.parts.admin import PASSWORD
from appliance.errors import ApplianceError, ConfigError
from appliance.machine.run import run
from appliance.secrets import input as secret_input

FILE = "appliance.toml"
# Where `appliance image inject` writes them on the boot partition
ON_ESP = "reflector"
LONGEST = 1 << 20


@dataclass(frozen=True)
class Answers:
    """`source`: where they are from, in words. `text`: of appliance.toml. `handed`: secrets by name, the
    password among them. `models`, `artifacts`: folders to take from."""

    source: str
    text: str
    handed: dict[str, str] = field(default_factory=dict, repr=False)
    models: Path | None = None
    artifacts: Path | None = None

    def config(self) -> ApplianceConfig:
        """Raise ConfigError if the text cannot be used."""
        return parse(self.text, self.source)


@contextmanager
def found(say: Callable[[str], None]) -> Iterator[Answers | None]:
    """Yield the answers of the first USB stick or partition that has some, or None.

    It stays mounted meanwhile. What cannot be read is reported, and the next place is tried.
    """
    with ExitStack() as stack:
        yield next(_places(stack, say), None)


def in_folder(folder: Path, source: str) -> Answers | None:
    """Raise ConfigError if what is there cannot be read."""
    file = folder / FILE
    if not file.is_file():
        return None
    try:
        if file.stat().st_size > LONGEST:
            raise ConfigError(f"{source} is too large for a configuration.")
        text = file.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{source} cannot be read: {error}.") from error
    files = {f.name: f for f in (folder / "secrets").glob("*") if f.name in secret_input.NAMES}
    if (folder / PASSWORD).is_file():
        files[PASSWORD] = folder / PASSWORD
    handed = {name: secret_input.read(str(path), name) for name, path in files.items()}
    return Answers(
        source, text, handed,
        *(folder / name if (folder / name).is_dir() else None for name in ("models", "artifacts")),
    )  # fmt: skip


def forget_secrets(folder: Path) -> None:
    """Remove secrets from the boot partition, which is not encrypted, once they are stored."""
    for file in [folder / PASSWORD, *(folder / "secrets").glob("*")]:
        file.unlink(missing_ok=True)


def esp_folder() -> Path:
    return entries.esp() / ON_ESP


def _places(stack: ExitStack, say: Callable[[str], None]) -> Iterator[Answers]:
    for look in (_credentials, _stick, _boot_partition):
        try:
            answers = look(stack)
        except ApplianceError as error:
            say(f"{error.message} It is skipped.")
            continue
        if answers is not None:
            yield answers


def _credentials(_: ExitStack) -> Answers | None:
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    file = Path(folder or "/nonexistent") / FILE
    if not folder or not file.is_file():
        return None
    return Answers(
        "the credential appliance.toml", file.read_text(), secret_input.from_credentials()
    )


def _stick(stack: ExitStack) -> Answers | None:
    run(["udevadm", "settle", "--timeout=10"], check=False)
    folder = stack.enter_context(mounted())
    return in_folder(folder, f"{FILE} on the USB stick") if folder else None


def _boot_partition(_: ExitStack) -> Answers | None:
    return in_folder(esp_folder(), f"{FILE} on the boot partition")

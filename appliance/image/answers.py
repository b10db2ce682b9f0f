"""Check the answers for a first start where they are written."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from appliance.config.load import load
from appliance.config.model import ApplianceConfig, LanguageModelOn, StorageOn
from appliance.configure.parts.admin import PASSWORD
from appliance.configure.parts.application import S3_KEYS
from appliance.errors import ConfigError
from appliance.firstboot.answers import FILE, ON_ESP
from appliance.image.esp import Esp
from appliance.machine.state import offered
from reflector.accounts.strength import weakness

# Read in the initrd, before there is anything that could read TOML
ENCRYPT = "encrypt"


@dataclass(frozen=True)
class Prepared:
    """`handed`: secrets by name, the password among them. `models`: a folder."""

    file: Path
    handed: Mapping[str, str] = field(default_factory=dict, repr=False)
    models: Path | None = None

    def check(self) -> Iterator[str]:
        """Yield what the machine will ask for, or do without; ConfigError where it could not use
        them."""
        if not self.file.is_file():
            raise ConfigError(f"{self.file} does not exist.", "Give a file.")
        config = load(self.file)
        password = self.handed.get(PASSWORD)
        if password is not None and (problem := weakness(password, config.access.admin)):
            raise ConfigError(problem, "Choose another one.")
        if self.models is not None and not offered(self.models.absolute()):
            raise ConfigError(
                f"There is no speech model in {self.models}.",
                "Use the models folder of a machine, or the folder of one model.",
            )
        if password is None and not config.access.public:
            yield "There is no password. The machine will ask for one at its console or setup page."
        yield from _missing(config, self.handed)

    def inject(self, image: Path) -> None:
        """Write the answers to the boot partition of `image`, and replace earlier ones."""
        esp = Esp(image)
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            shutil.copyfile(self.file, folder / FILE)
            if self.handed:
                (folder / "secrets").mkdir()
            for each, value in self.handed.items():
                place = folder if each == PASSWORD else folder / "secrets"
                (place / each).write_text(f"{value}\n")
            if load(self.file).disk.encrypt:
                (folder / ENCRYPT).write_text("")
            esp.make_folder(ON_ESP)
            esp.put(sorted(folder.iterdir()), ON_ESP)
            if self.models is not None:
                esp.make_folder(f"{ON_ESP}/models")
                esp.put(_to_copy(self.models.absolute()), f"{ON_ESP}/models")


def _to_copy(models: Path) -> list[Path]:
    """Return a model's own folder, or what is in a folder of models."""
    found = set(offered(models).values())
    return (
        sorted(models.iterdir())
        if models in found and (models / "manifest.json").is_file()
        else sorted(found)
    )


def _missing(config: ApplianceConfig, handed: Mapping[str, str]) -> Iterator[str]:
    if config.storage.on is StorageOn.S3 and not set(S3_KEYS) <= set(handed):
        yield f"storage.on is s3, but there is no {' or '.join(S3_KEYS)}. The machine will ask for it."
    if config.llm.on is LanguageModelOn.EXTERNAL and "LLM_API_KEY" not in handed:
        yield "There is no LLM_API_KEY. Requests to the language model will carry no key."
    if config.speech.diarization and "HF_TOKEN" not in handed:
        yield "There is no HF_TOKEN. Speaker diarization works only if you provide a model."

"""What a process works with, opened once from the settings."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from reflector.db.engine import Database
from reflector.errors import ConfigurationError
from reflector.events import Bus
from reflector.language.choose import choose_analyst
from reflector.language.meeting import Analyst
from reflector.settings import Settings
from reflector.speech.loaded import SpeechEngines
from reflector.storage import Storage, open_storage


@dataclass
class Services:
    settings: Settings
    db: Database
    storage: Storage
    bus: Bus
    speech: SpeechEngines

    @cached_property
    def analyst(self) -> Analyst:
        return choose_analyst(self.settings)

    def close(self) -> None:
        self.db.close()


def open_services(settings: Settings) -> Services:
    """Everything ready to use, the schema up to date; ConfigurationError says what is not."""
    for folder in (settings.DATA_DIR, settings.uploads_dir, settings.scratch_dir):
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigurationError(
                f"the data folder {folder} cannot be made: {error.strerror}",
                "Set DATA_DIR to a folder that this user may write.",
            ) from error
    storage = open_storage(settings)
    db = Database(settings.database_url)
    db.migrate()
    return Services(settings, db, storage, Bus(), SpeechEngines(settings))

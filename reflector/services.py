"""Open what a process works with, once, from the settings."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from reflector.accounts.identity import Identity
from reflector.accounts.users import provision_admin
from reflector.db.engine import Database
from reflector.errors import ConfigurationError
from reflector.events import Bus
from reflector.events.relay import RedisRelay
from reflector.outgoing.addresses import Allowed
from reflector.runtime.settings import Settings
from reflector.storage import Storage, open_storage

# What only workers need is imported on use: an API process then needs half the memory
if TYPE_CHECKING:
    from reflector.language.meeting import Analyst
    from reflector.speech.registry import SpeechEngines
    from reflector.translation.translator import Translator


@dataclass(eq=False)
class Services:
    settings: Settings
    db: Database
    storage: Storage
    bus: Bus
    identity: Identity
    allowed_addresses: Allowed
    """What requests to addresses that people typed may reach inside this network."""
    relay: RedisRelay | None = field(default=None)

    @cached_property
    def analyst(self) -> Analyst:
        from reflector.language.choose import choose_analyst

        return choose_analyst(self.settings)

    @cached_property
    def speech(self) -> SpeechEngines:
        from reflector.speech.registry import SpeechEngines

        return SpeechEngines(self.settings)

    @cached_property
    def translator(self) -> Translator | None:
        """The translator of the settings; None if nothing is to be translated."""
        from reflector.translation.choose import choose_translator

        return choose_translator(self.settings)

    def close(self) -> None:
        if self.relay is not None:
            self.relay.close()
        self.db.close()


def open_services(settings: Settings) -> Services:
    """Return all services, ready to use, with the schema up to date.

    Raises ConfigurationError if a setting cannot work.
    """
    for folder in (settings.DATA_DIR, settings.uploads_dir, settings.scratch_dir):
        try:
            # Other users of this machine must not read recordings and words
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigurationError(
                f"the data folder {folder} cannot be made: {error.strerror}",
                "Set DATA_DIR to a folder that this user may write.",
            ) from error
    storage = open_storage(settings)
    allowed = Allowed(settings.ALLOWED_INTERNAL_ADDRESSES)
    db = Database(settings.database_url)
    try:
        identity = Identity(settings, db)
        db.migrate()
        provision_admin(db, settings)
    except Exception:
        db.close()
        raise
    bus = Bus()
    relay = RedisRelay(settings.events_url, bus) if settings.events_url else None
    bus.relay = relay
    return Services(settings, db, storage, bus, identity, allowed, relay)

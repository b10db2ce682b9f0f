"""Name the units, and say which belong together."""

from __future__ import annotations

from pathlib import Path

TARGET = "reflector.target"
API = "reflector-api.service"
API_SOCKET = "reflector-api.socket"
LIVE = "reflector-live.service"
BEAT = "reflector-beat.service"
MIGRATE = "reflector-migrate.service"
TRANSCRIPTION = "reflector-transcription.service"
FIREWALL = "reflector-firewall.service"
WORKERS = tuple(
    f"reflector-worker@{queue}.service" for queue in ("media", "speech", "language", "default")
)
# All units that read the application's settings
APPLICATION = (MIGRATE, API, LIVE, *WORKERS, BEAT, TRANSCRIPTION)
CADDY = "caddy.service"
GARAGE = "garage.service"
OLLAMA = "ollama.service"
# Keeps device nodes and driver state while no program uses a card
PERSISTENCE = "nvidia-persistenced.service"
AVAHI = "avahi-daemon.service"
AVAHI_SOCKET = "avahi-daemon.socket"
KNOWN_UNITS = (
    TARGET, API_SOCKET, *APPLICATION, CADDY, GARAGE, OLLAMA, PERSISTENCE, FIREWALL, AVAHI, AVAHI_SOCKET,
)  # fmt: skip

SYSTEM = Path("/usr/lib/systemd/system")
CHECKOUT = Path(__file__).parents[2] / "units"


def postgresql(version: str) -> str:
    return f"postgresql@{version}-reflector.service"


def broker(kind: str) -> str:
    """Return the broker's unit; `kind` is valkey or redis."""
    return f"{kind}-server@reflector.service"


def of_template(unit: str) -> str:
    """Return the unit that drop-ins belong to: `reflector-worker@.service` for all workers."""
    name, at, rest = unit.partition("@")
    return f"{name}@.{rest.rpartition('.')[2]}" if at and name.startswith("reflector-") else unit


def drop_in(unit: str) -> str:
    """Return the path of the appliance's drop-in for a unit."""
    return f"/etc/systemd/system/{of_template(unit)}.d/50-appliance.conf"


def hardening() -> str:
    """Return the hardening that all our units share, for units of other packages."""
    folder = CHECKOUT if CHECKOUT.is_dir() else SYSTEM
    return (folder / "reflector-.service.d" / "10-hardening.conf").read_text()

"""Define every setting of the application, under the names of the system that it replaces.

Values come from the environment and from a `.env` file in the working directory; unknown keys are
ignored. Without any setting, the program runs embedded: SQLite, a data folder, one process.
"""

from __future__ import annotations

import logging
import os
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

from platformdirs import user_data_path
from pydantic import (
    Field,
    PositiveInt,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

from reflector.errors import ConfigurationError

log = logging.getLogger(__name__)

PLACEHOLDER_SECRET = "changeme-f02f86fd8b3e4fd892c6043e5a298e21"  # noqa: S105 - the reference's default, refused
MINIMUM_SECRET_LENGTH = 16
# Set by `reflector serve` if it starts several processes, and read by prometheus_client
METRICS_FOLDER = "PROMETHEUS_MULTIPROC_DIR"

Port = Annotated[int, Field(ge=1, le=65535)]


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_file=".env", extra="ignore", case_sensitive=False)

    # Web
    ROOT_PATH: str = "/"
    BASE_URL: str = "http://localhost:1250"
    UI_BASE_URL: str = "http://localhost:3000"
    CORS_ORIGIN: str = "*"
    CORS_ALLOW_CREDENTIALS: bool = False
    WEBRTC_PORT_RANGE: str | None = None
    WEBRTC_HOST: str | None = None
    PROFILING: bool = False
    SENTRY_DSN: str | None = None
    HEALTHCHECK_URL: str | None = None
    CA_CERTIFICATE_URL: str | None = None
    NOTICES_FILE: Path | None = None
    VERSIONS_FILE: Path = Path("/var/lib/reflector-appliance/versions.json")
    TRUSTED_PROXIES: str = "127.0.0.1,::1"
    ALLOWED_INTERNAL_ADDRESSES: str = ""

    # Limits; sizes in bytes
    MAX_REQUEST_BYTES: PositiveInt = 2 * 2**20
    MAX_CHUNK_BYTES: PositiveInt = 512 * 2**20
    MAX_UPLOAD_BYTES: PositiveInt = 20 * 2**30
    MAX_UPLOADS: PositiveInt = 32
    MAX_LIVE_RECORDINGS: PositiveInt = 32
    LIVE_ENGINE: Literal["whisper", "none"] = "whisper"
    LIVE_TOPICS: bool = True
    LIVE_TEXT_DAYS: int = Field(default=0, ge=0)
    MIN_FREE_BYTES: int = Field(default=2**30, ge=0)

    # Data
    DATABASE_URL: str | None = None
    DATA_DIR: Path = Field(default_factory=lambda: user_data_path("reflector"))
    MODELS_DIR: Path | None = None
    CELERY_BROKER_URL: str | None = None
    CELERY_RESULT_BACKEND: str | None = None
    CELERY_BEAT_POLL_INTERVAL: int = Field(default=0, ge=0)
    REDIS_URL: str | None = None
    REDIS_HOST: str | None = None
    REDIS_PORT: Port = 6379
    REDIS_CACHE_DB: int = Field(default=2, ge=0)
    TRANSCRIPT_STORAGE_BACKEND: Literal["local", "aws"] | None = None
    TRANSCRIPT_STORAGE_AWS_BUCKET_NAME: str = "reflector-bucket"
    TRANSCRIPT_STORAGE_AWS_REGION: str = "us-east-1"
    TRANSCRIPT_STORAGE_AWS_ACCESS_KEY_ID: str | None = None
    TRANSCRIPT_STORAGE_AWS_SECRET_ACCESS_KEY: SecretStr | None = None
    TRANSCRIPT_STORAGE_AWS_ENDPOINT_URL: str | None = None
    TRANSCRIPT_STORAGE_AWS_PUBLIC_URL: str | None = None

    # Accounts
    SECRET_KEY: SecretStr = SecretStr(PLACEHOLDER_SECRET)
    AUTH_BACKEND: Literal["none", "password", "jwt"] = "none"
    AUTH_JWT_ALGORITHM: str = "RS256"
    AUTH_JWT_PUBLIC_KEY: str | None = "authentik.monadical.com_public.pem"
    AUTH_JWT_AUDIENCE: str | None = None
    AUTH_OIDC_ISSUER: str | None = None
    AUTH_OIDC_CLIENT_ID: str | None = None
    AUTH_OIDC_CLIENT_SECRET: SecretStr | None = None
    ADMIN_EMAIL: str | None = None
    ADMIN_PASSWORD_HASH: SecretStr | None = None
    PUBLIC_MODE: bool = False
    PUBLIC_DATA_RETENTION_DAYS: PositiveInt = 7
    MIN_TRANSCRIPT_LENGTH: int = 750

    # Speech
    WHISPER_MODEL: str | None = None
    WHISPER_CHUNK_MODEL: str | None = None
    WHISPER_FILE_MODEL: str | None = None
    WHISPER_BEAM_SIZE: PositiveInt = 5
    WHISPER_BATCH_SIZE: PositiveInt | None = None
    SPEECH_DEVICE: str = Field(default="auto", pattern=r"^(auto|cpu|cuda(:\d+(,\d+)*)?)$")
    SPEECH_COMPUTE_TYPE: Literal["float16", "int8_float16", "int8", "float32"] | None = None
    SPEECH_THREADS: int = Field(default=0, ge=0)
    HOTWORDS: str | None = None
    SPEECH_LANGUAGES: str = ""
    REFLECTOR_GPU_APIKEY: SecretStr | None = None
    SPEECH_REQUESTS: PositiveInt = 8
    SPEECH_JOBS: PositiveInt = 64
    SPEECH_FETCH_HOSTS: str = ""
    SPEECH_FETCH_SECONDS: PositiveInt = 600
    HF_TOKEN: SecretStr | None = None
    TRANSCRIPT_BACKEND: Literal["whisper", "modal"] = "whisper"
    TRANSCRIPT_URL: str | None = None
    TRANSCRIPT_TIMEOUT: PositiveInt = 90
    TRANSCRIPT_FILE_TIMEOUT: PositiveInt = 600
    TRANSCRIPT_MODAL_API_KEY: SecretStr | None = None
    AUDIO_CHUNKER_BACKEND: Literal["frames", "silero"] = "frames"
    DIARIZATION_ENABLED: bool = True
    DIARIZATION_BACKEND: Literal["modal", "pyannote"] = "pyannote"
    DIARIZATION_MODEL: str | None = None
    DIARIZATION_BUNDLE_URL: str | None = None
    DIARIZATION_BUNDLE_SHA256: str | None = Field(default=None, pattern=r"^[0-9A-Fa-f]{64}$")
    DIARIZATION_URL: str | None = None
    DIARIZATION_FILE_TIMEOUT: PositiveInt = 600
    DIARIZATION_MODAL_API_KEY: SecretStr | None = None
    TRANSLATION_BACKEND: Literal["passthrough", "modal", "ctranslate2", "marian", "llm"] = (
        "passthrough"
    )
    TRANSLATION_MODEL: str | None = None
    TRANSLATE_URL: str | None = None
    TRANSLATE_TIMEOUT: PositiveInt = 90
    TRANSLATE_MODAL_API_KEY: SecretStr | None = None
    PADDING_BACKEND: Literal["pyav", "modal"] = "pyav"
    PADDING_URL: str | None = None
    PADDING_MODAL_API_KEY: SecretStr | None = None
    MIXDOWN_BACKEND: Literal["pyav", "modal"] = "pyav"
    MIXDOWN_URL: str | None = None
    MIXDOWN_MODAL_API_KEY: SecretStr | None = None

    # Language model
    LLM_URL: str | None = None
    LLM_API_KEY: SecretStr | None = None
    LLM_MODEL: str = "microsoft/phi-4"
    LLM_CONTEXT_WINDOW: int = Field(default=16000, ge=2048)
    LLM_REQUEST_TIMEOUT: float = Field(default=300.0, gt=0)
    LLM_PARSE_MAX_RETRIES: int = Field(default=3, ge=0)
    LLM_STRUCTURED_RESPONSE_TIMEOUT: PositiveInt = 300
    LLM_CONCURRENCY: PositiveInt = 4

    # Rooms and integrations
    DEFAULT_VIDEO_PLATFORM: Literal["whereby", "daily", "livekit"] = "daily"
    WHEREBY_API_URL: str = "https://api.whereby.dev/v1"
    WHEREBY_API_KEY: SecretStr | None = None
    WHEREBY_WEBHOOK_SECRET: SecretStr | None = None
    WHEREBY_STORAGE_AWS_BUCKET_NAME: str | None = None
    WHEREBY_STORAGE_AWS_REGION: str | None = None
    WHEREBY_STORAGE_AWS_ACCESS_KEY_ID: str | None = None
    WHEREBY_STORAGE_AWS_SECRET_ACCESS_KEY: SecretStr | None = None
    AWS_PROCESS_RECORDING_QUEUE_URL: str | None = None
    SQS_POLLING_TIMEOUT_SECONDS: PositiveInt = 60
    DAILY_API_URL: str = "https://api.daily.co/v1"
    DAILY_API_KEY: SecretStr | None = None
    DAILY_WEBHOOK_SECRET: SecretStr | None = None
    DAILY_WEBHOOK_UUID: str | None = None
    DAILY_SUBDOMAIN: str | None = None
    DAILYCO_STORAGE_AWS_BUCKET_NAME: str | None = None
    DAILYCO_STORAGE_AWS_REGION: str | None = None
    DAILYCO_STORAGE_AWS_ROLE_ARN: str | None = None
    DAILYCO_STORAGE_AWS_ACCESS_KEY_ID: str | None = None
    DAILYCO_STORAGE_AWS_SECRET_ACCESS_KEY: SecretStr | None = None
    LIVEKIT_URL: str | None = None
    LIVEKIT_PUBLIC_URL: str | None = None
    LIVEKIT_API_KEY: SecretStr | None = None
    LIVEKIT_API_SECRET: SecretStr | None = None
    LIVEKIT_WEBHOOK_SECRET: SecretStr | None = None
    LIVEKIT_STORAGE_AWS_BUCKET_NAME: str | None = None
    LIVEKIT_STORAGE_AWS_REGION: str | None = None
    LIVEKIT_STORAGE_AWS_ACCESS_KEY_ID: str | None = None
    LIVEKIT_STORAGE_AWS_SECRET_ACCESS_KEY: SecretStr | None = None
    LIVEKIT_STORAGE_AWS_ENDPOINT_URL: str | None = None
    ZULIP_REALM: str | None = None
    ZULIP_API_KEY: SecretStr | None = None
    ZULIP_BOT_EMAIL: str | None = None
    ZULIP_DAG_STREAM: str | None = None
    ZULIP_DAG_TOPIC: str | None = None
    HATCHET_CLIENT_TOKEN: SecretStr | None = None
    HATCHET_CLIENT_TLS_STRATEGY: str = "none"
    HATCHET_DEBUG: bool = False
    SMTP_HOST: str | None = None
    SMTP_PORT: Port = 587
    SMTP_USERNAME: str | None = None
    SMTP_PASSWORD: SecretStr | None = None
    SMTP_FROM_EMAIL: str | None = None
    SMTP_USE_TLS: bool = True

    def page_url(self, path: str) -> str:
        """Return the address of a page of this server, for people elsewhere."""
        return f"{self.UI_BASE_URL.rstrip('/')}/{path}"

    @property
    def sends_mail(self) -> bool:
        return bool(self.SMTP_HOST and self.SMTP_FROM_EMAIL)

    @field_validator("*", mode="before")
    @classmethod
    def _empty_is_unset(cls, value: object, info: object) -> object:
        """Treat an empty `NAME=` as not set, as the reference's installer writes it."""
        if value == "":
            field = cls.model_fields[info.field_name]  # type: ignore[attr-defined]
            return field.get_default(call_default_factory=True)
        return value

    @field_validator("WEBRTC_PORT_RANGE")
    @classmethod
    def _is_port_range(cls, value: str | None) -> str | None:
        low, separator, high = (value or "").partition("-")
        if value and not (
            separator
            and low.isdecimal()
            and high.isdecimal()
            and 1 <= int(low) <= int(high) <= 65535
        ):
            raise ValueError(f"{value} is not a range of ports: write it as 50000-50100")
        return value

    @model_validator(mode="after")
    def _refuse_placeholder_secret(self) -> Settings:
        secret = self.SECRET_KEY.get_secret_value()
        needed = not self.embedded or self.AUTH_BACKEND != "none"
        if needed and (secret == PLACEHOLDER_SECRET or len(secret) < MINIMUM_SECRET_LENGTH):
            raise ValueError(
                "SECRET_KEY is the placeholder or shorter than 16 characters: set it to a random "
                "value, for example from `openssl rand -hex 32`"
            )
        return self

    @model_validator(mode="after")
    def _refuse_shared_work_on_sqlite(self) -> Settings:
        if self.embedded and not self.has_own_worker:
            raise ValueError(
                "CELERY_BROKER_URL is for workers in other processes, which SQLite does not "
                "serve: set DATABASE_URL to PostgreSQL as well, or leave both out"
            )
        return self

    @property
    def embedded(self) -> bool:
        """Whether the database is SQLite in the data folder, so that there is only one process."""
        return self.DATABASE_URL is None or self.DATABASE_URL.startswith("sqlite")

    @cached_property
    def database_url(self) -> str:
        """SQLAlchemy's URL; the reference's `postgresql+asyncpg://` is accepted."""
        if self.DATABASE_URL is None:
            return f"sqlite:///{self.DATA_DIR.absolute() / 'reflector.db'}"
        scheme, separator, rest = self.DATABASE_URL.partition("://")
        if scheme in {"postgresql", "postgres", "postgresql+asyncpg"}:
            scheme = "postgresql+psycopg"
        return scheme + separator + rest

    @property
    def broker_url(self) -> str:
        """Celery's broker; in embedded mode without one, the memory of the process."""
        if self.CELERY_BROKER_URL:
            return self.CELERY_BROKER_URL
        return "memory://" if self.embedded else f"{self._redis}/1"

    @property
    def has_own_worker(self) -> bool:
        """Whether the server does the work itself, because no other process shares its queue."""
        return self.broker_url.startswith("memory")

    @property
    def events_url(self) -> str | None:
        """Redis or Valkey that carries events between processes; None within one process."""
        if self.REDIS_URL:
            return self.REDIS_URL
        return None if self.has_own_worker and self.REDIS_HOST is None else f"{self._redis}/0"

    @property
    def _redis(self) -> str:
        return f"redis://{self.REDIS_HOST or 'localhost'}:{self.REDIS_PORT}"

    @property
    def models_dir(self) -> Path:
        return self.MODELS_DIR or self.DATA_DIR / "models"

    @property
    def storage_dir(self) -> Path:
        return self.DATA_DIR / "storage"

    @property
    def uploads_dir(self) -> Path:
        return self.DATA_DIR / "uploads"

    @property
    def speech_languages(self) -> list[str]:
        """Codes of the languages that recordings are expected to be in; empty for any."""
        return [code.strip().lower() for code in self.SPEECH_LANGUAGES.split(",") if code.strip()]

    @property
    def webrtc_ports(self) -> range | None:
        """UDP ports for live recordings; None for any free port."""
        if self.WEBRTC_PORT_RANGE is None:
            return None
        low, _, high = self.WEBRTC_PORT_RANGE.partition("-")
        return range(int(low), int(high) + 1)

    @property
    def live_dir(self) -> Path:
        """Journals of live recordings, until they are handed over."""
        return self.DATA_DIR / "live"

    @property
    def scratch_dir(self) -> Path:
        """Files that can be made again: decoded audio of the work in progress."""
        return self.DATA_DIR / "scratch"

    @property
    def whisper_model(self) -> str | None:
        return self.WHISPER_MODEL or self.WHISPER_FILE_MODEL


def _may_be_trusted(file: Path) -> bool:
    """Return whether a file of the working folder belongs to this user.

    Its owner controls what runs there, for example as root.
    """
    try:
        return file.stat().st_uid == os.geteuid()
    except OSError:
        return True  # nothing is read


def load(**values: object) -> Settings:
    """Read and check all settings. Raises ConfigurationError that names each wrong one.

    They come from the environment, from `.env`, and from systemd credentials: files named like
    settings, so that secrets are not in the environment (systemd.exec(5), Credentials).
    """
    credentials = os.environ.get("CREDENTIALS_DIRECTORY")
    file = Settings.model_config.get("env_file")
    if isinstance(file, str) and not _may_be_trusted(Path(file)):
        log.warning("%s is not read: it belongs to another user", Path(file).absolute())
        file = None
    try:
        return Settings(_secrets_dir=credentials, _env_file=file, **values)  # type: ignore[arg-type]
    except ValidationError as error:
        problems = [
            f"{'.'.join(str(part) for part in item['loc'])}: {item['msg']}".lstrip(": ")
            for item in error.errors()
        ]
        raise ConfigurationError(
            "these settings cannot be used: " + "; ".join(problems),
            "Change them in the environment or in .env.",
        ) from error

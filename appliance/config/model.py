"""What may stand in `appliance.toml`: a table for each part of the machine, all with defaults.

Nothing secret is kept here: passwords, keys and tokens are credentials of their own.
"""

from __future__ import annotations

import ipaddress
import re
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, HttpUrl, model_validator

DOMAIN = re.compile(
    r"(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])"
)
# OpenSSH's public keys: kind, base64, comment
SSH_KEY = re.compile(
    r"(ssh|ecdsa|sk-ssh|sk-ecdsa)-[a-z0-9@.-]+ [A-Za-z0-9+/]{40,}=* ?[^\x00-\x1f\x7f]*"
)
# Every value is rendered into files whose syntax it must not be able to write: no quotes, blanks,
# braces, line ends or control characters
EMAIL = re.compile(r"[A-Za-z0-9.!#%&*+/=?^_~-]{1,64}@[A-Za-z0-9.-]{1,253}")
PATH = re.compile(r"/[A-Za-z0-9._/@+-]*")
SYSTEM_FOLDERS = {
    "/", "/bin", "/boot", "/dev", "/etc", "/home", "/lib", "/media", "/mnt", "/opt", "/proc",
    "/root", "/run", "/sbin", "/srv", "/sys", "/tmp", "/usr", "/var", "/var/lib", "/var/log",  # noqa: S108
}  # fmt: skip
MODEL = r"^[A-Za-z0-9][A-Za-z0-9._:/-]*$"


def _domain(name: str) -> str:
    lower = name.lower().rstrip(".")
    if not DOMAIN.fullmatch(lower):
        raise ValueError("is not a domain name like reflector.example.org")
    return lower


def _address(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError as error:
        raise ValueError("is not an IP address") from error


def _ssh_key(text: str) -> str:
    if not SSH_KEY.fullmatch(text.strip()):
        raise ValueError("is not a public key like those in ~/.ssh/*.pub")
    return text.strip()


def _email(text: str) -> str:
    if not EMAIL.fullmatch(text):
        raise ValueError("is not an e-mail address like anna@example.org")
    return text


def _path(path: Path) -> Path:
    """Return what a unit, an environment file and Caddy read as one word, without quotes."""
    if not path.is_absolute():
        raise ValueError(f"is {path}, but a path begins with /")
    if not PATH.fullmatch(str(path)) or ".." in path.parts:
        raise ValueError(f"is {path}: only letters, digits and . _ - / @ + are allowed")
    return path


def _data_folder(path: Path) -> Path:
    if str(path) in SYSTEM_FOLDERS:
        raise ValueError(f"is {path}, which belongs to the system: give a folder of its own")
    return _path(path)


Email = Annotated[str, AfterValidator(_email)]
FilePath = Annotated[Path, AfterValidator(_path)]
DataFolder = Annotated[Path, AfterValidator(_data_folder)]
Bucket = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")]
Region = Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,64}$")]
ModelOrFolder = Annotated[str, Field(pattern=r"^[A-Za-z0-9/][A-Za-z0-9._:/@+-]*$")]
SshKey = Annotated[str, AfterValidator(_ssh_key)]
Domain = Annotated[str, AfterValidator(_domain)]
Address = Annotated[str, AfterValidator(_address)]
Port = Annotated[int, Field(ge=1, le=65535)]
ModelName = Annotated[str, Field(pattern=MODEL)]


class Table(BaseModel):
    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)


class SpeechOn(StrEnum):
    AUTO = "auto"
    GPU = "gpu"
    CPU = "cpu"
    HOSTED = "hosted"


class Speech(Table):
    """Words and speakers."""

    on: SpeechOn = SpeechOn.AUTO
    """`auto`: on a card where there is one. `hosted`: by a service at `url`."""
    url: HttpUrl | None = None
    model: ModelName | None = None
    """A Whisper model; unset: the largest that the machine keeps up with."""
    diarization: bool = True
    diarization_model: ModelOrFolder | None = None

    @model_validator(mode="after")
    def _hosted_has_an_address(self) -> Self:
        if (self.on is SpeechOn.HOSTED) != (self.url is not None):
            raise ValueError('needs both on = "hosted" and url, or neither')
        return self


class LanguageModelOn(StrEnum):
    NONE = "none"
    OLLAMA_GPU = "ollama-gpu"
    OLLAMA_CPU = "ollama-cpu"
    EXTERNAL = "external"


class LanguageModel(Table):
    """Titles, summaries, action items."""

    on: LanguageModelOn = LanguageModelOn.NONE
    """`none`: what can be extracted without a language model."""
    model: ModelName = "qwen2.5:14b"
    url: HttpUrl | None = None
    """Of an OpenAI-compatible server, with `on = "external"`."""
    context: Annotated[int, Field(ge=2048)] = 16000
    """Tokens that a prompt may have."""

    @model_validator(mode="after")
    def _external_has_an_address(self) -> Self:
        if (self.on is LanguageModelOn.EXTERNAL) != (self.url is not None):
            raise ValueError('needs both on = "external" and url, or neither')
        return self


class StorageOn(StrEnum):
    LOCAL = "local"
    GARAGE = "garage"
    S3 = "s3"


class Storage(Table):
    """Recordings."""

    on: StorageOn = StorageOn.LOCAL
    """`local`: a folder. `garage`: S3 on this machine. `s3`: S3 elsewhere."""
    folder: DataFolder = Path("/var/lib/reflector")
    bucket: Bucket = "reflector-media"
    region: Region = "garage"
    endpoint: HttpUrl | None = None
    """With `on = "s3"`; unset: Amazon's."""
    garage_folder: DataFolder = Path("/var/lib/garage")
    """What Garage keeps; with `folder`, where another disk has the space."""
    quota_gib: Annotated[int, Field(ge=1)] | None = None
    """The most that Garage may take; unset: nine tenths of what its disk has free."""
    low_space_gib: Annotated[int, Field(ge=1)] = 10
    """Below that the machine takes no recordings, and says so."""


class Certificate(StrEnum):
    INTERNAL = "internal"
    ACME = "acme"
    CUSTOM = "custom"


class Proxy(Table):
    """Caddy, the only part that others reach."""

    caddy: bool = True
    """False where another proxy brings TLS: ports 1250 and 3000 answer on loopback."""
    url: HttpUrl | None = None
    """With `caddy = false`: what people type to reach the other proxy."""
    domain: Domain | None = None
    """With a domain the certificate comes from an ACME authority, unless one is given."""
    ip: Address | None = None
    """The address in links, where there is no domain; unset: the first that the machine has."""
    certificate: Certificate | None = None
    email: Email | None = None
    """For the ACME account: told when a certificate is not renewed."""
    acme_directory: HttpUrl | None = None
    staging: bool = False
    """Let's Encrypt's authority for trying things out."""
    certificate_file: FilePath | None = None
    key_file: FilePath | None = None
    custom_ca: FilePath | None = None
    extra_ca: list[FilePath] = []
    """Further authorities that the machine trusts when it asks others."""

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.domain and self.ip:
            raise ValueError("has both domain and ip, but links can use only one of them")
        if self.certificate is Certificate.ACME and not self.domain:
            raise ValueError('has certificate = "acme" but no domain')
        own = {
            self.certificate is Certificate.CUSTOM,
            self.certificate_file is not None,
            self.key_file is not None,
        }
        if len(own) > 1:
            raise ValueError(
                'needs all of certificate = "custom", certificate_file and key_file, or none'
            )
        if not self.caddy and self.domain:
            raise ValueError("has caddy = false and a domain, which belongs to your own proxy then")
        if self.caddy and self.url:
            raise ValueError(
                "has a url, which works only with caddy = false; set domain or ip instead"
            )
        return self

    @property
    def chosen_certificate(self) -> Certificate:
        return self.certificate or (Certificate.ACME if self.domain else Certificate.INTERNAL)


class Access(Table):
    """Who may use the machine."""

    public: bool = False
    """True: no login, whoever reaches the machine may read and change everything."""
    admin: Email = "admin@localhost"
    ssh_keys: list[SshKey] = []
    """Public keys with which root logs in over ssh; unset: its authorized_keys stays as it is."""


class Network(Table):
    ssh_ports: list[Port] = [22]
    webrtc_first_port: Port = 50000
    webrtc_last_port: Port = 50100
    firewall: bool = True
    """From outside only ssh, 80, 443 and the ports of WebRTC; not where another firewall is at work."""
    mdns: bool = True
    """NAME.local finds the machine in its own network."""

    @model_validator(mode="after")
    def _range_is_one(self) -> Self:
        if self.webrtc_first_port > self.webrtc_last_port:
            raise ValueError("has webrtc_first_port after webrtc_last_port")
        return self


class Disk(Table):
    """Where the data is."""

    encrypt: bool = False
    """Of a machine that is made from an image: all but the system, opened by the machine's TPM."""
    data: FilePath | None = None
    """A second disk that takes `storage.folder`, as /dev/disk/by-id/NAME; it has to be empty."""


class Update(Table):
    """Of a machine that was made from an image."""

    source: HttpUrl | None = None
    """The folder that newer versions are fetched from; unset: they come on a stick."""
    trial_minutes: Annotated[int, Field(ge=1, le=240)] = 15
    """In which a new version has to show that it works; else the one before is taken again."""


class ApplianceConfig(Table):
    """The whole file."""

    speech: Speech = Speech()
    llm: LanguageModel = LanguageModel()
    storage: Storage = Storage()
    proxy: Proxy = Proxy()
    access: Access = Access()
    network: Network = Network()
    update: Update = Update()
    disk: Disk = Disk()

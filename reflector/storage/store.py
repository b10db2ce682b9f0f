"""Store objects by key with obstore: in a local folder or S3."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from io import BufferedReader, RawIOBase
from pathlib import Path
from typing import Any, BinaryIO, cast

import obstore
from obstore.exceptions import BaseError, NotFoundError
from obstore.store import LocalStore, ObjectStore, S3Store
from pydantic import SecretStr

from reflector.errors import ConfigurationError, NotFound, Unavailable
from reflector.runtime.settings import Settings
from reflector.storage.durable import sync

STREAM_BYTES = 1 << 20
PART_BYTES = 8 << 20
PARTS_AT_ONCE = 4
LINK_SECONDS = 3_600
# obstore retries for at most this long; a worker's step is retried later anyway
RETRIES = {"max_retries": 4, "retry_timeout": timedelta(seconds=20)}


class _Reader(RawIOBase):
    """A Python file object for obstore's reader."""

    def __init__(self, reader: Any) -> None:
        self._reader = reader

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        return int(self._reader.seek(offset, whence))

    def tell(self) -> int:
        return int(self._reader.tell())

    def readinto(self, buffer: Any) -> int:
        try:
            piece = memoryview(self._reader.read(len(buffer)))
        except OSError as error:  # obstore's reader raises it for every error of the server
            raise _unavailable(error) from error
        buffer[: len(piece)] = piece
        return len(piece)


@contextmanager
def _in_sentences(key: str) -> Iterator[None]:
    try:
        yield
    except (FileNotFoundError, NotFoundError) as error:
        raise NotFound(f"The stored object {key} is missing.") from error
    except BaseError as error:
        raise _unavailable(error) from error


def _unavailable(error: Exception) -> Unavailable:
    reason = str(error).strip().splitlines()[0][:200]
    return Unavailable(f"The storage does not answer: {reason}")


class Storage:
    """Store objects; `root` is set if they are files of this machine.

    `public` signs links for browsers, if they can reach the storage. Methods raise NotFound and
    Unavailable.
    """

    def __init__(
        self, store: ObjectStore, root: Path | None = None, public: S3Store | None = None
    ) -> None:
        self._store = store
        self._public = public
        self.root = root

    def adopt(self, path: Path, key: str) -> None:
        """Move the finished file `path` into the storage as `key`.

        It is durable when this returns. Locally this is a rename, otherwise an upload in parts.
        """
        if self.root is not None:
            target = self.root / key
            target.parent.mkdir(parents=True, exist_ok=True)
            if path.stat().st_dev == target.parent.stat().st_dev:
                path.replace(target)
            else:
                shutil.move(path, target)
            sync(target.parent)
            return
        with _in_sentences(key):
            obstore.put(
                self._store, key, path, chunk_size=PART_BYTES, max_concurrency=PARTS_AT_ONCE
            )
        path.unlink()

    def open(self, key: str) -> BinaryIO:
        """Return a seekable reader. Raises NotFound if there is no such object."""
        with _in_sentences(key):
            if self.root is not None:
                return (self.root / key).open("rb")
            reader = obstore.open_reader(self._store, key)
            return cast(BinaryIO, BufferedReader(_Reader(reader), STREAM_BYTES))

    def size(self, key: str) -> int | None:
        """Return the size in bytes, or None if there is no such object."""
        try:
            with _in_sentences(key):
                return int(obstore.head(self._store, key)["size"])
        except NotFound:
            return None

    def read_range(self, key: str, start: int, end: int) -> Iterator[bytes]:
        """Yield bytes `[start, end)` in pieces of about 1 MiB."""
        if self.root is not None:
            yield from _file_range(self.root / key, start, end)
            return
        with _in_sentences(key):
            answer = obstore.get(self._store, key, options={"range": (start, end)})
            for piece in answer.stream(min_chunk_size=STREAM_BYTES):
                yield bytes(piece)

    def link(self, key: str, seconds: int = LINK_SECONDS) -> str | None:
        """Return a link to the object that a browser can follow without an account.

        Return None if browsers cannot reach the storage.
        """
        if self._public is None:
            return None
        return _signed(self._public, key, seconds)

    def keys(self, prefix: str) -> list[str]:
        with _in_sentences(prefix):
            return [
                str(i["path"]) for page in obstore.list(self._store, prefix=prefix) for i in page
            ]

    def sizes(self) -> dict[str, int]:
        """Return the bytes in each top folder: those of a transcript are in the one with its id."""
        found: dict[str, int] = {}
        with _in_sentences("(all)"):
            for page in obstore.list(self._store):
                for item in page:
                    folder = str(item["path"]).partition("/")[0]
                    found[folder] = found.get(folder, 0) + int(item["size"])
        return found

    def delete_prefix(self, prefix: str) -> None:
        """Delete every object under the folder `prefix`."""
        with _in_sentences(prefix):
            for page in obstore.list(self._store, prefix=prefix):
                for item in page:
                    obstore.delete(self._store, item["path"])
        if self.root is not None:
            shutil.rmtree(self.root / prefix, ignore_errors=True)

    def check(self) -> None:
        """Raise Unavailable if objects cannot be listed."""
        with _in_sentences("(check)"):
            next(iter(obstore.list(self._store, prefix="health-check")), None)


def _file_range(path: Path, start: int, end: int) -> Iterator[bytes]:
    with _in_sentences(path.name), path.open("rb") as reader:
        reader.seek(start)
        left = end - start
        while left > 0 and (piece := reader.read(min(STREAM_BYTES, left))):
            left -= len(piece)
            yield piece


@dataclass(frozen=True)
class Bucket:
    """An S3 bucket and its credentials. `endpoint` is None for Amazon's."""

    name: str
    region: str | None
    key_id: str | None
    secret: SecretStr | None
    endpoint: str | None = None

    def open(self) -> S3Store:
        options: dict[str, Any] = {
            "region": self.region,
            "access_key_id": self.key_id,
            "secret_access_key": self.secret.get_secret_value() if self.secret else None,
            "endpoint": self.endpoint,
            # Self-hosted servers use path-style addresses, Amazon a host name for each bucket
            "virtual_hosted_style_request": self.endpoint is None,
            "client_options": {
                "allow_http": bool(self.endpoint and self.endpoint.startswith("http://"))
            },
            "retry_config": RETRIES,
        }
        given = {name: value for name, value in options.items() if value is not None}
        return S3Store(self.name, **given)

    def link(self, key: str, seconds: int, media_type: str) -> str:
        """Return a link to the object that opens without an account.

        A browser shows the object as `media_type` instead of downloading it.
        """
        # Only this link uses botocore: the response headers are part of the signature, and obstore
        # has no argument for them
        from botocore.config import Config
        from botocore.session import Session

        style = "virtual" if self.endpoint is None else "path"
        client = Session().create_client(
            "s3", self.region, endpoint_url=self.endpoint, aws_access_key_id=self.key_id,
            aws_secret_access_key=self.secret.get_secret_value() if self.secret else None,
            config=Config(signature_version="s3v4", s3={"addressing_style": style}),
        )  # fmt: skip
        asked = {"Bucket": self.name, "Key": key, "ResponseContentDisposition": "inline",
                 "ResponseContentType": media_type}  # fmt: skip
        return str(client.generate_presigned_url("get_object", asked, seconds))


def _signed(store: S3Store, key: str, seconds: int) -> str:
    return str(obstore.sign(store, "GET", key, timedelta(seconds=seconds)))


def _s3(settings: Settings, endpoint: str | None) -> S3Store:
    return Bucket(
        settings.TRANSCRIPT_STORAGE_AWS_BUCKET_NAME,
        settings.TRANSCRIPT_STORAGE_AWS_REGION,
        settings.TRANSCRIPT_STORAGE_AWS_ACCESS_KEY_ID,
        settings.TRANSCRIPT_STORAGE_AWS_SECRET_ACCESS_KEY,
        endpoint,
    ).open()


def open_storage(settings: Settings) -> Storage:
    """Return the storage that the settings name. Raises ConfigurationError if it is not usable."""
    if settings.TRANSCRIPT_STORAGE_BACKEND == "aws":
        if not (
            settings.TRANSCRIPT_STORAGE_AWS_ACCESS_KEY_ID
            and settings.TRANSCRIPT_STORAGE_AWS_SECRET_ACCESS_KEY
        ):
            raise ConfigurationError(
                "TRANSCRIPT_STORAGE_BACKEND=aws needs an access key",
                "Set TRANSCRIPT_STORAGE_AWS_ACCESS_KEY_ID and "
                "TRANSCRIPT_STORAGE_AWS_SECRET_ACCESS_KEY.",
            )
        public = settings.TRANSCRIPT_STORAGE_AWS_PUBLIC_URL
        return Storage(
            _s3(settings, settings.TRANSCRIPT_STORAGE_AWS_ENDPOINT_URL),
            public=_s3(settings, public) if public else None,
        )
    root = settings.storage_dir
    try:
        root.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(
            f"the data folder {root} cannot be written: {error.strerror}",
            "Set DATA_DIR to a folder that this user may write.",
        ) from error
    return Storage(LocalStore(root), root)

"""Objects by key over obstore: a local folder or S3."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

import obstore
from obstore.exceptions import NotFoundError
from obstore.store import LocalStore, ObjectStore, S3Store

from reflector.errors import ConfigurationError, NotFound
from reflector.settings import Settings
from reflector.storage.durable import sync

STREAM_BYTES = 1 << 20


class Storage:
    """`root` is set where objects are files of this machine."""

    def __init__(self, store: ObjectStore, root: Path | None = None) -> None:
        self._store = store
        self.root = root

    def adopt(self, path: Path, key: str) -> None:
        """Take over the finished file `path` as `key`; the file is gone afterwards.

        Durable when it returns. Locally this is a rename; otherwise an upload in parts.
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
        obstore.put(self._store, key, path)
        path.unlink()

    def open(self, key: str) -> BinaryIO:
        """A seekable reader; NotFound if there is no such object."""
        try:
            if self.root is not None:
                return (self.root / key).open("rb")
            return cast(BinaryIO, obstore.open_reader(self._store, key))
        except (FileNotFoundError, NotFoundError) as error:
            raise NotFound(f"The stored object {key} is missing.") from error

    def size(self, key: str) -> int | None:
        """Bytes, or None if there is no such object."""
        try:
            return int(obstore.head(self._store, key)["size"])
        except (FileNotFoundError, NotFoundError):
            return None

    def read_range(self, key: str, start: int, end: int) -> Iterator[bytes]:
        """Bytes `[start, end)` in pieces of at most 1 MiB."""
        with self.open(key) as reader:
            reader.seek(start)
            left = end - start
            while left > 0:
                piece = bytes(reader.read(min(STREAM_BYTES, left)))
                if not piece:
                    return
                left -= len(piece)
                yield piece

    def delete_prefix(self, prefix: str) -> None:
        """Delete every object whose key starts with the folder `prefix`."""
        for page in obstore.list(self._store, prefix=prefix):
            for item in page:
                obstore.delete(self._store, item["path"])
        if self.root is not None:
            shutil.rmtree(self.root / prefix, ignore_errors=True)


def open_storage(settings: Settings) -> Storage:
    """The storage that the settings name; ConfigurationError where it cannot be used."""
    if settings.TRANSCRIPT_STORAGE_BACKEND == "aws":
        secret = settings.TRANSCRIPT_STORAGE_AWS_SECRET_ACCESS_KEY
        endpoint = settings.TRANSCRIPT_STORAGE_AWS_ENDPOINT_URL
        return Storage(
            S3Store(
                settings.TRANSCRIPT_STORAGE_AWS_BUCKET_NAME,
                region=settings.TRANSCRIPT_STORAGE_AWS_REGION,
                access_key_id=settings.TRANSCRIPT_STORAGE_AWS_ACCESS_KEY_ID,
                secret_access_key=secret.get_secret_value() if secret else None,
                endpoint=endpoint,
                virtual_hosted_style_request=endpoint is None,
                client_options={"allow_http": bool(endpoint and endpoint.startswith("http://"))},
            )
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

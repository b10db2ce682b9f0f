"""Store recordings and playback audio, in a local folder or in S3."""

from reflector.storage.store import Storage, open_storage

__all__ = ["Storage", "open_storage"]

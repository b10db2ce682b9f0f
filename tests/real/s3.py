"""An S3 server: `rclone serve s3` over a temporary folder.

rclone comes with the tests' own packages (Debian's is built without the S3 server).
"""

from __future__ import annotations

import secrets
import sys
from pathlib import Path
from typing import Any

from tests.real.front import Front
from tests.real.process import ServerProcess, accepts, free_port, program

BUCKET = "reflector-test"


def installed() -> str | None:
    return program("rclone", Path(sys.prefix) / "bin")


class S3:
    """One bucket; `settings` are those of an application that uses it."""

    def __init__(self, folder: Path, binary: str, host: str = "127.0.0.1") -> None:
        self.objects = folder / "objects"
        (self.objects / BUCKET).mkdir(parents=True)
        port = free_port()
        self.key, self.secret = secrets.token_hex(8), secrets.token_hex(16)
        self.server = ServerProcess(
            "rclone",
            [binary, "serve", "s3", "--addr", f"127.0.0.1:{port}", "--auth-key",
             f"{self.key},{self.secret}", "--config", str(folder / "rclone.conf"),
             "--vfs-cache-mode", "off", str(self.objects)],
            folder, lambda: accepts(port),
        )  # fmt: skip
        self.server.start()
        self.front = Front(port, host)
        self.url = f"http://{host}:{self.front.port}"

    def stop(self) -> None:
        self.front.close()
        self.server.stop()

    def settings(self) -> dict[str, Any]:
        return {
            "TRANSCRIPT_STORAGE_BACKEND": "aws",
            "TRANSCRIPT_STORAGE_AWS_BUCKET_NAME": BUCKET,
            "TRANSCRIPT_STORAGE_AWS_ACCESS_KEY_ID": self.key,
            "TRANSCRIPT_STORAGE_AWS_SECRET_ACCESS_KEY": self.secret,
            "TRANSCRIPT_STORAGE_AWS_ENDPOINT_URL": self.url,
        }

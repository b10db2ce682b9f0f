"""Read and write files on an image's boot partition with mtools, without root."""

from __future__ import annotations

import shutil
import struct
import uuid
from collections.abc import Iterable
from pathlib import Path

from appliance.errors import CheckError, CommandError, ConfigError
from appliance.machine.run import run

# UEFI specification, 5.3 "GUID Partition Table (GPT) Disk Layout"
SECTOR = 512
ESP = uuid.UUID("c12a7328-f81f-11d2-ba4b-00a0c93ec93b")
HEADER = struct.Struct("<8s4s4s4s4sQQQQ16sQII")
ENTRY = struct.Struct("<16s16sQQQ72s")


class Esp:
    """`image`: a raw disk. ConfigError where it is none, CheckError where mtools are missing."""

    def __init__(self, image: Path) -> None:
        if shutil.which("mcopy") is None:
            raise CheckError(
                "mtools is missing, which is needed to write to an image.",
                "Run `apt install mtools`.",
            )
        self.drive = f"{image}@@{_offset(image)}"

    def make_folder(self, name: str) -> None:
        """Create a folder, unless it is there."""
        run(["mmd", "-D", "s", "-i", self.drive, f"::/{name}"], check=False)

    def put(self, files: Iterable[Path], folder: str) -> None:
        """Write files and folders, and replace those of the same names.

        Raises ConfigError if there is not enough space.
        """
        command: list[str | Path] = [
            "mcopy",
            "-o",
            "-s",
            "-i",
            self.drive,
            *files,
            f"::/{folder}/",
        ]
        try:
            run(command, seconds=3600)
        except CommandError as error:
            raise ConfigError(
                f"Writing to the boot partition of the image failed: {error.message.partition('): ')[2]}",
                "It has room for about 400 MB. Put larger models on a USB stick, or include them with --with-models.",
            ) from error

    def listing(self, folder: str) -> list[str]:
        said = run(["mdir", "-b", "-i", self.drive, f"::/{folder}"], check=False).output
        return [line.rstrip("/").rpartition("/")[2] for line in said.splitlines()]

    def read(self, name: str) -> str:
        return run(["mtype", "-i", self.drive, f"::/{name}"]).output


def _offset(image: Path) -> int:
    """Return the partition's offset in bytes."""
    try:
        with image.open("rb") as disk:
            disk.seek(SECTOR)
            header = HEADER.unpack(disk.read(HEADER.size))
            if header[0] != b"EFI PART":
                raise ConfigError(
                    f"{image} is not a disk image.",
                    "Give the .raw file. Unpack a .zst first with zstd -d.",
                )
            first, count, size = header[10], header[11], header[12]
            for number in range(count):
                disk.seek(first * SECTOR + number * size)
                kind, _, start, *_ = ENTRY.unpack(disk.read(ENTRY.size))
                if uuid.UUID(bytes_le=kind) == ESP:
                    return int(start) * SECTOR
    except (OSError, struct.error) as error:
        raise ConfigError(
            f"{image} cannot be read: {error}.", "Give the .raw file of an image."
        ) from error
    raise ConfigError(f"{image} has no boot partition.", "Give the .raw file of an image.")

"""Add a boot sector for machines that start an image in BIOS mode: it prints a sentence and stops.

The first 440 bytes of a GPT disk are free for such a program (UEFI specification, 5.2.1 “Legacy
Master Boot Record”). The firmware loads it to 0x7C00 in real mode.
"""

from __future__ import annotations

from pathlib import Path

# Lines of at most 80 characters, the width of the screen
SENTENCE = "Reflector needs UEFI, but this machine was started in BIOS mode:\r\nswitch it to UEFI in the firmware's settings."
ROOM = 440
CODE = bytes.fromhex(
    "31c0"  # xor ax, ax
    "8ed8"  # mov ds, ax
    "fc"  # cld
    "be167c"  # mov si, 0x7c16
    "ac"  # next: lodsb
    "84c0"  # test al, al
    "7409"  # jz stop
    "b40e"  # mov ah, 0x0e   BIOS: print a character
    "bb0700"  # mov bx, 7
    "cd10"  # int 0x10
    "ebf2"  # jmp next
    "f4"  # stop: hlt
    "ebfd"  # jmp stop: each interrupt ends a halt
)
# The instruction that loads the sentence's address
TEXT_AT = b"\xbe" + (0x7C00 + len(CODE)).to_bytes(2, "little")


def sector() -> bytes:
    """Return the program and its sentence, at most `ROOM` bytes."""
    whole = (
        CODE.replace(bytes.fromhex("be167c"), TEXT_AT)
        + b"\r\n"
        + SENTENCE.encode("ascii")
        + b"\r\n\0"
    )
    assert len(whole) <= ROOM
    return whole


def put(disk: Path) -> None:
    """Write the boot sector into an image that has none."""
    with disk.open("r+b") as image:
        if not any(image.read(ROOM)):
            image.seek(0)
            image.write(sector())

"""Install mkosi and its programs into a Debian tree: the same versions on every build machine."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from appliance.errors import CheckError
from appliance.image.sources import Sources
from appliance.machine.run import CompletedCommand, follow, run

PACKAGES = [
    "apt", "bubblewrap", "ca-certificates", "cpio", "cryptsetup-bin", "debian-archive-keyring", "dosfstools",
    "e2fsprogs", "erofs-utils", "fdisk", "gpg", "gpg-agent", "kmod", "libfaketime",
    "mkosi", "mtools", "openssl", "ovmf", "procps",
    "python3-cryptography", "python3-pefile", "qemu-system-x86", "qemu-utils", "sbsigntool", "socat", "swtpm", "swtpm-tools",
    "systemd", "systemd-boot", "systemd-boot-efi", "systemd-container", "systemd-repart", "systemd-ukify", "udev",
    "uidmap", "xz-utils", "zstd",
]  # fmt: skip
# Made anew when the list changes
GENERATION = "tools-3"
# systemd-boot 257 loses the suffix of a kernel image's further entries (`mkosi.uki-profiles`) when it counts starts, and
# then sorts them before the image's own: it would start the installer. An os-release of their own, which ukify takes
# where mkosi names none, sorts them after all versions. It can go when boot_entry_parse_tries() in systemd's
# src/boot/boot.c keeps what follows the `@`.
UKIFY = "[UKI]\nOSRelease=@/usr/lib/systemd/further-entries.osrel\n"
FURTHER_ENTRIES = 'ID=debian\nIMAGE_ID=reflector-tools\nPRETTY_NAME="Reflector"\n'
# systemd-sbsign 257 writes the time into a signature, SOURCE_DATE_EPOCH or not: the same image twice would differ. mkosi
# and ukify find this one first, whose time is that of the certificate. It can go when systemd's src/sbsign/sbsign.c
# knows SOURCE_DATE_EPOCH.
SIGN = """\
#!/bin/sh
set -eu
before=
for word; do
    [ "$before" != --certificate ] || certificate=$word
    case $word in --certificate=*) certificate=${word#*=} ;; esac
    before=$word
done
start=$(date --utc --date="$(openssl x509 -in "$certificate" -noout -startdate | cut -d= -f2)" "+%F %T")
FAKETIME="$start" LD_PRELOAD=$(echo /usr/lib/*/faketime/libfaketime.so.1) TZ=UTC exec /usr/lib/systemd/systemd-sbsign "$@"
"""
# A chroot would not do: mkosi makes namespaces, which the kernel refuses to a process that was chrooted. The tree
# becomes the root of a mount namespace instead, and the folders that it is to see have their own paths in it.
ENTER = """\
set -eu
tree=$1 count=$2; shift 2
mkdir -p "$tree/.before"
mount --rbind "$tree" "$tree"
for each in dev proc sys; do mount --rbind "/$each" "$tree/$each"; done
mount -t tmpfs tmpfs "$tree/run"
mount -t tmpfs tmpfs "$tree/tmp"
while [ "$count" -gt 0 ]; do
  mkdir -p "$tree$1"
  mount --rbind "$1" "$tree$1"
  count=$((count - 1)); shift
done
cp /etc/resolv.conf /etc/hosts "$tree/etc/" 2>/dev/null || true
cp /etc/ssl/certs/ca-certificates.crt "$tree/etc/ssl/certs/" 2>/dev/null || true
cd "$tree"; pivot_root . .before; cd /; umount -l /.before
exec "$@"
"""


@dataclass(frozen=True)
class Tools:
    """`tree`: the Debian that they are in. `work`: a folder of this machine that they see."""

    tree: Path
    work: Path

    def command(self, *command: str | Path, sees: Sequence[Path] = ()) -> list[str | Path]:
        """Return what has to be run here to run `command` there. `sees`: further folders."""
        folders = [self.work, *sees]
        enter = ["unshare", "--mount", "--propagation", "private", "bash", "-c", ENTER, "enter"]
        return [*enter, self.tree, str(len(folders)), *folders, *command]

    def run(
        self, *command: str | Path, sees: Sequence[Path] = (), seconds: float = 600
    ) -> CompletedCommand:
        return run(self.command(*command, sees=sees), seconds=seconds)


def prepared(work: Path, sources: Sources, say: Callable[[str], None]) -> Tools:
    """Return those in `work`, made where they are missing; CheckError where that is not possible
    here."""
    _check()
    work.mkdir(parents=True, exist_ok=True)
    tree = work / GENERATION
    if not (tree / "usr/bin/mkosi").exists():
        say("downloading mkosi and its tools")
        part = tree.with_name(f".{tree.name}.part")
        shutil.rmtree(part, ignore_errors=True)
        include = f"--include={','.join(PACKAGES)}"
        mmdebstrap = ["mmdebstrap", "--quiet", "--variant=apt", include, sources.suite, str(part)]
        follow([*mmdebstrap, *sources.lines()], lambda line: None)
        run(["systemd-machine-id-setup"], root=part)
        shutil.rmtree(tree, ignore_errors=True)
        part.rename(tree)
    sign = tree / "usr/bin/systemd-sbsign"
    sign.write_text(SIGN)
    sign.chmod(0o755)
    (tree / "usr/lib/systemd/ukify.conf").write_text(UKIFY)
    (tree / "usr/lib/systemd/further-entries.osrel").write_text(FURTHER_ENTRIES)
    return Tools(tree, work)


def _check() -> None:
    if os.geteuid():
        raise CheckError("Only root can build an image: run it with sudo.", "Nothing was changed.")
    needed = {"mmdebstrap": "mmdebstrap", "unshare": "util-linux", "mount": "mount"}
    missing = [package for name, package in needed.items() if shutil.which(name) is None]
    if missing:
        raise CheckError(
            f"{', '.join(missing)} is missing, which building an image needs.",
            f"Run `apt install {' '.join(missing)}`, then run the command again.",
        )

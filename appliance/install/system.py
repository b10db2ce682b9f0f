"""Install units, users, folders, documentation and commands."""

from __future__ import annotations

import json
from pathlib import Path

from appliance.install.target import Target, checkout
from appliance.machine import units
from appliance.machine.run import run

UNITS = "/usr/lib/systemd/system"
MANIFEST = "/usr/lib/reflector/installed.json"
DOCS = "/usr/share/doc/reflector"
USERS = "/usr/lib/sysusers.d/reflector.conf"
FOLDERS = "/usr/lib/tmpfiles.d/reflector.conf"
COMMANDS = {"/usr/bin/appliance": "appliance", "/usr/bin/reflector": "reflector"}
MANUAL = "/usr/share/man/man8/appliance.8"
# The shell asks the command itself when Tab is pressed for the first time
COMPLETIONS = {
    "/usr/share/bash-completion/completions/appliance": 'eval "$(_APPLIANCE_COMPLETE=bash_source appliance)"\n',
    "/usr/share/zsh/vendor-completions/_appliance": '#compdef appliance\neval "$(_APPLIANCE_COMPLETE=zsh_source appliance)"\n',
    "/usr/share/fish/vendor_completions.d/appliance.fish": "_APPLIANCE_COMPLETE=fish_source appliance | source\n",
}
PROGRAMS = "/usr/lib/reflector/venv/bin"


def install(target: Target, manual: str) -> None:
    """Install the files. `manual` is the text of the manual page."""
    source = checkout()
    files = {
        **_tree(source / "units", UNITS, {".md"}),
        **_tree(source / "docs", DOCS, {".png"}),
        USERS: (source / "units" / "sysusers.d" / "reflector.conf").read_text(),
        MANUAL: manual,
        **COMPLETIONS,
        FOLDERS: (source / "units" / "tmpfiles.d" / "reflector.conf").read_text(),
    }
    written = [path for path, text in files.items() if target.put(path, text)]
    removed = _remove_old(target, set(files) | set(COMMANDS))
    linked = [path for path, name in COMMANDS.items() if target.link(path, f"{PROGRAMS}/{name}")]
    if not (written or removed or linked):
        return
    target.put(MANIFEST, json.dumps(sorted({*files, *COMMANDS}), indent=1))
    target.run("systemd-sysusers", USERS)
    target.run("systemd-tmpfiles", "--create", FOLDERS)
    if target.is_running:
        target.run("systemctl", "daemon-reload")
    enable = ["systemctl"] if target.is_running else ["systemctl", f"--root={target.root}"]
    run([*enable, "enable", units.TARGET])
    target.did(f"installed {len(written) + len(linked)} files")


def _tree(folder: Path, to: str, without: set[str]) -> dict[str, str]:
    """Return the texts of the files in `folder` by target path. A link is followed."""
    own = {"sysusers.d", "tmpfiles.d"}
    return {
        f"{to}/{file.relative_to(folder)}": file.read_text()
        for file in sorted(folder.rglob("*"))
        if file.is_file() and file.suffix not in without and not own & set(file.parts)
    }


def _remove_old(target: Target, wanted: set[str]) -> list[str]:
    """Remove the files that an earlier version installed and this one does not, and return them."""
    manifest = target.path(MANIFEST)
    if not manifest.is_file():
        return []
    old = [path for path in json.loads(manifest.read_text()) if path not in wanted]
    for path in old:
        target.path(path).unlink(missing_ok=True)
    return old

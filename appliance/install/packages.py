"""Install Debian's packages."""

from __future__ import annotations

from appliance.errors import ApplianceError, CommandError
from appliance.install.target import Target
from appliance.machine.run import follow

COMMON = [
    "avahi-daemon", "ca-certificates", "caddy", "dbus", "libnss-mdns", "nftables", "postgresql",
    "python3", "python3-venv",
]  # fmt: skip
BROKER = {"12": "redis-server", "13": "valkey-server"}
# Told before PostgreSQL is installed: a tree would carry one cluster to everybody who uses it
NO_CLUSTER = "/etc/postgresql-common/createcluster.d/reflector.conf"
NO_CLUSTER_TEXT = "# `appliance configure` creates its own cluster\ncreate_main_cluster = false\n"
UNATTENDED = {"DEBIAN_FRONTEND": "noninteractive"}


def install(target: Target, release: str) -> None:
    """Install the packages. Raises ApplianceError with apt's own words on failure."""
    wanted = [*COMMON, BROKER[release]]
    missing = [name for name in wanted if not _is_installed(target, name)]
    if not missing:
        return
    if "postgresql" in missing:
        target.put(NO_CLUSTER, NO_CLUSTER_TEXT)
    target.say(f"installing {', '.join(missing)}")
    steps = (["update"], ["install", "--yes", "--no-install-recommends", *missing])
    try:
        for arguments in steps:
            follow(["apt-get", "-q", *arguments], _quiet, root=target.root, environment=UNATTENDED)
    except CommandError as error:
        raise ApplianceError(
            error.message,
            "Check the network and /etc/apt, then run the command again. It continues from here.",
        ) from error
    # The instance that the package starts on TCP is not ours; nobody asked for it
    broker = f"{BROKER[release]}.service"
    if BROKER[release] in missing:
        systemctl = ["systemctl"] if target.is_running else ["systemctl", f"--root={target.root}"]
        follow([*systemctl, "disable", *(["--now"] if target.is_running else []), broker], _quiet)
    target.did(f"installed {len(missing)} packages")


def _is_installed(target: Target, name: str) -> bool:
    try:
        said = target.run("dpkg-query", "-W", "-f=${db:Status-Status}", name).output
    except CommandError:
        return False
    return said == "installed"


def _quiet(line: str) -> None:
    """Hide a line of apt. What matters of its output is in the error."""

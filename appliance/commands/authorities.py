"""The authorities that the configuration names, read."""

from __future__ import annotations

from appliance.checks import read_authority
from appliance.config import ApplianceConfig


def authorities(config: ApplianceConfig) -> tuple[str, ...]:
    """In PEM; CheckError where a file is none."""
    proxy = config.proxy
    files = [*([proxy.custom_ca] if proxy.custom_ca else []), *proxy.extra_ca]
    return tuple(read_authority(file) for file in files)

"""Change `appliance.toml`; keep its comments, its order and everything else."""

from __future__ import annotations

from typing import Any

import tomlkit

from appliance.config.model import ApplianceConfig

HEADER = """\
# The configuration of this machine. `appliance configure` applies it; `appliance validate` checks this file.
# Every key, with its default: /usr/share/doc/reflector/appliance.md
"""


def with_config(text: str, config: ApplianceConfig) -> str:
    """Return `text` so that it says `config`; keys that have their default are not added."""
    document = tomlkit.parse(text or HEADER)
    wanted = config.model_dump(mode="json", exclude_none=True)
    defaults = ApplianceConfig().model_dump(mode="json", exclude_none=True)
    for table, values in wanted.items():
        there: Any = document.get(table)
        for key, value in values.items():
            has = there is not None and key in there
            if (has and there[key] == value) or (not has and defaults[table].get(key) == value):
                continue
            if there is None:
                document[table] = tomlkit.table()
                there = document[table]
            there[key] = value
        for key in [key for key in there or [] if key not in values]:
            del there[key]
    return tomlkit.dumps(document)

"""Say why something was not sent, as `parts` of an error."""

from __future__ import annotations

from reflector.errors import N_, Part

REMOVED: list[Part] = [(N_("The recording was deleted or made private before this was sent."), {})]
FAILED: list[Part] = [(N_("This server failed to send it. Its log says why."), {})]

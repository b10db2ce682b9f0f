"""Record live from a browser: written to disk first, then processed like an upload.

`live/TRANSCRIPT/` in the data folder is the journal of one recording. Folders beside the journals
hold locks, recordings that were set aside, and journals that are being removed.
"""

LOCKS = "locks"
SET_ASIDE = "set-aside"
DISCARDED = "discarded"
RESERVED = {LOCKS, SET_ASIDE, DISCARDED}

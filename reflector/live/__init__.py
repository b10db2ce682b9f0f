"""Record live from a browser: written to disk first, then processed like an upload.

`live/TRANSCRIPT/` in the data folder is the journal of one recording. Two folders beside the
journals hold locks and recordings that were set aside.
"""

LOCKS = "locks"
SET_ASIDE = "set-aside"
RESERVED = {LOCKS, SET_ASIDE}

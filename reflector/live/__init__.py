"""Recording from a browser as it speaks: written to the disk first, then the way of a file.

`live/TRANSCRIPT/` in the data folder is a journal; beside the journals are two folders of our own.
"""

LOCKS = "locks"
SET_ASIDE = "set-aside"
RESERVED = {LOCKS, SET_ASIDE}

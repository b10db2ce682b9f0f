"""Install a newer version: fetch it, check it, and write it to the slot that does not run.

The next start tries it.
"""

"""Fetch, check and write a newer version to the slot that does not run; try it at the next start."""

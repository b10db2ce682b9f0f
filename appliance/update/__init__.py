"""A newer version for the slot that does not run: fetched, checked, written; tried at the next start."""

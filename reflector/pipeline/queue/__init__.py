"""Bring steps to workers: nudges, leases, and the reconciler that finds what was lost."""

"""Bring steps to workers: nudges, leases, and a reconciler that finds what was lost."""

"""Disks of a machine with an image: install to one, erase it, show its recovery key."""

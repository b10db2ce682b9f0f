"""Manage the disks of an image: install to one, erase it, show its recovery key."""

"""Disks of a machine that is made from an image: put onto one, erased, opened with a recovery key."""

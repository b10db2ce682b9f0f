"""What works on a machine and what does not: one list for `status`, `doctor` and whoever else asks."""

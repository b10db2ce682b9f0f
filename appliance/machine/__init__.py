"""Read the machine, run programs on it, and write its files durably."""

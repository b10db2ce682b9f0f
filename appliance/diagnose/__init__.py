"""Check what works on a machine: one list for `status`, `doctor` and everything else."""

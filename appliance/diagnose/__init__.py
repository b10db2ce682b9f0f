"""Check what works on a machine: `status`, `doctor` and all other reports use one list."""

"""Make changes: one function for each kind, registered with `apply`."""

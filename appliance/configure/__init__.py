"""Change a machine to match its configuration."""

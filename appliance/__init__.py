"""The builder and the agent on the machine."""

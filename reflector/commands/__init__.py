"""Implement the commands; `reflector.cli` only parses their arguments."""

"""Receive recordings in chunks."""

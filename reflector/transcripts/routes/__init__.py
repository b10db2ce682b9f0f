"""Serve transcripts over HTTP."""

"""Serve transcripts: routes, schemas, exports."""

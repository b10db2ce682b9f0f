"""The HTTP API under /v1: paths, fields, units and errors of the reference."""

"""Run periodic jobs: delete stored objects, remove old anonymous data, send a heartbeat."""

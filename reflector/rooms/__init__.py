"""Rooms: where a team meets, and where its recordings are kept together."""

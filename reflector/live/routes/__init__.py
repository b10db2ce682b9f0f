"""Serve live recordings, over WebRTC and over a WebSocket."""

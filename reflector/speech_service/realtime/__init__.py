"""OpenAI's realtime transcription over a WebSocket, so that its clients work with this machine."""

"""Provide the API, pages, pipeline and speech engines of a private transcription server."""

__version__ = "0.1.0"

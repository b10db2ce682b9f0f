"""Measure the speech service beside faster-whisper, on models of real sizes."""

"""Recordings in, 16 kHz mono PCM, playback MP3 and waveforms out; PyAV brings its own FFmpeg."""

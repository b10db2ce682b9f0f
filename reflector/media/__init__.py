"""Turn recordings into 16 kHz mono PCM, playback MP3 and waveforms; PyAV bundles FFmpeg."""

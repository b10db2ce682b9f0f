"""`make bench-speech`: the speech service beside faster-whisper itself, on models of real sizes."""

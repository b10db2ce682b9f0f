"""The parts of an appliance: each says what has to change for it. `build.py` has them in order."""

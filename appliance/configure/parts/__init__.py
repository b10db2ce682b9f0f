"""Plan each part of an appliance. `build.py` has them in order."""

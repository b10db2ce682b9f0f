"""Plan each part of an appliance. `build.py` lists them in order."""

"""One file for each step of the pipeline, with everything about it."""

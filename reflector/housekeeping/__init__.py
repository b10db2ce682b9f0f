"""What is done by the clock: stored objects deleted for good, old anonymous data, a sign of life."""

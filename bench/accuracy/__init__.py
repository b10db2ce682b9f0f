"""Measure words and speakers on real weights and real speech, beside the engines themselves."""

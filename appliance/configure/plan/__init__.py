"""Represent changes as data, made from facts, settings and the machine's state."""

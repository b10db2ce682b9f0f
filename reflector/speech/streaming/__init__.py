"""Recognise words while they are spoken."""

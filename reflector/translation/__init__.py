"""Translate text with a model on this machine, the language model, or a service."""

"""Text in another language: by a model on this machine's device, by the language model, by a service."""

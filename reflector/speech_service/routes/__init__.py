"""Serve the speech service's HTTP: the reference's routes, OpenAI's, and jobs."""

"""Identify the caller of a request and decide what they may do.

 credentials ─ identity.py ──> Caller ─ access.py ──> allowed, or an HTTP status and a sentence

`identity` knows the backends (none, password, jwt), API keys and the session cookie of the web
pages. `access` is the only module that decides rights.
"""

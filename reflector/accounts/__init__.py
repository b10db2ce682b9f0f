"""Who asks, and what they may do.

    credentials ─ identity.py ──> Caller ─ access.py ──> allowed, or an HTTP status and a sentence

`identity` knows the backends (none, password, jwt), API keys and the cookie of our own pages;
`access` is the one place where rights are decided.
"""

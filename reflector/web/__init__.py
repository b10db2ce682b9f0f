"""Serve the pages: HTML by Jinja2, behaviour by ES modules, nothing loaded from other sites."""

from reflector.web.pages import install

__all__ = ["install"]

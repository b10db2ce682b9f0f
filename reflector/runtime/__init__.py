"""Provide settings, logging, health checks, and notifications to the system."""

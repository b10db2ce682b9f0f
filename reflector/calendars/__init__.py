"""Calendars of rooms: fetched, expanded, and kept as events."""

"""Store secrets, and read those that a run receives."""

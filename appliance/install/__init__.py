"""Putting the system on a Debian: packages, users, the application, units. `configure` makes it work."""

"""Install the system on a Debian: packages, users, the application, units."""

"""Define tables, sessions and migrations. SQLite in embedded mode, PostgreSQL otherwise."""

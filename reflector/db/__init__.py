"""The database: tables, sessions, migrations. SQLite embedded, PostgreSQL otherwise."""

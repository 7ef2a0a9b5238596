"""What lasts: SQLAlchemy Core on SQLite (the default) and PostgreSQL, one behaviour."""

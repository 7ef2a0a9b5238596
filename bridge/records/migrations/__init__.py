"""The schema's history, by Alembic: additive steps that take no long locks."""

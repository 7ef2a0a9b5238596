"""Alembic's entry: runs the steps on the connection that :mod:`bridge.records.schema` hands it."""

from alembic import context

from bridge.records.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()

"""Bringing the schema up to date, and telling whether it is."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from bridge.records.database import Database

_MIGRATIONS = Path(__file__).parent / "migrations"


def migrate(database: Database) -> None:
    """Apply the steps that the database lacks, one after the other, each as a whole or not at all:
    a long one then holds no table that an earlier one has changed.

    Raises :class:`bridge.errors.UnavailableError` when storage is away.
    """
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    while not up_to_date(database):
        with database.writing() as connection:
            if connection.dialect.name == "postgresql":
                # An index of a large table takes longer than any request may.
                connection.execute(sa.text("SET LOCAL statement_timeout = 0"))
            config.attributes["connection"] = connection
            command.upgrade(config, "+1")


def up_to_date(database: Database) -> bool:
    """Whether the database has every step that this code knows."""
    head = ScriptDirectory(str(_MIGRATIONS)).get_current_head()
    with database.reading() as connection:
        return MigrationContext.configure(connection).get_current_revision() == head

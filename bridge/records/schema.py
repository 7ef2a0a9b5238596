"""Bringing the schema up to date, and telling whether it is."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from bridge.records.database import Database

_MIGRATIONS = Path(__file__).parent / "migrations"


def migrate(database: Database) -> None:
    """Apply the steps that the database lacks; all of them, or on SQLite and PostgreSQL none.

    Raises :class:`bridge.errors.UnavailableError` when storage is away.
    """
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    with database.writing() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def up_to_date(database: Database) -> bool:
    """Whether the database has every step that this code knows."""
    head = ScriptDirectory(str(_MIGRATIONS)).get_current_head()
    with database.reading() as connection:
        return MigrationContext.configure(connection).get_current_revision() == head

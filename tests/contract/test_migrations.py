"""The schema's steps lead to what the code expects, from nothing and from any earlier step."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from bridge.encryption import Encryption
from bridge.records import schema
from bridge.records.database import Database
from bridge.records.engine import SqlRecords
from bridge.records.tables import metadata
from tests.contract.samples import SITE, START, site


@pytest.fixture
def empty(new_database: Callable[[], str]) -> Iterator[Database]:
    database = Database(new_database())
    yield database
    database.dispose()


def differences(database: Database) -> list[object]:
    """What Alembic would have to change to get from the database to the tables in the code."""
    with database.reading() as connection:
        options = {"compare_type": True, "compare_server_default": True}
        return list(
            compare_metadata(MigrationContext.configure(connection, opts=options), metadata)
        )


def created(database: Database) -> set[tuple[str, ...]]:
    """Tables, columns, keys and indexes with their names, as the database describes them."""
    inspector = sa.inspect(database.reader)
    found: set[tuple[str, ...]] = set()
    for table in inspector.get_table_names():
        if table == "alembic_version":
            continue
        for column in inspector.get_columns(table):
            found.add((table, column["name"], str(column["type"]), str(column["nullable"])))
        found.add((table, "primary key", repr(inspector.get_pk_constraint(table))))
        for of_kind in ("indexes", "foreign_keys", "unique_constraints", "check_constraints"):
            for each in getattr(inspector, f"get_{of_kind}")(table):
                found.add((table, of_kind, described(each)))
    return found


def described(reflected: Mapping[str, object]) -> str:
    """An index or a constraint; the conditions of a partial index by their text."""
    plain = {
        name: {option: str(text) for option, text in value.items()}
        if isinstance(value, Mapping)
        else value
        for name, value in reflected.items()
    }
    return repr(sorted(plain.items()))


def test_the_steps_lead_from_nothing_to_the_tables(empty: Database) -> None:
    assert differences(empty) != []
    assert not schema.up_to_date(empty)
    schema.migrate(empty)
    assert differences(empty) == []
    assert schema.up_to_date(empty)


def test_the_steps_make_what_the_tables_would(
    empty: Database, new_database: Callable[[], str]
) -> None:
    schema.migrate(empty)
    other = Database(new_database())
    with other.writing() as connection:
        metadata.create_all(connection)
    assert created(empty) == created(other)
    other.dispose()


def test_migrating_again_is_harmless(empty: Database) -> None:
    schema.migrate(empty)
    records = SqlRecords(empty, Encryption("a-key-for-tests-only-0123456789abcdef"))
    records.add_site(site(), START)
    before = created(empty)
    schema.migrate(empty)
    assert created(empty) == before
    assert records.site(SITE) == site()
    assert schema.up_to_date(empty)


def test_a_migration_that_fails_leaves_nothing(
    empty: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    class OwnError(Exception):
        pass

    def fail(*_: object, **__: object) -> None:
        raise OwnError

    monkeypatch.setattr("alembic.op.create_index", fail)
    with pytest.raises(OwnError):
        schema.migrate(empty)
    monkeypatch.undo()
    assert sa.inspect(empty.reader).get_table_names() == []
    schema.migrate(empty)
    assert schema.up_to_date(empty)

"""The engines that the suites run on: of liveness, and of the records over empty tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from bridge.encryption import Encryption
from bridge.ports import Liveness, Records
from bridge.records import schema
from bridge.records.database import Database
from bridge.records.engine import SqlRecords
from bridge.records.look_ups import SqlLookUps
from bridge.records.tables import metadata
from tests.contract.liveness_engines import ENGINES
from tests.contract.samples import OTHER_SITE, SITE, START, site
from tests.servers.postgresql import PostgreSQL

RECORDS_ENGINES = ("sqlite", "postgresql")


@pytest.fixture(params=ENGINES)
def liveness(request: pytest.FixtureRequest) -> Liveness:
    """An empty engine of each kind."""
    name: str = request.param
    return ENGINES[name]()


@pytest.fixture(scope="session", params=RECORDS_ENGINES)
def new_database(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[], str]:
    """Makes an empty database and returns its address."""
    if request.param == "sqlite":
        return lambda: f"sqlite:///{tmp_path_factory.mktemp('sqlite') / 'bridge.db'}"
    server: PostgreSQL = request.getfixturevalue("postgresql_server")
    return lambda: with_driver(server.new_database())


@pytest.fixture(scope="session")
def migrated(new_database: Callable[[], str]) -> Iterator[Database]:
    """A database that all tests of one engine share."""
    database = Database(new_database())
    schema.migrate(database)
    yield database
    database.dispose()


@pytest.fixture
def database(migrated: Database) -> Database:
    """A migrated database without a row."""
    with migrated.writing() as connection:
        for table in reversed(metadata.sorted_tables):
            connection.execute(table.delete())
    return migrated


@pytest.fixture
def records(database: Database) -> Records:
    """Records of two sites that have nothing yet."""
    records = SqlRecords(database, Encryption("a-key-for-tests-only-0123456789abcdef"))
    records.add_site(site(SITE), START)
    records.add_site(site(OTHER_SITE), START)
    return records


@pytest.fixture
def look_ups(records: Records, database: Database) -> SqlLookUps:
    """The look-ups of those two sites."""
    return SqlLookUps(database, Encryption("a-key-for-tests-only-0123456789abcdef"))


def with_driver(url: str) -> str:
    """A PostgreSQL address as the settings hand it to the engine."""
    return url.replace("postgresql://", "postgresql+psycopg://", 1)

"""Storage that is away, locked or full raises ``UnavailableError``, and works again afterwards."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from bridge.encryption import Encryption
from bridge.errors import UnavailableError
from bridge.ports import Records, VisitorRecord, Work
from bridge.records import database as database_module
from bridge.records import schema
from bridge.records.database import Database
from bridge.records.engine import SqlRecords
from bridge.records.tables import metadata
from tests.contract.conftest import with_driver
from tests.contract.records_methods import (
    READERS,
    WORK,
    WRITERS,
    RecordsCalls,
    write,
    written,
)
from tests.contract.samples import SITE, START, message, pairing, site
from tests.servers.postgresql import PostgreSQL, postgresql
from tests.servers.waiting import wait_until

ENCRYPTION = Encryption("a-key-for-tests-only-0123456789abcdef")


def test_no_method_is_forgotten_here() -> None:
    assert READERS.keys() | WRITERS.keys() == methods(Records)
    assert WORK.keys() == methods(Work)


def methods(port: type) -> set[str]:
    return {name for name in vars(port) if not name.startswith("_")}


def refused(records: Records, methods: RecordsCalls) -> None:
    """Each of ``methods`` says that storage is away, and when to try again."""
    for name, ask in methods.items():
        with pytest.raises(UnavailableError) as caught:
            ask(records)
        assert caught.value.retry_after, name


def new_records(url: str) -> tuple[SqlRecords, Database]:
    database = Database(url)
    schema.migrate(database)
    records = SqlRecords(database, ENCRYPTION)
    records.add_site(site(), START)
    with records.begin(SITE) as work:
        work.add_pairing("hash", pairing(), START)
    return records, database


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database_module, "BUSY_SECONDS", 0.05)


# ---------------------------------------------------------------------------- PostgreSQL


class OwnServer:
    """A PostgreSQL server that a test may stop and start again, on the same port and data."""

    def __init__(self, server: PostgreSQL) -> None:
        self.url = with_driver(server.new_database())
        self._port_answers = server.url()
        self._arguments = server.process.args
        self._user = Path(f"/proc/{server.process.pid}").stat().st_uid
        self._folder = Path(f"/proc/{server.process.pid}/cwd").readlink()
        self._process = server.process

    def stop(self) -> None:
        """Stop it as its administrator would: sessions are cut off."""
        self._process.send_signal(signal.SIGINT)
        self._process.wait(timeout=30)

    def start(self) -> None:
        """Start it again, and return once it answers."""
        self._process = subprocess.Popen(
            self._arguments, user=self._user, cwd=self._folder, stderr=subprocess.DEVNULL
        )
        wait_until(self._answers, "PostgreSQL answers again")

    def _answers(self) -> bool:
        try:
            psycopg.connect(self._port_answers, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True


@pytest.fixture
def own_server() -> Iterator[OwnServer]:
    with postgresql() as server:
        own = OwnServer(server)
        try:
            yield own
        finally:
            own.stop()


def test_a_server_that_is_stopped_is_away_and_comes_back(own_server: OwnServer) -> None:
    records, database = new_records(own_server.url)
    write(records, "Jane")
    own_server.stop()
    refused(records, {**READERS, **WRITERS})
    own_server.start()
    assert written(records) == ["of Jane"]
    write(records, "John")
    assert written(records) == ["of Jane", "of John"]
    database.dispose()


def test_a_server_that_stops_in_the_middle_kept_nothing(own_server: OwnServer) -> None:
    records, database = new_records(own_server.url)
    done: list[str] = []

    def interrupted() -> None:
        with records.begin(SITE) as work:
            work.after_commit(lambda: done.append("told"))
            work.save_message(message())
            own_server.stop()

    with pytest.raises(UnavailableError):
        interrupted()
    own_server.start()
    assert written(records) == []
    assert done == []
    database.dispose()


@pytest.fixture(scope="module")
def server_url(postgresql_server: PostgreSQL) -> str:
    return postgresql_server.new_database()


@pytest.fixture(scope="module")
def shared_database(server_url: str) -> Iterator[Database]:
    _, database = new_records(with_driver(server_url))
    yield database
    database.dispose()


@pytest.fixture
def cut_off_records(shared_database: Database) -> SqlRecords:
    """Records of a site that has nothing yet."""
    with shared_database.writing() as connection:
        for table in reversed(metadata.sorted_tables):
            connection.execute(table.delete())
    records = SqlRecords(shared_database, ENCRYPTION)
    records.add_site(site(), START)
    return records


@pytest.fixture
def server_database(postgresql_server: PostgreSQL) -> str:
    return postgresql_server.new_database()


@pytest.mark.usefixtures("impatient")
def test_a_site_that_somebody_holds_on_to_is_locked(server_database: str) -> None:
    records, database = new_records(with_driver(server_database))
    with psycopg.connect(server_database) as other:
        other.execute("SELECT * FROM revisions FOR UPDATE")
        with pytest.raises(UnavailableError):
            write(records)
        assert written(records) == []
        records.add_site(site("st_2"), START)
    write(records)
    assert written(records) == ["of Jane"]
    database.dispose()


@pytest.mark.parametrize("method", WORK)
def test_a_transaction_that_is_cut_off_never_was(
    cut_off_records: SqlRecords, server_url: str, method: str
) -> None:
    done: list[str] = []

    def cut_off() -> None:
        with cut_off_records.begin(SITE) as work:
            work.after_commit(lambda: done.append("told"))
            work.save_message(message("lost"))
            with psycopg.connect(server_url, autocommit=True) as administrator:
                administrator.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
            WORK[method](work)

    with pytest.raises(UnavailableError) as caught:
        cut_off()
    assert caught.value.retry_after
    # The next session is another one.
    assert written(cut_off_records) == []
    assert done == []
    with cut_off_records.begin(SITE) as work:
        WORK[method](work)


def test_a_server_that_went_read_only_or_full(server_database: str) -> None:
    # 53100 is what PostgreSQL says of a full disk, 25006 of a replica.
    records, database = new_records(with_driver(server_database))
    for code in ("53100", "25006"):
        with psycopg.connect(server_database, autocommit=True) as administrator:
            administrator.execute(
                "CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
                f" $$ BEGIN RAISE 'refused' USING ERRCODE = '{code}'; END $$".encode()
            )
            administrator.execute(
                "CREATE OR REPLACE TRIGGER refuse BEFORE INSERT ON messages"
                " FOR EACH ROW EXECUTE FUNCTION refuse()"
            )
        with pytest.raises(UnavailableError):
            write(records)
        with records.begin(SITE) as work:
            assert work.visitor("v") is None
    database.dispose()


# -------------------------------------------------------------------------------- SQLite


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Another process's transaction that writes."""
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


@pytest.mark.usefixtures("impatient")
def test_a_file_that_somebody_writes_is_locked_for_writers(tmp_path: Path) -> None:
    records, database = new_records(f"sqlite:///{tmp_path / 'bridge.db'}")
    with locked(tmp_path / "bridge.db"):
        refused(records, WRITERS)
        for read in READERS.values():
            read(records)
    write(records)
    assert written(records) == ["of Jane"]
    database.dispose()


def test_a_writer_waits_for_one_who_is_done_in_time(tmp_path: Path) -> None:
    records, database = new_records(f"sqlite:///{tmp_path / 'bridge.db'}")
    attempts: list[str] = []
    other = sqlite3.connect(tmp_path / "bridge.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    def attempt(*arguments: object) -> None:
        attempts.append(str(arguments[2]))
        if len(attempts) == 2:
            other.execute("ROLLBACK")

    sa.event.listen(database.writer, "before_cursor_execute", attempt)
    write(records)
    assert attempts[:2] == ["BEGIN IMMEDIATE"] * 2
    assert written(records) == ["of Jane"]
    other.close()
    database.dispose()


def test_a_full_disk_keeps_what_was_there(tmp_path: Path) -> None:
    records, database = new_records(f"sqlite:///{tmp_path / 'bridge.db'}")
    write(records, "Jane")
    with database.writing() as connection:
        # What a full disk makes SQLite say, without filling one.
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")

    def fill() -> None:
        with records.begin(SITE) as work:
            work.save_visitor(VisitorRecord("v", "John"), START)
            work.save_message(message("large", text="a" * 16_000))

    with pytest.raises(UnavailableError):
        fill()
    assert written(records) == ["of Jane"]
    with records.begin(SITE) as work:
        assert work.visitor("v") == VisitorRecord("v", "Jane")
    with database.writing() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 1000000")
    fill()
    assert written(records) == ["large", "of Jane"]
    database.dispose()


def test_a_file_that_cannot_be_opened_is_away(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'none' / 'bridge.db'}")
    refused(SqlRecords(database, ENCRYPTION), {**READERS, **WRITERS})
    with pytest.raises(UnavailableError):
        schema.migrate(database)
    with pytest.raises(UnavailableError):
        schema.up_to_date(database)


def test_a_file_that_is_no_database_is_away(tmp_path: Path) -> None:
    (tmp_path / "bridge.db").write_bytes(b"no database" * 1_000)
    database = Database(f"sqlite:///{tmp_path / 'bridge.db'}")
    refused(SqlRecords(database, ENCRYPTION), {**READERS, **WRITERS})
    database.dispose()


# ------------------------------------------------------------------------------- no excuse


def test_a_mistake_of_ours_is_not_called_unavailable(records: Records) -> None:
    with pytest.raises(sa.exc.IntegrityError):
        records.add_site(site(), START)

"""The PostgreSQL fixture gives what the records suite relies on."""

from pathlib import Path

import psycopg

from tests.servers.ports import is_listening
from tests.servers.postgresql import PostgreSQL, postgresql


def test_databases_are_new_and_apart(postgresql_server: PostgreSQL) -> None:
    first, second = postgresql_server.new_database(), postgresql_server.new_database()
    with psycopg.connect(first) as connection:
        connection.execute("CREATE TABLE only_here (id int)")
    with psycopg.connect(second) as connection:
        tables = connection.execute("SELECT to_regclass('only_here')").fetchone()
    assert tables == (None,)


def test_nothing_is_left_behind() -> None:
    with postgresql() as server:
        pid, folder = server.process.pid, Path(f"/proc/{server.process.pid}/cwd").readlink()
        assert is_listening(server.port)
        assert folder.is_dir()
    assert not is_listening(server.port)
    assert not Path(f"/proc/{pid}").exists()
    assert not folder.exists()

"""The bridge on PostgreSQL: migrated by a command of its own, and the same from then on."""

from __future__ import annotations

from pathlib import Path

import psycopg

from tests.processes.client import Store
from tests.processes.command import bridge
from tests.servers.bridge import BridgeProcess
from tests.servers.postgresql import PostgreSQL
from tests.servers.waiting import wait_until


def test_it_serves_from_postgresql(tmp_path: Path, postgresql_server: PostgreSQL) -> None:
    # As some platforms still spell it.
    url = postgresql_server.new_database().replace("postgresql://", "postgres://", 1)
    environment = {"DATABASE_URL": url, "PRESENCE_GRACE_SECONDS": "0.5"}
    with BridgeProcess(tmp_path, environment) as served, Store(served) as store:
        visitor, agent = store.visitor("v"), store.agent()
        said = {"id": "m1", "author": "visitor", "text": "مرحبا 🛒"}
        assert visitor.tell("page_view", "A", page="p", seq=1) == "accepted"
        assert visitor.tell("message", "A", page="p", message=said) == "accepted"
        assert visitor.tell("heartbeat", "A", page="p", seq=2) == "accepted"
        assert visitor.tell("chat_cleared", "B", page="p") == "accepted"
        served.restart()
        assert agent.messages("A") == ["m1"]
        assert agent.presence("A")["state"] == "online"
        assert agent.presence("B")["state"] == "chat_cleared"
        assert visitor.tell("page_unload", "A", page="p", seq=3) == "accepted"
        wait_until(lambda: agent.presence("A")["state"] == "offline", "the grace time is over")
        assert agent.presence("A")["reason"] == "left"
        assert served.terminate() < 10
    assert not (tmp_path / "bridge.db").exists()


def test_it_refuses_a_database_that_is_not_migrated(
    tmp_path: Path, postgresql_server: PostgreSQL
) -> None:
    url = postgresql_server.new_database()
    assert "migrate" in bridge(tmp_path, "serve", DATABASE_URL=url).failed(1)
    with psycopg.connect(url) as connection:
        tables = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
        assert tables.fetchone() == (0,)


def test_a_server_that_is_not_there_is_said_in_one_line(tmp_path: Path) -> None:
    url = "postgresql://me:my-password@127.0.0.1:1/bridge"
    for arguments in ("serve", "migrate", "site list"):
        said = bridge(tmp_path, *arguments.split(), DATABASE_URL=url).failed(1)
        assert "my-password" not in said


def test_a_session_that_is_cut_off_under_it_is_replaced(
    tmp_path: Path, postgresql_server: PostgreSQL
) -> None:
    url = postgresql_server.new_database()
    with BridgeProcess(tmp_path, {"DATABASE_URL": url}) as served, Store(served) as store:
        visitor = store.visitor("v")
        assert visitor.tell("page_view", "A", page="p", seq=1) == "accepted"
        with psycopg.connect(url, autocommit=True) as administrator:
            administrator.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        assert visitor.tell("page_view", "A", page="p", seq=2) == "accepted"
        assert store.agent().presence("A")["state"] == "online"

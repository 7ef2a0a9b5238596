"""kill -9: what was answered ``accepted`` is there, and presence is true again (P14)."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from bridge.records.tables import to_microseconds
from tests.processes.client import Agent, Store
from tests.processes.load import Load
from tests.servers.bridge import BridgeProcess
from tests.servers.postgresql import PostgreSQL
from tests.servers.waiting import wait_until

SLACK = timedelta(seconds=5)
"""How late a busy machine may be with what is due."""
A_MILLISECOND = timedelta(milliseconds=1)
"""The wire's times are cut off after milliseconds."""


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def is_offline(agent: Agent, conversation: str) -> bool:
    return bool(agent.presence(conversation)["state"] == "offline")


# ------------------------------------------------------------------------------ under load


@pytest.fixture(params=["sqlite", "postgresql"])
def environment(request: pytest.FixtureRequest) -> dict[str, str]:
    """Settings for each of the databases."""
    quick = {"PRESENCE_GRACE_SECONDS": "0.5"}
    if request.param == "sqlite":
        return quick
    server: PostgreSQL = request.getfixturevalue("postgresql_server")
    return {**quick, "DATABASE_URL": server.new_database()}


def test_what_was_accepted_before_a_kill_is_there_after_it(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    with BridgeProcess(tmp_path, environment) as bridge, Store(bridge) as store:
        load = Load(store)
        load.until_gone(bridge.kill)
        bridge.start()
        everything_is_there(load, store)


def everything_is_there(load: Load, store: Store) -> None:
    assert load.failures == []
    assert load.uncertain, "nothing was in flight"
    agent = store.agent()
    left, cleared = load.accepted("page_unload"), load.accepted("chat_cleared")
    assert left
    assert cleared
    for conversation, said in load.accepted("message").items():
        ids = [each.event["message"]["id"] for each in said]
        assert [id for id in agent.messages(conversation) if id in ids] == ids
    for conversation in cleared:
        assert agent.presence(conversation)["state"] == "chat_cleared"
    for conversation in load.accepted("page_view").keys() - load.uncertain - left.keys():
        if conversation not in cleared:
            assert agent.presence(conversation)["state"] == "online"
    for conversation, (unload,) in left.items():
        wait_until(partial(is_offline, agent, conversation), "the grace time is over")
        presence = agent.presence(conversation)
        assert presence["reason"] == "left"
        seen = moment(presence["last_seen_at"])
        assert unload.sent - A_MILLISECOND <= seen <= unload.answered


# ---------------------------------------------------------------------- presence afterwards


def recorded(database: Path, query: str, *values: str) -> list[tuple[Any, ...]]:
    """What lies in the bridge's file."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        return connection.execute(query, values).fetchall()


def test_p14_none_is_falsely_offline_and_the_gone_were_last_seen_truly(tmp_path: Path) -> None:
    environment = {"PRESENCE_GRACE_SECONDS": "0.5", "HEARTBEAT_IDLE_SECONDS": "1"}
    allowed = timedelta(seconds=2.5 * 1 + 5)
    with BridgeProcess(tmp_path, environment) as bridge, Store(bridge) as store:
        agent = store.agent()
        stays, goes = store.visitor("stays"), store.visitor("goes")
        for each in (stays, goes):
            assert each.tell("page_view", each.id, page=f"page of {each.id}", seq=1) == "accepted"
        viewed = to_microseconds(datetime.now(UTC))
        seq = 1

        def beating(*visitors: Any) -> None:
            nonlocal seq
            seq += 1
            for each in visitors:
                told = each.tell("heartbeat", each.id, page=f"page of {each.id}", seq=seq)
                assert told == "accepted"

        def alive_recorded() -> bool:
            beating(stays, goes)
            ((at,),) = recorded(tmp_path / "bridge.db", "SELECT at FROM alive")
            return bool(at > viewed)

        wait_until(alive_recorded, "the bridge recorded that it is alive")
        beating(stays, goes)
        bridge.kill()
        killed = started = datetime.now(UTC)
        bridge.start()
        assert agent.presence("goes")["state"] == "online"
        assert agent.presence("stays")["state"] == "online"

        def gone() -> bool:
            beating(stays)
            assert agent.presence("stays")["state"] == "online"
            return is_offline(agent, "goes")

        wait_until(gone, "the deadline after the restart passed", seconds=60)
        presence = agent.presence("goes")
        assert presence["reason"] == "timed_out"
        assert moment(presence["since"]) >= started + allowed - A_MILLISECOND
        seen = moment(presence["last_seen_at"])
        assert killed - timedelta(seconds=10) - SLACK <= seen <= killed
        assert to_microseconds(seen + A_MILLISECOND) > viewed
        bridge.kill()
    changes = "SELECT state, reason FROM presence_changes WHERE conversation = ? ORDER BY rev"
    assert recorded(tmp_path / "bridge.db", changes, "stays") == [("online", None)]
    assert recorded(tmp_path / "bridge.db", changes, "goes") == [
        ("online", None),
        ("offline", "timed_out"),
    ]

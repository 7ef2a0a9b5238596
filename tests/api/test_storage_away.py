"""Storage that is locked, full or gone: 503, and nothing that was accepted is lost."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from bridge.errors import UnavailableError
from bridge.records import database
from tests.api.description import refused
from tests.api.device import App
from tests.api.installation import SHOP, Clock, Installation, settings_for
from tests.api.store import Store
from tests.api.visitor import Visitor, event, message


@pytest.fixture(autouse=True)
def little_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bridge waits for a lock, but in these tests not for two seconds each time."""
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.05)


@contextmanager
def locked(installation: Installation) -> Iterator[None]:
    """Another process is in the middle of a transaction."""
    other = sqlite3.connect(installation.database, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.execute("ROLLBACK")
        other.close()


def test_a_visitors_events_are_taken_once_the_lock_is_gone(
    installation: Installation, visitor: Visitor, app: App
) -> None:
    visitor.page("c").write("before")
    said = message("c", "during")
    with locked(installation):
        answered = visitor.send(said)
        refused(answered, 503, "storage-unavailable")
        assert int(answered.headers["Retry-After"]) >= 1
        assert answered.headers["Access-Control-Allow-Origin"] == SHOP
        assert app.texts("c") == ["before"]
    assert visitor.results(said)[0]["status"] == "accepted"
    assert app.texts("c") == ["before", "during"]


def test_a_stores_retry_keeps_its_id(installation: Installation, store: Store, app: App) -> None:
    said = message("c", "Hello", author="bot")
    with locked(installation):
        refused(store.send(said, webhook_id="msg_1"), 503, "storage-unavailable")
    assert store.results(said, webhook_id="msg_1")[0]["status"] == "accepted"
    assert store.results(said, webhook_id="msg_1")[0]["status"] == "accepted"
    assert app.texts("c") == ["Hello"]


def test_everything_that_writes_says_that_storage_is_away(
    installation: Installation, store: Store, app: App, visitor: Visitor
) -> None:
    visitor.page("c").write("Hello")
    code = store.offer()["code"]
    said = {"code": code, "device": {"label": "x"}}
    with locked(installation):
        for answered in (
            store.get("/v1/store/status"),
            store.get("/v1/store/devices"),
            store.request("DELETE", f"/v1/store/devices/{app.device}"),
            store.request("DELETE", "/v1/store/agents/1"),
            store.request(
                "POST", "/v1/store/pairings", {"agent": {"id": "1", "name": "S"}, "rights": []}
            ),
            installation.open("/v1/pair", "POST", json=said),
            app.read("c"),
            app.request("DELETE", "/v1/me"),
        ):
            refused(answered, 503, "storage-unavailable")
    assert installation.open("/v1/pair", "POST", json=said).status_code == 200
    assert app.conversation("c")["unread"] == 1
    assert app.read("c").status_code == 204


def test_live_conversations_wait_for_the_lock(
    installation: Installation, visitor: Visitor, app: App, kim: App
) -> None:
    """What cannot be recorded is not done, and is done when it is asked again."""
    page, taken = visitor.page("c"), visitor.page("d", "p_2")
    page.view()
    taken.view()
    kim.take_over("d")
    before = app.sync()
    hello = {"client_id": "1", "text": "Hello"}
    with locked(installation):
        for answered in (
            app.watch("c"),
            app.take_over("c"),
            kim.release("d"),
            app.release("d", "?force=true"),
            kim.send("d", hello),
            visitor.get(page.address("stream")),
        ):
            refused(answered, 503, "storage-unavailable")
        assert app.sync() == before
        assert page.sync()["takeover"]["active"] is False
        assert app.stream().until_now() == []
    assert app.sync() == before
    assert app.watch("c").status_code == 200
    assert app.take_over("c").status_code == 200
    assert kim.send("d", hello).status_code == 201
    assert kim.release("d").status_code == 204
    assert len(kim.messages("d")["messages"]) == 3


def test_a_stream_goes_on_after_the_lock(
    installation: Installation, visitor: Visitor, app: App, clock: Clock
) -> None:
    page = visitor.page("c")
    page.view()
    told, stream = app.stream(), page.stream()
    clock.advance(minutes=3)
    with locked(installation):
        refused(app.watch("c"), 503, "storage-unavailable")
    app.watch("c")
    assert [each.name for each in stream.read()] == ["demand"]
    assert [each.name for each in told.read()] == ["conversation"]


def test_a_stream_that_dropped_during_the_lock_is_recorded_after_it(
    installation: Installation, visitor: Visitor, app: App, clock: Clock
) -> None:
    page = visitor.page("c")
    page.view()
    clock.advance(seconds=1)
    stream = page.stream()
    visits = installation.bridge.services.visits
    with locked(installation):
        clock.advance(seconds=60)
        stream.answered.close()
        with pytest.raises(UnavailableError):
            visits.settle_drops(clock.now)
        clock.advance(seconds=5)
    assert visits.settle_drops(clock.now) == 1
    clock.advance(seconds=9)
    assert app.presence("c")["online"]
    clock.advance(seconds=1)
    assert app.presence("c")["reason"] == "timed_out"


def test_what_was_not_taken_is_not_shown(
    installation: Installation, visitor: Visitor, app: App, clock: Clock
) -> None:
    page = visitor.page("c")
    page.view()
    left = page.event("page_unload")
    with locked(installation):
        refused(visitor.send(left), 503, "storage-unavailable")
    assert app.presence("c")["online"]
    clock.advance(seconds=30)
    assert page.beat()["conversations"]["c"]["state"] == "online"


def test_readers_still_read(
    installation: Installation, visitor: Visitor, app: App, clock: Clock
) -> None:
    page = visitor.page("c")
    page.write("Hello")
    page.unload()
    clock.advance(minutes=2)
    with locked(installation):
        assert app.get("/v1/me").status_code == 200
        assert app.listed() == ["c"]
        assert app.conversation("c")["id"] == "c"
        assert app.texts("c") == ["Hello"]
    clock.advance(seconds=5)
    assert app.presence("c")["reason"] == "left"
    assert app.presence("c")["since"] == "2026-03-02T09:30:15.123Z"


def test_a_heartbeat_that_changes_nothing_needs_no_storage(
    installation: Installation, visitor: Visitor, app: App, clock: Clock
) -> None:
    page = visitor.page("c")
    page.view()
    with locked(installation):
        for _ in range(10):
            clock.advance(seconds=60)
            page.beat()
    assert app.presence("c")["online"]
    assert app.presence("c")["heard_at"] == "2026-03-02T09:40:00.123Z"


def test_a_deadline_that_passed_meanwhile_is_recorded_with_its_own_time(
    installation: Installation, visitor: Visitor, app: App, clock: Clock
) -> None:
    visitor.page("c").view()
    clock.advance(minutes=10)
    with locked(installation):
        app.listing()
    clock.advance(minutes=10)
    presence = app.presence("c")
    assert (presence["reason"], presence["since"]) == ("timed_out", "2026-03-02T09:32:35.123Z")


# ------------------------------------------------------------------------------- full


@contextmanager
def full(installation: Installation) -> Iterator[None]:
    """Storage may not grow."""

    def pragma(statement: str) -> int:
        with installation.bridge.database.writer.connect() as connection:
            return int(connection.exec_driver_sql(f"PRAGMA {statement}").scalar_one())

    pragma(f"max_page_count={pragma('page_count')}")
    try:
        yield
    finally:
        pragma("max_page_count=1000000")


def test_what_was_accepted_before_storage_was_full_is_there(
    installation: Installation, visitor: Visitor, store: Store, app: App
) -> None:
    visitor.page("c").write("before")
    accepted, waiting = ["before"], []
    with full(installation):
        for number in range(200):
            said = message("c", f"{number} " + "x" * 5_000)
            answered = visitor.send(said)
            if answered.status_code == 200:
                accepted.append(said["message"]["text"])
                continue
            refused(answered, 503, "storage-unavailable")
            waiting.append(said)
            if len(waiting) == 3:
                break
        assert len(waiting) == 3
        assert app.texts("c", limit=100) == accepted
        refused(store.send(message("d", "y" * 10_000)), 503, "storage-unavailable")
    assert [result["status"] for result in visitor.results(*waiting)] == ["accepted"] * 3
    assert app.texts("c", limit=100) == accepted + [said["message"]["text"] for said in waiting]
    assert app.listed() == ["c"]


# ------------------------------------------------------------------------------- gone


@pytest.fixture
def without_tables(
    installation: Installation, tmp_path: Path, clock: Clock
) -> Iterator[Installation]:
    """A process whose database is not there."""
    gone = tmp_path / "no such folder" / "bridge.db"
    settings = replace(installation.settings, database_url=settings_for(gone).database_url)
    made = Installation(gone, clock, settings)
    yield made
    made.close()


def test_without_a_database_every_answer_is_a_503(
    without_tables: Installation, store: Store, visitor: Visitor, app: App
) -> None:
    store.installation = visitor.installation = app.installation = without_tables
    said = {"code": "x", "device": {"label": "x"}}
    for answered in (
        store.get("/v1/store/status"),
        store.send(message("c")),
        visitor.send(event("heartbeat", "c", page="p", seq=1)),
        visitor.send(message("c"), headers={"Origin": "https://nobody.example"}),
        visitor.send(message("c"), headers={"Origin": None}),
        app.get("/v1/me"),
        app.get("/v1/conversations"),
        app.get("/v1/sync"),
        app.get("/v1/stream"),
        app.watch("c"),
        app.take_over("c"),
        visitor.get(visitor.page("c").address("sync")),
        visitor.get(visitor.page("c").address("stream")),
        without_tables.open("/v1/pair", "POST", json=said),
        without_tables.open("/readyz"),
    ):
        refused(answered, 503, "storage-unavailable")


def test_without_a_database_a_preflight_allows_nobody(without_tables: Installation) -> None:
    answered = without_tables.open("/v1/visitor/events", "OPTIONS", headers={"Origin": SHOP})
    assert answered.status_code in (204, 503)
    assert "Access-Control-Allow-Origin" not in answered.headers


def test_without_a_database_what_needs_none_is_answered(without_tables: Installation) -> None:
    for path in ("/healthz", "/openapi.json", "/docs", "/plugin.zip"):
        assert without_tables.open(path).status_code == 200


def test_a_problem_says_nothing_of_the_machine(without_tables: Installation, app: App) -> None:
    app.installation = without_tables
    answered = app.get("/v1/me")
    for word in ("sql", "folder", "bridge.db", "traceback"):
        assert word not in answered.get_data(as_text=True).lower()

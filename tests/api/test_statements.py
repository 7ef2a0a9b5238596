"""How many SQL statements a request costs: budgets B9 and B10."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa

from tests.api.device import App
from tests.api.installation import Clock, Installation
from tests.api.store import Store
from tests.api.visitor import Visitor, event, message


@contextmanager
def counted(installation: Installation) -> Iterator[list[str]]:
    """The statements of either engine, transactions' own ones too."""
    statements: list[str] = []

    def note(_connection: sa.Connection, _cursor: Any, statement: str, *_: Any) -> None:
        statements.append(statement)

    def note_begin(_connection: sa.Connection) -> None:
        statements.append("BEGIN")

    engines = (installation.bridge.database.reader, installation.bridge.database.writer)
    for engine in engines:
        sa.event.listen(engine, "before_cursor_execute", note)
        sa.event.listen(engine, "begin", note_begin)
    try:
        yield statements
    finally:
        for engine in engines:
            sa.event.remove(engine, "before_cursor_execute", note)
            sa.event.remove(engine, "begin", note_begin)


def queries(statements: list[str]) -> list[str]:
    return [each for each in statements if not each.startswith("BEGIN")]


def test_statements_are_counted(installation: Installation, visitor: Visitor) -> None:
    """Else a budget of none would be kept by a counter that counts nothing."""
    with counted(installation) as statements:
        visitor.page("c").view()
    assert len(queries(statements)) >= 3
    assert "BEGIN" in statements


def test_a_heartbeat_that_changes_nothing_costs_none(
    installation: Installation, visitor: Visitor, clock: Clock
) -> None:
    """B10. (Once in 60 s, whoever asks, the site itself is read again.)"""
    page = visitor.page("c")
    page.view()
    with counted(installation) as statements:
        for _ in range(20):
            clock.advance(seconds=2.5)
            page.beat()
    assert statements == []


def test_a_heartbeat_that_comes_twice_or_late_costs_none(
    installation: Installation, visitor: Visitor
) -> None:
    page = visitor.page("c")
    page.view()
    late = page.event("heartbeat")
    page.beat()
    with counted(installation) as statements:
        assert visitor.results(late)[0]["status"] == "duplicate"
    assert statements == []


def test_heartbeats_of_many_tabs_cost_none(
    installation: Installation, visitor: Visitor, clock: Clock
) -> None:
    pages = [visitor.page("c", f"p{number}") for number in range(5)]
    for page in pages:
        page.view()
    with counted(installation) as statements:
        for page in pages:
            clock.advance(seconds=1)
            page.beat()
    assert statements == []


def test_a_heartbeat_relayed_in_plain_text_costs_none(
    installation: Installation, visitor: Visitor
) -> None:
    page = visitor.page("c")
    page.view()
    body = {"events": [page.event("heartbeat")], "token": visitor.token()}
    with counted(installation) as statements:
        headers = {"Content-Type": "text/plain", "Origin": None}
        assert visitor.post(body, token="", headers=headers).status_code == 200
    assert statements == []


def test_reading_costs_nothing_more_while_visitors_beat(
    installation: Installation, visitor: Visitor, app: App, clock: Clock
) -> None:
    page = visitor.page("c")
    page.view()
    clock.advance(seconds=30)
    page.beat()
    with counted(installation) as statements:
        app.listing()
    assert len(queries(statements)) <= 3


def test_a_heartbeat_in_demand_costs_none_once_its_interval_is_known(
    installation: Installation, visitor: Visitor, app: App, clock: Clock
) -> None:
    """The first beat is answered with the new interval, and that is recorded."""
    page, streaming = visitor.page("c"), visitor.page("c", "p_2")
    for each in (page, streaming):
        each.view()
    clock.advance(seconds=1)
    stream = streaming.stream()
    app.watch("c")
    clock.advance(seconds=1)
    page.beat()
    streaming.beat()
    with counted(installation) as statements:
        for _ in range(20):
            clock.advance(seconds=2)
            page.beat()
            streaming.beat()
    assert statements == []
    assert [each.name for each in stream.read()] == ["demand"]


def test_a_sync_that_changes_nothing_writes_nothing(
    installation: Installation, visitor: Visitor, clock: Clock
) -> None:
    page = visitor.page("c")
    page.view()
    page.sync()
    with counted(installation) as statements:
        for _ in range(10):
            clock.advance(seconds=5)
            page.sync()
    assert {each.split()[0] for each in queries(statements)} == {"SELECT"}
    assert len(queries(statements)) <= 2 * 10


def test_renewing_a_watch_costs_a_row_and_no_revision(
    installation: Installation, visitor: Visitor, app: App, clock: Clock
) -> None:
    visitor.page("c").view()
    app.watch("c")
    rev = app.sync()["rev"]
    clock.advance(seconds=20)
    with counted(installation) as statements:
        app.watch("c")
    written = [each for each in queries(statements) if not each.startswith("SELECT")]
    assert len([each for each in written if "conversations" in each]) == 1
    assert app.sync()["rev"] == rev


@pytest.mark.parametrize("number", [1, 50])
def test_sync_costs_the_same_however_much_changed(
    installation: Installation, store: Store, app: App, number: int
) -> None:
    store.results(*[message(f"c{n}", visitor=f"v{n}") for n in range(number)])
    with counted(installation) as statements:
        assert len(app.sync(limit=500)["conversations"]) == number
    assert len(queries(statements)) <= 5


@pytest.mark.parametrize("number", [1, 50])
@pytest.mark.parametrize(
    "query", [{}, {"sort": "recent"}, {"presence": "online"}, {"q": "jane"}, {"q": "jane doe"}]
)
def test_a_list_costs_three_queries_at_most_however_long_it_is(
    installation: Installation,
    store: Store,
    app: App,
    number: int,
    query: dict[str, str],
) -> None:
    """B9: that of the device included, with visitors online, customers and read marks. A search
    for several words asks once more, which of them is the rarest."""
    store.results(*[message(f"c{n}", visitor=f"v{n}") for n in range(number)])
    jane = {"id": "1", "name": "Jane Doe"}
    store.results(*[event("customer", visitor=f"v{n}", customer=jane) for n in range(number)])
    app.read("c0")
    with counted(installation) as statements:
        assert len(app.listed(**query)) == number
    assert len(queries(statements)) <= 3 + (" " in query.get("q", ""))
    with counted(installation) as again:
        app.listed(**query)
    assert len(queries(again)) == len(queries(statements))


def test_a_page_further_down_costs_no_more(
    installation: Installation, store: Store, app: App
) -> None:
    store.results(*[message(f"c{n}", author="bot") for n in range(60)])
    cursor = app.listing(limit=50)["next_cursor"]
    with counted(installation) as statements:
        assert len(app.listed(cursor=cursor)) == 10
    assert len(queries(statements)) <= 3


def test_a_list_is_read_from_an_index(installation: Installation, app: App) -> None:
    """B8: it must not sort the whole table."""
    with counted(installation) as statements:
        app.listed(limit=50)
        app.listed(limit=50, sort="recent")
    lists = [each for each in statements if "FROM conversations" in each]
    assert len(lists) == 2
    with installation.bridge.database.reader.connect() as connection:
        for statement in lists:
            values = tuple("" for _ in range(statement.count("?")))
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
            steps = [row[3] for row in plan]
            assert not [step for step in steps if "TEMP B-TREE" in step or "SCAN" in step], steps

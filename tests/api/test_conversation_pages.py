"""``GET /v1/conversations``: pages, cursors and limits."""

from __future__ import annotations

import base64
import json

import pytest

from tests.api.description import refused
from tests.api.device import App
from tests.api.installation import Clock
from tests.api.store import Store
from tests.api.visitor import event, message

LIST = "/v1/conversations"


@pytest.mark.parametrize("sort", ["presence", "recent"])
def test_pages_hold_everything_once(store: Store, app: App, sort: str) -> None:
    store.begin(*(f"c{number}" for number in range(9)))
    store.visitor("v_c3").page("c3").view()
    store.visitor("v_c7").page("c7").view()
    whole = app.listed(sort=sort, limit=100)
    assert len(whole) == 9
    for limit in (1, 2, 3, 4, 8, 9, 10):
        found = app.pages(sort=sort, limit=limit)
        assert [name for page in found for name in page] == whole
        assert all(len(page) == limit for page in found[:-1])
        assert found[-1]


def test_a_full_last_page_has_no_cursor(store: Store, app: App) -> None:
    store.begin("a", "b")
    assert app.listing(limit=2)["next_cursor"] is None
    assert app.listing(limit=1)["next_cursor"]


@pytest.mark.parametrize("sort", ["presence", "recent"])
def test_what_moves_up_meanwhile_is_not_listed_twice_and_displaces_nothing(
    store: Store, app: App, clock: Clock, sort: str
) -> None:
    store.begin(*(f"c{number}" for number in range(8)))
    first = app.listing(sort=sort, limit=3)
    assert [each["id"] for each in first["conversations"]] == ["c7", "c6", "c5"]
    clock.advance(seconds=1)
    store.visitor("v_c1").page("c1").view()
    store.visitor("v_c6").page("c6").view()
    store.begin("new_1", "new_2")
    second = app.listing(sort=sort, limit=3, cursor=first["next_cursor"])
    assert [each["id"] for each in second["conversations"]] == ["c4", "c3", "c2"]
    third = app.listing(sort=sort, limit=3, cursor=second["next_cursor"])
    assert [each["id"] for each in third["conversations"]] == ["c0"]
    assert third["next_cursor"] is None


def test_the_conversation_at_the_cursor_may_be_gone(store: Store, app: App) -> None:
    store.begin("a", "b", "c")
    first = app.listing(limit=2)
    store.results(event("conversation_deleted", "b"), event("conversation_deleted", "c"))
    assert app.listed(limit=2, cursor=first["next_cursor"]) == ["a"]


def test_ids_of_any_characters_go_through_a_cursor(store: Store, app: App) -> None:
    names = ["ä/ö", 'q"uote', "per%cent", "under_score", "😀" * 126, "a b"]
    store.begin(*names)
    assert sorted(name for page in app.pages(limit=1) for name in page) == sorted(names)


@pytest.mark.parametrize("limit", [1, 50, 100])
def test_limits_that_are_taken(app: App, limit: int) -> None:
    assert app.listing(limit=limit)["conversations"] == []


@pytest.mark.parametrize(
    "limit", ["0", "101", "-1", "1.5", "", "x", "٣", "1e1", "9" * 5_000, "0x10", "+5", " 5"]
)
def test_limits_that_are_not(app: App, limit: str) -> None:
    problem = refused(app.get(LIST, query_string={"limit": limit}), 422, "invalid")
    assert problem["errors"][0]["pointer"] == "/limit"


def test_fifty_are_listed_unless_more_are_asked_for(store: Store, app: App) -> None:
    store.results(*[message(f"c{number}", author="bot") for number in range(60)])
    assert len(app.listed()) == 50
    assert len(app.listed(limit=100)) == 60


def cursor_of(*parts: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).rstrip(b"=").decode()


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "x",
        "not base64!",
        "ü",
        "AAAA",
        "=" * 4,
        cursor_of(),
        cursor_of("presence"),
        cursor_of("recent", 0, "2026-03-02T09:30:00Z", "c"),
        cursor_of("presence", 2**70, "2026-03-02T09:30:00Z", "c"),
        cursor_of("presence", -(2**70), "2026-03-02T09:30:00Z", "c"),
        cursor_of("presence", 3, "2026-03-02T09:30:00Z", "c"),
        cursor_of("presence", 0.5, "2026-03-02T09:30:00Z", "c"),
        cursor_of("presence", 0, "2026-03-02T09:30:00", "c"),
        cursor_of("presence", 0, "yesterday", "c"),
        cursor_of("presence", 0, "2026-03-02T09:30:00Z", "c\0"),
        cursor_of("presence", 0, "2026-03-02T09:30:00Z", "\ud800"),
        cursor_of("presence", 0, "2026-03-02T09:30:00Z", "c" * 129),
        cursor_of("presence", 0, "2026-03-02T09:30:00Z", None),
        cursor_of("presence", 0, "2026-03-02T09:30:00Z"),
        "A" * 10_000,
    ],
)
def test_what_is_no_cursor_of_this_list(app: App, cursor: str) -> None:
    problem = refused(app.get(LIST, query_string={"cursor": cursor}), 422, "cursor-invalid")
    assert problem["errors"][0]["pointer"] == "/cursor"


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"])
def test_a_cursor_of_the_ends_of_time_harms_nothing(app: App, at: str) -> None:
    answered = app.get(LIST, query_string={"cursor": cursor_of("presence", 0, at, "c")})
    assert answered.status_code in (200, 422)


def test_a_cursor_is_of_its_order(store: Store, app: App) -> None:
    store.begin("a", "b")
    cursor = app.listing(limit=1, sort="recent")["next_cursor"]
    answered = app.get(LIST, query_string={"cursor": cursor, "sort": "presence"})
    refused(answered, 422, "cursor-invalid")

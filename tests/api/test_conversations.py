"""``GET /v1/conversations``: what is listed, in which order, and when it is sent again."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from tests.api.description import refused
from tests.api.device import App
from tests.api.installation import Clock
from tests.api.store import Store
from tests.api.visitor import Visitor, event, message

LIST = "/v1/conversations"


def test_an_empty_list(app: App) -> None:
    assert app.listing() == {"conversations": [], "next_cursor": None, "rev": 0}


def test_a_listed_conversation_has_every_field(visitor: Visitor, app: App) -> None:
    visitor.page("c").view(url="https://shop.example/fern", title="Fern")
    said = message("c", "Hello", page="p_1", seq=9, name="Jane")
    visitor.send(said, headers={"User-Agent": ""})
    [listed] = app.listing()["conversations"]
    at = "2026-03-02T09:30:00.123Z"
    rev = listed.pop("rev")
    device = listed["visitor"].pop("device")
    assert isinstance(rev, int)
    assert device is None or isinstance(device, str)
    assert listed == {
        "id": "c",
        "started_at": at,
        "last_activity_at": at,
        "visitor": {"id": "v_jane", "name": "Jane"},
        "presence": {
            "online": True,
            "state": "online",
            "reason": None,
            "since": at,
            "last_seen_at": at,
            "heard_at": at,
            "label": "Online now",
            "note": None,
            "hidden": False,
            "page": {"url": "https://shop.example/fern", "title": "Fern"},
            "continued_in": None,
            "pages": 1,
        },
        "customer": None,
        "takeover": None,
        "watchers": [],
        "last_message": {
            "id": said["message"]["id"],
            "author": "visitor",
            "text": "Hello",
            "at": at,
        },
        "unread": 1,
        "follow_up": {"needed": False, "mailto": None, "done": None},
    }


def test_what_is_not_known_is_null(store: Store, app: App) -> None:
    store.results(event("chat_cleared", "c"))
    [listed] = app.listing()["conversations"]
    assert listed["visitor"] == {"id": None, "name": None, "device": None}
    assert (listed["customer"], listed["takeover"], listed["last_message"]) == (None, None, None)
    assert (listed["presence"]["page"], listed["presence"]["heard_at"]) == (None, None)
    assert listed["unread"] == 0


def test_those_with_somebody_there_come_first_then_the_latest(
    store: Store, app: App, clock: Clock
) -> None:
    store.begin("old", "older_visit", "switching", "online_1", "online_2", "cleared")
    for name in ("switching", "online_1", "online_2", "older_visit"):
        clock.advance(seconds=1)
        store.visitor(f"v_{name}").page(name).view()
    store.visitor("v_older_visit").results(event("page_unload", "older_visit", page="p_1", seq=2))
    clock.advance(seconds=16)
    store.visitor("v_switching").results(event("page_unload", "switching", page="p_1", seq=2))
    store.results(event("chat_cleared", "cleared"))
    expected = ["online_2", "online_1", "switching", "cleared", "older_visit", "old"]
    assert app.listed() == expected
    assert app.listed(sort="presence") == expected
    found = {each["id"]: each["presence"]["state"] for each in app.listing()["conversations"]}
    assert found == {
        "online_2": "online",
        "online_1": "online",
        "switching": "switching_pages",
        "cleared": "chat_cleared",
        "older_visit": "offline",
        "old": "offline",
    }


def test_the_latest_first(store: Store, app: App, clock: Clock) -> None:
    store.begin("a", "b", "c")
    clock.advance(seconds=1)
    store.visitor("v_a").page("a").view()
    store.begin("d")
    assert app.listed(sort="recent") == ["d", "a", "c", "b"]


def test_of_the_same_moment_the_order_is_one_way_only(store: Store, app: App) -> None:
    store.results(*[message(name, author="bot") for name in ("b", "a", "c")])
    assert app.listed() == app.listed(sort="recent") == ["c", "b", "a"]
    assert app.pages(limit=1, sort="recent") == [["c"], ["b"], ["a"]]


@pytest.mark.parametrize("sort", ["", "Presence", "id", "presence,recent"])
def test_no_other_order(app: App, sort: str) -> None:
    refused(app.get(LIST, query_string={"sort": sort}), 422, "invalid")


@pytest.mark.parametrize("query", [{}, {"q": "Hello"}, {"sort": "recent"}])
def test_without_a_takeover_none_is_mine(visitor: Visitor, app: App, query: dict[str, str]) -> None:
    visitor.page("c").write("Hello")
    assert app.listed(mine="false") == ["c"]
    mine = app.listing(mine="true", **query)
    assert (mine["conversations"], mine["next_cursor"]) == ([], None)
    assert mine["rev"] == app.listing()["rev"]


@pytest.mark.parametrize("mine", ["", "1", "maybe", "True", "true "])
def test_mine_is_true_or_false(app: App, mine: str) -> None:
    problem = refused(app.get(LIST, query_string={"mine": mine}), 422, "invalid")
    assert problem["errors"][0]["pointer"] == "/mine"


def test_what_was_read_before_is_not_sent_again(app: App, store: Store) -> None:
    store.begin("c1", "c2")
    first = app.get(LIST)
    etag = first.headers["ETag"]
    same = app.get(LIST, headers={"If-None-Match": etag})
    assert (same.status_code, same.data, same.headers["ETag"]) == (304, b"", etag)
    for several in (f'"other", {etag}', f"W/{etag}", "*"):
        assert app.get(LIST, headers={"If-None-Match": several}).status_code == 304
    for other in ('"other"', '"', ""):
        assert app.get(LIST, headers={"If-None-Match": other}).status_code == 200
    store.results(message("c1", "News", author="bot"))
    changed = app.get(LIST, headers={"If-None-Match": etag})
    assert changed.status_code == 200
    assert changed.headers["ETag"] != etag


def test_the_etag_is_of_what_was_asked(app: App, store: Store) -> None:
    store.begin("c1", "c2", "c3")
    tags = [
        app.get(LIST, query_string=query).headers["ETag"]
        for query in ({}, {"limit": 1}, {"sort": "recent", "limit": 2}, {"q": "c1"})
    ]
    assert len(set(tags)) == len(tags)


def test_a_label_that_grows_older_changes_the_etag(
    visitor: Visitor, app: App, clock: Clock
) -> None:
    page = visitor.page("c")
    page.view()
    page.unload()
    clock.advance(seconds=20)
    first = app.get(LIST)
    clock.advance(minutes=5)
    second = app.get(LIST, headers={"If-None-Match": first.headers["ETag"]})
    assert second.status_code == 200
    [listed] = second.get_json()["conversations"]
    assert listed["presence"]["label"] == "Last seen 5 minutes ago"


@pytest.mark.parametrize("header", ["If-Match", "If-Unmodified-Since", "If-Range", "Range"])
def test_no_other_condition_is_known(app: App, header: str) -> None:
    assert app.get(LIST, headers={header: '"x"'}).status_code == 200


def test_nobody_else_may_keep_the_answer(app: App) -> None:
    control = app.get(LIST).headers["Cache-Control"]
    assert "private" in control
    assert "max-age" not in control


def test_rev_rises_with_what_changed(store: Store, app: App) -> None:
    revisions = [app.listing()["rev"]]
    for _ in range(3):
        store.results(message("c", author="bot"))
        found = app.listing()
        revisions.append(found["rev"])
        assert found["conversations"][0]["rev"] <= found["rev"]
    assert revisions == sorted(set(revisions))
    assert app.listing()["rev"] == revisions[-1]


@pytest.mark.parametrize("author", ["visitor", "bot"])
def test_the_last_message_begins_it(store: Store, app: App, author: str) -> None:
    store.results(message("c", "x" * 5_000, author=author))
    [listed] = app.listing()["conversations"]
    assert listed["last_message"]["author"] == author
    assert listed["last_message"]["text"] == "x" * 200
    assert len(app.texts("c")[0]) == 5_000


def test_times_are_rfc_3339_in_utc_with_milliseconds(visitor: Visitor, app: App) -> None:
    visitor.page("c").write("Hello")
    listed: dict[str, Any] = app.listing()["conversations"][0]
    times = [
        listed["started_at"],
        listed["last_activity_at"],
        listed["last_message"]["at"],
        *(listed["presence"][name] for name in ("since", "last_seen_at", "heard_at")),
    ]
    for time in times:
        assert datetime.fromisoformat(time).isoformat(timespec="milliseconds")[:-6] + "Z" == time


def test_a_right_is_needed(store: Store) -> None:
    app = store.app(rights=("push",))
    refused(app.get(LIST), 403, "right-missing")
    assert store.app(rights=("conversations:read",)).get(LIST).status_code == 200

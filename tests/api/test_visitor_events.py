"""``POST /v1/visitor/events``: what a visitor's browser may say, and what comes of it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.description import refused
from tests.api.device import App
from tests.api.installation import Clock, Installation
from tests.api.store import Store
from tests.api.visitor import Visitor, event, message

IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Version/17.4 Mobile/15E148 Safari/604.1"
)


def test_the_first_event_begins_the_conversation(visitor: Visitor, app: App) -> None:
    answered = visitor.page("c").view(url="https://shop.example/fern?x=1", title="Fern")
    assert answered["conversations"] == {
        "c": {
            "takeover": False,
            "takeover_expires_at": None,
            "heartbeat_seconds": 60,
            "state": "online",
        }
    }
    begun = app.conversation("c")
    assert begun["visitor"]["id"] == visitor.id
    assert begun["presence"]["page"] == {"url": "https://shop.example/fern", "title": "Fern"}


def test_a_page_from_its_view_to_its_unload(visitor: Visitor, app: App, clock: Clock) -> None:
    page = visitor.page("c")
    states = [page.view(), page.beat(), page.hide(), page.view(), page.write(), page.unload()]
    assert [each["conversations"]["c"]["state"] for each in states] == [
        *["online"] * 5,
        "switching_pages",
    ]
    clock.advance(seconds=15)
    assert app.presence("c")["state"] == "offline"


def test_a_hidden_page_is_there_and_said_to_be_hidden(visitor: Visitor, app: App) -> None:
    page = visitor.page("c")
    page.view()
    assert app.presence("c")["hidden"] is False
    page.hide()
    assert (app.presence("c")["online"], app.presence("c")["hidden"]) == (True, True)
    page.view()
    assert app.presence("c")["hidden"] is False


def test_one_who_comes_back_within_the_grace_time_was_never_away(
    visitor: Visitor, app: App, clock: Clock
) -> None:
    first = visitor.page("c", "p_1")
    first.view()
    since = app.presence("c")["since"]
    first.unload()
    clock.advance(seconds=14)
    assert visitor.page("c", "p_2").view()["conversations"]["c"]["state"] == "online"
    clock.advance(seconds=30)
    assert app.presence("c")["online"]
    assert app.presence("c")["since"] >= since


def test_a_cleared_chat_tells_its_pages_never_to_beat(visitor: Visitor, app: App) -> None:
    page = visitor.page("c")
    page.view()
    page.write("Hello")
    told = page.clear()["conversations"]["c"]
    assert (told["state"], told["heartbeat_seconds"]) == ("chat_cleared", 0)
    told = page.beat()["conversations"]["c"]
    assert (told["state"], told["heartbeat_seconds"]) == ("chat_cleared", 0)
    assert app.presence("c")["label"] == "Chat cleared"
    assert app.texts("c") == ["Hello"]
    told = page.write("Me again")["conversations"]["c"]
    assert (told["state"], told["heartbeat_seconds"]) == ("online", 60)


def test_an_event_in_several_conversations_is_answered_for_each(visitor: Visitor) -> None:
    answered = visitor.send(message("c"), message("d"), event("chat_cleared", "d")).get_json()
    told = answered["conversations"]
    assert {name: told[name]["state"] for name in told} == {"c": "online", "d": "chat_cleared"}


def test_a_visitor_writes_as_visitor_alone(visitor: Visitor, app: App) -> None:
    for author in ("bot", "system"):
        said = message("c", "I am the shop", author=author)
        assert visitor.outcome(said) == ("rejected", "author-not-allowed")
    assert visitor.outcome(message("c", author="agent")) == ("rejected", "invalid")
    assert app.listed() == []
    assert visitor.outcome(message("c", author="visitor")) == ("accepted", "")
    assert app.messages("c")["messages"][0]["author"] == "visitor"


@pytest.mark.parametrize(
    "happened",
    [
        event("conversation_deleted", "c"),
        event("customer", customer={"id": "1", "email": "boss@shop.example", "name": "Boss"}),
        event("customer", customer=None),
        event("order_placed", order={"id": "1", "number": "1", "total": "9.00", "currency": "EUR"}),
        event("cart", cart={"items": [], "total": "0", "currency": "EUR"}),
    ],
)
def test_what_only_the_store_may_say(visitor: Visitor, app: App, happened: dict[str, Any]) -> None:
    visitor.page("c").write("Hello")
    before = app.conversation("c")
    for named in ({}, {"visitor": visitor.id}, {"visitor": "v_other"}):
        assert visitor.outcome({**happened, **named}) == ("rejected", "store-only")
    assert app.conversation("c") == before
    assert visitor.send(message("c")).status_code == 200


def test_the_visitor_is_the_tokens_and_not_the_bodys(visitor: Visitor, app: App) -> None:
    visitor.results(message("c", visitor="v_somebody_else"))
    assert app.conversation("c")["visitor"]["id"] == visitor.id


def test_another_visitors_conversation_is_not_there(
    visitor: Visitor, store: Store, app: App
) -> None:
    visitor.page("c").write("Mine")
    before = app.get("/v1/conversations").data
    other = store.visitor("v_mallory")
    for happened in (
        event("page_view", "c", page="p", seq=9),
        event("heartbeat", "c", page="p_1", seq=9),
        event("page_hidden", "c", page="p_1", seq=9),
        event("page_unload", "c", page="p_1", seq=9),
        event("chat_cleared", "c"),
        message("c", "Not mine"),
        event("message_delivered", "c", message={"id": "m"}),
    ):
        assert other.outcome(happened) == ("rejected", "conversation-not-found")
    answered = other.send(message("c"), message("d")).get_json()
    assert set(answered["conversations"]) == {"d"}
    visitor.page("c").clear()
    assert other.outcome(message("c")) == ("rejected", "conversation-not-found")
    assert before != app.get("/v1/conversations").data
    assert app.texts("c") == ["Mine"]


def test_a_conversation_belongs_to_whom_the_store_names(
    visitor: Visitor, store: Store, app: App
) -> None:
    visitor.page("c").write("Begun by Jane")
    store.results(message("c", "To somebody else", author="bot", visitor="v_other"))
    assert app.conversation("c")["visitor"]["id"] == "v_other"
    assert visitor.outcome(message("c")) == ("rejected", "conversation-not-found")
    assert store.visitor("v_other").outcome(message("c")) == ("accepted", "")


def test_visitor_ids_are_case_sensitive(visitor: Visitor, store: Store) -> None:
    visitor.page("c").view()
    shouted = store.visitor(visitor.id.upper())
    assert shouted.outcome(message("c")) == ("rejected", "conversation-not-found")


@pytest.mark.parametrize("kind", ["page_view", "heartbeat", "page_hidden", "page_unload"])
def test_a_lifecycle_event_needs_its_page(visitor: Visitor, kind: str) -> None:
    assert visitor.outcome(event(kind, "c", seq=1)) == ("rejected", "page-required")


@pytest.mark.parametrize(
    "occurred_at", ["2020-01-01T00:00:00Z", "2099-01-01T00:00:00Z", "soon", ""]
)
def test_what_the_browsers_clock_says_is_ignored(
    visitor: Visitor, app: App, occurred_at: str
) -> None:
    """P11"""
    happened = message("c", occurred_at=occurred_at)
    assert visitor.outcome(happened) == ("accepted", "")
    assert app.conversation("c")["started_at"] == "2026-03-02T09:30:00.123Z"


def test_a_late_heartbeat_does_not_revive_an_unloaded_page(visitor: Visitor, app: App) -> None:
    """P9"""
    page = visitor.page("c")
    page.view()
    late = page.event("heartbeat")
    page.unload()
    assert visitor.results(late)[0]["status"] in ("accepted", "duplicate")
    assert app.presence("c")["state"] == "switching_pages"


def test_a_browser_is_called_by_its_name(visitor: Visitor, app: App) -> None:
    visitor.send(message("c"), headers={"User-Agent": IPHONE})
    assert app.conversation("c")["visitor"]["device"] == "iPhone / Safari"


def test_the_relay_does_not_become_the_visitors_browser(visitor: Visitor, app: App) -> None:
    visitor.send(message("c"), headers={"User-Agent": ""})
    assert app.conversation("c")["visitor"]["device"] is None


def test_what_the_visitor_typed_as_their_name_is_shown(visitor: Visitor, app: App) -> None:
    visitor.page("c").write("Hello", name="Jane", email="jane@example.com")
    assert app.conversation("c")["visitor"]["name"] == "Jane"
    visitor.page("c", "p2").write("Hello again")
    assert app.conversation("c")["visitor"]["name"] == "Jane"


@pytest.mark.parametrize(
    "media_type",
    [
        "application/json",
        "application/json; charset=utf-8",
        "text/plain",
        "text/plain;charset=UTF-8",
    ],
)
def test_json_and_plain_text_are_read_as_json(visitor: Visitor, media_type: str) -> None:
    headers = {"Content-Type": media_type}
    assert visitor.send(message("c"), headers=headers).status_code == 200
    refused(visitor.post(b"not JSON", headers=headers), 400, "malformed-json")


@pytest.mark.parametrize(
    "media_type",
    ["text/html", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "", "x"],
)
def test_another_content_type_is_not_taken(visitor: Visitor, app: App, media_type: str) -> None:
    answered = visitor.send(message("c"), headers={"Content-Type": media_type})
    refused(answered, 415, "unsupported-media-type")
    assert app.listed() == []


def test_a_body_has_64_kib_at_most(visitor: Visitor) -> None:
    fits = b'{"events":[{"id":"e","type":"page_view","conversation":"c","page":"p","seq":1}]}'
    fits += b" " * (65_536 - len(fits))
    assert visitor.post(fits).status_code == 200
    refused(visitor.post(fits + b" "), 413, "body-too-large")
    refused(visitor.post(b"x" * 66_560), 413, "body-too-large")


@pytest.mark.parametrize(("length", "kept"), [(2_048, True), (2_049, False), (60_000, False)])
def test_a_long_address_is_not_kept(visitor: Visitor, app: App, length: int, kept: bool) -> None:
    """It would be in the conversation's row, and in every list, for as long as the page is."""
    url = "https://shop.example/".ljust(length, "a")
    visitor.page("c").view(url=f"{url}?{'q' * 4_000}", title="Fern")
    page = app.presence("c")["page"]
    assert page == ({"url": url, "title": "Fern"} if kept else None)


def test_a_heartbeat_is_answered_as_any_event_is(visitor: Visitor, clock: Clock) -> None:
    """It is answered without the records; nobody must be able to tell."""
    page = visitor.page("c")
    viewed = page.view()
    clock.advance(seconds=10)
    happened = page.event("heartbeat")
    beaten = visitor.send(happened).get_json()
    assert beaten["conversations"] == viewed["conversations"]
    assert beaten["results"] == [{"id": happened["id"], "status": "accepted"}]
    again = visitor.send(happened).get_json()
    assert again["results"] == [{"id": happened["id"], "status": "duplicate"}]


def test_a_heartbeat_keeps_the_visitor_online(visitor: Visitor, app: App, clock: Clock) -> None:
    page = visitor.page("c")
    page.view()
    for _ in range(20):
        clock.advance(seconds=60)
        page.beat()
    presence = app.presence("c")
    assert presence["online"]
    assert presence["heard_at"] == "2026-03-02T09:50:00.123Z"
    assert presence["since"] == "2026-03-02T09:30:00.123Z"
    clock.advance(seconds=156)
    assert app.presence("c")["reason"] == "timed_out"


def test_heartbeats_go_on_after_a_restart(
    visitor: Visitor, app: App, clock: Clock, installation: Installation
) -> None:
    page = visitor.page("c")
    page.view()
    installation.bridge.sweep.keep_house(clock.now)
    installation.restart()
    assert app.presence("c")["online"]
    clock.advance(seconds=60)
    page.beat()
    clock.advance(seconds=60)
    assert app.presence("c")["online"]


def test_one_who_is_heard_in_another_chat_has_moved_on(
    visitor: Visitor, app: App, clock: Clock
) -> None:
    """P8"""
    visitor.page("c", "p1").view()
    clock.advance(seconds=5)
    visitor.page("d", "p2").view()
    assert (app.presence("c")["online"], app.presence("d")["online"]) == (True, True)
    clock.advance(seconds=120)
    visitor.results(event("heartbeat", "d", page="p2", seq=2))
    clock.advance(seconds=60)
    presence = app.presence("c")
    assert (presence["state"], presence["reason"]) == ("offline", "moved_on")
    assert presence["continued_in"] == "d"

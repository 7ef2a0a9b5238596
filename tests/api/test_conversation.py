"""``GET /v1/conversations/{id}``: one conversation, and its presence in every state."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from tests.api.description import refused
from tests.api.device import App
from tests.api.installation import Clock
from tests.api.store import Store
from tests.api.visitor import Visitor, event, message

AT = "2026-03-02T09:30:00.123Z"


def test_it_is_as_in_the_list(visitor: Visitor, app: App) -> None:
    visitor.page("c").write("Hello", name="Jane")
    assert app.conversation("c") == app.listing()["conversations"][0]


@pytest.mark.parametrize(
    "missing", ["d", "C", "c ", "\0", "\n", "x" * 129, "😀", "%00", "..", "c/d"]
)
def test_what_is_not_there(visitor: Visitor, app: App, missing: str) -> None:
    visitor.page("c").view()
    refused(app.get(f"/v1/conversations/{quote(missing, safe='')}"), 404, "not-found")


@pytest.mark.parametrize(
    "name", ["a b", "a?b", "a#b", "a%2Fb", "ä", "😀", "a+b", "a&b=c", "a;b", '"', "a/b"]
)
def test_an_id_of_any_printable_characters_can_be_opened(
    visitor: Visitor, app: App, name: str
) -> None:
    visitor.page(name).write("Hello")
    assert app.conversation(name)["id"] == name
    assert app.texts(name) == ["Hello"]
    assert app.read(name).status_code == 204


def test_online(visitor: Visitor, app: App) -> None:
    visitor.page("c").view()
    presence = app.presence("c")
    assert (presence["online"], presence["state"], presence["reason"]) == (True, "online", None)
    assert (presence["label"], presence["note"]) == ("Online now", None)
    assert (presence["since"], presence["heard_at"], presence["pages"]) == (AT, AT, 1)


def test_switching_pages(visitor: Visitor, app: App) -> None:
    page = visitor.page("c")
    page.view()
    page.unload()
    presence = app.presence("c")
    assert (presence["online"], presence["state"]) == (False, "switching_pages")
    assert (presence["label"], presence["note"]["code"]) == ("Switching pages", "switching_pages")
    assert presence["last_seen_at"] == AT


def test_left(visitor: Visitor, app: App, clock: Clock) -> None:
    page = visitor.page("c")
    page.view()
    page.unload()
    clock.advance(minutes=5)
    presence = app.presence("c")
    assert (presence["state"], presence["reason"]) == ("offline", "left")
    assert presence["label"] == "Last seen 5 minutes ago"
    assert presence["note"]["code"] == "left"
    assert (presence["since"], presence["last_seen_at"]) == ("2026-03-02T09:30:15.123Z", AT)
    assert presence["pages"] == 0


def test_timed_out(visitor: Visitor, app: App, clock: Clock) -> None:
    visitor.page("c").view()
    clock.advance(hours=3)
    presence = app.presence("c")
    assert (presence["state"], presence["reason"]) == ("offline", "timed_out")
    assert presence["label"] == "Last seen 3 hours ago"
    assert presence["note"]["code"] == "timed_out"
    assert (presence["since"], presence["last_seen_at"]) == ("2026-03-02T09:32:35.123Z", AT)


def test_moved_on(visitor: Visitor, app: App, clock: Clock) -> None:
    page = visitor.page("c", "p1")
    page.view()
    page.unload()
    clock.advance(seconds=5)
    visitor.page("d", "p2").view()
    clock.advance(seconds=60)
    presence = app.presence("c")
    assert (presence["reason"], presence["continued_in"]) == ("moved_on", "d")
    assert presence["note"]["code"] == "moved_on"


def test_cleared(visitor: Visitor, app: App, clock: Clock) -> None:
    page = visitor.page("c")
    page.write("Hello")
    clock.advance(seconds=5)
    page.clear()
    clock.advance(days=2)
    presence = app.presence("c")
    assert (presence["state"], presence["reason"]) == ("chat_cleared", None)
    assert presence["label"] == "Chat cleared"
    assert presence["note"]["code"] == "chat_cleared"
    assert presence["last_seen_at"] == "2026-03-02T09:30:05.123Z"


def test_never_seen(store: Store, app: App) -> None:
    store.results(message("c", author="bot"))
    presence = app.presence("c")
    assert (presence["online"], presence["state"]) == (False, "offline")
    assert (presence["since"], presence["last_seen_at"], presence["heard_at"]) == (None, None, None)
    assert presence["label"] == "Not seen yet"


@pytest.mark.parametrize(
    ("ago", "label"),
    [
        ({"seconds": 59}, "Last seen just now"),
        ({"seconds": 60}, "Last seen 1 minute ago"),
        ({"minutes": 59}, "Last seen 59 minutes ago"),
        ({"hours": 1}, "Last seen 1 hour ago"),
        ({"hours": 23}, "Last seen 23 hours ago"),
        ({"days": 1}, "Last seen 1 day ago"),
        ({"days": 6}, "Last seen 6 days ago"),
        ({"days": 7}, "Last seen 2 March 2026"),
    ],
)
def test_how_long_ago(
    visitor: Visitor, app: App, clock: Clock, ago: dict[str, float], label: str
) -> None:
    """N1"""
    page = visitor.page("c")
    page.view()
    page.unload()
    clock.advance(**ago)
    assert app.presence("c")["label"] == label


def test_two_tabs(visitor: Visitor, app: App, clock: Clock) -> None:
    """P3: closing one leaves the other."""
    first, second = visitor.page("c", "p1"), visitor.page("c", "p2")
    first.view(url="https://shop.example/one", title="One")
    clock.advance(seconds=1)
    second.view(url="https://shop.example/two", title="Two")
    assert app.presence("c")["pages"] == 2
    assert app.presence("c")["page"]["title"] == "Two"
    second.unload()
    presence = app.presence("c")
    assert (presence["online"], presence["pages"]) == (True, 1)
    assert presence["page"]["title"] == "One"


def test_what_was_read_before_is_not_sent_again(visitor: Visitor, app: App, clock: Clock) -> None:
    page = visitor.page("c")
    page.view()
    path = "/v1/conversations/c"
    first = app.get(path)
    etag = {"If-None-Match": first.headers["ETag"]}
    assert app.get(path, headers=etag).status_code == 304
    visitor.page("d", "p2").view()
    assert app.get(path, headers=etag).status_code == 304
    clock.advance(seconds=10)
    page.beat()
    heard = app.get(path, headers=etag)
    assert heard.status_code == 200
    assert heard.get_json()["presence"]["heard_at"] == "2026-03-02T09:30:10.123Z"


def test_a_customer_in_full(visitor: Visitor, store: Store, app: App) -> None:
    visitor.page("c").view()
    customer = {"id": "17", "name": "Jane Doe", "email": "jane@example.com"}
    store.results(event("customer", visitor=visitor.id, customer=customer))
    found = app.conversation("c")["customer"]
    assert {name: found[name] for name in customer} == customer
    assert found["proof"] == "signed_in"


def test_a_right_is_needed(visitor: Visitor, store: Store) -> None:
    visitor.page("c").view()
    app = store.app(rights=("conversations:reply", "takeover", "push"))
    refused(app.get("/v1/conversations/c"), 403, "right-missing")

"""``GET /v1/stream``: what changes, as it changes (S3). Over real connections: tests/processes."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.description import refused
from tests.api.device import App
from tests.api.installation import Clock, Installation
from tests.api.store import Store
from tests.api.stream import Sent
from tests.api.visitor import Page, Visitor, event, message


@pytest.fixture
def page(visitor: Visitor) -> Page:
    """A page on which somebody is."""
    page = visitor.page("c")
    page.view()
    return page


def told(sent: list[Sent]) -> dict[tuple[str, str], Any]:
    """The last that was told of each conversation and message."""
    return {(each.name, each.data["id"]): each.data for each in sent if each.name != "heard"}


def synced(app: App, after: int = 0) -> dict[tuple[str, str], Any]:
    """The same from sync."""
    found = app.sync(after, limit=500)
    return {
        **{("conversation", each["id"]): each for each in found["conversations"]},
        **{("message", each["id"]): each for each in found["messages"]},
    }


def test_its_head(app: App) -> None:
    headers = app.stream().answered.headers
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Accel-Buffering"] == "no"
    assert "Content-Length" not in headers
    assert "ETag" not in headers


def test_it_begins_with_the_present_revision(page: Page, app: App) -> None:
    rev = app.listing()["rev"]
    stream = app.stream()
    assert (stream.ready.data, stream.ready.id) == ({"rev": rev}, rev)
    assert stream.until_now() == []


def test_s3_it_carries_the_same_objects_as_sync_in_order(
    page: Page, app: App, store: Store
) -> None:
    stream = app.stream()
    rev = stream.ready.data["rev"]
    page.write("Hello")
    store.results(message("c", "How can I help?", author="bot"))
    app.take_over("c")
    app.write("c", "I am Sam")
    store.begin("d")
    sent = stream.until_now()
    assert told(sent) == synced(app, rev)
    ids = [each.id or 0 for each in sent]
    assert ids == sorted(ids)
    assert [each.data["rev"] for each in sent] == ids


def test_each_change_is_told_once(page: Page, app: App) -> None:
    stream = app.stream()
    page.write("one")
    first = stream.read(2)
    page.write("two")
    second = stream.read(2)
    assert {each.name for each in first} == {each.name for each in second}
    assert [each.data["text"] for each in first + second if each.name == "message"] == [
        "one",
        "two",
    ]
    assert stream.until_now() == []


def test_a_deleted_conversation_is_told(page: Page, app: App, store: Store) -> None:
    stream = app.stream()
    store.results(event("conversation_deleted", "c"))
    [gone] = stream.read()
    assert gone.name == "conversation"
    assert gone.data == {"id": "c", "rev": gone.id, "deleted": True}


def test_unread_is_each_agents_own(page: Page, app: App, kim: App) -> None:
    page.write("Hello")
    mine, theirs = app.stream(), kim.stream()
    app.read("c")
    [seen] = mine.read()
    assert seen.data["unread"] == 0
    [seen] = theirs.read()
    assert seen.data["unread"] == 1


def test_heartbeats_are_not_told_to_who_does_not_watch(
    page: Page, app: App, kim: App, clock: Clock
) -> None:
    kim.watch("c")
    mine, theirs = app.stream(), kim.stream()
    for _ in range(3):
        clock.advance(seconds=10)
        page.beat()
    assert [each.name for each in theirs.until_now()] == ["heard"] * 3
    assert mine.rest() == []


def test_n2_who_watches_is_told_when_the_visitor_is_heard(
    page: Page, app: App, clock: Clock
) -> None:
    stream = app.stream()
    app.watch("c")
    [watched] = stream.read()
    assert watched.data["watchers"] == [{"id": "1", "name": "Sam"}]
    clock.advance(seconds=1)
    page.beat()
    [heard] = stream.read()
    assert (heard.name, heard.id) == ("heard", None)
    assert heard.data == {"conversation": "c", "heard_at": "2026-03-02T09:30:01.123Z"}
    clock.advance(seconds=10)
    page.beat()
    assert stream.read()[0].data["heard_at"] == "2026-03-02T09:30:11.123Z"


def test_n2_a_stream_that_is_opened_after_the_watch_is_told_too(
    page: Page, app: App, clock: Clock
) -> None:
    app.watch("c")
    page.beat()
    stream = app.stream()
    clock.advance(seconds=10)
    page.beat()
    assert stream.read()[0].name == "heard"


def test_n2_all_devices_of_who_watches_are_told(page: Page, store: Store, clock: Clock) -> None:
    phone, tablet = store.app(), store.app()
    stream = tablet.stream()
    phone.watch("c")
    stream.read()
    clock.advance(seconds=1)
    page.beat()
    assert stream.read()[0].name == "heard"


@pytest.mark.parametrize("ends", ["leave", "expires"])
def test_n2_who_watches_no_longer_is_not_told(
    page: Page, app: App, clock: Clock, ends: str
) -> None:
    app.watch("c")
    page.beat()
    stream = app.stream()
    if ends == "leave":
        app.leave("c")
    else:
        clock.advance(seconds=45)
        app.listing()
    [left] = stream.read()
    assert left.data["watchers"] == []
    clock.advance(seconds=10)
    page.beat()
    clock.advance(seconds=10)
    page.beat()
    assert stream.until_now() == []


# ------------------------------------------------------------------------- resuming


@pytest.mark.parametrize("by", ["after", "Last-Event-ID"])
def test_s3_it_is_resumed_where_it_broke_off(page: Page, app: App, by: str) -> None:
    stream = app.stream()
    page.write("one")
    last = stream.read(2)[-1].id
    stream.drop()
    page.write("two")
    page.unload()
    expected = synced(app, last or 0)
    again = app.stream(last) if by == "after" else app.stream(headers={"Last-Event-ID": str(last)})
    assert (again.ready.data, again.ready.id) == ({"rev": last}, last)
    page.write("three")
    sent = again.until_now()
    assert [each.data["text"] for each in sent if each.name == "message"] == ["two", "three"]
    ids = [each.id or 0 for each in sent]
    assert ids == sorted(set(ids))
    assert set(told(sent)) == {*expected, *synced(app, last or 0)}
    assert told(sent)["conversation", "c"] == app.conversation("c")


def test_what_the_browser_says_wins_over_the_address(page: Page, app: App) -> None:
    page.write("one")
    stream = app.stream(0, headers={"Last-Event-ID": str(app.listing()["rev"])})
    assert stream.until_now() == []


def test_s2_more_than_is_read_at_once_is_resumed_too(
    monkeypatch: pytest.MonkeyPatch, store: Store, app: App
) -> None:
    monkeypatch.setattr("bridge.api.agent_stream.MOST_CHANGES", 3)
    store.begin(*[f"c{number}" for number in range(10)])
    stream = app.stream(0)
    sent = stream.read(20)
    monkeypatch.undo()
    assert told(sent) == synced(app)
    assert stream.until_now() == []


def test_a_revision_that_the_site_has_not_reached(page: Page, app: App) -> None:
    page.write("Hello")
    stream = app.stream(10**9)
    assert stream.ready.data == {"rev": 0}
    page.write("more")
    sent = stream.until_now()
    assert told(sent) == synced(app)
    assert sent[-1].id == app.listing()["rev"]


@pytest.mark.parametrize("after", ["", "-1", "x", "1.0", "9" * 19])
def test_after_is_a_revision(app: App, after: str) -> None:
    refused(app.get("/v1/stream", query_string={"after": after}), 422, "invalid")
    if after:
        refused(app.get("/v1/stream", headers={"Last-Event-ID": after}), 422, "invalid")


# ------------------------------------------------------------------------ its end


def test_a_device_that_is_signed_out_hears_no_more(page: Page, store: Store, kim: App) -> None:
    phone, tablet = store.app(), store.app()
    ended, goes_on = phone.stream(), tablet.stream()
    theirs = kim.stream()
    phone.request("DELETE", "/v1/me")
    page.write("Hello")
    assert [each.name for each in ended.rest()].count("message") == 0
    assert "message" in {each.name for each in goes_on.read(2)}
    store.request("DELETE", "/v1/store/agents/1")
    assert goes_on.rest() == []
    assert "message" in {each.name for each in theirs.read(2)}


def test_one_that_the_bridge_ends_says_so_to_nobody(app: App) -> None:
    """At SIGTERM: the reader comes back with what it has."""
    stream = app.stream()
    assert stream.until_now() == []


def test_it_needs_a_token_and_the_right_to_read(installation: Installation, store: Store) -> None:
    refused(installation.open("/v1/stream"), 401, "token-missing")
    signed_out = App(installation, "x" * 43, "")
    refused(signed_out.get("/v1/stream"), 401, "device-unknown")
    refused(store.app("3", "Eve", ("takeover",)).get("/v1/stream"), 403, "right-missing")


def test_a_token_in_the_address_is_not_looked_at(installation: Installation, app: App) -> None:
    answered = installation.open(f"/v1/stream?token={app.token}")
    refused(answered, 401, "token-missing")


def test_another_site_is_not_told(page: Page, app: App, other_store: Store) -> None:
    theirs = other_store.app().stream()
    page.write("Hello")
    app.take_over("c")
    other_store.begin("d")
    assert {each.data.get("conversation", each.data["id"]) for each in theirs.until_now()} == {"d"}


def test_a_head_holds_no_stream(app: App, installation: Installation) -> None:
    for _ in range(10):
        answered = app.request("HEAD", "/v1/stream", described=False)
        assert (answered.status_code, answered.data) == (200, b"")
        answered.close()
    assert app.stream().until_now() == []

"""``GET /v1/visitor/stream``: what a page is told, as it happens (P2, D2, D3, M2, P7)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.device import App
from tests.api.installation import Clock, Installation
from tests.api.store import Store
from tests.api.stream import Sent, Stream
from tests.api.visitor import Page, Visitor, event, message

AI = {"active": False, "agent": None}
SAM = {"active": True, "agent": {"id": "1", "name": "Sam", "avatar_url": None}}


@pytest.fixture
def page(visitor: Visitor, clock: Clock) -> Page:
    """A page on which somebody is, since a second ago."""
    page = visitor.page("c")
    page.view()
    clock.advance(seconds=1)
    return page


def names(sent: list[Sent]) -> list[str]:
    return [each.name for each in sent]


def texts(sent: list[Sent], author: str = "agent") -> list[str]:
    said = [each.data for each in sent if each.name == "message"]
    return [each["text"] for each in said if each["author"] == author]


def test_its_head(page: Page) -> None:
    headers = page.stream().answered.headers
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Accel-Buffering"] == "no"
    assert headers["Access-Control-Allow-Origin"] == page.visitor.origin
    assert "Origin" in headers["Vary"]
    assert "Content-Length" not in headers


def test_d2_a_page_that_holds_a_stream_is_told_not_to_beat(page: Page) -> None:
    stream = page.stream()
    told = stream.ready.data
    assert (told["heartbeat_seconds"], told["takeover"]) == (0, AI)
    assert stream.until_now() == []


def test_d2_in_demand_it_is_told_to_beat_at_once(page: Page, app: App) -> None:
    app.watch("c")
    assert page.stream().ready.data["heartbeat_seconds"] == 10


def test_d3_it_is_told_when_demand_begins_and_ends(page: Page, app: App, kim: App) -> None:
    stream = page.stream()
    app.watch("c")
    [begins] = stream.read()
    assert (begins.name, begins.data, begins.id) == ("demand", {"heartbeat_seconds": 10}, None)
    kim.watch("c")
    app.watch("c")
    app.leave("c")
    kim.leave("c")
    [ends] = stream.read()
    assert (ends.name, ends.data) == ("demand", {"heartbeat_seconds": 0})
    assert stream.until_now() == []


def test_d3_it_is_told_when_a_watch_ends_by_itself(page: Page, app: App, clock: Clock) -> None:
    stream = page.stream()
    app.watch("c")
    stream.read()
    clock.advance(seconds=9)
    page.beat()
    clock.advance(seconds=36)
    app.listing()
    assert stream.read()[0].data == {"heartbeat_seconds": 0}


def test_p2_one_that_is_told_to_beat_and_does_not_is_gone_10_seconds_later(
    page: Page, app: App, clock: Clock
) -> None:
    stream = page.stream()
    clock.advance(minutes=2)
    app.watch("c")
    clock.advance(seconds=9.9)
    assert app.presence("c")["online"]
    clock.advance(seconds=0.1)
    presence = app.presence("c")
    assert (presence["state"], presence["reason"]) == ("offline", "timed_out")
    assert presence["last_seen_at"] == "2026-03-02T09:30:01.123Z"
    assert names(stream.read()) == ["demand"]


def test_p2_one_that_is_told_not_to_beat_has_330_seconds(
    page: Page, app: App, clock: Clock
) -> None:
    stream = page.stream()
    clock.advance(seconds=329.9)
    assert app.presence("c")["online"]
    clock.advance(seconds=0.1)
    assert app.presence("c")["reason"] == "timed_out"
    assert "message" not in names(stream.until_now())


def test_p2_opening_a_stream_is_being_heard(page: Page, app: App, clock: Clock) -> None:
    clock.advance(seconds=60)
    page.stream()
    assert app.presence("c")["heard_at"] == "2026-03-02T09:31:01.123Z"


def test_p2_a_stream_that_drops_leaves_the_grace_time(page: Page, app: App, clock: Clock) -> None:
    stream = page.stream()
    clock.advance(seconds=100)
    stream.drop()
    clock.advance(seconds=14.9)
    assert app.presence("c")["online"]
    clock.advance(seconds=0.1)
    assert app.presence("c")["reason"] == "timed_out"


def test_p2_an_older_stream_that_drops_matters_nothing(page: Page, app: App, clock: Clock) -> None:
    older = page.stream()
    clock.advance(seconds=1)
    newer = page.stream()
    assert older.rest() == []
    older.drop()
    clock.advance(seconds=60)
    assert app.presence("c")["online"]
    newer.drop()
    clock.advance(seconds=15)
    assert not app.presence("c")["online"]


def test_p2_what_the_bridge_itself_ends_says_nothing_of_the_page(
    page: Page, app: App, clock: Clock
) -> None:
    stream = page.stream()
    stream.until_now()
    stream.drop()
    clock.advance(seconds=60)
    assert app.presence("c")["online"]


def test_p2_a_stream_never_revives_a_page_that_has_ended(
    page: Page, app: App, clock: Clock
) -> None:
    page.unload()
    clock.advance(minutes=1)
    stream = page.stream()
    assert stream.ready.data["heartbeat_seconds"] > 0, "only its beat says that it is there"
    assert app.presence("c")["reason"] == "left"


def test_p3_an_unload_ends_its_own_streams_only(page: Page, app: App) -> None:
    other = page.visitor.page("c", "p_2")
    other.view()
    left, stays = page.stream(), other.stream()
    page.unload()
    left.rest()
    app.take_over("c")
    assert "takeover" in names(stays.read(3))


# ------------------------------------------------------------------------- messages


def test_m2_it_is_told_what_the_agent_writes(page: Page, app: App) -> None:
    stream = page.stream()
    app.take_over("c")
    begun = stream.read(3)
    assert sorted(names(begun)) == ["demand", "message", "takeover"]
    assert texts(begun, "system") == ["Sam has joined the chat."]
    assert [each.data for each in begun if each.name == "takeover"] == [SAM]
    sent = app.write("c", "Hello")
    [shown] = stream.read()
    assert (shown.name, shown.id) == ("message", sent["rev"])
    assert shown.data == sent


def test_m2_nobody_elses_words_are_told(page: Page, store: Store) -> None:
    stream = page.stream()
    page.write("Is anybody there?")
    store.results(message("c", "I am a bot.", author="bot"))
    assert stream.until_now() == []


def test_a_system_message_of_the_stores_is_told(page: Page, store: Store) -> None:
    stream = page.stream()
    store.results(message("c", "The assistant is away.", author="system"))
    assert texts(stream.read(), "system") == ["The assistant is away."]


def test_m2_what_was_written_meanwhile_comes_first_in_order_and_once(page: Page, app: App) -> None:
    app.take_over("c")
    for number in range(3):
        app.write("c", f"{number}")
    stream = page.stream()
    assert stream.ready.data["takeover"] == SAM
    app.write("c", "3")
    assert texts(stream.read(4)) == ["0", "1", "2", "3"]
    assert stream.until_now() == []


def test_m2_without_after_everything_undelivered(page: Page, app: App) -> None:
    app.take_over("c")
    sent = [app.write("c", f"{number}") for number in range(3)]
    page.delivered(sent[1]["id"])
    assert texts(page.stream().until_now()) == ["0", "2"]


def test_m2_what_was_confirmed_is_not_told_again(page: Page, app: App) -> None:
    stream = page.stream()
    app.take_over("c")
    sent = app.write("c", "Hello")
    stream.read(4)
    page.delivered(sent["id"])
    assert stream.until_now() == []


@pytest.mark.parametrize("by", ["after", "Last-Event-ID"])
def test_m2_it_is_resumed_after_the_message_that_was_shown_last(
    page: Page, app: App, by: str
) -> None:
    app.take_over("c")
    stream = page.stream()
    sent = [app.write("c", f"{number}") for number in range(2)]
    last = stream.read(2)[-1].id
    stream.drop()
    for each in sent:
        page.delivered(each["id"])
    app.write("c", "2")
    app.release("c")
    again = (
        page.stream(last) if by == "after" else page.stream(headers={"Last-Event-ID": str(last)})
    )
    found = again.until_now()
    assert texts(found) == ["2"]
    assert texts(found, "system") == ["Sam has left the chat. The assistant answers again."]
    assert [each.id for each in found] == sorted(each.id or 0 for each in found)


def test_m2_what_was_shown_but_never_confirmed_is_told_again(page: Page, app: App) -> None:
    """The page leaves it out, and confirms it."""
    app.take_over("c")
    sent = app.write("c", "Hello")
    found = page.stream(sent["rev"]).until_now()
    assert [each.data["id"] for each in found] == [sent["id"]]


def test_m2_more_than_is_told_at_once_is_told_when_the_page_comes_back(
    monkeypatch: pytest.MonkeyPatch, page: Page, app: App
) -> None:
    """Such a stream ends after what it told: what is written meanwhile must not overtake."""
    monkeypatch.setattr("bridge.services.visits.MOST_MESSAGES", 3)
    monkeypatch.setattr("bridge.api.visitor_stream.MOST_MESSAGES", 3)
    app.take_over("c")
    for number in range(7):
        app.write("c", f"{number}")
    shown, last, rounds = list[str](), None, 0
    while len(shown) < 8:
        stream = page.stream(last)
        if rounds == 0:
            app.write("c", "7")
        came = stream.rest() if len(shown) < 6 else stream.until_now()
        for each in came:
            page.delivered(each.data["id"])
        shown, last, rounds = shown + texts(came), came[-1].id, rounds + 1
    assert shown == [f"{number}" for number in range(8)]


@pytest.mark.parametrize("after", ["", "-1", "x", "1.0", "9" * 19])
def test_after_is_a_revision(page: Page, after: str) -> None:
    address = page.address("stream")
    answered = page.visitor.get(f"{address}&after={after}")
    assert answered.status_code == 422
    if after:
        answered = page.visitor.get(address, headers={"Last-Event-ID": after})
        assert answered.status_code == 422


def test_a_revision_that_the_site_has_not_reached(page: Page, app: App) -> None:
    """One of a database that is no more: what is undelivered comes, and what is written then."""
    app.take_over("c")
    app.write("c", "before")
    stream = page.stream(10**9)
    app.write("c", "after")
    assert texts(stream.read(2)) == ["before", "after"]


def test_the_owner_who_changes_is_told(page: Page, app: App, kim: App) -> None:
    stream = page.stream()
    app.take_over("c")
    app.release("c")
    kim.take_over("c")
    told = [each.data for each in stream.until_now() if each.name == "takeover"]
    assert told[-1]["agent"]["name"] == "Kim"


def test_a_release_is_told(page: Page, app: App) -> None:
    app.take_over("c")
    stream = page.stream()
    app.release("c")
    ended = stream.read(3)
    assert sorted(names(ended)) == ["demand", "message", "takeover"]
    assert [each.data for each in ended if each.name == "takeover"] == [AI]


# --------------------------------------------------------------------------- cleared


def test_p7_a_clear_ends_every_stream_of_the_conversation(page: Page, app: App) -> None:
    other = page.visitor.page("c", "p_2")
    other.view()
    elsewhere = page.visitor.page("d", "p_3")
    elsewhere.view()
    streams = [page.stream(), other.stream()]
    stays = elsewhere.stream()
    page.clear()
    for stream in streams:
        [cleared] = stream.rest()
        assert (cleared.name, cleared.data) == ("cleared", {})
    app.watch("d")
    assert names(stays.read()) == ["demand"]


def test_p7_what_was_not_told_before_the_clear_waits_for_the_visitors_next_message(
    page: Page, app: App
) -> None:
    stream = page.stream()
    app.take_over("c")
    told = app.write("c", "one")
    assert texts(stream.read(4)) == ["one"]
    page.delivered(told["id"])
    app.write("c", "two")
    page.clear()
    found = stream.rest()
    assert names(found) == ["cleared"]
    page.write("Another question")
    assert texts(page.stream().until_now()) == ["two"]


def test_p7_a_stream_of_a_cleared_chat_says_so_and_ends(page: Page, app: App) -> None:
    app.take_over("c")
    app.write("c", "Hello")
    page.clear()
    stream = page.stream()
    told = stream.ready.data
    assert (told["heartbeat_seconds"], told["takeover"]) == (0, AI)
    assert names(stream.rest()) == ["cleared"]


def test_p7_who_writes_again_in_a_cleared_chat_streams_again(page: Page, app: App) -> None:
    page.clear()
    page.write("I have another question")
    stream = page.stream()
    app.take_over("c")
    app.write("c", "Yes?")
    assert "Yes?" in texts(stream.read(4))


def test_a_deleted_conversation_ends_its_streams(page: Page, store: Store) -> None:
    stream = page.stream()
    store.results(event("conversation_deleted", "c"))
    assert names(stream.rest()) == ["cleared"]


# -------------------------------------------------------------------------- two pages


def test_each_page_of_a_conversation_is_told_everything(page: Page, app: App) -> None:
    other = page.visitor.page("c", "p_2")
    other.view()
    streams: list[Stream] = [page.stream(), other.stream()]
    app.take_over("c")
    app.write("c", "Hello")
    for stream in streams:
        assert texts(stream.read(4)) == ["Hello"]


def test_the_page_opens_another_and_its_older_one_ends(page: Page, app: App) -> None:
    older, newer = page.stream(), page.stream()
    assert older.rest() == []
    app.watch("c")
    assert names(newer.read()) == ["demand"]


def test_two_pages_of_the_same_name_of_two_visitors_are_two(store: Store, app: App) -> None:
    jane, joe = store.visitor("v_jane").page("c", "p"), store.visitor("v_joe").page("d", "p")
    for page in (jane, joe):
        page.view()
    streams = [jane.stream(), joe.stream()]
    for conversation in ("c", "d"):
        app.watch(conversation)
    for stream in streams:
        assert names(stream.read()) == ["demand"]


def test_a_page_that_the_bridge_has_not_heard_of_is_told_to_beat(
    page: Page, app: App, clock: Clock
) -> None:
    stream = page.visitor.page("c", "p_unknown").stream()
    assert stream.ready.data["heartbeat_seconds"] > 0
    assert app.presence("c")["pages"] == 1


def test_a_restart_keeps_what_a_stream_resumes_from(
    page: Page, app: App, installation: Installation
) -> None:
    stream = page.stream()
    app.take_over("c")
    app.write("c", "one")
    last = stream.read(4)[-1].id
    installation.restart()
    app.write("c", "two")
    found: list[Any] = texts(page.stream(last).until_now())
    assert found == ["one", "two"], "the first was never confirmed"

"""``GET /v1/visitor/sync``: the same as the stream for a page that cannot stream."""

from __future__ import annotations

import pytest

from tests.api.device import App
from tests.api.installation import Clock
from tests.api.store import Store
from tests.api.visitor import Page, Visitor, event, message

AI = {"active": False, "agent": None}


@pytest.fixture
def page(visitor: Visitor) -> Page:
    """A page on which somebody is."""
    page = visitor.page("c")
    page.view()
    return page


def texts(page: Page, after: int | None = None) -> list[str]:
    return [each["text"] for each in page.sync(after)["messages"]]


def test_an_answer_has_every_field(page: Page, app: App) -> None:
    rev = app.conversation("c")["rev"]
    assert page.sync() == {
        "rev": rev,
        "messages": [],
        "takeover": AI,
        "heartbeat_seconds": 60,
        "next_sync_seconds": 60,
        "state": "online",
    }


def test_it_is_asked_every_3_seconds_during_a_takeover(page: Page, app: App) -> None:
    app.take_over("c")
    told = page.sync()
    assert (told["next_sync_seconds"], told["heartbeat_seconds"]) == (3, 10)
    assert told["takeover"] == {
        "active": True,
        "agent": {"id": "1", "name": "Sam", "avatar_url": None},
    }
    app.release("c")
    told = page.sync()
    assert (told["next_sync_seconds"], told["takeover"]) == (60, AI)


def test_a_page_in_the_background_is_in_no_hurry(page: Page, app: App) -> None:
    app.take_over("c")
    page.hide()
    assert page.sync()["next_sync_seconds"] == 60


def test_d2_in_demand_it_beats_every_10_seconds(page: Page, app: App) -> None:
    app.watch("c")
    told = page.sync()
    assert (told["heartbeat_seconds"], told["next_sync_seconds"]) == (10, 10)
    app.leave("c")
    assert page.sync()["heartbeat_seconds"] == 60


def test_p2_it_is_being_heard(page: Page, app: App, clock: Clock) -> None:
    for _ in range(5):
        clock.advance(seconds=100)
        page.sync()
    presence = app.presence("c")
    assert presence["online"]
    assert presence["heard_at"] == "2026-03-02T09:38:20.123Z"


def test_n2_who_watches_is_told_that_it_is_heard(page: Page, app: App, clock: Clock) -> None:
    app.watch("c")
    stream = app.stream()
    clock.advance(seconds=1)
    page.sync()
    [heard] = [each for each in stream.until_now() if each.name == "heard"]
    assert heard.data["heard_at"] == "2026-03-02T09:30:01.123Z"


@pytest.mark.parametrize("ending", ["unload", "deadline"])
def test_p2_it_never_revives_a_page_that_has_ended(
    page: Page, app: App, clock: Clock, ending: str
) -> None:
    if ending == "unload":
        page.unload()
    clock.advance(minutes=10)
    before = app.presence("c")
    told = page.sync()
    assert told["state"] == "offline"
    assert app.presence("c") == before


def test_m2_messages_come_in_order_and_are_not_told_again(page: Page, app: App) -> None:
    app.take_over("c")
    sent = [app.write("c", f"{number}") for number in range(3)]
    told = page.sync()["messages"]
    assert [each["text"] for each in told] == ["0", "1", "2"]
    assert [each["rev"] for each in told] == sorted(each["rev"] for each in sent)
    for each in sent:
        page.delivered(each["id"])
    assert texts(page) == []
    after = told[-1]["rev"]
    app.write("c", "3")
    assert texts(page, after) == ["3"]


def test_m2_the_revision_of_a_message_is_the_one_that_it_came_with(page: Page, app: App) -> None:
    """Whatever became of it: a page asks for what came after it."""
    app.take_over("c")
    first, second = app.write("c", "first"), app.write("c", "second")
    page.delivered(first["id"])
    told = page.sync(0)["messages"]
    revisions = {each["text"]: each["rev"] for each in told if each["author"] == "agent"}
    assert revisions == {"first": first["rev"], "second": second["rev"]}


def test_m2_with_after_system_messages_too_and_nobody_elses(
    page: Page, app: App, store: Store
) -> None:
    page.write("Hello")
    store.results(message("c", "I am a bot.", author="bot"))
    app.take_over("c")
    assert texts(page, 0) == ["Sam has joined the chat."]
    assert texts(page) == []


def test_m2_more_than_is_told_at_once_is_told_next(
    monkeypatch: pytest.MonkeyPatch, page: Page, app: App
) -> None:
    monkeypatch.setattr("bridge.services.visits.MOST_MESSAGES", 2)
    app.take_over("c")
    for number in range(5):
        app.write("c", f"{number}")
    shown = list[str]()
    after = None
    while told := page.sync(after)["messages"]:
        shown += [each["text"] for each in told if each["author"] == "agent"]
        after = told[-1]["rev"]
        for each in told:
            if each["author"] == "agent":
                page.delivered(each["id"])
    assert shown == ["0", "1", "2", "3", "4"]


def test_p7_in_a_cleared_chat_nothing_is_shown(page: Page, app: App) -> None:
    app.take_over("c")
    app.write("c", "Hello")
    page.clear()
    told = page.sync()
    assert (told["state"], told["heartbeat_seconds"]) == ("chat_cleared", 0)
    assert (told["messages"], told["takeover"]) == ([], AI)


def test_p7_what_was_queued_waits_for_the_visitors_next_message(page: Page, app: App) -> None:
    page.clear()
    app.take_over("c", "chat_cleared")
    app.write("c", "Are you still there?")
    told = page.sync()
    (waiting,) = (each for each in app.messages("c")["messages"] if each["author"] == "agent")
    assert (told["messages"], told["rev"]) == ([], waiting["rev"] - 1)
    page.write("Yes")
    assert texts(page, told["rev"]) == ["Are you still there?"]
    assert texts(page) == ["Are you still there?"]


def test_a_deleted_conversation_is_not_there(page: Page, store: Store) -> None:
    store.results(event("conversation_deleted", "c"))
    answered = page.visitor.get(page.address("sync"))
    assert answered.status_code == 404


@pytest.mark.parametrize("after", ["", "-1", "x", "1.0", "9" * 19])
def test_after_is_a_revision(page: Page, after: str) -> None:
    answered = page.visitor.get(f"{page.address('sync')}&after={after}")
    assert answered.status_code == 422


def test_a_revision_that_the_site_has_not_reached(page: Page, app: App) -> None:
    app.take_over("c")
    app.write("c", "Hello")
    assert texts(page, 10**9) == ["Hello"]

"""``GET /v1/conversations/{id}/messages``: the transcript, page by page."""

from __future__ import annotations

import pytest

from tests.api.description import refused
from tests.api.device import App
from tests.api.installation import Clock
from tests.api.store import Store
from tests.api.visitor import Visitor, event, message

PATH = "/v1/conversations/c/messages"


@pytest.fixture
def transcript(store: Store, clock: Clock) -> None:
    """Ten messages, ``m0`` to ``m9``, a second apart."""
    for number in range(10):
        clock.advance(seconds=1)
        author = "visitor" if number % 2 else "bot"
        said = message("c", f"text {number}", message=f"m{number}", author=author, visitor="v")
        store.results(said)


def ids(app: App, **query: str | int) -> list[str]:
    return [each["id"] for each in app.messages("c", **query)["messages"]]


def neighbours(app: App, **query: str | int) -> tuple[str | None, str | None]:
    page = app.messages("c", **query)
    return page["before"], page["after"]


def test_a_message_has_every_field(visitor: Visitor, app: App) -> None:
    visitor.page("c").write("Hello", message="m1")
    page = app.messages("c")
    rev = page["messages"][0].pop("rev")
    assert isinstance(rev, int)
    assert page == {
        "messages": [
            {
                "id": "m1",
                "conversation": "c",
                "author": "visitor",
                "text": "Hello",
                "at": "2026-03-02T09:30:00.123Z",
                "agent": None,
                "delivery": None,
                "delivered_at": None,
            }
        ],
        "before": None,
        "after": None,
    }


def test_a_conversation_without_messages(visitor: Visitor, app: App) -> None:
    visitor.page("c").view()
    assert app.messages("c") == {"messages": [], "before": None, "after": None}


def test_messages_of_one_moment_are_in_the_order_they_came(store: Store, app: App) -> None:
    store.results(
        message("c", "question", message="z", author="visitor"),
        message("c", "answer", message="a", author="bot"),
        message("c", "thanks", message="m", author="visitor"),
    )
    store.results(message("c", "and more", message="b", author="bot"))
    assert app.texts("c") == ["question", "answer", "thanks", "and more"]
    assert ids(app, limit=2) == ["m", "b"]
    assert ids(app, before="m", limit=5) == ["z", "a"]
    assert ids(app, after="z", limit=1) == ["a"]


@pytest.mark.usefixtures("transcript")
def test_the_newest_page_oldest_first(app: App) -> None:
    assert ids(app) == [f"m{number}" for number in range(10)]
    assert ids(app, limit=3) == ["m7", "m8", "m9"]
    assert neighbours(app, limit=3) == ("m7", None)
    assert neighbours(app, limit=10) == (None, None)


@pytest.mark.usefixtures("transcript")
def test_before_a_message(app: App) -> None:
    assert ids(app, before="m7", limit=3) == ["m4", "m5", "m6"]
    assert neighbours(app, before="m7", limit=3) == ("m4", "m6")
    assert ids(app, before="m2", limit=3) == ["m0", "m1"]
    assert neighbours(app, before="m2", limit=3)[0] is None
    assert ids(app, before="m0") == []


@pytest.mark.usefixtures("transcript")
def test_after_a_message(app: App) -> None:
    assert ids(app, after="m2", limit=3) == ["m3", "m4", "m5"]
    assert neighbours(app, after="m2", limit=3) == ("m3", "m5")
    assert ids(app, after="m7", limit=3) == ["m8", "m9"]
    assert neighbours(app, after="m7", limit=3)[1] is None
    assert ids(app, after="m9") == []


@pytest.mark.parametrize("limit", [1, 2, 3, 9, 10, 11])
@pytest.mark.usefixtures("transcript")
def test_pages_hold_everything_once_in_both_directions(app: App, limit: int) -> None:
    page = app.messages("c", limit=limit)
    backwards = [each["id"] for each in page["messages"]]
    while page["before"] is not None:
        page = app.messages("c", limit=limit, before=page["before"])
        backwards = [each["id"] for each in page["messages"]] + backwards
    assert backwards == [f"m{number}" for number in range(10)]
    forwards = [backwards[0]]
    after: str | None = backwards[0]
    while after is not None:
        page = app.messages("c", limit=limit, after=after)
        forwards += [each["id"] for each in page["messages"]]
        after = page["after"]
    assert forwards == backwards


@pytest.mark.usefixtures("transcript")
def test_what_was_written_meanwhile_comes_after(store: Store, app: App) -> None:
    first = app.messages("c", limit=3)
    store.results(message("c", "new", message="m10", author="bot"))
    assert ids(app, before=first["before"], limit=3) == ["m4", "m5", "m6"]
    assert ids(app, after="m9") == ["m10"]


@pytest.mark.usefixtures("transcript")
def test_before_and_after_at_once_are_not_taken(app: App) -> None:
    problem = refused(app.get(f"{PATH}?before=m1&after=m2"), 422, "invalid")
    assert problem["errors"]


@pytest.mark.parametrize("direction", ["before", "after"])
@pytest.mark.parametrize("missing", ["m99", "M1", "", "x" * 129, "m\0", "\n", "elsewhere"])
@pytest.mark.usefixtures("transcript")
def test_next_to_a_message_that_is_not_there(
    store: Store, app: App, direction: str, missing: str
) -> None:
    store.results(message("d", message="elsewhere"))
    answered = app.get(PATH, query_string={direction: missing})
    refused(answered, 404, "not-found")


@pytest.mark.parametrize(
    "limit", ["0", "101", "-1", "x", "", "1.0", "0000501", "000050" + "9" * 20]
)
@pytest.mark.usefixtures("transcript")
def test_limits_that_are_not_taken(app: App, limit: str) -> None:
    problem = refused(app.get(PATH, query_string={"limit": limit}), 422, "invalid")
    assert problem["errors"][0]["pointer"] == "/limit"


@pytest.mark.usefixtures("transcript")
def test_a_conversation_that_is_not_there(app: App) -> None:
    for path in ("/v1/conversations/d/messages", "/v1/conversations/C/messages"):
        refused(app.get(path), 404, "not-found")


def test_a_cleared_chat_can_still_be_read(visitor: Visitor, app: App) -> None:
    """P7"""
    page = visitor.page("c")
    page.write("one")
    page.write("two")
    page.clear()
    assert app.texts("c") == ["one", "two"]


def test_each_message_has_a_revision_of_its_own(store: Store, app: App) -> None:
    store.results(*[message("c", author="bot") for _ in range(5)])
    revisions = [each["rev"] for each in app.messages("c")["messages"]]
    assert len(set(revisions)) == 5
    assert max(revisions) <= app.listing()["rev"]


def test_a_right_is_needed(visitor: Visitor, store: Store) -> None:
    visitor.page("c").write()
    refused(store.app(rights=()).get(PATH), 403, "right-missing")


def test_ids_of_messages_are_unique_in_their_conversation_alone(store: Store, app: App) -> None:
    store.results(
        message("c", "in c", message="m"),
        message("d", "in d", message="m"),
        event("conversation_deleted", "d"),
    )
    assert app.texts("c") == ["in c"]

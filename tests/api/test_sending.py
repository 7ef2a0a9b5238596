"""``POST …/messages``: the owner of a takeover writes (T2, M1, M2)."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.api import body
from tests.api.description import refused
from tests.api.device import RIGHTS, App
from tests.api.installation import Clock, Installation
from tests.api.store import Store
from tests.api.visitor import Page, Visitor, event, message

PATH = "/v1/conversations/c/messages"
HELLO = {"client_id": "1", "text": "Hello"}


@pytest.fixture
def page(visitor: Visitor) -> Page:
    """A page on which somebody is."""
    page = visitor.page("c")
    page.view()
    return page


@pytest.fixture
def owner(page: Page, app: App) -> App:
    """The app of the agent who has taken the conversation over."""
    assert app.take_over("c").status_code == 200
    return app


def written(app: App) -> list[dict[str, Any]]:
    found = app.messages("c", limit=100)["messages"]
    return [each for each in found if each["author"] == "agent"]


def test_a_message_has_every_field(owner: App) -> None:
    answered = owner.send("c", HELLO)
    assert answered.status_code == 201
    sent = answered.get_json()
    assert written(owner) == [sent]
    assert isinstance(sent.pop("id"), str)
    assert 0 < sent.pop("rev") <= owner.listing()["rev"]
    assert sent == {
        "conversation": "c",
        "author": "agent",
        "text": "Hello",
        "at": "2026-03-02T09:30:00.123Z",
        "agent": {"id": "1", "name": "Sam", "avatar_url": None},
        "delivery": "queued",
        "delivered_at": None,
    }


def test_it_is_the_last_message_and_unread_by_nobody(owner: App, kim: App) -> None:
    sent = owner.write("c", "x" * 300, "1")
    for app in (owner, kim):
        seen = app.conversation("c")
        assert seen["last_message"] == {
            "id": sent["id"],
            "author": "agent",
            "text": "x" * 200,
            "at": sent["at"],
        }
        assert seen["unread"] == 0


# ------------------------------------------------------------------------------ T2


def test_t2_nobody_writes_without_a_takeover(page: Page, app: App) -> None:
    refused(app.send("c", HELLO), 409, "takeover-required")
    assert written(app) == []


def test_t2_only_the_owner_writes(owner: App, kim: App, store: Store) -> None:
    problem = refused(kim.send("c", HELLO), 409, "takeover-owned")
    assert problem["owner"] == {"id": "1", "name": "Sam"}
    assert written(kim) == []
    assert store.app().write("c", "from another device")["agent"]["id"] == "1"


def test_t2_the_owner_writes_no_longer_after_the_release(owner: App, kim: App) -> None:
    owner.release("c")
    refused(owner.send("c", HELLO), 409, "takeover-required")
    kim.take_over("c")
    refused(owner.send("c", HELLO), 409, "takeover-owned")
    assert written(kim) == []


@pytest.mark.parametrize("right", RIGHTS)
def test_t2_writing_is_a_right(page: Page, store: Store, right: str) -> None:
    app = store.app("3", "Eve", ("conversations:read", "takeover", right))
    app.take_over("c")
    if right == "conversations:reply":
        assert app.send("c", HELLO).status_code == 201
    else:
        refused(app.send("c", HELLO), 403, "right-missing")


# ------------------------------------------------------------------------------ M1


def test_m1_the_same_client_id_adds_nothing_and_answers_as_the_first_time(
    owner: App, store: Store, clock: Clock
) -> None:
    first = owner.send("c", HELLO)
    revision = owner.listing()["rev"]
    clock.advance(seconds=30)
    for said in (HELLO, {**HELLO, "text": "Other words"}):
        for app in (owner, store.app()):
            again = app.send("c", said)
            assert (again.status_code, again.get_json()) == (201, first.get_json())
    assert [each["text"] for each in written(owner)] == ["Hello"]
    assert owner.listing()["rev"] == revision


def test_m1_what_became_of_it_meanwhile_is_answered(owner: App, page: Page) -> None:
    sent = owner.write("c", "Hello", "1")
    page.delivered(sent["id"])
    assert owner.write("c", "Hello", "1")["delivery"] == "delivered"


def test_m1_a_retry_is_answered_whatever_became_of_the_takeover(
    owner: App, kim: App, page: Page
) -> None:
    """The first answer was lost; the message was not."""
    sent = owner.write("c", "Hello", "1")
    owner.release("c")
    assert owner.write("c", "Hello", "1")["id"] == sent["id"]
    kim.take_over("c")
    assert owner.write("c", "Hello", "1")["id"] == sent["id"]
    page.clear()
    assert owner.write("c", "Hello", "1")["id"] == sent["id"]
    assert len(written(kim)) == 1


def test_m1_a_client_id_is_each_agents_and_each_conversations_own(
    owner: App, kim: App, visitor: Visitor
) -> None:
    visitor.page("d", "p_2").view()
    owner.take_over("d")
    ids = {owner.write(conversation, "Hello", "1")["id"] for conversation in ("c", "d")}
    owner.release("c")
    kim.take_over("c")
    ids.add(kim.write("c", "Hello", "1")["id"])
    assert len(ids) == 3
    assert [each["agent"]["name"] for each in written(kim)] == ["Sam", "Kim"]


def test_m1_one_that_was_refused_may_be_sent_again(page: Page, app: App) -> None:
    refused(app.send("c", HELLO), 409, "takeover-required")
    app.take_over("c")
    assert app.write("c", "Hello", "1")["text"] == "Hello"


# ------------------------------------------------------------------------------ M2


def test_m2_it_is_queued_until_the_page_has_shown_it(owner: App, page: Page, clock: Clock) -> None:
    sent = owner.write("c", "Hello")
    clock.advance(seconds=1.5)
    page.delivered(sent["id"])
    [delivered] = written(owner)
    assert delivered["delivery"] == "delivered"
    assert delivered["delivered_at"] == "2026-03-02T09:30:01.623Z"
    assert delivered["at"] == sent["at"]
    assert delivered["rev"] > sent["rev"]


def test_m2_it_is_delivered_once(owner: App, page: Page, clock: Clock) -> None:
    sent = owner.write("c", "Hello")
    page.delivered(sent["id"])
    [delivered] = written(owner)
    clock.advance(seconds=5)
    again = event("message_delivered", "c", message={"id": sent["id"]})
    assert page.visitor.outcome(again) == ("duplicate", "")
    assert written(owner) == [delivered]


def test_m2_a_stranger_cannot_confirm_it(owner: App, store: Store) -> None:
    sent = owner.write("c", "Hello")
    happened = event("message_delivered", "c", message={"id": sent["id"]})
    assert store.visitor("v_stranger").outcome(happened)[0] == "rejected"
    assert written(owner)[0]["delivery"] == "queued"


def test_m2_the_store_confirms_for_the_page(owner: App, store: Store) -> None:
    sent = owner.write("c", "Hello")
    happened = event("message_delivered", "c", message={"id": sent["id"]})
    assert store.outcome(happened) == ("accepted", "")
    assert written(owner)[0]["delivery"] == "delivered"


def test_m2_one_who_is_gone_gets_it_when_they_come_back(
    owner: App, page: Page, clock: Clock
) -> None:
    page.unload()
    clock.advance(minutes=5)
    for number in range(3):
        owner.write("c", f"{number}")
    assert {each["delivery"] for each in written(owner)} == {"queued"}
    back = page.visitor.page("c", "p_2")
    back.view()
    shown = back.sync()["messages"]
    assert [each["text"] for each in shown if each["author"] == "agent"] == ["0", "1", "2"]


def test_m3_a_visitor_does_not_write_as_an_agent(page: Page, store: Store, app: App) -> None:
    for author in ("agent", "system", "bot"):
        happened = message("c", "Hello", author=author)
        assert page.visitor.outcome(happened)[0] == "rejected"
    assert store.outcome(message("c", "Hello", author="agent"))[0] == "rejected"
    assert app.texts("c") == []


# ------------------------------------------------------------------------- what it says


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "&lt;b&gt; &amp; <b>",
        "javascript:alert(1) \"quoted\" 'single' \\",
        "  around  ",
        "two\r\nlines\ttabbed",
        "Zoë 👩‍👩‍👧 東京 \u202eleft\u202c \u2028 \ufeff",
        "x" * 16_000,
        "😀" * 16_000,
        "ü",
    ],
)
def test_a_text_stays_as_it_was_written(owner: App, page: Page, text: str) -> None:
    sent = owner.write("c", text, "1")
    assert sent["text"] == text
    assert written(owner)[0]["text"] == text
    [shown] = [each for each in page.sync()["messages"] if each["author"] == "agent"]
    assert shown["text"] == text
    answered = owner.get(PATH)
    assert answered.mimetype == "application/json"


@pytest.mark.parametrize(
    "said",
    [
        {"client_id": "1"},
        {"text": "Hello"},
        {},
        [],
        "Hello",
        {**HELLO, "text": ""},
        {**HELLO, "text": " \n\t\u00a0\u3000"},
        {**HELLO, "text": None},
        {**HELLO, "text": 7},
        {**HELLO, "text": ["Hello"]},
        {**HELLO, "text": "x" * 16_001},
        {**HELLO, "text": "😀" * 16_001},
        {**HELLO, "client_id": ""},
        {**HELLO, "client_id": None},
        {**HELLO, "client_id": 1},
        {**HELLO, "client_id": "x" * 129},
        {**HELLO, "client_id": "a\nb"},
        {**HELLO, "client_id": "\u200b"},
    ],
)
def test_what_is_no_message_is_refused(owner: App, said: object) -> None:
    problem = refused(owner.send("c", said), 422, "invalid")
    assert "errors" in problem
    assert written(owner) == []


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"", 400, "malformed-json"),
        (b"Hello", 400, "malformed-json"),
        (b'{"client_id": "1", "text": "\xff"}', 400, "malformed-json"),
        (b'{"client_id": "1", "text": "a\\u0000b"}', 422, "character-not-allowed"),
        (b'{"client_id": "\\u0000", "text": "a"}', 422, "character-not-allowed"),
        (b'{"client_id": "1", "text": "a\\ud83d"}', 422, "character-not-allowed"),
        (b'{"client_id": "1", "text": "%s"}' % (b"x" * body.AGENT_LIMIT), 413, "body-too-large"),
    ],
)
def test_a_body_that_is_wrong(owner: App, content: bytes, status: int, code: str) -> None:
    answered = owner.request("POST", PATH, data=content, content_type="application/json")
    refused(answered, status, code)
    assert written(owner) == []


def test_what_nobody_knows_is_ignored(owner: App) -> None:
    sent = owner.send("c", {**HELLO, "author": "system", "agent": {"id": "9"}, "id": "m"})
    assert sent.status_code == 201
    assert (sent.get_json()["author"], sent.get_json()["agent"]["id"]) == ("agent", "1")


def test_a_body_of_another_type(owner: App) -> None:
    for media_type in ("text/plain", "application/x-www-form-urlencoded", None):
        answered = owner.request("POST", PATH, data=b"{}", content_type=media_type)
        refused(answered, 415, "unsupported-media-type")


def test_what_is_not_there_cannot_be_written_in(owner: App, store: Store) -> None:
    refused(owner.send("nowhere", HELLO), 404, "not-found")
    store.results(event("conversation_deleted", "c"))
    refused(owner.send("c", HELLO), 404, "not-found")


def test_without_a_token_nobody_writes(owner: App, installation: Installation) -> None:
    refused(installation.open(PATH, "POST", json=HELLO), 401, "token-missing")
    assert written(owner) == []


def test_messages_of_one_moment_keep_their_order(owner: App) -> None:
    texts = [f"{number}" for number in range(20)]
    for text in texts:
        owner.write("c", text)
    assert [each["text"] for each in written(owner)] == texts

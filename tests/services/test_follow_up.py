"""What still needs an answer elsewhere, once the visitor is gone, and the email that begins it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.api import presentation
from bridge.domain.customer import Links, Typed, email_address
from bridge.domain.follow_up import awaits_reply, needs_follow_up, shown
from bridge.domain.presence import Presence, PresenceState, Reason, State
from bridge.errors import NotFoundError
from bridge.ports import ConversationRecord, ConversationSummary, Site, VisitorRecord
from bridge.services.conversations import ConversationView
from tests.services.fake_store import EMAIL
from tests.services.scene import START
from tests.services.shop import ShopScene

GONE = 400.0
"""Long after the page's deadline."""


@pytest.fixture
def shop(tmp_path: Path, prepared: Path) -> Iterator[ShopScene]:
    with ShopScene.opened(tmp_path, prepared) as shop:
        shop.view(1, at=1)
        yield shop


def needed(shop: ShopScene, at: float | None = None) -> bool:
    """What the conversation says; the list must say the same."""
    body = shop.body(at=at)
    found: bool = body["follow_up"]["needed"]
    assert (shop.listed(to_follow_up=True) == ["A"]) is found
    return found


# -------------------------------------------------------------------------------- the pure rules


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize(
    ("author", "after"),
    [("visitor", True), ("agent", True), ("bot", False), ("system", None)],
)
def test_who_awaits_a_reply_after_whose_word(author: str, after: bool | None, before: bool) -> None:
    assert awaits_reply(author, awaited=before) is (before if after is None else after)


@pytest.mark.parametrize(
    ("last", "awaited", "after"),
    [
        ("agent", True, False),
        ("system", True, False),
        ("bot", True, False),
        (None, True, False),
        ("visitor", True, True),
        ("visitor", False, False),
        ("agent", False, False),
    ],
)
def test_what_showing_an_agents_message_ends(last: str | None, awaited: bool, after: bool) -> None:
    assert shown(last, awaited=awaited) is after


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("awaited", [True, False])
def test_only_one_who_is_gone_needs_one(state: State, awaited: bool) -> None:
    gone = state in (State.OFFLINE, State.CHAT_CLEARED)
    assert needs_follow_up(state, awaited=awaited) is (awaited and gone)


# ------------------------------------------------------------------------------------- as it goes


def test_one_who_wrote_and_went_needs_one(shop: ShopScene) -> None:
    shop.message(at=2)
    assert not needed(shop), "they are there"
    shop.unload(2, at=3)
    assert not needed(shop, at=4), "they may be changing pages"
    assert needed(shop, at=GONE)


def test_one_who_never_wrote_needs_none(shop: ShopScene) -> None:
    shop.introduce(at=2, conversation="B", visitor="w")
    shop.now = GONE
    assert shop.listed(to_follow_up=True) == ["B"]
    assert not shop.body("A")["follow_up"]["needed"]


def test_the_bots_answer_is_one_until_they_write_again(shop: ShopScene) -> None:
    shop.message(at=2)
    shop.store("message", at=3, author="bot")
    assert not needed(shop, at=GONE)
    shop.message(at=GONE + 1)
    assert needed(shop, at=2 * GONE)


def test_words_of_the_system_change_nothing(shop: ShopScene) -> None:
    shop.store("message", at=2, author="system")
    assert not needed(shop, at=GONE)
    shop.message(at=GONE + 1)
    shop.store("message", at=GONE + 2, author="system")
    assert needed(shop, at=2 * GONE)


def test_an_agents_message_counts_once_it_was_shown(shop: ShopScene) -> None:
    shop.message(at=2)
    shop.take_over("sam-1", at=3)
    sent = shop.write("sam-1", at=4)
    shop.release("sam-1", at=5)
    assert needed(shop, at=GONE), "it waits for them"
    shop.view(2, at=GONE + 1)
    assert shop.deliver(sent.id) == "accepted"
    assert not needed(shop, at=2 * GONE)


def test_one_who_wrote_after_what_they_were_shown_awaits_a_reply_still(shop: ShopScene) -> None:
    shop.take_over("sam-1", at=2)
    sent = shop.write("sam-1", at=3)
    shop.message(at=4)
    shop.deliver(sent.id, at=5)
    assert needed(shop, at=GONE)


def test_one_who_cleared_the_chat_can_only_be_answered_elsewhere(shop: ShopScene) -> None:
    shop.message(at=2)
    shop.clear(at=3)
    assert needed(shop)


def test_followed_up_is_done_until_they_write_again(shop: ShopScene) -> None:
    shop.message(at=2)
    assert needed(shop, at=GONE)
    rev = shop.revision()
    shop.follow_up("sam-1")
    assert not needed(shop)
    assert shop.synced(rev) == ["A"]
    done = shop.body()["follow_up"]["done"]
    assert (done["agent"]["name"], done["at"]) == ("Sam", "2030-01-01T00:06:40.000Z")
    shop.restart()
    assert not needed(shop)
    shop.message(at=GONE + 10)
    assert needed(shop, at=2 * GONE)
    assert shop.body()["follow_up"]["done"] == done, "who wrote last, and when, stays"


def test_coming_back_without_a_word_does_not_undo_it(shop: ShopScene) -> None:
    shop.message(at=2)
    shop.follow_up("sam-1", at=GONE)
    shop.view(5, at=GONE + 1)
    assert not needed(shop, at=2 * GONE)


def test_a_message_told_late_does_not_undo_it_twice(shop: ShopScene) -> None:
    """The store's outbox brings it again."""
    event = shop.event("message", 2)
    shop.tell_from_store(event, 2)
    shop.follow_up("sam-1", at=GONE)
    assert shop.tell_from_store(event, GONE + 1) == "duplicate"
    assert not needed(shop)


def test_what_is_not_there_cannot_be_followed_up(shop: ShopScene) -> None:
    with pytest.raises(NotFoundError):
        shop.follow_up("sam-1", conversation="B")
    shop.store("conversation_deleted", at=5)
    with pytest.raises(NotFoundError):
        shop.follow_up("sam-1")
    assert shop.listed(to_follow_up=True) == []


def test_the_list_has_those_that_need_one_and_no_others(shop: ShopScene) -> None:
    expected = []
    for number in range(12):
        conversation = f"C{number:02}"
        shop.message(at=10 + number, conversation=conversation, visitor=f"v{number}")
        if number % 2:
            shop.store("message", at=30 + number, conversation=conversation, author="bot")
        elif number % 3:
            expected.append(conversation)
        else:
            shop.follow_up("kim-1", conversation=conversation)
    shop.now = GONE
    assert sorted(shop.listed(to_follow_up=True)) == expected
    bodies = shop.list_bodies()
    assert sorted(each["id"] for each in bodies if each["follow_up"]["needed"]) == expected


# ------------------------------------------------------------------------------------ the address


def test_the_link_is_there_for_one_who_is_gone_and_has_an_address(shop: ShopScene) -> None:
    shop.message(at=2)
    assert shop.body(at=GONE)["follow_up"]["mailto"] is None
    shop.introduce(at=GONE + 1, email="kim@shop.example")
    assert shop.body()["follow_up"]["mailto"] is None, "they are there"
    assert "kim@shop.example" in shop.body(at=2 * GONE)["follow_up"]["mailto"]
    shop.sign_in()
    assert EMAIL in shop.body()["follow_up"]["mailto"], "what the store vouches for comes first"


def link_to(email: str, shop_name: str) -> str | None:
    """What the app is given for a visitor who is gone and typed that."""
    record = ConversationRecord(
        "A", "v", START, START, Presence(), PresenceState(State.OFFLINE, START, Reason.LEFT), START
    )
    visitor = VisitorRecord("v", links=Links().with_typed(Typed(email), None))
    view = ConversationView(ConversationSummary(record, visitor, 0), None)
    site = Site("st_1", shop_name, "https://shop.example", frozenset(), ())
    return presentation.conversation(view, site, START).follow_up.mailto


@settings(max_examples=300, deadline=None, derandomize=True)
@given(
    name=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40),
    local=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20),
)
def test_neither_address_nor_name_adds_anything_to_the_link(name: str, local: str) -> None:
    email = f"{local}@shop.example"
    link = link_to(email, name)
    if email_address(email) is None:
        assert link is None
        return
    assert link is not None
    assert link.isascii()
    assert not set(link) & set("\r\n\t \"'<>")
    parts = urlsplit(link)
    assert (parts.scheme, parts.fragment) == ("mailto", "")
    assert email_address(unquote(parts.path)) == email_address(email)
    assert parse_qs(parts.query, strict_parsing=True) == {"subject": [f"Your chat with {name}"]}


@pytest.mark.parametrize(
    "name", ["Pots & Plants", "What?", "A\nBcc: x@x.example", "☕ 100 %", '"#']
)
def test_a_shops_name_is_the_subject_and_no_more(name: str) -> None:
    link = link_to(EMAIL, name)
    assert link is not None
    query = parse_qs(urlsplit(link).query, strict_parsing=True)
    assert query == {"subject": [f"Your chat with {name}"]}
    assert "\n" not in link
    assert link.count("?") == 1

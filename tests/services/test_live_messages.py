"""Messages between agents and visitors, and what readers catch up with: M1 to M3, S1, S2, P7."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bridge.errors import NotFoundError
from bridge.ports import MessageRecord
from tests.services.live import LiveScene
from tests.services.scene import SITE, moment, seconds


@pytest.fixture
def owned(live: LiveScene) -> LiveScene:
    """A visitor who came at 0, and whom Sam took over at 1."""
    live.view(1, at=0)
    live.take_over("sam-1", at=1)
    return live


def texts(messages: object) -> list[str]:
    assert isinstance(messages, list)
    return [message.text for message in messages if isinstance(message, MessageRecord)]


def delivery_of(live: LiveScene, message: MessageRecord) -> tuple[str | None, float | None]:
    (found,) = [each for each in live.transcript() if each.id == message.id]
    return found.delivery, seconds(found.delivered_at)


# --------------------------------------------------------------------------------------- M1


def test_m1_the_same_client_id_again_adds_nothing(owned: LiveScene) -> None:
    first = owned.write("sam-1", at=2, client_id="c", text="Hello")
    again = owned.write("sam-2", at=3, client_id="c", text="Hello, once more")
    assert again == first
    assert texts(owned.transcript()) == ["Sam has joined the chat.", "Hello"]
    assert owned.kinds_told() == ["takeover.started", "message.created"]


def test_m1_a_repetition_is_answered_as_the_message_is_now(owned: LiveScene) -> None:
    first = owned.write("sam-1", at=2, client_id="c")
    owned.deliver(first.id, at=3)
    owned.release("sam-1", at=4)
    again = owned.write("sam-1", at=5, client_id="c")
    assert (again.id, again.delivery) == (first.id, "delivered")


def test_m1_client_ids_are_each_agents_and_each_conversations_own(owned: LiveScene) -> None:
    owned.view(1, at=2, page="q", conversation="B")
    sent = [owned.write("sam-1", at=3, client_id="c")]
    owned.take_over("sam-1", at=4, conversation="B")
    sent.append(owned.write("sam-1", at=5, client_id="c", conversation="B"))
    owned.release("sam-1", at=6)
    owned.take_over("kim-1", at=7)
    sent.append(owned.write("kim-1", at=8, client_id="c"))
    assert len({message.id for message in sent}) == 3


def test_m1_a_repetition_outlives_a_restart(owned: LiveScene) -> None:
    first = owned.write("sam-1", at=2, client_id="c")
    owned.restart(at=3)
    assert owned.write("sam-1", at=4, client_id="c") == first


# --------------------------------------------------------------------------------------- M2


def test_m2_an_agents_message_is_queued_until_a_page_confirms_it(owned: LiveScene) -> None:
    sent = owned.write("sam-1", at=2)
    assert delivery_of(owned, sent) == ("queued", None)
    before = owned.revision()
    assert owned.deliver(sent.id, at=3) == "accepted"
    assert owned.deliver(sent.id, at=4, page="q") == "duplicate"
    assert delivery_of(owned, sent) == ("delivered", 3)
    assert owned.revision() == before + 1, "one change, of the message"


def test_m2_only_agents_messages_are_delivered(owned: LiveScene) -> None:
    owned.message(at=2, id="mine")
    (system,) = [each for each in owned.transcript() if each.author == "system"]
    for id in ("m-mine", system.id, "unknown"):
        assert owned.deliver(id, at=3) == "message-not-found"


def test_m2_a_delivery_keeps_nobody_alive(owned: LiveScene) -> None:
    sent = owned.write("sam-1", at=2)
    owned.release("sam-1", at=3)
    owned.deliver(sent.id, at=100)
    assert owned.shown(at=155).since == 155


def test_m2_what_was_queued_for_an_absent_visitor_is_shown_when_they_come_back(
    owned: LiveScene,
) -> None:
    first = owned.write("sam-1", at=2, text="One")
    owned.deliver(first.id, at=3)
    owned.unload(2, at=4)
    owned.write("sam-1", at=5, text="Two")
    owned.write("sam-1", at=6, text="Three")
    owned.release("sam-1", at=7)
    owned.view(1, at=1_000, page="q")
    anew = ["Two", "Three"]
    assert texts(list(owned.sync(at=1_001, page="q").messages)) == anew
    assert texts(list(owned.open_stream(at=1_002, page="q").messages)) == anew
    # A page that says what it was shown gets what came after that, the bridge's own words too.
    since = [*anew, "Sam has left the chat. The assistant answers again."]
    assert texts(list(owned.sync(at=1_003, page="q", after=first.place).messages)) == since
    stream = owned.open_stream(at=1_004, page="q", after=first.place)
    assert texts(list(stream.messages)) == since


def test_m2_an_unconfirmed_message_comes_again_and_a_confirmed_one_does_not(
    owned: LiveScene,
) -> None:
    one, two = owned.write("sam-1", at=2, text="One"), owned.write("sam-1", at=3, text="Two")
    owned.deliver(two.id, at=4)
    assert texts(list(owned.sync(at=5, after=two.place).messages)) == ["One"]
    owned.deliver(one.id, at=6)
    assert owned.sync(at=7, after=two.place).messages == []


def test_m2_other_tabs_show_it_too_by_what_they_were_shown(owned: LiveScene) -> None:
    one = owned.write("sam-1", at=2, text="One")
    owned.deliver(one.id, at=3)
    assert texts(list(owned.sync(at=4, after=one.place - 1).messages)) == ["One"]
    assert owned.sync(at=5).messages == [], "a page that was shown nothing has it from its store"


def test_m2_visitors_and_bots_words_are_not_sent_to_the_page(owned: LiveScene) -> None:
    owned.message(at=2)
    owned.store("message", 3, author="bot")
    assert owned.sync(at=4, after=0).messages[1:] == []


def test_p7_queued_messages_wait_in_a_cleared_chat(owned: LiveScene) -> None:
    owned.write("sam-1", at=2, text="queued")
    owned.clear(at=3, seq=2)
    owned.take_over("sam-1", at=4, acknowledge="chat_cleared")
    owned.write("sam-1", at=5, text="a follow-up")
    assert owned.sync(at=6).messages == []
    assert owned.open_stream(at=7).messages == []
    owned.message(at=8, seq=3)
    assert texts(list(owned.sync(at=9).messages)) == ["queued", "a follow-up"]


# --------------------------------------------------------------------------------------- M3


@pytest.mark.parametrize("author", ["bot", "system", "agent"])
def test_m3_a_visitor_writes_as_visitor_alone(owned: LiveScene, author: str) -> None:
    before = owned.revision()
    assert owned.message(at=2, author=author) == "author-not-allowed"
    assert owned.revision() == before


@pytest.mark.parametrize("author", ["bot", "system", "visitor"])
def test_m3_the_store_speaks_for_others(owned: LiveScene, author: str) -> None:
    assert owned.store("message", 2, author=author) == "accepted"
    assert owned.transcript()[-1].author == author


# ------------------------------------------------------------------------------------- S1, S2


def test_s1_each_change_raises_the_revision_and_its_row_carries_it(owned: LiveScene) -> None:
    changes: list[Callable[[], object]] = [
        lambda: owned.watch("sam-1", at=2),
        lambda: owned.write("sam-1", at=3),
        lambda: owned.deliver(owned.transcript()[-1].id, at=4),
        lambda: owned.message(at=5),
        lambda: owned.mark_read("kim", at=6),
        lambda: owned.release("sam-1", at=7),
        lambda: owned.leave("sam-1", at=8),
        lambda: owned.take_over("kim-1", at=9),
        lambda: owned.sign_out_agent("kim", at=10),
        lambda: owned.sweep(at=300),
    ]
    for change in changes:
        before = owned.revision()
        change()
        after = owned.revision()
        assert after > before
        found = owned.bridge.services.sync.since(SITE, ["kim"], before, 500, moment(owned.now))
        carried = [view.summary.record.rev for view in found.views]
        carried += [message.rev for message in found.messages]
        assert max(carried) == after == found.rev


def test_s2_read_marks_raise_the_revision_once(owned: LiveScene) -> None:
    owned.message(at=2)
    rev = owned.shown().rev
    owned.mark_read("kim", at=3)
    first = owned.shown().rev
    owned.mark_read("kim", at=4)
    assert rev < first == owned.shown().rev
    found = owned.bridge.services.sync.since(SITE, ["kim", "sam"], rev, 500, moment(5))
    unread = [found.of(agent)[0].summary.unread for agent in ("kim", "sam")]
    assert unread == [0, 1]


def test_s2_a_mark_on_what_is_not_there_is_refused(owned: LiveScene) -> None:
    with pytest.raises(NotFoundError):
        owned.mark_read("kim", at=2, conversation="unknown")


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 500])
def test_s2_pages_of_any_size_lead_to_the_present(owned: LiveScene, limit: int) -> None:
    for number in range(5):
        sent = owned.write("sam-1", at=2 + number, text=str(number))
        if number % 2:
            owned.deliver(sent.id, at=2.5 + number)
    sync, rev, more = owned.bridge.services.sync, 0, True
    known: dict[str, MessageRecord] = {}
    while more:
        found = sync.since(SITE, ["kim"], rev, limit, moment(owned.now))
        assert found.rev > rev
        assert len(found.messages) + len(found.views) <= limit
        known |= {message.id: message for message in found.messages}
        rev, more = found.rev, found.more
    assert rev == owned.revision()
    assert sorted(known.values(), key=lambda each: each.place) == owned.transcript()


def test_s2_a_deleted_conversation_is_told_as_deleted(owned: LiveScene) -> None:
    owned.write("sam-1", at=2)
    page = owned.join_page(at=3)
    before = owned.revision()
    assert owned.store("conversation_deleted", 4) == "accepted"
    found = owned.bridge.services.sync.since(SITE, ["sam"], before, 500, moment(5))
    (view,) = found.views
    assert (view.summary.record.deleted, found.messages) == (True, [])
    owned.feed()
    assert [name for name, _ in page.read_all()] == ["cleared"]
    assert page.read() is None
    for attempt in (owned.watch, owned.take_over, owned.release, owned.write):
        with pytest.raises(NotFoundError):
            attempt("sam-1", at=6)
    with pytest.raises(NotFoundError):
        owned.sync(at=7)

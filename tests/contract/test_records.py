"""What is written to the records is read back as it was: every field, on every database."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta, timezone
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from bridge.domain.page import Page, StorePage
from bridge.domain.presence import Presence, PresenceState, Reason, State
from bridge.ports import (
    ConversationRecord,
    ConversationSummary,
    MessageRecord,
    Records,
    Sibling,
    VisitorRecord,
    Work,
)
from tests.contract import samples
from tests.contract.samples import (
    AWKWARD,
    OFFLINE,
    ONLINE,
    OTHER_SITE,
    SITE,
    START,
    SWITCHING,
    conversation,
    in_demand,
    message,
    moment,
)

# The tables are not emptied between two examples: each writes over what the one before wrote.
anything = settings(
    deadline=None,
    derandomize=True,
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def save(records: Records, *saved: ConversationRecord, site: str = SITE) -> None:
    with records.begin(site) as work:
        for record in saved:
            assert work.save_conversation(record, known_rev=0)


def kept(records: Records, get: Callable[[Work], object], site: str = SITE) -> object:
    with records.begin(site) as work:
        return get(work)


def unread(records: Records, conversation: str, agent: str = "agent") -> int:
    found = records.read_conversation(SITE, agent, conversation)
    assert found is not None
    return found.unread


# ------------------------------------------------------------------------ conversations


@anything
@given(record=samples.conversations)
def test_a_conversation_keeps_every_field(records: Records, record: ConversationRecord) -> None:
    with records.begin(SITE) as work:
        known = work.conversation(record.id)
        assert work.save_conversation(record, known_rev=known.rev if known else 0)
        assert work.conversation(record.id) == record
    found = records.read_conversation(SITE, "agent", record.id)
    assert found == ConversationSummary(record, None, record.message_count)


@pytest.mark.parametrize(
    ("kind", "sampled"),
    [
        (Page, samples.page_fields),
        (StorePage, samples.page_fields),
        (ConversationRecord, samples.conversation_fields),
        (MessageRecord, samples.message_fields),
    ],
)
def test_the_samples_leave_no_field_out(kind: type[Any], sampled: Collection[str]) -> None:
    assert {field.name for field in fields(kind)} == set(sampled)


def test_times_are_exact_in_every_zone_and_to_the_microsecond(records: Records) -> None:
    at = datetime(2031, 7, 1, 1, 2, 3, 999_999, tzinfo=timezone(timedelta(hours=5, minutes=45)))
    early, late = datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)
    record = conversation(started_at=early, last_activity_at=late, heard_at=at, recorded_at=at)
    save(records, record)
    found = kept(records, lambda work: work.conversation("c"))
    assert isinstance(found, ConversationRecord)
    assert (found.started_at, found.last_activity_at, found.heard_at) == (early, late, at)
    assert found.heard_at is not None
    assert found.heard_at.utcoffset() == timedelta(0)
    assert found.heard_at.microsecond == 999_999


def test_a_conversation_that_never_was_is_none(records: Records) -> None:
    assert kept(records, lambda work: work.conversation("c")) is None
    assert records.read_conversation(SITE, "agent", "c") is None
    assert records.changes(SITE, "c") == []


def test_a_deleted_one_is_read_by_work_alone(records: Records) -> None:
    gone = conversation(visitor="v", deleted=True, state=PresenceState(State.OFFLINE))
    save(records, gone)
    assert kept(records, lambda work: work.conversation("c")) == gone
    assert records.read_conversation(SITE, "agent", "c") is None
    assert kept(records, lambda work: work.siblings("v", "another")) == []
    assert kept(records, lambda work: work.idle_conversations(moment(9e9), 10)) == []


def test_siblings_are_the_visitors_others_the_newest_50(records: Records) -> None:
    others = [conversation(f"c{n:02}", last_activity_at=moment(n % 7 * 100 + n)) for n in range(60)]
    save(records, *others, conversation("mine"), conversation("w", visitor="w"))
    save(records, conversation("elsewhere"), site=OTHER_SITE)
    found = kept(records, lambda work: work.siblings("v", "mine"))
    newest = sorted(others, key=lambda record: record.last_activity_at, reverse=True)
    assert found == [
        Sibling(each.id, each.state.state, each.state.continued_in, each.heard_at)
        for each in newest[:50]
    ]


def test_idle_conversations_come_oldest_first(records: Records) -> None:
    save(records, *(conversation(f"c{n}", last_activity_at=moment(n)) for n in (3, 1, 2, 5, 4)))
    save(records, conversation("other", last_activity_at=moment(0)), site=OTHER_SITE)
    with records.begin(SITE) as work:
        assert [each.id for each in work.idle_conversations(moment(4), 2)] == ["c1", "c2"]
        assert [each.id for each in work.idle_conversations(moment(4), 9)] == ["c1", "c2", "c3"]


def test_changes_are_kept_in_order_with_their_computed_times(records: Records) -> None:
    moved = replace(OFFLINE, reason=Reason.MOVED_ON)
    with records.begin(SITE) as work:
        work.save_conversation(conversation(), known_rev=0)
        for rev, (state, at) in enumerate([(ONLINE, 0), (SWITCHING, 0.000001), (moved, 15)], 9):
            work.keep_change("c", rev, state, moment(at))
        work.keep_change("another", 8, ONLINE, START)
    assert records.changes(SITE, "c") == [
        ("online", None, START),
        ("switching_pages", None, moment(0.000001)),
        ("offline", "moved_on", moment(15)),
    ]
    assert records.changes(OTHER_SITE, "c") == []


def test_an_emptied_conversation_has_nothing_left(records: Records) -> None:
    save(records, conversation(message_count=3), conversation("kept", message_count=3))
    with records.begin(SITE) as work:
        for each in ("c", "kept"):
            work.save_message(message(conversation=each))
            work.keep_change(each, 1, ONLINE, START)
            assert work.mark_read("agent", each, 2)
    with records.begin(SITE) as work:
        work.empty_conversation("c")
    assert records.list_messages(SITE, "c", None, None, 10) == []
    assert records.changes(SITE, "c") == []
    assert unread(records, "c") == 3
    assert len(records.list_messages(SITE, "kept", None, None, 10) or []) == 1
    assert len(records.changes(SITE, "kept")) == 1
    assert unread(records, "kept") == 1


def test_all_active_conversations_come_by_site(records: Records) -> None:
    present = [conversation(f"c{n}", state=ONLINE) for n in range(3)]
    watched, owned = in_demand("watched", "1"), in_demand("owned", owner="1")
    both = in_demand("both", "1", state=ONLINE)
    save(records, *present, conversation("gone"), watched, owned, both)
    save(records, conversation("x", state=ONLINE, deleted=True))
    save(records, conversation("c0", state=SWITCHING), site=OTHER_SITE)
    save(records, in_demand("watched", "2"), conversation("owned"), site=OTHER_SITE)
    found = {site: by_id(batch) for site, batch in records.active_conversations()}
    assert found == {
        SITE: by_id([*present, watched, owned, both]),
        OTHER_SITE: by_id([conversation("c0", state=SWITCHING), in_demand("watched", "2")]),
    }


def test_active_conversations_come_in_batches_each_once(records: Records) -> None:
    def active(number: int) -> list[ConversationRecord]:
        kinds = (conversation, partial(in_demand, owner="1"))
        return [kinds[n % 2](f"c{n}", state=ONLINE) for n in range(number)]

    save(records, *active(4_500))
    save(records, *active(10), site=OTHER_SITE)
    batches = list(records.active_conversations())
    assert [site for site, _ in batches].count(SITE) > 1
    for site, number in ((SITE, 4_500), (OTHER_SITE, 10)):
        ids = [each.id for at, batch in batches if at == site for each in batch]
        assert len(ids) == len(set(ids)) == number


def by_id(batch: Iterable[ConversationRecord]) -> list[ConversationRecord]:
    return sorted(batch, key=lambda record: record.id)


# ------------------------------------------------------------------- messages, visitors


@anything
@given(record=samples.messages)
def test_a_message_keeps_every_field(records: Records, record: MessageRecord) -> None:
    with records.begin(SITE) as work:
        work.save_message(record)
        assert work.message(record.conversation, record.id) == record
    assert record in (records.list_messages(SITE, record.conversation, None, None, 100) or [])


@pytest.mark.parametrize("text", [AWKWARD, "🛒" * 16_000, " ", "\u2028\r\n", "a" * 16_000])
def test_a_text_is_kept_to_the_character(records: Records, text: str) -> None:
    with records.begin(SITE) as work:
        work.save_message(message(text=text))
    assert kept(records, lambda work: work.message("c", "m")) == message(text=text)


def test_a_message_is_overwritten_by_its_id_in_its_conversation(records: Records) -> None:
    delivered = message(delivery="delivered", delivered_at=moment(5), rev=2)
    with records.begin(SITE) as work:
        work.save_message(message(delivery="queued"))
        work.save_message(message(conversation="another"))
        work.save_message(delivered)
        assert work.message("c", "m") == delivered
        assert work.message("another", "m") == message(conversation="another")
        assert work.message("c", "none") is None


@anything
@given(record=samples.visitors)
def test_a_visitor_keeps_every_field(records: Records, record: VisitorRecord) -> None:
    seen = conversation("of a visitor", visitor=record.id)
    with records.begin(SITE) as work:
        work.save_visitor(record, START)
        assert work.visitor(record.id) == record
        known = work.conversation(seen.id)
        work.save_conversation(seen, known_rev=known.rev if known else 0)
    found = records.read_conversation(SITE, "agent", seen.id)
    assert found is not None
    assert found.visitor == record


def test_a_visitor_who_never_was_is_none(records: Records) -> None:
    assert kept(records, lambda work: work.visitor("v")) is None


def test_presence_of_a_conversation_is_the_whole_of_it(records: Records) -> None:
    save(records, conversation(presence=Presence()))
    found = kept(records, lambda work: work.conversation("c"))
    assert isinstance(found, ConversationRecord)
    assert found.presence == Presence()
    assert type(found.presence.store) is StorePage

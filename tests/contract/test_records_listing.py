"""What readers list: conversations and messages, page by page, none twice and none left out."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

import pytest

from bridge.domain.presence import PresenceState, State
from bridge.ports import (
    ConversationQuery,
    ConversationRecord,
    MessageRecord,
    Records,
    VisitorRecord,
)
from tests.contract.samples import (
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

CLEARED = PresenceState(State.CHAT_CLEARED, since=START, last_seen_at=START)
STATES = (ONLINE, SWITCHING, OFFLINE, CLEARED)
RANKS = {State.ONLINE: 2, State.SWITCHING_PAGES: 1, State.OFFLINE: 0, State.CHAT_CLEARED: 0}


def save(records: Records, *saved: ConversationRecord, site: str = SITE) -> None:
    with records.begin(site) as work:
        for record in saved:
            work.save_conversation(record, known_rev=0)


def listed(records: Records, query: ConversationQuery, agent: str = "agent") -> list[str]:
    return [each.record.id for each in records.list_conversations(SITE, agent, query)]


def by_recent(record: ConversationRecord) -> tuple[object, ...]:
    # Of two at one time the greater id comes first; any order would do, as long as it is one.
    return (-record.last_activity_at.timestamp(), [-ord(each) for each in record.id])


def by_presence(record: ConversationRecord) -> tuple[object, ...]:
    return (-RANKS[record.state.state], *by_recent(record))


# ------------------------------------------------------------------------ conversations


@pytest.mark.parametrize(("sort", "order"), [("presence", by_presence), ("recent", by_recent)])
@pytest.mark.parametrize("limit", [1, 3, 7, 100])
def test_pages_of_a_list_follow_one_another(
    records: Records,
    sort: str,
    order: Callable[[ConversationRecord], tuple[object, ...]],
    limit: int,
) -> None:
    # Five times for twenty-four conversations: most share theirs with others of their state.
    saved = [
        conversation(f"c{n:02}", state=STATES[n % 4], last_activity_at=moment(n * 7 % 5))
        for n in range(24)
    ]
    random.Random(1).shuffle(saved)  # noqa: S311 - an order, not a secret
    save(records, *saved)
    save(records, conversation("c00", state=ONLINE), site=OTHER_SITE)
    save(records, conversation("deleted", state=ONLINE, deleted=True))
    found = pages(records, ConversationQuery(limit, sort))
    assert found == [each.id for each in sorted(saved, key=order)]


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.state.value)
def test_a_list_can_be_of_one_state(records: Records, state: PresenceState) -> None:
    save(records, *(conversation(each.state.value, state=each) for each in STATES))
    for sort in ("presence", "recent"):
        query = ConversationQuery(10, sort, presence=state.state.value)
        assert listed(records, query) == [state.state.value]


def test_a_list_can_be_of_what_one_agent_has_taken_over(records: Records) -> None:
    states = [ONLINE, OFFLINE, SWITCHING, ONLINE]
    own = [
        in_demand(f"own{n}", "2", owner="1", state=state, last_activity_at=moment(n))
        for n, state in enumerate(states)
    ]
    save(records, *own, in_demand("another's", "1", owner="2"), in_demand("watched", "1"))
    save(records, conversation("nobody's"), in_demand("gone", owner="1", deleted=True))
    save(records, in_demand("elsewhere", owner="1"), site=OTHER_SITE)
    assert listed(records, ConversationQuery(10, owner="1")) == ["own3", "own0", "own2", "own1"]
    recent = ConversationQuery(2, "recent", owner="1")
    assert listed(records, recent) == ["own3", "own2"]
    assert listed(records, replace(recent, after=(1, moment(2), "own2"))) == ["own1", "own0"]
    assert listed(records, ConversationQuery(10, presence="online", owner="1")) == ["own3", "own0"]
    assert listed(records, ConversationQuery(10, owner="3")) == []


CLEARED_CHAT = {"state": CLEARED, "awaits_reply": True}


def test_a_list_can_be_of_those_to_follow_up(records: Records) -> None:
    gone = [
        conversation(f"gone{n}", awaits_reply=True, last_activity_at=moment(n % 3))
        for n in range(5)
    ]
    save(records, *gone, conversation("cleared", last_activity_at=moment(9), **CLEARED_CHAT))
    save(
        records, conversation("answered"), conversation("deleted", awaits_reply=True, deleted=True)
    )
    for there in (ONLINE, SWITCHING):
        save(records, conversation(there.state.value, state=there, awaits_reply=True))
    save(records, conversation("elsewhere", awaits_reply=True), site=OTHER_SITE)
    wanted = ["cleared", "gone2", "gone4", "gone1", "gone3", "gone0"]
    for sort in ("presence", "recent"):
        for limit in (1, 2, 4, 10):
            assert pages(records, ConversationQuery(limit, sort, to_follow_up=True)) == wanted


def test_one_who_is_followed_up_or_there_again_needs_it_no_more(records: Records) -> None:
    query = ConversationQuery(10, to_follow_up=True)
    awaiting = conversation(awaits_reply=True)
    save(records, awaiting)
    assert listed(records, query) == ["c"]
    done = replace(awaiting, awaits_reply=False, followed_up={"at": "now"}, rev=2)
    back = replace(awaiting, state=ONLINE, rev=3)
    for known_rev, changed, found in ((1, done, []), (2, replace(awaiting, rev=3), ["c"])):
        rewrite(records, changed, known_rev)
        assert listed(records, query) == found
    rewrite(records, replace(back, rev=4), 3)
    assert listed(records, query) == []


def test_those_to_follow_up_of_one_owner_one_state_or_one_name(records: Records) -> None:
    save(
        records,
        in_demand("own", owner="1", awaits_reply=True),
        in_demand("other", owner="2", awaits_reply=True, visitor="w"),
        conversation("cleared", visitor="w", **CLEARED_CHAT),
    )
    with records.begin(SITE) as work:
        work.save_visitor(VisitorRecord("v", "Jane"), START)
    all_of_them = ConversationQuery(10, to_follow_up=True)
    assert listed(records, replace(all_of_them, owner="1")) == ["own"]
    assert listed(records, replace(all_of_them, text="jane")) == ["own"]
    assert listed(records, replace(all_of_them, presence="chat_cleared")) == ["cleared"]


def pages(records: Records, query: ConversationQuery) -> list[str]:
    """All that a query finds, page by page, as one who turns them gets it."""
    found: list[str] = []
    while page := records.list_conversations(SITE, "agent", query):
        assert len(page) <= query.limit
        last = page[-1].record
        query = replace(query, after=(RANKS[last.state.state], last.last_activity_at, last.id))
        found += [each.record.id for each in page]
    return found


def rewrite(records: Records, record: ConversationRecord, known_rev: int) -> None:
    with records.begin(SITE) as work:
        assert work.save_conversation(record, known_rev=known_rev)


def read(records: Records, agent: str, conversation: str, count: int, site: str = SITE) -> bool:
    with records.begin(site) as work:
        return work.mark_read(agent, conversation, count)


def test_unread_messages_are_counted_for_each_agent(records: Records) -> None:
    save(records, conversation(message_count=3))
    save(records, conversation(message_count=3), site=OTHER_SITE)
    assert read(records, "sam", "c", 2)
    assert [unread(records, SITE, agent) for agent in ("sam", "kim")] == [1, 3]
    assert unread(records, OTHER_SITE, "sam") == 3
    assert read(records, "sam", "c", 3)
    assert unread(records, SITE, "sam") == 0


def test_what_was_read_does_not_become_unread(records: Records) -> None:
    # Two phones of one agent: the slower request read less.
    save(records, conversation(message_count=3))
    assert read(records, "sam", "c", 3)
    assert not read(records, "sam", "c", 2)
    assert not read(records, "sam", "c", 3)
    assert unread(records, SITE, "sam") == 0


def test_what_several_agents_have_read_is_read_at_once(records: Records) -> None:
    for agent, conversation_id, count in (("sam", "c", 2), ("sam", "d", 1), ("kim", "c", 3)):
        read(records, agent, conversation_id, count)
    read(records, "sam", "c", 9, site=OTHER_SITE)
    everybody = records.read_counts(SITE, ["sam", "kim", "lee"], ["c", "d", "e"])
    assert everybody == {("sam", "c"): 2, ("sam", "d"): 1, ("kim", "c"): 3}
    assert records.read_counts(SITE, ["sam"], ["d", "e"]) == {("sam", "d"): 1}
    assert records.read_counts(SITE, ["lee"], ["c"]) == {}
    assert records.read_counts(SITE, [], ["c"]) == {}
    assert records.read_counts(SITE, ["sam"], []) == {}


def unread(records: Records, site: str, agent: str) -> int:
    found = records.read_conversation(site, agent, "c")
    (in_list,) = records.list_conversations(site, agent, ConversationQuery(10))
    assert found == in_list
    return in_list.unread


# ----------------------------------------------------------------------------- messages


@pytest.fixture
def thread(records: Records) -> list[MessageRecord]:
    """Twelve messages at four times, in the order of time and place."""
    said = [message(f"m{n * 5 % 12:02}", at=n // 3, rev=99 - n, place=n + 1) for n in range(12)]
    with records.begin(SITE) as work:
        for each in reversed(said):
            work.save_message(each)
        work.save_message(message("m00", conversation="another"))
    with records.begin(OTHER_SITE) as work:
        work.save_message(message("m00"))
    return said


@pytest.mark.parametrize("limit", [1, 2, 5, 12, 100])
def test_messages_can_be_read_backwards_and_forwards(
    records: Records, thread: list[MessageRecord], limit: int
) -> None:
    backwards = list(records.list_messages(SITE, "c", None, None, limit) or [])
    assert backwards == thread[-limit:]
    while page := records.list_messages(SITE, "c", backwards[0].id, None, limit):
        assert len(page) <= limit
        backwards = [*page, *backwards]
    assert backwards == thread
    forwards = thread[:1]
    while page := records.list_messages(SITE, "c", None, forwards[-1].id, limit):
        assert len(page) <= limit
        forwards = [*forwards, *page]
    assert forwards == thread


def test_what_is_not_there_has_nothing_before_or_after_it(
    records: Records, thread: list[MessageRecord]
) -> None:
    assert records.list_messages(SITE, "c", "none", None, 5) is None
    assert records.list_messages(SITE, "c", None, "none", 5) is None
    assert records.list_messages(SITE, "another", thread[-1].id, None, 5) is None
    assert records.list_messages(SITE, "none", None, None, 5) == []

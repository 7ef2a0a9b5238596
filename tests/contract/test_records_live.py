"""What live conversations ask of the records: who watches and owns, and what a page is to show."""

from __future__ import annotations

from datetime import datetime

import pytest
import sqlalchemy as sa

from bridge.ports import ConversationRecord, Device, MessageRecord, Records
from tests.contract.samples import (
    OTHER_SITE,
    SITE,
    START,
    conversation,
    device,
    in_demand,
    message,
    moment,
    pairing,
)


def save(records: Records, *saved: ConversationRecord, site: str = SITE) -> None:
    with records.begin(site) as work:
        for record in saved:
            assert work.save_conversation(record, known_rev=0)


def say(records: Records, *said: MessageRecord, site: str = SITE) -> None:
    with records.begin(site) as work:
        for each in said:
            work.save_message(each)


def ids(found: list[MessageRecord]) -> list[str]:
    return [each.id for each in found]


# ------------------------------------------------------------------- who watches and owns


@pytest.fixture
def demand(records: Records) -> None:
    """Agents 1 and 2 watch, agent 1 owns: here one thing, on another site another."""
    save(
        records,
        in_demand("both", "1", "2"),
        in_demand("one", "1"),
        in_demand("owned", owner="1"),
        in_demand("all", "2", owner="1"),
        conversation("nobody's"),
    )
    save(records, in_demand("nobody's", "1", owner="1"), conversation("both"), site=OTHER_SITE)


@pytest.mark.usefixtures("demand")
def test_what_is_in_demand_is_known(records: Records) -> None:
    with records.begin(SITE) as work:
        assert set(work.in_demand()) == {"both", "one", "owned", "all"}
    with records.begin(OTHER_SITE) as work:
        assert work.in_demand() == ["nobody's"]


@pytest.mark.usefixtures("demand")
def test_what_an_agent_has_taken_over_is_known(records: Records) -> None:
    with records.begin(SITE) as work:
        assert set(work.owned_by("1")) == {"owned", "all"}
        assert work.owned_by("2") == []
    with records.begin(OTHER_SITE) as work:
        assert work.owned_by("1") == ["nobody's"]


@pytest.mark.usefixtures("demand")
def test_what_an_agent_watches_is_known(records: Records) -> None:
    assert set(records.watched_by(SITE, "1")) == {"both", "one"}
    assert set(records.watched_by(SITE, "2")) == {"both", "all"}
    assert records.watched_by(SITE, "3") == []
    assert records.watched_by(OTHER_SITE, "1") == ["nobody's"]


@pytest.mark.usefixtures("demand")
def test_what_has_ended_is_known_no_more(records: Records) -> None:
    with records.begin(SITE) as work:
        assert work.save_conversation(conversation("all", rev=2), known_rev=1)
        assert work.save_conversation(in_demand("owned", owner="2", rev=3), known_rev=1)
        assert set(work.in_demand()) == {"both", "one", "owned"}
        assert work.owned_by("1") == []
        assert work.owned_by("2") == ["owned"]
    assert records.watched_by(SITE, "2") == ["both"]


# ------------------------------------------------------------------------------- devices


def pair(records: Records, paired: Device) -> None:
    with records.begin(paired.site) as work:
        work.add_pairing(f"code of {paired.id}", pairing(paired.site), START)
    assert records.use_pairing(
        f"code of {paired.id}", START, lambda _: (paired, f"token of {paired.id}")
    )


def test_an_agent_is_heard_when_the_last_of_their_devices_is(records: Records) -> None:
    for each in (device("a", seen=10), device("b", seen=30.000001), device("c", agent="8")):
        pair(records, each)
    pair(records, device("x", site=OTHER_SITE, seen=99))

    def heard_at(agent: str) -> datetime | None:
        with records.begin(SITE) as work:
            return work.agent_heard_at(agent)

    assert (heard_at("7"), heard_at("8"), heard_at("9")) == (moment(30.000001), START, None)
    records.device_seen("a", moment(40))
    assert heard_at("7") == moment(40)


def test_a_site_knows_its_own_devices_alone(records: Records) -> None:
    for each in (device("a"), device("b"), device("c", agent="8")):
        pair(records, each)
    pair(records, device("x", site=OTHER_SITE))
    with records.begin(SITE) as work:
        assert work.device("a") == device("a")
        assert work.device("x") is None
        assert set(work.devices_of("7")) == {"a", "b"}
        assert work.devices_of("9") == []
        assert work.remove_device("a")
        assert work.device("a") is None
        assert work.devices_of("7") == ["b"]


# ------------------------------------------------------------------------ agents' messages


def test_m1_a_message_is_found_by_what_its_device_called_it(records: Records) -> None:
    sent = message(author="agent", client_key="dev_1 x", delivery="queued")
    say(records, sent, message("unnamed"), message("unnamed too"))
    with records.begin(SITE) as work:
        assert work.message_sent("c", "dev_1 x") == sent
        assert work.message_sent("c", "dev_2 x") is None
        assert work.message_sent("another", "dev_1 x") is None
    with records.begin(OTHER_SITE) as work:
        assert work.message_sent("c", "dev_1 x") is None


def test_m1_of_two_messages_by_one_name_there_is_one(records: Records) -> None:
    say(records, message("first", client_key="x"))
    with pytest.raises(sa.exc.IntegrityError):
        say(records, message("second", client_key="x"))
    found = records.list_messages(SITE, "c", None, None, 10)
    assert found == [message("first", client_key="x")]
    # It is its own again, and another conversation's or site's is another.
    say(records, message("first", client_key="x", rev=2))
    say(records, message("second", "another", client_key="x"))
    say(records, message("second", client_key="x"), site=OTHER_SITE)


def test_the_newest_messages_since_a_revision_come_oldest_first(records: Records) -> None:
    # What came is told by the place; a later revision says only that it was delivered.
    say(records, *(message(f"m{n}", at=9 - n, place=n, rev=20 - n) for n in (3, 1, 5, 2, 4)))
    say(records, message("x", "another", place=9))
    say(records, message("x", place=9), site=OTHER_SITE)
    with records.begin(SITE) as work:
        assert ids(work.messages_since("c", 2, 10)) == ["m3", "m4", "m5"]
        assert ids(work.messages_since("c", 2, 2)) == ["m4", "m5"]
        assert ids(work.messages_since("c", 0, 3)) == ["m3", "m4", "m5"]
        assert work.messages_since("c", 5, 10) == []


@pytest.fixture
def thread(records: Records) -> None:
    """What each kind of author said, twice, by place; the agents' are queued and delivered."""
    kinds = [
        ("visitor", None),
        ("bot", None),
        ("agent", "delivered"),
        ("agent", "queued"),
        ("system", None),
    ]
    said = [
        message(f"{place} {author}", author=author, delivery=delivery, place=place, rev=30 - place)
        for place, (author, delivery) in enumerate(kinds * 2, 1)
    ]
    say(records, *reversed(said))
    queued = message("x", author="agent", delivery="queued", place=20)
    say(records, queued, site=OTHER_SITE)
    with records.begin(SITE) as work:
        work.save_message(message("x", "another", author="agent", delivery="queued", place=20))


@pytest.mark.usefixtures("thread")
@pytest.mark.parametrize(
    ("after", "shown"),
    [
        (None, ["4 agent", "9 agent"]),
        (0, ["3 agent", "4 agent", "5 system", "8 agent", "9 agent", "10 system"]),
        (4, ["4 agent", "5 system", "8 agent", "9 agent", "10 system"]),
        (5, ["4 agent", "8 agent", "9 agent", "10 system"]),
        (10, ["4 agent", "9 agent"]),
    ],
)
def test_m2_a_page_is_shown_what_is_queued_and_what_it_has_not_seen(
    records: Records, after: int | None, shown: list[str]
) -> None:
    assert ids(records.messages_for_visitor(SITE, "c", after, 10)) == shown
    for limit in range(1, len(shown) + 1):
        found = records.messages_for_visitor(SITE, "c", after, limit)
        assert ids(found) == shown[:limit]


@pytest.mark.usefixtures("thread")
def test_m2_what_is_delivered_waits_no_more(records: Records) -> None:
    for each in records.messages_for_visitor(SITE, "c", None, 10):
        shown = message(each.id, author="agent", delivery="delivered", place=each.place, rev=50)
        say(records, shown)
    assert records.messages_for_visitor(SITE, "c", None, 10) == []
    assert records.messages_for_visitor(SITE, "none", 0, 10) == []

"""What every engine of liveness promises of deadlines: the case that caches get wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import ClassVar

from bridge.ports import Beat, Beaten, Liveness
from tests.contract.liveness_engines import (
    LOAN,
    START,
    beat,
    keep_alive,
    key,
    mark,
    moment,
    online,
    page,
)

A_MICROSECOND = 0.000001
LARGEST_SEQ = 2**53


# ------------------------------------------------------------------------------- expiry


def test_a_page_is_gone_at_its_deadline_and_not_before(liveness: Liveness) -> None:
    liveness.place(key(), online({"p": page(1, heard=0, allowance=30)}))
    assert liveness.take_due(moment(30 - A_MICROSECOND), 10) == []
    assert liveness.take_due(moment(30), 10) == [key()]


def test_a_heartbeat_counts_until_the_deadline_and_not_at_it(liveness: Liveness) -> None:
    liveness.place(key("too late"), online())
    liveness.place(key("in time"), online())
    late = liveness.beat(key("too late"), "v", "p", mark(2, 30))
    in_time = liveness.beat(key("in time"), "v", "p", mark(2, 30 - A_MICROSECOND))
    assert (late.outcome, in_time.outcome) == (Beat.UNKNOWN, Beat.HEARD)


def test_p2_a_request_without_a_mark_never_revives_a_page_that_has_ended(
    liveness: Liveness,
) -> None:
    for conversation in ("too late", "in time"):
        liveness.place(key(conversation), online())
    before = liveness.read([key("too late")])
    late = liveness.keep_alive(key("too late"), "v", "p", moment(30))
    in_time = liveness.keep_alive(key("in time"), "v", "p", moment(30 - A_MICROSECOND))
    assert (late, in_time.outcome) == (Beaten(Beat.UNKNOWN), Beat.HEARD)
    assert liveness.read([key("too late")]) == before
    assert liveness.take_due(moment(30), 10) == [key("too late")]


def test_a_page_that_was_kept_alive_has_its_allowance_from_then(liveness: Liveness) -> None:
    liveness.place(key(), online())
    assert keep_alive(liveness, at=20) is Beat.HEARD
    assert keep_alive(liveness, at=50 - A_MICROSECOND) is Beat.HEARD
    assert liveness.take_due(moment(80 - 2 * A_MICROSECOND), 10) == []
    assert keep_alive(liveness, at=80 - A_MICROSECOND) is Beat.UNKNOWN
    assert liveness.take_due(moment(80 - A_MICROSECOND), 10) == [key()]


def test_only_the_page_that_asks_is_kept_alive(liveness: Liveness) -> None:
    liveness.place(key(), online({"p": page(), "q": page()}))
    assert keep_alive(liveness, at=20) is Beat.HEARD
    assert liveness.take_due(moment(30), 10) == [key()]
    assert beat(liveness, 2, at=30, page="q") is Beat.UNKNOWN
    assert beat(liveness, 2, at=30, page="p") is Beat.HEARD


def test_a_heartbeat_moves_the_deadline(liveness: Liveness) -> None:
    liveness.place(key(), online())
    assert beat(liveness, 2, at=20) is Beat.HEARD
    assert liveness.take_due(moment(50 - A_MICROSECOND), 10) == []
    assert liveness.take_due(moment(50), 10) == [key()]


def test_a_heartbeat_can_move_the_deadline_nearer(liveness: Liveness) -> None:
    # P14: after a restart a page has longer than its interval gives it, until it is heard.
    liveness.place(key(), online({"p": page(1, heard=0, allowance=30, deadline=330)}))
    assert beat(liveness, 2, at=1) is Beat.HEARD
    assert liveness.next_due() == moment(31)
    assert liveness.take_due(moment(31), 10) == [key()]


def test_keeping_a_page_alive_can_move_the_deadline_nearer(liveness: Liveness) -> None:
    liveness.place(key(), online({"p": page(1, heard=0, allowance=30, deadline=330)}))
    assert keep_alive(liveness, at=1) is Beat.HEARD
    assert liveness.next_due() == moment(31)
    assert liveness.take_due(moment(31), 10) == [key()]


def test_a_conversation_is_due_when_its_first_page_is(liveness: Liveness) -> None:
    liveness.place(key(), online({"p": page(allowance=150), "q": page(allowance=30)}, due=100))
    assert liveness.take_due(moment(30 - A_MICROSECOND), 10) == []
    assert liveness.take_due(moment(30), 10) == [key()]


def test_a_conversation_is_due_at_a_time_of_its_own(liveness: Liveness) -> None:
    liveness.place(key("pages"), online(due=15))
    liveness.place(key("no page"), online({}, due=15))
    assert liveness.take_due(moment(15 - A_MICROSECOND), 10) == []
    assert set(liveness.take_due(moment(15), 10)) == {key("pages"), key("no page")}


def test_a_time_of_its_own_comes_although_its_pages_are_heard(liveness: Liveness) -> None:
    # A watch, or a takeover, ends while the visitor is there.
    liveness.place(key(), online(due=45))
    for seq, at in ((2, 20), (3, 40)):
        assert beat(liveness, seq, at=at) is Beat.HEARD
        assert keep_alive(liveness, at=at + 1) is Beat.HEARD
    assert liveness.take_due(moment(45 - A_MICROSECOND), 10) == []
    assert liveness.take_due(moment(45), 10) == [key()]
    # Until the records were asked it stays due, however lively the pages are.
    assert beat(liveness, 4, at=46) is Beat.HEARD
    assert liveness.take_due(moment(45 + LOAN - A_MICROSECOND), 10) == []
    assert liveness.take_due(moment(45 + LOAN), 10) == [key()]
    pages = liveness.read([key()])[key()].pages
    liveness.place(key(), online(pages, due=90))
    assert beat(liveness, 5, at=75) is Beat.HEARD
    assert liveness.take_due(moment(90 - A_MICROSECOND), 10) == []
    assert liveness.take_due(moment(90), 10) == [key()]


def test_without_page_and_time_it_is_never_due(liveness: Liveness) -> None:
    liveness.place(key(), online({}))
    assert liveness.next_due() is None
    assert liveness.take_due(moment(1e8), 10) == []


def test_the_earliest_are_taken_first_and_no_more_than_asked(liveness: Liveness) -> None:
    for conversation, due in (("b", 20), ("d", 40), ("a", 10), ("c", 30)):
        liveness.place(key(conversation), online({}, due=due))
    assert liveness.take_due(moment(30), 2) == [key("a"), key("b")]
    assert liveness.take_due(moment(30), 2) == [key("c")]


def test_heartbeats_do_not_spoil_the_order(liveness: Liveness) -> None:
    liveness.place(key(), online({"p": page(allowance=10)}))
    liveness.place(key("other"), online({}, due=15))
    assert beat(liveness, 2, at=9) is Beat.HEARD
    assert liveness.take_due(moment(25), 1) == [key("other")]
    assert liveness.take_due(moment(25), 1) == [key()]


def test_what_is_taken_is_lent_and_due_again_unless_it_is_placed(liveness: Liveness) -> None:
    liveness.place(key(), online({}, due=10))
    assert liveness.take_due(moment(12), 10) == [key()]
    assert liveness.take_due(moment(12 + LOAN - A_MICROSECOND), 10) == []
    assert liveness.take_due(moment(12 + LOAN), 10) == [key()]


def test_what_is_placed_by_its_taker_is_due_at_its_new_time(liveness: Liveness) -> None:
    for conversation in ("soon", "later", "never"):
        liveness.place(key(conversation), online({}, due=10))
    assert len(liveness.take_due(moment(10), 10)) == 3
    liveness.place(key("soon"), online({}, due=11))
    liveness.place(key("later"), online({}, due=100))
    liveness.place(key("never"), None)
    assert liveness.take_due(moment(11), 10) == [key("soon")]
    assert liveness.take_due(moment(11 + LOAN), 10) == [key("soon")]
    assert liveness.take_due(moment(100 - A_MICROSECOND), 10) == [key("soon")]
    assert liveness.take_due(moment(100), 10) == [key("later")]


def test_what_is_given_back_is_due_at_once(liveness: Liveness) -> None:
    for conversation, due in (("a", 10), ("b", 11)):
        liveness.place(key(conversation), online({}, due=due))
    taken = liveness.take_due(moment(12), 10)
    liveness.place(key("b"), online({}, due=100))
    liveness.give_back([*taken, key("never was")], moment(13))
    assert liveness.take_due(moment(13), 10) == [key("a")]
    assert liveness.take_due(moment(13), 10) == []
    assert liveness.take_due(moment(100), 10) == [key("a"), key("b")]


def test_who_beats_while_lent_is_not_due_when_the_loan_ends(liveness: Liveness) -> None:
    liveness.place(key(), online({"p": page(allowance=30)}, due=10))
    liveness.take_due(moment(10), 10)
    assert beat(liveness, 2, at=11) is Beat.HEARD
    liveness.place(key(), online({"p": page(allowance=30)}))
    assert liveness.take_due(moment(10 + LOAN), 10) == []
    assert liveness.next_due() == moment(41)


def test_the_next_due_is_never_later_than_it_is(liveness: Liveness) -> None:
    assert liveness.next_due() is None
    liveness.place(key("a"), online({}, due=20))
    liveness.place(key("b"), online({}, due=10))
    assert liveness.next_due() == moment(10)
    liveness.place(key("b"), None)
    assert liveness.next_due() == moment(20)
    liveness.place(key("a"), online({}, due=5))
    assert liveness.next_due() == moment(5)


class CountedMoment(datetime):
    """A time that counts how often one of its kind was compared."""

    compared: ClassVar[int] = 0

    def __lt__(self, other: object) -> bool:
        return _counted(super().__lt__, other)

    def __le__(self, other: object) -> bool:
        return _counted(super().__le__, other)

    def __gt__(self, other: object) -> bool:
        return _counted(super().__gt__, other)

    def __ge__(self, other: object) -> bool:
        return _counted(super().__ge__, other)

    def __eq__(self, other: object) -> bool:
        return _counted(super().__eq__, other)

    __hash__ = datetime.__hash__


def _counted(compare: Callable[[datetime], bool], other: object) -> bool:
    CountedMoment.compared += 1
    assert isinstance(other, datetime)
    return compare(other)


def test_those_that_are_not_due_are_not_looked_at(liveness: Liveness) -> None:
    placed = 100_000
    first = CountedMoment.fromisoformat(START.isoformat())
    for number in range(placed):
        # Neither in the order of time nor against it.
        due = first + timedelta(seconds=1 + number * 7919 % placed)
        liveness.place(key(f"c{number}"), replace(online({}), due=due))
    before = CountedMoment.compared
    assert before > 0
    assert liveness.next_due() == moment(1)
    assert liveness.take_due(moment(1), 10) == [key("c0")]
    # Each that is looked at is compared; the depth of a tree over them all is 17.
    assert CountedMoment.compared - before < 200

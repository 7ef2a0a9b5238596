"""What every engine of liveness promises, expiry first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import ClassVar

import pytest

from bridge.ports import Beat, Liveness
from tests.contract.liveness_engines import (
    ENGINES,
    LOAN,
    START,
    key,
    mark,
    moment,
    online,
    page,
)

A_MICROSECOND = 0.000001
LARGEST_SEQ = 2**53


@pytest.fixture(params=ENGINES)
def liveness(request: pytest.FixtureRequest) -> Liveness:
    name: str = request.param
    return ENGINES[name]()


def beat(
    liveness: Liveness, seq: int, at: float, *, page: str = "p", id: str | None = None
) -> Beat:
    return liveness.beat(key(), "v", page, mark(seq, at, id))[0]


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
    assert (late[0], in_time[0]) == (Beat.UNKNOWN, Beat.HEARD)


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


def test_a_conversation_is_due_when_its_first_page_is(liveness: Liveness) -> None:
    liveness.place(key(), online({"p": page(allowance=150), "q": page(allowance=30)}, due=100))
    assert liveness.take_due(moment(30 - A_MICROSECOND), 10) == []
    assert liveness.take_due(moment(30), 10) == [key()]


def test_a_conversation_is_due_at_a_time_of_its_own(liveness: Liveness) -> None:
    liveness.place(key("pages"), online(due=15))
    liveness.place(key("no page"), online({}, due=15))
    assert liveness.take_due(moment(15 - A_MICROSECOND), 10) == []
    assert set(liveness.take_due(moment(15), 10)) == {key("pages"), key("no page")}


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


# ------------------------------------------------------------------------------- beats


def test_a_heartbeat_is_told_the_interval(liveness: Liveness) -> None:
    liveness.place(key(), online(interval=12.5))
    assert liveness.beat(key(), "v", "p", mark(2, 1)) == (Beat.HEARD, 12.5)
    assert liveness.beat(key(), "v", "p", mark(1, 2)) == (Beat.DUPLICATE, 12.5)


@pytest.mark.parametrize(
    ("seq", "at", "id"),
    [(2, 10, "first"), (2, 20, "first"), (1, 20, "another"), (0, 29, "another")],
    ids=["sent again", "sent again later", "an older one", "a much older one"],
)
def test_what_came_before_or_is_older_is_a_duplicate(
    liveness: Liveness, seq: int, at: float, id: str
) -> None:
    liveness.place(key(), online())
    assert beat(liveness, 2, at=10, id="first") is Beat.HEARD
    before = liveness.read([key()])
    assert beat(liveness, seq, at, id=id) is Beat.DUPLICATE
    assert liveness.read([key()]) == before


def test_another_event_of_the_same_place_is_for_the_records(liveness: Liveness) -> None:
    liveness.place(key(), online())
    assert beat(liveness, 2, at=10, id="b") is Beat.HEARD
    before = liveness.read([key()])
    for id, at in (("a", 11), ("c", 11), ("a", 9)):
        assert beat(liveness, 2, at=at, id=id) is Beat.UNKNOWN
    assert liveness.read([key()]) == before


@pytest.mark.parametrize("what", ["conversation", "site", "visitor", "page"])
def test_what_is_not_known_is_for_the_records(liveness: Liveness, what: str) -> None:
    liveness.place(key(), online())
    before = liveness.read([key()])
    asked = key("another" if what == "conversation" else "c", "another" if what == "site" else "s")
    visitor, page_id = "w" if what == "visitor" else "v", "q" if what == "page" else "p"
    assert liveness.beat(asked, visitor, page_id, mark(2, 1)) == (Beat.UNKNOWN, 0.0)
    assert liveness.read([key(), asked]) == before


def test_a_conversation_of_nobody_answers_no_heartbeat(liveness: Liveness) -> None:
    liveness.place(key(), online(visitor=None))
    assert beat(liveness, 2, at=1) is Beat.UNKNOWN


def test_one_that_is_not_quiet_is_for_the_records(liveness: Liveness) -> None:
    liveness.place(key(), online(quiet=False))
    before = liveness.read([key()])
    assert beat(liveness, 2, at=1) is Beat.UNKNOWN
    assert liveness.read([key()]) == before
    liveness.place(key(), online(quiet=True))
    assert beat(liveness, 2, at=1) is Beat.HEARD


def test_one_that_is_interrupted_is_for_the_records_until_it_is_heard_there(
    liveness: Liveness,
) -> None:
    liveness.place(key(), online())
    liveness.place(key("other"), online())
    liveness.interrupt(key())
    # What failed in between, or changed it without hearing the visitor, does not end it.
    for seq in (2, 3):
        assert beat(liveness, seq, at=seq) is Beat.UNKNOWN
        liveness.place(key(), online())
    assert liveness.beat(key("other"), "v", "p", mark(2, 1))[0] is Beat.HEARD
    liveness.place(key(), online({"p": page(4, heard=4)}))
    assert beat(liveness, 5, at=5) is Beat.HEARD


def test_a_duplicate_does_not_end_an_interruption(liveness: Liveness) -> None:
    liveness.place(key(), online())
    liveness.interrupt(key())
    assert beat(liveness, 1, at=0, id="e1@0.0") is Beat.DUPLICATE
    assert beat(liveness, 2, at=1) is Beat.UNKNOWN


def test_an_interruption_ends_with_what_was_hot(liveness: Liveness) -> None:
    liveness.place(key(), online())
    liveness.interrupt(key())
    liveness.place(key(), None)
    liveness.place(key(), online())
    assert beat(liveness, 2, at=1) is Beat.HEARD


def test_interrupting_what_is_not_there_changes_nothing(liveness: Liveness) -> None:
    liveness.interrupt(key())
    assert liveness.read([key()]) == {}


def test_sequences_are_exact_up_to_the_largest(liveness: Liveness) -> None:
    liveness.place(key(), online({"p": page(LARGEST_SEQ - 2)}))
    assert beat(liveness, LARGEST_SEQ - 1, at=1) is Beat.HEARD
    assert beat(liveness, LARGEST_SEQ, at=2) is Beat.HEARD
    assert beat(liveness, LARGEST_SEQ - 1, at=3) is Beat.DUPLICATE
    assert liveness.read([key()])[key()].pages["p"].mark == mark(LARGEST_SEQ, 2)


# ------------------------------------------------------------------- placing and reading


def test_what_is_placed_is_read_to_the_microsecond(liveness: Liveness) -> None:
    pages = {
        "p": page(LARGEST_SEQ, heard=0.000001, allowance=155.0, deadline=155.000001),
        "q 🛒": page(0, heard=3.999999, allowance=2.5),
    }
    placed = online(pages, visitor="v_Ü", heard=0.5, due=7.123456, interval=0.25)
    liveness.place(key("resp_aB"), placed)
    assert liveness.read([key("resp_aB")]) == {
        key("resp_aB"): replace(placed, heard_at=moment(3.999999))
    }


def test_what_is_not_hot_is_left_out(liveness: Liveness) -> None:
    liveness.place(key("a"), online())
    assert set(liveness.read([key("a"), key("b"), key("a", "another")])) == {key("a")}
    assert liveness.read([]) == {}


def test_a_visitor_was_heard_when_a_page_was_or_as_recorded(liveness: Liveness) -> None:
    liveness.place(key("page"), online(heard=0))
    liveness.beat(key("page"), "v", "p", mark(2, 7))
    liveness.place(key("recorded"), online(heard=9))
    liveness.place(key("nobody"), online({}))
    heard = liveness.read([key("page"), key("recorded"), key("nobody")])
    assert heard[key("page")].heard_at == moment(7)
    assert heard[key("recorded")].heard_at == moment(9)
    assert heard[key("nobody")].heard_at is None


def test_what_is_forgotten_is_neither_read_nor_heard_nor_due(liveness: Liveness) -> None:
    liveness.place(key(), online())
    liveness.place(key(), None)
    assert liveness.read([key()]) == {}
    assert beat(liveness, 2, at=1) is Beat.UNKNOWN
    assert liveness.next_due() is None
    assert liveness.take_due(moment(1e8), 10) == []
    liveness.place(key("never was"), None)
    liveness.place(key(), online())
    assert liveness.take_due(moment(30), 10) == [key()]


def test_a_page_that_is_not_placed_again_is_forgotten(liveness: Liveness) -> None:
    liveness.place(key(), online({"p": page(allowance=10), "q": page(allowance=40)}))
    liveness.place(key(), online({"q": page(allowance=40)}))
    assert beat(liveness, 2, at=1) is Beat.UNKNOWN
    assert liveness.take_due(moment(39), 10) == []


def test_a_heartbeat_between_reading_and_placing_is_not_lost(liveness: Liveness) -> None:
    liveness.place(key(), online())
    read = liveness.read([key()])[key()]
    assert beat(liveness, 2, at=20) is Beat.HEARD
    liveness.place(key(), replace(read, heartbeat_seconds=10.0))
    kept = liveness.read([key()])[key()]
    assert kept.pages["p"] == page(2, heard=20, allowance=30)
    assert (kept.heard_at, kept.heartbeat_seconds) == (moment(20), 10.0)
    assert beat(liveness, 2, at=20) is Beat.DUPLICATE
    assert liveness.next_due() == moment(50)


def test_a_heartbeat_in_between_gets_the_new_allowance(liveness: Liveness) -> None:
    liveness.place(key(), online({"p": page(allowance=155)}))
    assert beat(liveness, 2, at=20) is Beat.HEARD
    liveness.place(key(), online({"p": page(1, heard=0, allowance=30)}))
    assert liveness.read([key()])[key()].pages["p"] == page(2, heard=20, allowance=30)
    assert liveness.take_due(moment(50), 10) == [key()]


def test_a_later_hearing_stays_beside_a_greater_mark(liveness: Liveness) -> None:
    # The visitor wrote at 25, by a request that took longer than the heartbeat of 20.
    liveness.place(key(), online())
    assert beat(liveness, 2, at=20) is Beat.HEARD
    written = replace(page(1, heard=0), heard_at=moment(25), deadline=moment(55))
    liveness.place(key(), online({"p": written}))
    expected = replace(written, mark=mark(2, 20))
    assert liveness.read([key()])[key()].pages["p"] == expected
    # The other way round, what was heard comes from the greater seq (P9): the page_hidden at 15.
    liveness.place(key("other"), online())
    assert liveness.beat(key("other"), "v", "p", mark(2, 20))[0] is Beat.HEARD
    liveness.place(key("other"), online({"p": page(3, heard=15)}))
    kept = liveness.read([key("other")])[key("other")].pages["p"]
    assert (kept.mark.seq, kept.heard_at, kept.deadline) == (3, moment(15), moment(45))


def test_what_is_placed_later_holds_where_nothing_was_heard_in_between(liveness: Liveness) -> None:
    liveness.place(key(), online({"p": page(1, allowance=150)}))
    liveness.place(key(), online({"p": page(1, allowance=10)}, visitor="w", quiet=False))
    read = liveness.read([key()])[key()]
    assert (read.visitor, read.quiet, read.pages["p"]) == ("w", False, page(1, allowance=10))
    assert liveness.next_due() == moment(10)


def test_sites_are_apart(liveness: Liveness) -> None:
    liveness.place(key(site="one"), online({"p": page(1)}))
    liveness.place(key(site="two"), online({"p": page(5)}, visitor="w"))
    liveness.beat(key(site="one"), "v", "p", mark(2, 9))
    liveness.interrupt(key(site="one"))
    assert liveness.beat(key(site="two"), "w", "p", mark(6, 9))[0] is Beat.HEARD
    liveness.place(key(site="one"), None)
    assert set(liveness.read([key(site="one"), key(site="two")])) == {key(site="two")}

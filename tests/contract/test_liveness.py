"""What every engine of liveness promises of heartbeats, placing and reading."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bridge.ports import Beat, Beaten, Liveness
from tests.contract.liveness_engines import (
    beat,
    key,
    mark,
    moment,
    online,
    page,
)

A_MICROSECOND = 0.000001
LARGEST_SEQ = 2**53


# ------------------------------------------------------------------------------- beats


@pytest.mark.parametrize("watched", [True, False])
@pytest.mark.parametrize("until", [None, 1800.000001])
def test_a_heartbeat_is_told_what_its_answer_tells(
    liveness: Liveness, watched: bool, until: float | None
) -> None:
    pages = {"p": page(interval=12.5), "q": page(interval=0.0)}
    liveness.place(key(), online(pages, watched=watched, takeover_until=until))
    ends_at = None if until is None else moment(until)
    for name, interval in (("p", 12.5), ("q", 0.0)):
        heard = liveness.beat(key(), "v", name, mark(2, 1))
        assert heard == Beaten(Beat.HEARD, interval, watched, ends_at)
        older = liveness.beat(key(), "v", name, mark(1, 2))
        assert older == Beaten(Beat.DUPLICATE, interval, watched, ends_at)


def test_a_page_that_is_yet_to_be_told_its_interval_is_for_the_records(
    liveness: Liveness,
) -> None:
    # A duplicate too: what its answer tells must be recorded, or the page beats too seldom for the
    # deadline that it has (P2).
    liveness.place(key(), online({"p": page(2, informed=False), "q": page(2)}))
    before = liveness.read([key()])
    for seq in (1, 2, 3):
        assert liveness.beat(key(), "v", "p", mark(seq, 0.0)) == Beaten(Beat.UNKNOWN)
    assert liveness.read([key()]) == before
    assert beat(liveness, 3, at=1, page="q") is Beat.HEARD
    liveness.place(key(), online({"p": page(2)}))
    assert beat(liveness, 3, at=2) is Beat.HEARD
    assert beat(liveness, 4, at=3) is Beat.HEARD


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
    assert liveness.beat(asked, visitor, page_id, mark(2, 1)) == Beaten(Beat.UNKNOWN)
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
    assert liveness.beat(key("other"), "v", "p", mark(2, 1)).outcome is Beat.HEARD
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
        "q 🛒": page(0, heard=3.5, kept=3.999999, allowance=2.5, interval=0.25, informed=False),
    }
    placed = online(
        pages, visitor="v_Ü", heard=0.5, due=7.123456, watched=True, takeover_until=1800.000001
    )
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
    liveness.place(key(), replace(read, watched=True))
    kept = liveness.read([key()])[key()]
    assert kept.pages["p"] == page(2, heard=20, allowance=30)
    assert (kept.heard_at, kept.watched) == (moment(20), True)
    assert beat(liveness, 2, at=20) is Beat.DUPLICATE
    assert liveness.next_due() == moment(50)


def test_a_heartbeat_in_between_gets_the_new_allowance_and_interval(liveness: Liveness) -> None:
    liveness.place(key(), online({"p": page(allowance=155)}))
    assert beat(liveness, 2, at=20) is Beat.HEARD
    untold = page(1, heard=0, allowance=30, interval=10, informed=False)
    liveness.place(key(), online({"p": untold}))
    expected = page(2, heard=20, allowance=30, interval=10, informed=False)
    assert liveness.read([key()])[key()].pages["p"] == expected
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
    assert liveness.beat(key("other"), "v", "p", mark(2, 20)).outcome is Beat.HEARD
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
    assert liveness.beat(key(site="two"), "w", "p", mark(6, 9)).outcome is Beat.HEARD
    liveness.place(key(site="one"), None)
    assert set(liveness.read([key(site="one"), key(site="two")])) == {key(site="two")}

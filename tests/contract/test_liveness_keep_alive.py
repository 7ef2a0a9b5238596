"""What every engine of liveness promises of requests without a mark, such as a sync."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bridge.ports import Beat, Beaten, Liveness
from tests.contract.liveness_engines import beat, keep_alive, key, mark, moment, online, page


@pytest.mark.parametrize("watched", [True, False])
@pytest.mark.parametrize("until", [None, 1800.000001])
def test_it_is_told_what_its_answer_tells(
    liveness: Liveness, watched: bool, until: float | None
) -> None:
    pages = {"p": page(interval=12.5), "q": page(interval=0.0)}
    liveness.place(key(), online(pages, watched=watched, takeover_until=until))
    ends_at = None if until is None else moment(until)
    for name, interval in (("p", 12.5), ("q", 0.0)):
        kept = liveness.keep_alive(key(), "v", name, moment(1))
        assert kept == Beaten(Beat.HEARD, interval, watched, ends_at)


def test_it_is_heard_and_takes_no_place_among_the_heartbeats(liveness: Liveness) -> None:
    liveness.place(key(), online())
    assert beat(liveness, 2, at=10) is Beat.HEARD
    assert keep_alive(liveness, at=20) is Beat.HEARD
    read = liveness.read([key()])[key()]
    assert read.pages["p"] == page(2, heard=10, kept=20)
    assert read.heard_at == moment(20)
    assert beat(liveness, 2, at=10) is Beat.DUPLICATE
    assert beat(liveness, 1, at=25) is Beat.DUPLICATE
    assert liveness.read([key()])[key()] == read
    assert beat(liveness, 3, at=25) is Beat.HEARD


def test_the_same_again_is_heard_and_changes_nothing(liveness: Liveness) -> None:
    liveness.place(key(), online())
    assert keep_alive(liveness, at=20) is Beat.HEARD
    before = liveness.read([key()])
    assert keep_alive(liveness, at=20) is Beat.HEARD
    assert liveness.read([key()]) == before


def test_one_that_comes_late_takes_nothing_back(liveness: Liveness) -> None:
    liveness.place(key("kept"), online())
    liveness.place(key("beat"), online())
    liveness.keep_alive(key("kept"), "v", "p", moment(20))
    liveness.beat(key("beat"), "v", "p", mark(2, 20))
    before = liveness.read([key("kept"), key("beat")])
    for conversation in ("kept", "beat"):
        late = liveness.keep_alive(key(conversation), "v", "p", moment(19.999999))
        assert late.outcome is Beat.HEARD
    assert liveness.read([key("kept"), key("beat")]) == before


def test_p15_beside_a_heartbeat_the_order_does_not_matter(liveness: Liveness) -> None:
    # Two processes, or two threads, each with its own request of one page.
    for name in ("beat first", "beat last"):
        liveness.place(key(name), online())
    liveness.beat(key("beat first"), "v", "p", mark(2, 10))
    for name in ("beat first", "beat last"):
        liveness.keep_alive(key(name), "v", "p", moment(10.25))
    assert liveness.beat(key("beat last"), "v", "p", mark(2, 10)).outcome is Beat.HEARD
    read = liveness.read([key("beat first"), key("beat last")])
    assert read[key("beat first")] == read[key("beat last")]
    assert read[key("beat first")].pages["p"] == page(2, heard=10, kept=10.25)
    assert set(liveness.take_due(moment(40.25), 10)) == set(read)


# ----------------------------------------------------------------------- for the records


@pytest.mark.parametrize("what", ["conversation", "site", "visitor", "page"])
def test_what_is_not_known_is_for_the_records(liveness: Liveness, what: str) -> None:
    liveness.place(key(), online())
    before = liveness.read([key()])
    asked = key("another" if what == "conversation" else "c", "another" if what == "site" else "s")
    visitor, page_id = "w" if what == "visitor" else "v", "q" if what == "page" else "p"
    assert liveness.keep_alive(asked, visitor, page_id, moment(1)) == Beaten(Beat.UNKNOWN)
    assert liveness.read([key(), asked]) == before


@pytest.mark.parametrize("why", ["not quiet", "not told", "nobody's", "interrupted"])
def test_what_would_change_more_is_for_the_records(liveness: Liveness, why: str) -> None:
    visitor = None if why == "nobody's" else "v"
    pages = {"p": page(informed=why != "not told")}
    liveness.place(key(), online(pages, visitor=visitor, quiet=why != "not quiet"))
    if why == "interrupted":
        liveness.interrupt(key())
    before = liveness.read([key()])
    assert keep_alive(liveness, at=1) is Beat.UNKNOWN
    assert keep_alive(liveness, at=2) is Beat.UNKNOWN
    assert liveness.read([key()]) == before


def test_an_interruption_ends_when_the_records_have_heard_it(liveness: Liveness) -> None:
    liveness.place(key(), online(heard=0))
    liveness.interrupt(key())
    liveness.place(key(), online(heard=0, watched=True))
    assert keep_alive(liveness, at=1) is Beat.UNKNOWN
    # The records know no mark of a sync: they place when the visitor was heard.
    liveness.place(key(), online(heard=1))
    assert keep_alive(liveness, at=2) is Beat.HEARD


# ------------------------------------------------------------------------------- placing


def test_one_between_reading_and_placing_is_not_lost(liveness: Liveness) -> None:
    liveness.place(key(), online())
    read = liveness.read([key()])[key()]
    assert keep_alive(liveness, at=20) is Beat.HEARD
    liveness.place(key(), replace(read, watched=True))
    kept = liveness.read([key()])[key()]
    assert kept.pages["p"] == page(1, heard=0, kept=20)
    assert (kept.heard_at, kept.watched) == (moment(20), True)
    assert liveness.next_due() == moment(50)


def test_one_in_between_gets_the_new_allowance_and_interval(liveness: Liveness) -> None:
    liveness.place(key(), online({"p": page(allowance=155)}))
    assert keep_alive(liveness, at=20) is Beat.HEARD
    untold = page(1, heard=0, allowance=30, interval=10, informed=False)
    liveness.place(key(), online({"p": untold}))
    expected = page(1, heard=0, kept=20, allowance=30, interval=10, informed=False)
    assert liveness.read([key()])[key()].pages["p"] == expected
    assert liveness.take_due(moment(50), 10) == [key()]


def test_both_in_between_are_kept(liveness: Liveness) -> None:
    for first_kept in (True, False):
        liveness.place(key(), None)
        liveness.place(key(), online())
        read = liveness.read([key()])[key()]
        if first_kept:
            assert keep_alive(liveness, at=10) is Beat.HEARD
            assert beat(liveness, 2, at=20) is Beat.HEARD
            expected = page(2, heard=20, kept=10)
        else:
            assert beat(liveness, 2, at=10) is Beat.HEARD
            assert keep_alive(liveness, at=20) is Beat.HEARD
            expected = page(2, heard=10, kept=20)
        liveness.place(key(), read)
        assert liveness.read([key()])[key()].pages["p"] == expected
        assert liveness.next_due() == moment(50)


def test_what_the_records_heard_later_holds(liveness: Liveness) -> None:
    # As the records place it: what was kept alive here is in the hearing, and the mark is greater.
    liveness.place(key(), online())
    assert keep_alive(liveness, at=20) is Beat.HEARD
    liveness.place(key(), online({"p": page(2, heard=25)}))
    assert liveness.read([key()])[key()].pages["p"] == page(2, heard=25)
    assert liveness.next_due() == moment(55)

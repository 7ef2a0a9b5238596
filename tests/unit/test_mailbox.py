"""A mailbox hands everything over in order, or cuts its reader off: never a gap (S2)."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.live.mailbox import Mailbox

FOREVER = 60.0
"""Seconds; whatever waits for so long has not been woken."""


def holding(*items: int, size: int = 3) -> Mailbox[int]:
    mailbox = Mailbox[int](size)
    for item in items:
        mailbox.put(item)
    return mailbox


def all_of(mailbox: Mailbox[int]) -> list[int]:
    """What a reader gets until the end."""
    got: list[int] = []
    while (items := mailbox.take(FOREVER)) is not None:
        got += items
    return got


def test_what_waits_is_taken_at_once_and_in_order() -> None:
    mailbox = holding(1, 2, 3)
    assert mailbox.take(FOREVER) == [1, 2, 3]
    assert mailbox.take(0) == []


def test_nothing_came() -> None:
    assert holding().take(0.001) == []


def test_a_waiting_reader_is_woken_by_an_item() -> None:
    mailbox = holding()
    threading.Timer(0.01, mailbox.put, [1]).start()
    assert mailbox.take(FOREVER) == [1]


def test_a_waiting_reader_is_woken_by_the_end() -> None:
    mailbox = holding()
    threading.Timer(0.01, mailbox.close).start()
    assert mailbox.take(FOREVER) is None


def test_a_closed_mailbox_hands_out_what_waits_then_says_so() -> None:
    mailbox = holding(1, 2)
    mailbox.close()
    mailbox.put(3)
    assert mailbox.closed
    assert mailbox.take(FOREVER) == [1, 2]
    assert mailbox.take(FOREVER) is None
    assert mailbox.take(FOREVER) is None


def test_as_many_as_may_wait_are_kept() -> None:
    mailbox = holding(1, 2, size=2)
    assert not mailbox.closed
    assert mailbox.take(FOREVER) == [1, 2]


def test_one_more_cuts_the_reader_off_and_drops_what_waits() -> None:
    mailbox = holding(1, 2, 3, size=2)
    assert mailbox.closed
    assert mailbox.take(FOREVER) is None


def test_room_that_was_made_is_used_again() -> None:
    mailbox = holding(1, 2, size=2)
    mailbox.take(FOREVER)
    mailbox.put(3)
    mailbox.put(4)
    assert mailbox.take(FOREVER) == [3, 4]


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(1, 4), st.lists(st.sampled_from(["put", "take", "close"]), max_size=30))
def test_it_is_a_bounded_queue(size: int, steps: list[str]) -> None:
    mailbox, waiting, closed = Mailbox[int](size), list[int](), False
    for number, step in enumerate(steps):
        if step == "close":
            mailbox.close()
            closed = True
        elif step == "take":
            assert mailbox.take(0) == (None if closed and not waiting else waiting)
            waiting = []
        else:
            mailbox.put(number)
            if not closed and len(waiting) == size:
                waiting, closed = [], True
            elif not closed:
                waiting.append(number)
        assert mailbox.closed == closed


def test_nothing_is_lost_between_threads() -> None:
    many, writers = 5_000, 4
    mailbox = Mailbox[int](many * writers)

    def write(writer: int) -> None:
        for number in range(many):
            mailbox.put(writer * many + number)

    with ThreadPoolExecutor(max_workers=writers + 1) as pool:
        reader = pool.submit(all_of, mailbox)
        for written in [pool.submit(write, writer) for writer in range(writers)]:
            written.result()
        mailbox.close()
        got = reader.result()
    for writer in range(writers):
        mine = range(writer * many, (writer + 1) * many)
        assert [number for number in got if number in mine] == list(mine)


def test_a_reader_that_falls_behind_sees_no_gap() -> None:
    for _ in range(200):
        mailbox = Mailbox[int](5)
        with ThreadPoolExecutor(max_workers=1) as pool:
            reader = pool.submit(all_of, mailbox)
            for number in range(1_000):
                mailbox.put(number)
            mailbox.close()
            got = reader.result()
        assert got == list(range(len(got)))

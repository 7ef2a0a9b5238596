"""P1, P4, P5, P6, P10, P11 and P15: the state of a conversation."""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations

import pytest

from tests.unit.domain.story import Story

# P1: live from the first event until an unload or the deadline; the first state that holds.


def test_p1_a_conversation_in_which_nobody_was_heard_is_offline() -> None:
    seen = Story().at(0)
    assert (seen.state, seen.since, seen.last_seen_at, seen.pages) == ("offline", None, None, 0)


@pytest.mark.parametrize("word", ["view", "heartbeat", "hide"])
def test_p1_any_first_event_makes_a_page_live(word: str) -> None:
    story = Story()
    getattr(story, word)("a", 1, at=0)
    assert (story.at(0).state, story.at(0).pages) == ("online", 1)


def test_p1_a_page_known_only_by_its_unload_is_gone_with_it() -> None:
    story = Story()
    story.unload("a", 1, at=0)
    assert story.at(0).state == "switching_pages"
    assert (story.at(15).reason, story.at(15).last_seen_at) == ("left", 0)


def test_p1_online_until_the_deadline_and_not_at_it() -> None:
    story = Story()
    story.view("a", 1, at=0)
    assert story.at(154.999).state == "online"
    assert story.at(155).state == "offline"


def test_p1_switching_pages_until_the_grace_time_and_not_at_it() -> None:
    story = Story()
    story.view("a", 1, at=0)
    story.unload("a", 2, at=10)
    assert story.at(10).state == "switching_pages"
    assert story.at(24.999).state == "switching_pages"
    assert story.at(25).state == "offline"


def test_p1_the_grace_time_is_a_setting() -> None:
    story = Story(grace=2.5)
    story.unload("a", 1, at=0)
    assert [story.at(now).state for now in (2.499, 2.5)] == ["switching_pages", "offline"]


def test_p1_chat_cleared_comes_before_online() -> None:
    story = Story()
    story.view("a", 1, at=0)
    story.clear(1, "a", 2)
    assert (story.at(1).state, story.at(1).pages) == ("chat_cleared", 0)


def test_p1_online_comes_before_switching_pages() -> None:
    story = Story()
    story.view("a", 1, at=0)
    story.view("b", 1, at=0)
    story.unload("a", 2, at=1)
    assert story.at(1).state == "online"


def test_p1_since_is_when_the_page_left_and_then_when_the_grace_time_ended() -> None:
    story = Story()
    story.view("a", 1, at=0)
    story.unload("a", 2, at=10)
    assert (story.at(20).since, story.at(500).since) == (10, 25)


def test_p1_since_is_when_the_last_page_went_even_if_another_left_before() -> None:
    story = Story()
    story.view("a", 1, at=0)
    story.view("b", 1, at=1)
    story.unload("b", 2, at=150)
    assert story.at(154.999).state == "online"
    assert (story.at(155).state, story.at(155).since) == ("switching_pages", 155)
    assert (story.at(165).state, story.at(165).since) == ("offline", 165)


def test_p1_since_is_the_deadline_that_was_missed() -> None:
    story = Story()
    story.view("a", 1, at=0)
    assert story.at(1000).since == 155


def test_p1_since_of_online_goes_on_from_what_was_recorded() -> None:
    story = Story()
    story.view("a", 1, at=0)
    recorded = story.state_at(0)
    story.heartbeat("a", 2, at=60)
    assert story.at(60, previous=recorded).since == 0
    offline = story.state_at(500)
    story.heartbeat("a", 3, at=600)
    assert story.at(601, previous=offline).since == 600


def test_p1_last_seen_is_the_latest_end_of_all_pages() -> None:
    story = Story()
    story.view("a", 1, at=0)
    story.view("b", 1, at=40)
    story.unload("a", 2, at=30)
    assert story.at(500).last_seen_at == 40
    story.unload("b", 2, at=50)
    assert story.at(500).last_seen_at == 50


def test_p1_the_next_deadline_is_the_next_change() -> None:
    story = Story()
    story.view("a", 1, at=0, told=10)
    story.view("b", 1, at=5, told=10)
    assert [story.next_deadline(now) for now in (5, 29.999, 30, 35)] == [30, 30, 35, None]
    story.unload("b", 2, at=31)
    assert [story.next_deadline(now) for now in (31, 45.999, 46)] == [46, 46, None]


def test_p1_the_next_deadline_is_none_in_a_cleared_chat() -> None:
    story = Story()
    story.view("a", 1, at=0)
    story.clear(1, "a", 2)
    assert story.next_deadline(1) is None


# P4: within the grace time the next page takes over, and nobody was ever offline.


@pytest.mark.parametrize("gap", [0.25, 14.999])
def test_p4_a_page_heard_within_the_grace_time_is_online_without_an_offline_between(
    gap: float,
) -> None:
    story = Story()
    story.view("a", 1, at=0)
    story.unload("a", 2, at=10)
    before = [story.at(10).state, story.at(10 + gap - 0.001).state]
    story.view("b", 1, at=10 + gap)
    assert [*before, story.at(10 + gap).state] == ["switching_pages", "switching_pages", "online"]


def test_p4_the_same_page_may_come_back() -> None:
    story = Story()
    story.view("a", 1, at=0)
    story.unload("a", 2, at=10)
    story.view("a", 3, at=24)
    assert story.at(26).state == "online"


def test_p4_moved_on_is_not_shown_within_the_grace_time() -> None:
    story = Story()
    story.view("a", 1, at=0)
    story.unload("a", 2, at=10)
    story.elsewhere("B", at=11)
    seen = story.at(24.999)
    assert (seen.state, seen.reason, seen.continued_in) == ("switching_pages", None, None)
    assert story.at(25).reason == "moved_on"


def test_p4_moved_on_is_not_shown_while_a_page_is_live() -> None:
    story = Story()
    story.view("a", 1, at=0)
    story.elsewhere("B", at=11)
    assert (story.at(12).state, story.at(12).continued_in) == ("online", None)


# P5 and P6: why one is offline.


def test_p5_left_since_the_grace_time_and_last_seen_at_the_unload() -> None:
    story = Story()
    story.view("a", 1, at=0)
    story.unload("a", 2, at=10)
    seen = story.at(900)
    assert (seen.reason, seen.last_seen_at, seen.since) == ("left", 10, 25)


def test_p5_left_also_if_another_tab_heard_earlier_timed_out_later() -> None:
    story = Story()
    story.view("a", 1, at=0)
    story.view("b", 1, at=0)
    story.unload("b", 2, at=100)
    assert story.at(154.999).state == "online"
    seen = story.at(155)
    assert (seen.state, seen.reason, seen.last_seen_at) == ("offline", "left", 100)


def test_p6_timed_out_at_once_and_last_seen_when_last_heard() -> None:
    story = Story()
    story.view("a", 1, at=0)
    story.heartbeat("a", 2, at=60, told=10)
    seen = story.at(90)
    assert (seen.state, seen.reason, seen.last_seen_at) == ("offline", "timed_out", 60)
    assert seen.since == 90


def test_p6_timed_out_if_the_latest_end_was_no_unload() -> None:
    story = Story()
    story.view("a", 1, at=0)
    story.unload("a", 2, at=10)
    story.view("b", 1, at=11, told=10)
    seen = story.at(500)
    assert (seen.reason, seen.last_seen_at, seen.since) == ("timed_out", 11, 41)


# P10: an unload is a hint.


def test_p10_without_any_unload_the_states_come_out_right_only_later() -> None:
    story = Story()
    story.view("a", 1, at=0, told=10)
    story.view("b", 1, at=20, told=10)
    assert [(story.at(now).state, story.at(now).pages) for now in (20, 30, 50)] == [
        ("online", 2),
        ("online", 1),
        ("offline", 0),
    ]
    assert (story.at(50).reason, story.at(50).last_seen_at) == ("timed_out", 20)


# P11: an event counts from its own time, not from its arrival.


def test_p11_a_view_of_ten_minutes_ago_makes_nobody_online_now() -> None:
    story = Story()
    story.view("a", 1, at=0)
    assert story.at(600).state == "offline"
    assert (story.at(600).last_seen_at, story.at(600).since) == (0, 155)


def test_p11_an_old_event_takes_nothing_from_a_page_heard_since() -> None:
    story = Story()
    story.view("a", 1, at=600)
    story.view("b", 1, at=0)
    assert (story.at(601).state, story.at(601).pages) == ("online", 1)
    assert story.at(601).last_seen_at == 600


# P15: see test_order.py and test_presence_machine.py for all orders of anything.


def test_p15_a_short_visit_ends_the_same_in_every_order() -> None:
    words: tuple[Callable[[Story], bool], ...] = (
        lambda story: story.view("a", 1, at=0, told=10, id="v"),
        lambda story: story.heartbeat("a", 2, at=10, told=10, id="h"),
        lambda story: story.unload("a", 3, at=12, id="u"),
        lambda story: story.message(11, "a", 7, id="m"),
        lambda story: story.elsewhere("B", at=12.5),
    )
    for order in permutations(words):
        story = Story()
        for word in (*order, *order):
            word(story)
        states = [story.at(now) for now in (13, 26.999, 27)]
        assert [seen.state for seen in states] == ["switching_pages"] * 2 + ["offline"]
        assert (states[2].reason, states[2].last_seen_at) == ("moved_on", 12)


@pytest.mark.parametrize(
    ("unload_at", "unload_id", "state"),
    [(5, "b", "switching_pages"), (4, "b", "online"), (5, "0", "online")],
)
def test_p15_of_one_seq_time_and_then_id_decide(
    unload_at: float, unload_id: str, state: str
) -> None:
    for view_first in (True, False):
        story = Story()
        if view_first:
            story.view("a", 1, at=5, id="a")
        story.unload("a", 1, at=unload_at, id=unload_id)
        if not view_first:
            story.view("a", 1, at=5, id="a")
        assert story.at(6).state == state

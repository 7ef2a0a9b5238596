"""P7 and P8: the chat was cleared, or goes on in another conversation."""

from __future__ import annotations

import pytest

from tests.unit.domain.story import Story

# P7: chat_cleared.


@pytest.mark.parametrize("state", ["online", "switching_pages", "offline"])
def test_p7_a_clear_holds_at_once_from_any_state(state: str) -> None:
    story = Story()
    story.view("a", 1, at=0)
    if state == "switching_pages":
        story.unload("a", 2, at=300)
    assert story.at(0 if state == "online" else 300).state == state
    story.clear(300)
    seen = story.at(300)
    assert (seen.state, seen.reason, seen.since) == ("chat_cleared", None, 300)


def test_p7_last_seen_is_the_time_of_the_clear() -> None:
    story = Story()
    story.view("a", 1, at=0)
    story.clear(10, "a", 2)
    story.heartbeat("a", 3, at=20)
    assert (story.at(30).last_seen_at, story.at(30).since) == (10, 10)


def test_p7_neither_pages_nor_time_revive_it() -> None:
    story = Story()
    story.view("a", 1, at=0)
    story.clear(10, "a", 2)
    story.view("a", 3, at=20)
    story.view("b", 1, at=30)
    story.store_heartbeat(40)
    story.sync("b", 50)
    story.unload("b", 2, at=60)
    assert [story.at(now).state for now in (60, 75, 1e6)] == ["chat_cleared"] * 3


@pytest.mark.parametrize(("seq", "state"), [(4, "chat_cleared"), (5, "online"), (6, "online")])
def test_p7_on_the_same_page_the_seq_of_a_message_decides(seq: int, state: str) -> None:
    story = Story()
    story.clear(10, "a", 5)
    story.message(20, "a", seq)
    assert story.at(21).state == state


def test_p7_on_the_same_page_seq_decides_even_against_time() -> None:
    story = Story()
    story.clear(10, "a", 5)
    story.message(9, "a", 6)
    assert story.at(21).state == "online"


@pytest.mark.parametrize(("page", "seq"), [("b", 1), ("a", None), (None, None)])
@pytest.mark.parametrize(("at", "revived"), [(9.999, False), (10.001, True)])
def test_p7_elsewhere_the_time_of_a_message_decides(
    page: str | None, seq: int | None, at: float, revived: bool
) -> None:
    story = Story()
    story.clear(10, "a", 5)
    story.message(at, page, seq)
    assert (story.at(11).state != "chat_cleared") is revived


@pytest.mark.parametrize(("id", "revived"), [("b", False), ("d", True)])
def test_p7_of_one_time_the_id_decides(id: str, revived: bool) -> None:
    story = Story()
    story.clear(10, id="c")
    story.message(10, "a", 1, id=id)
    assert (story.at(11).state == "online") is revived


def test_p7_a_clear_without_a_seq_is_compared_by_time() -> None:
    story = Story()
    story.clear(10, "a")
    story.message(9, "a", 99)
    assert story.at(11).state == "chat_cleared"
    story.message(11, "a", 1)
    assert story.at(11).state == "online"


def test_p7_a_clear_that_comes_late_is_over_if_the_visitor_wrote_since() -> None:
    story = Story()
    story.message(20, "a", 6)
    story.clear(10, "a", 5)
    assert story.at(21).state == "online"


def test_p7_a_later_clear_clears_again() -> None:
    story = Story()
    story.clear(10, "a", 5)
    story.message(20, "a", 6)
    story.clear(30, "a", 7)
    assert (story.at(31).state, story.at(31).since) == ("chat_cleared", 30)


def test_p7_one_answered_clear_does_not_lift_another() -> None:
    story = Story()
    story.clear(10, "a", 5)
    story.clear(20, "b", 5)
    story.message(15, "c", 1)
    assert (story.at(21).state, story.at(21).since) == ("chat_cleared", 20)
    story.message(21, "c", 2)
    assert story.at(21).state == "online"


def test_p7_after_the_message_the_pages_count_as_if_nothing_had_been() -> None:
    story = Story()
    story.view("a", 1, at=0)
    story.view("b", 1, at=0, told=10)
    story.clear(10, "a", 2)
    story.message(20, "a", 3)
    assert story.live_pages(20) == {"a", "b"}
    assert story.live_pages(30) == {"a"}


def test_p7_a_clear_outlives_the_memory_of_its_page() -> None:
    story = Story()
    story.view("a", 1, at=0)
    story.clear(10, "a", 2)
    story.forget(1e6)
    assert (story.at(1e6).state, story.at(1e6).since) == ("chat_cleared", 10)
    story.message(1e6, "b", 1)
    assert story.at(1e6).state == "online"


def test_p7_forgetting_pages_brings_no_answered_clear_back() -> None:
    story = Story()
    story.clear(0, "a", 2)
    story.message(10, "a", 1)
    story.clear(5)
    assert (story.at(11).state, story.at(11).since) == ("chat_cleared", 0)
    story.forget(1e6)
    assert (story.at(1e6).state, story.at(1e6).since) == ("chat_cleared", 0)


# P8: moved_on.


@pytest.mark.parametrize("unloaded", [True, False])
def test_p8_heard_later_elsewhere_takes_the_place_of_left_and_timed_out(unloaded: bool) -> None:
    story = Story()
    story.view("a", 1, at=0)
    if unloaded:
        story.unload("a", 2, at=10)
    end = 10 if unloaded else 0
    story.elsewhere("B", end)
    assert story.at(500).reason == ("left" if unloaded else "timed_out"), "not later"
    story.elsewhere("B", end + 0.001)
    seen = story.at(500)
    assert (seen.state, seen.reason, seen.continued_in) == ("offline", "moved_on", "B")
    assert (seen.last_seen_at, seen.since) == (end, 25 if unloaded else 155)


def test_p8_continued_in_is_the_conversation_heard_last() -> None:
    story = Story()
    story.view("a", 1, at=0)
    story.elsewhere("B", 100)
    story.elsewhere("C", 90)
    assert story.at(500).continued_in == "B"
    story.elsewhere("C", 101)
    assert story.at(500).continued_in == "C"


def test_p8_it_stays_until_this_conversation_is_heard_again() -> None:
    story = Story()
    story.view("a", 1, at=0)
    story.elsewhere("B", 100)
    assert story.at(1e6).reason == "moved_on"
    story.view("a", 2, at=99)
    assert story.at(500).reason == "moved_on", "heard, but not after"
    story.view("b", 1, at=100)
    assert (story.at(500).reason, story.at(500).continued_in) == ("timed_out", None)


def test_p8_two_tabs_with_two_live_conversations_are_both_online() -> None:
    one, other = Story(), Story()
    one.view("a", 1, at=0)
    other.view("b", 1, at=50)
    one.elsewhere("other", 50)
    other.elsewhere("one", 0)
    assert (one.at(60).state, other.at(60).state) == ("online", "online")
    assert (one.at(60).continued_in, other.at(60).continued_in) == (None, None)


def test_p8_chat_cleared_keeps_its_state_and_gains_continued_in() -> None:
    story = Story()
    story.view("a", 1, at=0)
    story.clear(10)
    story.elsewhere("B", 10)
    assert story.at(20).continued_in is None, "not later than the clear"
    story.elsewhere("B", 11)
    seen = story.at(20)
    assert (seen.state, seen.reason, seen.continued_in) == ("chat_cleared", None, "B")


def test_p8_heard_here_is_the_unload_of_a_page_that_is_gone() -> None:
    story = Story()
    story.view("a", 1, at=0)
    story.elsewhere("B", 5)
    story.unload("a", 2, at=6)
    assert story.at(500).reason == "left"


def test_p8_what_the_visitor_wrote_here_by_the_store_alone_is_heard_here() -> None:
    story = Story()
    story.elsewhere("B", 5)
    story.message(6)
    assert (story.at(500).reason, story.at(500).last_seen_at) == ("timed_out", 6)


def test_p8_a_visitor_known_only_elsewhere_moved_on() -> None:
    story = Story()
    story.elsewhere("B", 5)
    seen = story.at(6)
    assert (seen.reason, seen.continued_in, seen.last_seen_at) == ("moved_on", "B", None)

"""D3: which pages are told at once, because they hold a stream (P2, P3, P7, P12)."""

from __future__ import annotations

from tests.unit.domain.story import Story, moment


def told_at_once(story: Story, now: float) -> set[str]:
    """The pages that can be told through a stream at ``now``."""
    pages = story.presence.streaming_pages(moment(now), story.timing)
    assert len(pages) == len(set(pages)), "each page once"
    return set(pages)


def streaming(page: str = "a") -> Story:
    """A page viewed at 0 that opened the stream ``S`` at 1."""
    story = Story()
    story.view(page, 1, at=0, told=60)
    story.open_stream("S", page, 1)
    return story


def test_d3_a_live_page_that_holds_a_stream_is_told_at_once() -> None:
    assert told_at_once(streaming(), 1) == {"a"}
    assert told_at_once(Story(), 1) == set()


def test_d3_pages_without_a_stream_are_not() -> None:
    story = streaming("a")
    story.view("b", 1, at=0, told=60)
    story.sync("b", 2, told=60)
    story.store_heartbeat(400)
    assert told_at_once(story, 2) == {"a"}
    assert story.live_pages(401) == {""}
    assert told_at_once(story, 401) == set(), "the store's own page has none"


def test_d3_each_page_of_the_conversation_that_streams_is_told() -> None:
    story = streaming("a")
    story.view("b", 1, at=0, told=60)
    story.open_stream("T", "b", 2)
    assert told_at_once(story, 3) == {"a", "b"}


def test_p12_a_page_in_the_background_keeps_its_stream() -> None:
    story = streaming()
    story.hide("a", 2, at=5, told=0)
    assert told_at_once(story, 6) == {"a"}


def test_p2_once_its_stream_has_dropped_a_page_holds_none_although_it_lives() -> None:
    story = streaming()
    story.drop_stream("S", 50)
    assert story.live_pages(50) == {"a"}
    assert told_at_once(story, 50) == set()
    story.open_stream("T", "a", 55)
    assert told_at_once(story, 55) == {"a"}


def test_p2_heard_again_after_a_drop_it_still_holds_none() -> None:
    story = streaming()
    story.drop_stream("S", 50)
    story.heartbeat("a", 2, at=51, told=60)
    assert told_at_once(story, 52) == set()


def test_p2_the_newest_stream_counts_and_an_older_ones_end_does_not() -> None:
    story = streaming()
    story.open_stream("T", "a", 240)
    story.drop_stream("S", 241)
    assert told_at_once(story, 242) == {"a"}
    story.drop_stream("T", 243)
    assert told_at_once(story, 243) == set()


def test_p2_a_page_whose_deadline_has_passed_is_told_nothing() -> None:
    story = streaming()
    assert told_at_once(story, 330.999) == {"a"}
    assert told_at_once(story, 331) == set()


def test_p2_told_to_beat_and_unheard_ten_seconds_later_it_is_gone() -> None:
    story = streaming()
    story.push("a", 100, told=10)
    assert told_at_once(story, 109.999) == {"a"}
    assert told_at_once(story, 110) == set()


def test_p3_an_unload_ends_the_streams_of_its_own_page_only() -> None:
    story = streaming("a")
    story.view("b", 1, at=0, told=60)
    story.open_stream("T", "b", 2)
    story.unload("a", 2, at=10)
    assert told_at_once(story, 10) == {"b"}


def test_p3_back_from_the_cache_a_page_holds_a_stream_only_once_it_opens_one() -> None:
    story = streaming()
    story.unload("a", 2, at=10)
    story.view("a", 3, at=20, told=60)
    assert story.live_pages(20) == {"a"}
    assert told_at_once(story, 20) == set()
    story.open_stream("T", "a", 21)
    assert told_at_once(story, 21) == {"a"}


def test_p9_an_unload_from_before_the_view_that_comes_late_ends_no_stream() -> None:
    story = Story()
    story.view("a", 3, at=10, told=60)
    story.open_stream("S", "a", 11)
    story.unload("a", 2, at=12)
    assert told_at_once(story, 13) == {"a"}


def test_p7_in_a_cleared_chat_no_page_is_told_to_beat() -> None:
    story = streaming()
    story.clear(10, "a", 2)
    assert told_at_once(story, 10) == set()


def test_p7_a_later_message_of_the_visitor_brings_the_pages_back() -> None:
    story = streaming()
    story.clear(10, "a", 2)
    story.message(20, "a", 3)
    assert story.live_pages(20) == {"a"}
    story.open_stream("T", "a", 21)
    assert told_at_once(story, 21) == {"a"}


def test_p14_after_a_restart_no_stream_is_held_until_it_is_opened_anew() -> None:
    story = streaming()
    story.restart(recorded_at=20, alive_at=30, at=40)
    assert story.live_pages(41) == {"a"}
    assert told_at_once(story, 41) == set()
    story.open_stream("T", "a", 42)
    assert told_at_once(story, 42) == {"a"}

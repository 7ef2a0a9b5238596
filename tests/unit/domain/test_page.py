"""P3, P9 and P12: what ends a page, what orders its events, and its background."""

from __future__ import annotations

import pytest

from bridge.domain.page import Timing
from bridge.domain.presence import MOST_PAGES
from tests.unit.domain.story import DAY, Story, lives_until, moment

# P3: an unload ends its own page, and its streams, only.


def test_p3_other_tabs_stay_online() -> None:
    story = Story()
    story.view("a", 1, at=0)
    story.view("b", 1, at=0)
    story.unload("a", 2, at=1)
    assert story.live_pages(1) == {"b"}
    assert (story.at(1).state, story.at(1).pages) == ("online", 1)


def test_p3_the_streams_of_other_tabs_stay_too() -> None:
    story = Story()
    story.view("a", 1, at=0, told=0)
    story.view("b", 1, at=0, told=0)
    story.open_stream("SA", "a", 1)
    story.open_stream("SB", "b", 1)
    story.unload("a", 2, at=10)
    assert lives_until(story, 331, since=25)


def test_p3_a_page_that_comes_back_has_no_stream_until_it_opens_one() -> None:
    story = Story()
    story.view("a", 1, at=0, told=0)
    story.open_stream("S1", "a", 1)
    story.unload("a", 2, at=10)
    story.view("a", 3, at=12, told=0)
    assert lives_until(story, 167, since=12)
    story.drop_stream("S1", 13)
    assert lives_until(story, 167, since=13)
    story.open_stream("S2", "a", 14)
    assert lives_until(story, 344, since=14)


def test_p3_a_late_unload_does_not_end_the_stream_of_a_page_that_had_come_back() -> None:
    story = Story()
    story.view("a", 3, at=12, told=0)
    story.open_stream("S", "a", 13)
    story.unload("a", 2, at=20)
    story.view("a", 5, at=50, told=0)
    assert lives_until(story, 380, since=50)


# P9: seq orders the lifecycle events of one page.


@pytest.mark.parametrize("word", ["heartbeat", "hide"])
@pytest.mark.parametrize("seq", [2, 4])
def test_p9_no_heartbeat_revives_an_unloaded_page(word: str, seq: int) -> None:
    story = Story()
    story.view("a", 1, at=0)
    story.unload("a", 3, at=10)
    getattr(story, word)("a", seq, at=11)
    assert (story.at(11).pages, story.at(30).last_seen_at) == (0, 10)


def test_p9_no_message_revives_an_unloaded_page() -> None:
    story = Story()
    story.view("a", 1, at=0)
    story.unload("a", 3, at=10)
    story.message(11, "a", 4)
    assert (story.at(11).pages, story.at(30).last_seen_at) == (0, 10)


@pytest.mark.parametrize(("seq", "pages"), [(2, 0), (4, 1)])
def test_p9_only_a_view_with_a_greater_seq_revives_it(seq: int, pages: int) -> None:
    story = Story()
    story.view("a", 1, at=0)
    story.unload("a", 3, at=10)
    story.view("a", seq, at=11)
    assert story.at(11).pages == pages


def test_p9_a_late_unload_never_beats_a_newer_view_of_its_page() -> None:
    story = Story()
    story.view("a", 3, at=10)
    assert not story.unload("a", 2, at=11)
    assert (story.at(30).state, story.at(30).last_seen_at) == ("online", 10)


def test_p9_heard_comes_from_the_greatest_seq_and_not_from_the_latest_arrival() -> None:
    story = Story()
    story.view("a", 1, at=0)
    story.heartbeat("a", 5, at=20)
    assert not story.heartbeat("a", 4, at=30)
    assert story.at(31).last_seen_at == 20


def test_p9_hidden_and_url_come_from_the_greatest_seq() -> None:
    story = Story()
    story.view("a", 3, at=10, url="https://shop.example/new", title="New")
    story.hide("a", 2, at=11)
    story.view("a", 1, at=12, url="https://shop.example/old", title="Old")
    seen = story.at(12)
    assert (seen.hidden, seen.url, seen.title) == (False, "https://shop.example/new", "New")


def test_p9_a_seq_of_one_page_says_nothing_of_another() -> None:
    story = Story()
    story.unload("a", 9, at=0)
    story.view("b", 1, at=0)
    assert story.live_pages(1) == {"b"}


def test_p9_messages_and_clears_are_never_dropped_for_their_seq() -> None:
    story = Story()
    story.view("a", 9, at=0)
    assert story.message(1, "a", 2)
    assert story.at(1).last_seen_at == 1
    assert story.clear(2, "a", 3)
    assert story.at(3).state == "chat_cleared"


def test_p9_what_changes_nothing_is_a_duplicate() -> None:
    for word in ("view", "heartbeat", "hide", "unload"):
        story = Story()
        assert getattr(story, word)("a", 2, at=0, id="x")
        assert not getattr(story, word)("a", 2, at=0, id="x")
        assert not getattr(story, word)("a", 2, at=9, id="x"), "the same event, received again"
    story = Story()
    assert story.message(0, "a", 1, id="x")
    assert not story.message(0, "a", 1, id="x")
    assert story.clear(1, "a", 2, id="y")
    assert not story.clear(1, "a", 2, id="y")
    assert story.elsewhere("B", 2)
    assert not story.elsewhere("B", 2)


def test_p9_a_background_older_than_the_view_changes_nothing() -> None:
    story = Story()
    story.view("a", 2, at=1)
    assert not story.hide("a", 1, at=0)


def test_p9_the_sequence_of_a_page_is_remembered_for_a_day() -> None:
    for forgotten_at, revived in ((10 + DAY - 1, False), (10 + DAY, True)):
        story = Story()
        story.view("a", 1, at=0)
        story.unload("a", 3, at=10)
        story.forget(forgotten_at)
        assert story.heartbeat("a", 2, at=forgotten_at) is revived


def test_p9_a_live_page_is_not_forgotten_however_old() -> None:
    story = Story()
    story.view("a", 1, at=0)
    story.heartbeat("a", 3, at=2 * DAY)
    story.forget(2 * DAY + 1)
    assert not story.heartbeat("a", 2, at=2 * DAY + 2)


def test_p9_of_too_many_pages_the_live_ones_are_remembered() -> None:
    story = Story()
    story.view("live", 1, at=0, told=60)
    for number in range(80):
        story.view(f"p{number}", 1, at=1 + number / 100)
        story.unload(f"p{number}", 2, at=2 + number / 100)
    story.forget(10)
    assert story.live_pages(10) == {"live"}
    assert not story.heartbeat("p79", 1, at=10), "of the others, those that ended last"
    assert len(story.presence.pages) == MOST_PAGES


# P12: a page in the background.


def test_p12_a_hidden_page_has_150_seconds() -> None:
    story = Story()
    story.view("a", 1, at=0, told=10)
    story.hide("a", 2, at=5, told=60)
    assert story.at(6).hidden
    assert lives_until(story, 155, since=5)


def test_p12_a_beat_keeps_it_hidden_and_alive() -> None:
    story = Story()
    story.hide("a", 2, at=5, told=60)
    story.heartbeat("a", 3, at=65, told=60)
    assert story.at(66).hidden
    assert lives_until(story, 215, since=65)


def test_p12_it_has_150_seconds_also_when_its_stream_drops() -> None:
    story = Story()
    story.view("a", 1, at=0, told=0)
    story.open_stream("S", "a", 1)
    story.hide("a", 2, at=5, told=0)
    story.drop_stream("S", 50)
    assert lives_until(story, 200, since=50)


def test_p12_a_hidden_page_that_holds_a_quiet_stream_has_330_seconds() -> None:
    story = Story()
    story.view("a", 1, at=0, told=0)
    story.open_stream("S", "a", 1)
    story.hide("a", 2, at=5, told=0)
    assert lives_until(story, 335, since=5)


def test_p12_telling_a_hidden_page_to_beat_gives_it_no_ten_seconds() -> None:
    story = Story()
    story.view("a", 1, at=0, told=0)
    story.open_stream("S", "a", 1)
    story.hide("a", 2, at=5, told=0)
    story.push("a", 20, told=10)
    assert lives_until(story, 170, since=20)


def test_p12_telling_a_page_that_was_hidden_for_long_does_not_end_it() -> None:
    story = Story()
    story.view("a", 1, at=0, told=0)
    story.open_stream("S", "a", 1)
    story.hide("a", 2, at=5, told=0)
    story.push("a", 300, told=10)
    assert lives_until(story, 335, since=300)


def test_p2_a_page_that_syncs_holds_no_stream() -> None:
    story = Story()
    story.view("a", 1, at=0, told=0)
    story.open_stream("S", "a", 1)
    story.sync("a", 100, told=60)
    assert story.presence.streaming_pages(moment(100), Timing()) == []
    assert lives_until(story, 255, since=100)


def test_p12_becoming_visible_is_a_view_again() -> None:
    story = Story()
    story.view("a", 1, at=0, told=10)
    story.hide("a", 2, at=5, told=10)
    story.view("a", 3, at=20, told=10)
    assert not story.at(20).hidden
    assert lives_until(story, 50, since=20)


def test_p12_hidden_only_if_every_live_page_is() -> None:
    story = Story()
    story.hide("a", 1, at=0)
    story.view("b", 1, at=0, told=10)
    assert not story.at(1).hidden
    assert story.at(30).hidden
    assert not story.at(150).hidden

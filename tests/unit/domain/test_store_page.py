"""P13: the page named ``store``, kept live by what only the store's PHP saw."""

from __future__ import annotations

import pytest

from bridge.domain.events import STORE_PAGE
from tests.unit.domain.story import DAY, Story


@pytest.mark.parametrize("word", ["message", "store_heartbeat"])
def test_p13_a_word_of_the_store_keeps_its_page_live_for_90_seconds(word: str) -> None:
    story = Story()
    getattr(story, word)(100)
    assert story.live_pages(189.999) == {STORE_PAGE}
    seen = story.at(190)
    assert (seen.state, seen.reason, seen.last_seen_at) == ("offline", "timed_out", 100)
    assert seen.since == 190


def test_p13_the_store_is_told_no_interval() -> None:
    story = Story()
    story.message(100, told=10)
    assert [story.at(now).pages for now in (189.999, 190)] == [1, 0]


def test_p13_the_words_of_the_store_are_ordered_by_time() -> None:
    story = Story()
    story.message(100, id="b")
    assert not story.store_heartbeat(99, id="z")
    assert story.next_deadline(100) == 190
    story.store_heartbeat(110, id="a")
    assert story.next_deadline(110) == 200


@pytest.mark.parametrize(
    ("heard_at", "counts"), [(844.999, True), (845, False), (1000, False), (1000.5, False)]
)
def test_p13_it_counts_unless_a_browser_page_was_heard_from_155_seconds_before(
    heard_at: float, counts: bool
) -> None:
    story = Story()
    story.view("a", 1, at=heard_at, told=10)
    story.message(1000)
    assert (STORE_PAGE in story.live_pages(1001)) is counts
    assert story.at(1089).state == ("online" if counts else "offline")


def test_p13_a_page_that_said_good_bye_was_heard_then() -> None:
    story = Story()
    story.view("a", 1, at=0)
    story.message(200)
    story.unload("a", 2, at=201)
    seen = story.at(201)
    assert (seen.state, seen.pages, seen.last_seen_at) == ("switching_pages", 0, 201)


def test_p13_a_page_of_another_time_takes_nothing_away() -> None:
    story = Story()
    story.view("a", 1, at=0)
    story.message(500)
    assert story.live_pages(501) == {STORE_PAGE}


def test_p13_a_message_of_a_page_is_no_word_of_the_store() -> None:
    story = Story()
    story.message(100, "a", 1)
    assert story.live_pages(100) == {"a"}


def test_p13_an_unload_without_a_page_ends_the_page_of_the_store_alone() -> None:
    story = Story()
    story.message(100)
    story.store_unload(110)
    seen = story.at(110)
    assert (seen.state, seen.pages, seen.last_seen_at) == ("switching_pages", 0, 110)
    assert (story.at(125).reason, story.at(125).since) == ("left", 125)
    story.view("a", 1, at=300)
    story.store_unload(310)
    assert story.live_pages(310) == {"a"}


def test_p13_an_unload_of_the_store_alone_is_nobody_leaving() -> None:
    story = Story()
    story.store_unload(100)
    assert (story.at(100).state, story.at(100).last_seen_at) == ("offline", None)


@pytest.mark.parametrize(("at", "pages"), [(109, 0), (111, 1)])
def test_p13_a_word_after_that_unload_revives_it(at: float, pages: int) -> None:
    story = Story()
    story.message(100)
    story.store_unload(110)
    story.store_heartbeat(at)
    assert story.at(112).pages == pages


def test_p13_the_store_is_never_in_the_background() -> None:
    story = Story()
    story.hide("a", 1, at=0)
    assert story.at(140).hidden
    story.store_heartbeat(200)
    assert not story.at(200).hidden


def test_p13_a_forgotten_browser_page_still_goes_before_the_store() -> None:
    story = Story()
    story.view("a", 1, at=-1)
    story.unload("a", 2, at=0)
    story.message(100)
    before = story.at(2 * DAY)
    story.forget(2 * DAY)
    assert story.at(2 * DAY) == before
    assert (before.reason, before.last_seen_at) == ("left", 0)

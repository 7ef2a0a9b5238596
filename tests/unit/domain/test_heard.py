"""P2: when a page was heard, and until when that makes it live."""

from __future__ import annotations

import pytest

from tests.unit.domain.story import Story, lives_until


@pytest.mark.parametrize(
    ("told", "allowance"), [(10, 30), (60, 155), (4, 15), (0.5, 6.25), (None, 155), (0, 155)]
)
def test_p2_the_deadline_is_two_and_a_half_intervals_and_five_seconds(
    told: float | None, allowance: float
) -> None:
    story = Story()
    story.view("a", 1, at=100, told=told)
    assert lives_until(story, 100 + allowance, since=100)


def test_p2_the_idle_interval_is_a_setting() -> None:
    story = Story(idle=20)
    story.view("a", 1, at=0)
    assert lives_until(story, 55)


def test_p2_the_interval_last_told_holds() -> None:
    story = Story()
    story.view("a", 1, at=0, told=60)
    story.heartbeat("a", 2, at=50, told=10)
    assert lives_until(story, 80, since=50)


def test_p2_a_request_that_was_told_nothing_leaves_the_interval_as_it_was() -> None:
    story = Story()
    story.view("a", 1, at=0, told=60)
    story.sync("a", 100, told=10)
    story.message(105, "a")
    assert lives_until(story, 135, since=105)
    story.heartbeat("a", 2, at=110)
    assert lives_until(story, 140, since=110)


def test_p2_a_message_of_a_page_is_being_heard_and_revives_one_that_timed_out() -> None:
    story = Story()
    story.view("a", 1, at=0, told=10)
    story.message(40, "a", 2, told=10)
    assert lives_until(story, 70, since=40)


def test_p2_a_clear_of_a_page_is_being_heard_whichever_of_two_it_is() -> None:
    for clears in ([(10, 5), (20, 3)], [(20, 3), (10, 5)]):
        story = Story()
        story.view("a", 1, at=0)
        for at, seq in clears:
            story.clear(at, "a", seq)
        story.message(11, "a", 6)
        assert lives_until(story, 175, since=20)


def test_p2_a_sync_keeps_a_live_page_alive() -> None:
    story = Story()
    story.view("a", 1, at=0)
    assert story.sync("a", 154.999, told=60)
    assert lives_until(story, 309.999, since=154.999)


def test_p2_neither_a_sync_nor_a_stream_revives_a_page_that_has_ended() -> None:
    for end in ("deadline", "unload"):
        story = Story()
        story.view("a", 1, at=0)
        if end == "unload":
            story.unload("a", 2, at=150)
        assert not story.sync("a", 155, told=60)
        assert not story.open_stream("S", "a", 155)
        assert story.at(156).pages == 0
        assert story.at(156).last_seen_at == (150 if end == "unload" else 0)


def test_p2_a_sync_or_stream_of_an_unknown_page_makes_no_page() -> None:
    story = Story()
    assert not story.sync("a", 0, told=60)
    assert not story.open_stream("S", "a", 0)
    assert not story.push("a", 0, told=10)
    assert not story.drop_stream("S", 1)
    assert story.at(0).state == "offline"


def test_p2_a_page_with_a_stream_that_is_told_not_to_beat_has_330_seconds() -> None:
    story = Story()
    story.view("a", 1, at=0, told=60)
    story.open_stream("S", "a", 1, told=0)
    assert lives_until(story, 331, since=1)


def test_p2_a_page_told_not_to_beat_without_a_stream_has_the_idle_allowance() -> None:
    story = Story()
    story.view("a", 1, at=0, told=0)
    assert lives_until(story, 155)


def test_p2_a_page_with_a_stream_that_is_told_to_beat_has_the_usual_deadline() -> None:
    story = Story()
    story.view("a", 1, at=0, told=60)
    story.open_stream("S", "a", 1, told=10)
    assert lives_until(story, 31, since=1)


def test_p2_a_page_told_to_beat_is_gone_if_unheard_ten_seconds_later() -> None:
    story = Story()
    story.view("a", 1, at=0, told=60)
    story.open_stream("S", "a", 1, told=0)
    assert story.push("a", 200, told=10)
    assert lives_until(story, 210, since=200)


def test_p2_once_it_beats_the_usual_deadline_holds_stream_or_not() -> None:
    story = Story()
    story.view("a", 1, at=0, told=60)
    story.open_stream("S", "a", 1, told=0)
    story.push("a", 200, told=10)
    story.heartbeat("a", 2, at=200.5, told=10)
    assert lives_until(story, 230.5, since=200.5)


def test_p2_telling_a_page_to_beat_does_not_lengthen_what_it_had() -> None:
    story = Story()
    story.view("a", 1, at=0, told=60)
    story.open_stream("S", "a", 1, told=0)
    story.push("a", 325, told=10)
    assert lives_until(story, 331, since=325)


def test_p2_told_again_not_to_beat_it_has_330_seconds_from_when_it_was_heard() -> None:
    story = Story()
    story.view("a", 1, at=0, told=60)
    story.open_stream("S", "a", 1, told=10)
    story.push("a", 20, told=0)
    assert lives_until(story, 331, since=20)


def test_p2_telling_revives_no_page_that_has_ended() -> None:
    story = Story()
    story.view("a", 1, at=0, told=10)
    story.open_stream("S", "a", 0, told=10)
    assert not story.push("a", 30, told=0)
    assert story.at(30).state == "offline"
    assert story.at(41).state == "offline"


def test_p2_the_ten_seconds_are_not_for_the_answer_to_a_late_signal() -> None:
    story = Story()
    story.view("a", 3, at=2, told=60)
    story.view("a", 1, at=3, told=60)
    assert lives_until(story, 157, since=3)


def test_p2_after_its_newest_stream_dropped_a_page_has_the_grace_time() -> None:
    story = Story()
    story.view("a", 1, at=0, told=60)
    story.open_stream("S", "a", 1)
    story.drop_stream("S", 50)
    assert lives_until(story, 65, since=50)
    seen = story.at(65)
    assert (seen.state, seen.reason, seen.last_seen_at) == ("offline", "timed_out", 1)


def test_p2_a_drop_never_lengthens_a_deadline() -> None:
    story = Story()
    story.view("a", 1, at=0, told=60)
    story.open_stream("S", "a", 1, told=10)
    story.drop_stream("S", 20)
    assert lives_until(story, 31, since=20)


def test_p2_a_drop_of_an_older_stream_is_no_drop() -> None:
    story = Story()
    story.view("a", 1, at=0, told=60)
    story.open_stream("S1", "a", 1)
    story.open_stream("S2", "a", 250)
    assert not story.drop_stream("S1", 251)
    assert lives_until(story, 580, since=251)


def test_p2_a_stream_reopened_within_the_grace_time_goes_on() -> None:
    story = Story()
    story.view("a", 1, at=0, told=60)
    story.open_stream("S1", "a", 1)
    story.drop_stream("S1", 250)
    assert story.open_stream("S2", "a", 264.999)
    assert lives_until(story, 594.999, since=265)


def test_p2_heard_again_without_a_stream_the_drop_no_longer_limits() -> None:
    story = Story()
    story.view("a", 1, at=0, told=60)
    story.open_stream("S", "a", 1)
    story.drop_stream("S", 50)
    story.heartbeat("a", 2, at=51, told=60)
    assert lives_until(story, 206, since=51)


def test_p2_a_stream_counts_even_if_something_later_was_heard_before_it_opened() -> None:
    story = Story()
    story.view("a", 1, at=0, told=60)
    story.message(30, "a", id="z")
    assert story.open_stream("S", "a", 30, told=0)
    assert lives_until(story, 360, since=30)

"""P2, P3, P9 and P12: one page, when it is live and what orders its events."""

from __future__ import annotations

import pytest

from tests.unit.domain.story import DAY, Story


def lives_until(story: Story, deadline: float, since: float = 0) -> bool:
    """Whether the only page is live until exactly ``deadline``."""
    before, at = story.at(max(since, deadline - 0.001)), story.at(deadline)
    return (before.pages, at.pages, story.next_deadline(since)) == (1, 0, deadline)


# P2: the deadline.


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
    assert lives_until(story, 155, since=20)


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

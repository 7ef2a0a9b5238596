"""P14: what was recorded live is given time after a restart."""

from __future__ import annotations

import pytest

from tests.unit.domain.story import Story


@pytest.mark.parametrize(
    ("told", "allowance"), [(10, 30), (60, 155), (None, 155), (0, 330), (2, 15)]
)
def test_p14_a_live_page_gets_the_longest_deadline_of_its_interval(
    told: float | None, allowance: float
) -> None:
    story = Story()
    story.view("a", 1, at=0, told=told)
    story.restart(recorded_at=0, alive_at=1000, at=1010)
    assert story.at(1010).state == "online"
    assert story.at(1009.999 + allowance).state == "online"
    seen = story.at(1010 + allowance)
    assert (seen.state, seen.reason, seen.since) == ("offline", "timed_out", 1010 + allowance)


def test_p14_the_grace_time_is_the_least() -> None:
    story = Story(grace=40)
    story.view("a", 1, at=0, told=10)
    story.restart(recorded_at=0, alive_at=10, at=20)
    assert [story.at(now).state for now in (59.999, 60)] == ["online", "offline"]


def test_p14_a_page_in_the_background_gets_its_own() -> None:
    story = Story()
    story.hide("a", 1, at=0, told=10)
    story.restart(recorded_at=0, alive_at=10, at=20)
    assert [story.at(now).state for now in (169.999, 170)] == ["online", "offline"]
    assert story.at(100).hidden


def test_p14_the_page_of_the_store_gets_its_90_seconds() -> None:
    story = Story()
    story.message(0)
    story.restart(recorded_at=0, alive_at=10, at=20)
    assert [story.at(now).state for now in (109.999, 110)] == ["online", "offline"]


def test_p14_not_heard_again_it_was_last_seen_when_the_bridge_was_last_alive() -> None:
    story = Story()
    story.view("a", 1, at=0, told=10)
    story.restart(recorded_at=5, alive_at=1000, at=1010)
    assert story.at(2000).last_seen_at == 1000


def test_p14_never_before_it_was_recorded_live() -> None:
    story = Story()
    story.view("a", 1, at=0, told=10)
    story.restart(recorded_at=5, alive_at=1, at=1010)
    assert story.at(2000).last_seen_at == 5


def test_p14_heard_again_it_has_its_usual_deadline_and_end() -> None:
    story = Story()
    story.view("a", 1, at=0, told=0)
    story.restart(recorded_at=0, alive_at=1000, at=1010)
    story.heartbeat("a", 2, at=1011, told=10)
    assert [story.at(now).state for now in (1040.999, 1041)] == ["online", "offline"]
    assert story.at(1041).last_seen_at == 1011


def test_p14_a_stream_does_not_outlive_the_process_that_held_it() -> None:
    story = Story()
    story.view("a", 1, at=0, told=0)
    story.open_stream("S", "a", 1)
    story.restart(recorded_at=1, alive_at=1000, at=1010)
    assert [story.at(now).state for now in (1339.999, 1340)] == ["online", "offline"]
    story.message(1020, "a", 2)
    assert [story.at(now).state for now in (1174.999, 1175)] == ["online", "offline"]


def test_p14_who_was_gone_stays_gone() -> None:
    story = Story()
    story.view("a", 1, at=0, told=10)
    story.view("b", 1, at=0)
    story.unload("b", 2, at=31)
    before = story.at(100)
    story.restart(recorded_at=31, alive_at=1000, at=1010)
    assert story.at(1010).state == "offline"
    assert (before.reason, before.last_seen_at) == ("left", 31)
    assert story.at(1010) == before


def test_p14_an_unload_after_the_restart_is_an_unload() -> None:
    story = Story()
    story.view("a", 1, at=0)
    story.restart(recorded_at=0, alive_at=1000, at=1010)
    story.unload("a", 2, at=1011)
    assert (story.at(1026).reason, story.at(1026).last_seen_at) == ("left", 1011)


def test_p14_a_second_restart_gives_the_time_anew() -> None:
    story = Story()
    story.view("a", 1, at=0, told=10)
    story.restart(recorded_at=0, alive_at=1000, at=1010)
    story.restart(recorded_at=1010, alive_at=1020, at=1035)
    assert [story.at(now).state for now in (1064.999, 1065)] == ["online", "offline"]
    assert story.at(1065).last_seen_at == 1020


def test_p14_a_late_event_corrects_the_present_with_its_own_time() -> None:
    story = Story()
    story.view("a", 1, at=0, told=10)
    assert story.at(100).reason == "timed_out"
    story.unload("a", 2, at=20)
    seen = story.at(100)
    assert (seen.reason, seen.last_seen_at, seen.since) == ("left", 20, 35)

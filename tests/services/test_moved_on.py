"""P8 as it is recorded: the visitor went on in another conversation."""

from __future__ import annotations

import pytest

from tests.services.scene import Scene


def test_p8_one_who_left_and_is_heard_elsewhere_moved_on(scene: Scene) -> None:
    scene.view(1, at=0)
    scene.unload(2, at=10)
    scene.view(1, at=20, page="q", conversation="B")
    scene.sweep(at=100)
    shown = scene.shown("A")
    assert (shown.state, shown.reason, shown.continued_in) == ("offline", "moved_on", "B")
    assert shown.last_seen_at == 10


def test_p8_heard_elsewhere_before_it_is_no_moving_on(scene: Scene) -> None:
    scene.view(1, at=0, page="q", conversation="B")
    scene.view(1, at=5)
    scene.unload(2, at=10)
    assert scene.shown("A", at=30).reason == "left"


def test_p8_two_live_tabs_are_both_online(scene: Scene) -> None:
    scene.view(1, at=0)
    scene.view(1, at=10, page="q", conversation="B")
    for now in range(60, 600, 60):
        scene.heartbeat(now, at=now)
        scene.heartbeat(now, at=now + 1, page="q", conversation="B")
    for conversation, began in (("A", 0), ("B", 10)):
        assert scene.shown(conversation).state == "online"
        assert scene.changes(conversation) == [("online", began)]


def test_p8_it_is_recorded_once_and_not_at_each_heartbeat(scene: Scene) -> None:
    scene.view(1, at=0)
    scene.unload(2, at=10)
    scene.view(1, at=20, page="q", conversation="B")
    scene.sweep(at=30)
    moved = scene.shown("A")
    with scene.statements() as made:
        for seq in range(2, 20):
            assert scene.heartbeat(seq, at=seq * 60, page="q", conversation="B") == "accepted"
    assert made == []
    assert scene.shown("A") == moved
    assert [reason for reason, _ in scene.changes("A")].count("moved_on") == 1


def test_p8_a_sibling_that_only_beats_is_heard(scene: Scene) -> None:
    scene.view(1, at=0, page="q", conversation="B")
    scene.view(1, at=5)
    scene.heartbeat(2, at=20, page="q", conversation="B")
    scene.unload(2, at=30)
    assert scene.shown("A", at=50).reason == "left"
    assert scene.heartbeat(3, at=80, page="q", conversation="B") == "accepted"
    shown = scene.shown("A")
    assert (shown.reason, shown.continued_in, shown.last_seen_at) == ("moved_on", "B", 30)
    assert scene.changes("A")[-2:] == [("left", 45), ("moved_on", 80)]


def test_p8_a_sibling_that_only_beat_was_heard_already(scene: Scene) -> None:
    scene.view(1, at=0, page="q", conversation="B")
    scene.view(1, at=5)
    scene.unload(2, at=10)
    with scene.statements() as made:
        scene.heartbeat(2, at=20, page="q", conversation="B")
    assert made == []
    scene.sweep(at=26)
    assert scene.shown("A").continued_in == "B"
    assert scene.changes("A")[-1] == ("moved_on", 25)


def test_p8_a_word_of_the_bot_there_does_not_hide_the_visitor(scene: Scene) -> None:
    scene.view(1, at=0, page="q", conversation="B")
    scene.view(1, at=1)
    scene.unload(2, at=5)
    scene.sweep(at=20)
    scene.store("message", 25, conversation="B", author="bot")
    scene.heartbeat(2, at=60, page="q", conversation="B")
    assert scene.shown("A").continued_in == "B"


def test_p8_continued_in_follows_the_visitor(scene: Scene) -> None:
    scene.view(1, at=0)
    scene.unload(2, at=10)
    scene.view(1, at=30, page="q", conversation="B")
    assert scene.shown("A").continued_in == "B"
    scene.unload(2, at=40, page="q", conversation="B")
    scene.view(1, at=70, page="r", conversation="C")
    assert [scene.shown(each).continued_in for each in "ABC"] == ["C", "C", None]


@pytest.mark.parametrize("seen", ["view", "message"])
def test_p8_it_ends_when_the_visitor_is_heard_here_again(scene: Scene, seen: str) -> None:
    scene.view(1, at=0)
    scene.unload(2, at=10)
    scene.view(1, at=30, page="q", conversation="B")
    if seen == "view":
        scene.view(3, at=40)
    else:
        scene.message(at=40, page="r")
    assert scene.shown("A").state == "online"
    assert scene.shown("A").continued_in is None


def test_p8_a_cleared_chat_keeps_its_state_and_gains_continued_in(scene: Scene) -> None:
    scene.view(1, at=0)
    scene.clear(at=10, seq=2)
    scene.view(1, at=20, page="q", conversation="B")
    shown = scene.shown("A")
    assert (shown.state, shown.reason, shown.continued_in) == ("chat_cleared", None, "B")
    assert shown.last_seen_at == 10
    assert scene.changes("A") == [("online", 0), ("chat_cleared", 10)]


def test_p8_a_chat_cleared_while_gone_learns_where_they_are(scene: Scene) -> None:
    scene.view(1, at=0, page="q", conversation="B")
    scene.view(1, at=1)
    scene.unload(2, at=5)
    scene.heartbeat(2, at=25, page="q", conversation="B")
    scene.store("chat_cleared", 40)
    scene.heartbeat(3, at=60, page="q", conversation="B")
    shown = scene.shown("A")
    assert (shown.state, shown.continued_in) == ("chat_cleared", "B")


def test_p8_another_visitor_is_nobody_elses_continuation(scene: Scene) -> None:
    scene.view(1, at=0)
    scene.unload(2, at=10)
    scene.view(1, at=20, page="q", conversation="B", visitor="w")
    assert scene.shown("A", at=60).reason == "left"

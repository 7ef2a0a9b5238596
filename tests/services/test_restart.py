"""P14: what is recorded outlives the process: each change once, in order, at its computed time."""

from __future__ import annotations

import pytest

from tests.services.scene import Scene


def reasons(scene: Scene, conversation: str = "A") -> list[str]:
    return [reason for reason, _ in scene.changes(conversation)]


@pytest.mark.parametrize("restarts", [(), (5,), (40, 70), (5, 22, 30, 45, 80)])
def test_p14_changes_are_kept_once_in_order_across_restarts(
    scene: Scene, restarts: tuple[float, ...]
) -> None:
    def until(now: float) -> None:
        for at in [at for at in restarts if scene.now < at <= now]:
            scene.restart(at=at)
        scene.sweep(at=now)

    scene.view(1, at=0)
    until(20)
    scene.unload(2, at=20)
    until(36)
    until(50)
    scene.view(1, at=50, page="q")
    until(60)
    scene.clear(at=60, page="q", seq=2)
    until(100)
    expected = [
        ("online", 0),
        ("switching_pages", 20),
        ("left", 35),
        ("online", 50),
        ("chat_cleared", 60),
    ]
    assert scene.changes() == expected


def test_p14_a_deadline_that_passed_while_it_was_away_has_its_own_time(scene: Scene) -> None:
    scene.view(1, at=0)
    scene.unload(2, at=10)
    scene.restart(at=1_000)
    shown = scene.shown()
    assert (shown.state, shown.reason, shown.since, shown.last_seen_at) == (
        "offline",
        "left",
        25,
        10,
    )
    assert scene.changes() == [("online", 0), ("switching_pages", 10), ("left", 25)]


def test_p14_who_was_online_is_online_after_a_restart(scene: Scene) -> None:
    scene.view(1, at=0)
    scene.record_alive(at=3_600)
    scene.restart(at=3_605)
    assert scene.shown().state == "online"
    assert scene.shown(at=3_605 + 154.999).state == "online"
    assert scene.changes() == [("online", 0)]


def test_p14_one_who_beats_after_a_restart_never_was_offline(scene: Scene) -> None:
    scene.view(1, at=0)
    for beat in range(1, 10):
        scene.heartbeat(1 + beat, at=beat * 60)
        scene.record_alive(at=beat * 60 + 1)
    scene.restart(at=600)
    for beat in range(10, 20):
        assert scene.heartbeat(1 + beat, at=beat * 60 + 30) == "accepted"
        scene.sweep(at=beat * 60 + 31)
    assert scene.changes() == [("online", 0)]
    assert scene.shown().state == "online"


def test_p14_one_who_does_not_was_last_seen_when_the_bridge_was_last_alive(scene: Scene) -> None:
    scene.view(1, at=0)
    scene.heartbeat(2, at=60)
    scene.record_alive(at=90)
    scene.restart(at=100)
    scene.sweep(at=1_000)
    shown = scene.shown()
    assert (shown.state, shown.reason) == ("offline", "timed_out")
    assert shown.last_seen_at == 90
    assert shown.since == 255
    assert scene.changes() == [("online", 0), ("timed_out", 255)]


def test_p14_nor_before_what_is_recorded_of_them(scene: Scene) -> None:
    scene.record_alive(at=0)
    scene.view(1, at=5)
    scene.restart(at=8)
    scene.sweep(at=1_000)
    assert scene.shown().last_seen_at == 5


def test_p14_a_second_restart_gives_the_time_anew(scene: Scene) -> None:
    scene.view(1, at=0)
    scene.record_alive(at=50)
    scene.restart(at=60)
    scene.record_alive(at=70)
    scene.restart(at=80)
    assert scene.shown(at=234.999).state == "online"
    shown = scene.shown(at=235)
    assert (shown.state, shown.last_seen_at) == ("offline", 70)


@pytest.mark.parametrize("word", ["message", "page_view", "page_hidden", "heartbeat"])
def test_p14_heard_again_it_has_its_usual_deadline(scene: Scene, word: str) -> None:
    scene.view(1, at=0)
    scene.restart(at=100)
    assert scene.tell(scene.event(word, 200, "p", 2)) == "accepted"
    usual = 150 if word == "page_hidden" else 155
    assert scene.shown(at=200 + usual - 0.001).state == "online"
    shown = scene.shown(at=200 + usual)
    assert (shown.state, shown.since, shown.last_seen_at) == ("offline", 200 + usual, 200)


@pytest.mark.parametrize("recorded", [False, True])
def test_p14_the_page_that_left_leaves_after_a_restart(scene: Scene, recorded: bool) -> None:
    scene.view(1, at=0)
    if recorded:
        scene.view(2, at=50)
    scene.restart(at=100)
    scene.unload(3, at=110)
    shown = scene.shown(at=200)
    assert (shown.reason, shown.since, shown.last_seen_at) == ("left", 125, 110)


def test_p9_sequences_are_remembered_across_a_restart(scene: Scene) -> None:
    scene.view(1, at=0)
    scene.unload(7, at=10)
    scene.restart(at=12)
    assert scene.heartbeat(6, at=13) == "duplicate"
    assert scene.shown().state == "switching_pages"
    scene.restart(at=14)
    assert scene.view(8, at=15) == "accepted"
    assert scene.shown().state == "online"


def test_p9_ids_are_remembered_across_a_restart(scene: Scene) -> None:
    scene.message(at=0, id="message")
    scene.clear(at=1, id="clear")
    scene.store("heartbeat", 2, conversation="B", id="beat")
    scene.restart(at=10)
    assert scene.message(at=11, id="message") == "duplicate"
    assert scene.clear(at=12, id="clear") == "duplicate"
    assert scene.store("heartbeat", 13, conversation="B", id="beat") == "duplicate"


def test_p7_a_clear_outlives_a_restart(scene: Scene) -> None:
    scene.view(1, at=0)
    scene.clear(at=10, seq=2)
    scene.restart(at=20)
    scene.view(3, at=30)
    assert scene.shown(at=40).state == "chat_cleared"
    assert reasons(scene) == ["online", "chat_cleared"]


def test_p8_moving_on_outlives_a_restart(scene: Scene) -> None:
    scene.view(1, at=0)
    scene.unload(2, at=10)
    scene.view(1, at=12, page="q", conversation="B")
    scene.restart(at=20)
    shown = scene.shown("A", at=60)
    assert (shown.reason, shown.continued_in) == ("moved_on", "B")
    scene.restart(at=70)
    assert scene.shown("A") == shown


def test_p8_whoever_is_heard_after_a_restart_moved_on(scene: Scene) -> None:
    scene.view(1, at=0, page="q", conversation="B")
    scene.view(1, at=5)
    scene.unload(2, at=10)
    scene.sweep(at=30)
    assert scene.shown("A").reason == "left"
    scene.restart(at=40)
    scene.heartbeat(2, at=60, page="q", conversation="B")
    assert scene.shown("A").continued_in == "B"


def test_p8_that_the_bridge_was_alive_is_no_hearing(scene: Scene) -> None:
    scene.view(1, at=0)
    scene.view(1, at=1, page="q", conversation="B")
    scene.unload(2, at=2, page="q", conversation="B")
    scene.record_alive(at=4)
    scene.restart(at=5)
    assert scene.shown("A").heard_at == 0
    scene.sweep(at=20)
    assert scene.shown("B").reason == "left"
    assert scene.shown("A", at=200).last_seen_at == 4


def test_p13_the_page_of_the_store_gets_its_90_seconds_anew(scene: Scene) -> None:
    scene.store("message", 0)
    scene.record_alive(at=50)
    scene.restart(at=60)
    assert scene.shown(at=149.999).state == "online"
    assert scene.shown(at=150).last_seen_at == 50


def test_p14_an_emptied_liveness_is_filled_from_the_records(scene: Scene) -> None:
    # As Redis would be after it lost its memory.
    scene.view(1, at=0)
    scene.heartbeat(2, at=60)
    scene.restart(at=100)
    assert scene.heartbeat(3, at=160) == "accepted"
    assert scene.shown(at=160 + 154.999).state == "online"
    assert scene.shown(at=160 + 155).last_seen_at == 160


def test_p14_a_late_event_corrects_the_present_and_not_the_past(scene: Scene) -> None:
    scene.view(1, at=0)
    scene.sweep(at=200)
    before = scene.changes()
    assert before == [("online", 0), ("timed_out", 155)]
    # The store tells of what it saw at 100 only now.
    assert scene.store("message", 300, occurred=100) == "accepted"
    shown = scene.shown()
    assert shown.state == "offline"
    assert scene.changes()[:2] == before
    assert all(at is not None and at >= 155 for _, at in scene.changes()[2:])


def test_p14_late_words_stay_in_the_order_of_what_is_recorded(scene: Scene) -> None:
    scene.store("heartbeat", 0)
    scene.store("page_unload", 10)
    scene.sweep(at=30)
    scene.store("heartbeat", 40, occurred=20)
    scene.store("chat_cleared", 41, occurred=22)
    assert scene.changes() == [
        ("online", 0),
        ("switching_pages", 10),
        ("left", 25),
        ("online", 25),
        ("chat_cleared", 25),
    ]
    assert scene.shown().since == 22


def test_p14_nobody_was_heard_before_late_words_either(scene: Scene) -> None:
    scene.store("message", 10, author="bot")
    scene.store("chat_cleared", 11, occurred=5)
    assert [at for _, at in scene.changes()] == [10, 10]


def test_p11_a_view_of_ten_minutes_ago_makes_nobody_online(scene: Scene) -> None:
    scene.store("page_view", 600, occurred=0)
    shown = scene.shown()
    assert (shown.state, shown.last_seen_at) == ("offline", 0)

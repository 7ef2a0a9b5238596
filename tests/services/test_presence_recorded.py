"""Presence as it is recorded, P4 to P9: what a reader sees, and the changes that are kept."""

from __future__ import annotations

import pytest

from tests.services.scene import Scene, told


def test_p1_a_first_view_is_online(scene: Scene) -> None:
    assert scene.view(1, at=0, url="https://shop.example/", title="Shop") == "accepted"
    shown = scene.shown(at=10)
    assert (shown.state, shown.since, shown.pages) == ("online", 0, 1)
    assert (shown.url, shown.title) == ("https://shop.example/", "Shop")
    assert scene.changes() == [("online", 0)]


# ----------------------------------------------------------------------------------- P4


@pytest.mark.parametrize("swept", [True, False])
def test_p4_who_comes_back_within_the_grace_time_was_never_offline(
    scene: Scene, swept: bool
) -> None:
    scene.view(1, at=0)
    scene.unload(2, at=10)
    if swept:
        scene.sweep(at=24.999)
    assert scene.shown(at=24.999).state == "switching_pages"
    scene.view(1, at=24.999, page="q")
    scene.sweep(at=60)
    assert scene.shown().state == "online"
    assert scene.changes() == [("online", 0), ("switching_pages", 10), ("online", 24.999)]


def test_p4_nor_did_they_move_on(scene: Scene) -> None:
    scene.view(1, at=0)
    scene.unload(2, at=10)
    scene.view(1, at=12, page="q", conversation="B")
    scene.sweep(at=20)
    assert scene.shown().continued_in is None
    scene.view(3, at=24)
    assert [reason for reason, _ in scene.changes()] == ["online", "switching_pages", "online"]


def test_p4_one_who_comes_back_too_late_was_offline_in_between(scene: Scene) -> None:
    scene.view(1, at=0)
    scene.unload(2, at=10)
    scene.view(1, at=25, page="q")
    assert scene.changes() == [
        ("online", 0),
        ("switching_pages", 10),
        ("left", 25),
        ("online", 25),
    ]


# -------------------------------------------------------------------------------- P5, P6


@pytest.mark.parametrize("swept", [25, 26, 3_600])
def test_p5_one_who_left_was_last_seen_at_the_unload(scene: Scene, swept: float) -> None:
    scene.view(1, at=0)
    scene.unload(2, at=10)
    scene.sweep(at=swept)
    shown = scene.shown()
    assert (shown.state, shown.reason, shown.last_seen_at) == ("offline", "left", 10)
    assert (shown.since, shown.pages) == (25, 0)
    assert scene.changes() == [("online", 0), ("switching_pages", 10), ("left", 25)]


@pytest.mark.parametrize("swept", [215, 216, 3_600])
def test_p6_one_who_was_lost_was_last_seen_when_heard_last(scene: Scene, swept: float) -> None:
    scene.view(1, at=0)
    scene.heartbeat(2, at=60)
    assert scene.shown(at=214.999).state == "online"
    scene.sweep(at=swept)
    shown = scene.shown()
    assert (shown.state, shown.reason, shown.since) == ("offline", "timed_out", 215)
    assert (shown.last_seen_at, shown.heard_at) == (60, 60)
    assert scene.changes() == [("online", 0), ("timed_out", 215)]


def test_p6_readers_settle_what_no_sweep_did(scene: Scene) -> None:
    scene.view(1, at=0)
    before = scene.shown(at=154.999)
    after = scene.shown(at=155)
    assert (before.state, after.state, after.since) == ("online", "offline", 155)
    assert after.rev > before.rev


def test_p2_p12_a_page_in_the_background_has_150_seconds(scene: Scene) -> None:
    scene.view(1, at=0)
    scene.hide(2, at=100)
    assert scene.shown().hidden
    assert scene.heartbeat(3, at=200) == "accepted"
    assert scene.shown(at=349.999).state == "online"
    assert scene.shown(at=350).since == 350
    assert scene.view(4, at=400) == "accepted"
    assert not scene.shown().hidden


# ----------------------------------------------------------------------------------- P7


@pytest.mark.parametrize("before", ["online", "switching_pages", "left", "timed_out"])
def test_p7_a_clear_holds_at_once_from_any_state(scene: Scene, before: str) -> None:
    scene.view(1, at=0)
    cleared = {"online": 20, "switching_pages": 20, "left": 50, "timed_out": 200}[before]
    if before in ("switching_pages", "left"):
        scene.unload(2, at=10)
    scene.sweep(at=cleared)
    assert scene.changes()[-1][0] == before
    assert scene.clear(at=cleared, seq=3) == "accepted"
    for now in (cleared, cleared + 5, cleared + 10_000):
        shown = scene.shown(at=now)
        assert (shown.state, shown.since) == ("chat_cleared", cleared)
        assert shown.last_seen_at == cleared
    assert scene.changes()[-1] == ("chat_cleared", cleared)


def test_p7_d2_a_cleared_chat_is_told_not_to_beat(scene: Scene) -> None:
    viewed = scene.answer(scene.event("page_view", 0, "p", 1))
    cleared = scene.answer(scene.event("chat_cleared", 1, "p", 2))
    late = scene.answer(scene.event("heartbeat", 2, "p", 3))
    assert [told(each).heartbeat_seconds for each in (viewed, cleared, late)] == [60, 0, 0]
    assert told(late).state == "chat_cleared"


def test_p7_only_a_later_message_of_the_visitor_ends_it(scene: Scene) -> None:
    scene.view(1, at=0)
    scene.clear(at=10, seq=5)
    scene.view(6, at=11)
    scene.heartbeat(7, at=12)
    scene.store("message", 13, author="bot")
    scene.message(at=14, seq=4)
    assert scene.shown().state == "chat_cleared"
    assert scene.message(at=15, seq=8) == "accepted"
    assert scene.shown().state == "online"
    assert scene.changes() == [("online", 0), ("chat_cleared", 10), ("online", 15)]


def test_p7_the_transcript_stays(scene: Scene) -> None:
    scene.message(at=0, id="before")
    scene.clear(at=10)
    messages = scene.bridge.records.list_messages("st_1", "A", None, None, 10)
    assert [each.id for each in messages or []] == ["m-before"]


# ----------------------------------------------------------------------------------- P8


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


# ----------------------------------------------------------------------------------- P9


def test_p9_sequences_order_a_page_and_duplicates_change_nothing(scene: Scene) -> None:
    scene.view(1, at=0, id="view")
    scene.unload(5, at=10, id="unload")
    before = scene.shown()
    assert scene.view(1, at=11, id="view") == "duplicate"
    assert scene.heartbeat(4, at=11) == "duplicate"
    assert scene.hide(4, at=12) == "duplicate"
    assert scene.unload(5, at=13, id="unload") == "duplicate"
    assert scene.unload(3, at=13) == "duplicate"
    assert scene.shown() == before
    assert scene.view(6, at=14) == "accepted"
    assert scene.shown().state == "online"


def test_p9_messages_and_clears_are_told_apart_by_id(scene: Scene) -> None:
    scene.view(9, at=0)
    assert scene.message(at=1, seq=1, id="one") == "accepted"
    assert scene.message(at=2, seq=2, id="one") == "duplicate"
    assert scene.message(at=3, seq=1, id="two") == "accepted"
    assert scene.clear(at=4, seq=1, id="clear") == "accepted"
    assert scene.clear(at=5, seq=2, id="clear") == "duplicate"
    assert scene.clear(at=6, id="clear", conversation="B") == "accepted"

"""Presence as it is recorded: what a reader sees, and the changes that are kept."""

from __future__ import annotations

import pytest

from tests.services.scene import Scene, told


def test_p1_a_first_view_is_online(scene: Scene) -> None:
    assert scene.view(1, at=0, url="https://shop.example/", title="Shop") == "accepted"
    shown = scene.shown(at=10)
    assert (shown.state, shown.since, shown.pages) == ("online", 0, 1)
    assert (shown.url, shown.title) == ("https://shop.example/", "Shop")
    assert scene.changes() == [("online", 0)]


def test_a_heartbeat_that_changes_nothing_makes_no_statement(scene: Scene) -> None:
    scene.view(1, at=0)
    with scene.statements() as made:
        for seq in range(2, 60):
            assert scene.heartbeat(seq, at=seq * 60, id=f"beat {seq}") == "accepted"
            assert scene.heartbeat(seq, at=seq * 60 + 1, id=f"beat {seq}") == "duplicate"
            assert scene.heartbeat(seq - 1, at=seq * 60 + 2) == "duplicate"
            scene.sweep()
    assert made == []
    # While it is not known where the visitor went on, theirs are asked after (P8).
    scene.view(1, at=3_600, page="q", conversation="B")
    scene.unload(2, at=3_601, page="q", conversation="B")
    scene.sweep(at=3_616)
    with scene.statements() as made:
        assert scene.heartbeat(60, at=3_620) == "accepted"
    assert made != []
    with scene.statements() as made:
        assert scene.heartbeat(61, at=3_680) == "accepted"
    assert made == []


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

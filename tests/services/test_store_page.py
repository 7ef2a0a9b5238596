"""P13 as it is recorded: what only the store's PHP saw."""

from __future__ import annotations

import pytest

from tests.services.scene import Scene


@pytest.mark.parametrize("kind", ["message", "heartbeat"])
def test_p13_the_stores_word_keeps_a_page_live_for_90_seconds(scene: Scene, kind: str) -> None:
    assert scene.store(kind, 0) == "accepted"
    assert scene.shown(at=89.999).state == "online"
    shown = scene.shown(at=90)
    assert (shown.state, shown.reason, shown.since) == ("offline", "timed_out", 90)
    assert shown.last_seen_at == 0
    assert scene.changes() == [("online", 0), ("timed_out", 90)]


def test_p13_another_word_in_time_keeps_it_live(scene: Scene) -> None:
    scene.store("heartbeat", 0)
    scene.store("heartbeat", 89.999)
    scene.sweep(at=100)
    assert scene.shown(at=179.998).state == "online"
    assert scene.shown(at=179.999).last_seen_at == 89.999
    assert scene.changes()[0] == ("online", 0)
    assert len(scene.changes()) == 2


def test_p13_an_unload_without_page_ends_it_alone(scene: Scene) -> None:
    scene.store("heartbeat", 0)
    scene.store("page_unload", 10)
    assert scene.shown(at=24.999).state == "switching_pages"
    assert scene.shown(at=25).last_seen_at == 10
    scene.view(1, at=30)
    scene.store("page_unload", 40)
    assert scene.shown(at=60).state == "online"


def test_p13_a_browser_heard_near_it_counts_instead(scene: Scene) -> None:
    scene.view(1, at=0)
    scene.unload(2, at=1)
    scene.store("message", 10)
    assert scene.shown(at=15.999).state == "switching_pages"
    shown = scene.shown(at=16)
    assert (shown.state, shown.reason, shown.last_seen_at) == ("offline", "left", 1)


def test_p13_a_browser_heard_long_before_does_not(scene: Scene) -> None:
    scene.view(1, at=0)
    scene.unload(2, at=1)
    scene.store("message", 156.001)
    shown = scene.shown()
    assert (shown.state, shown.pages) == ("online", 1)


@pytest.mark.parametrize("author", ["bot", "system"])
def test_p13_words_of_others_keep_nothing_alive(scene: Scene, author: str) -> None:
    scene.store("message", 0, author=author)
    assert scene.shown().state == "offline"
    assert scene.shown().last_seen_at is None
    scene.view(1, at=10)
    scene.store("message", 100, author=author)
    assert scene.shown(at=164.999).state == "online"
    assert scene.shown(at=165).last_seen_at == 10


ORDER = {"id": "11", "number": "11", "total": "25.00", "currency": "EUR"}


@pytest.mark.parametrize(
    ("kind", "details"), [("cart", {}), ("order_placed", ORDER), ("customer", None)]
)
def test_p13_nor_does_what_the_store_knows_of_the_visitor(
    scene: Scene, kind: str, details: dict[str, str] | None
) -> None:
    scene.view(1, at=0)
    rev = scene.shown().rev
    scene.store(kind, 100, details=details)
    assert scene.shown(at=154.999).state == "online"
    assert scene.shown(at=155).last_seen_at == 0
    assert rev < scene.shown().rev


def test_p11_a_word_told_late_happened_when_it_did(scene: Scene) -> None:
    scene.store("message", 60, occurred=0)
    assert scene.shown(at=89.999).state == "online"
    assert scene.shown(at=90).last_seen_at == 0
    scene.store("message", 600, occurred=500)
    assert scene.shown().state == "offline"
    assert scene.shown().last_seen_at == 500

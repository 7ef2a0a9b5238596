from bridge.domain.presence import State
from tests.services.live import LiveScene
from tests.services.scene import told


def test_sync_between_end_and_sweep(live: LiveScene) -> None:
    live.view(1, at=0)
    live.watch("sam-1", at=0)
    assert live.beat(2, at=1) == 10
    for k in range(2, 5):
        live.sync(at=k * 10)
    first = live.sync(at=45.1)
    print(first.told, first.next_sync_seconds)
    live.sweep(at=45.2)
    if first.told.heartbeat_seconds == 60:
        assert live.shown(at=45.1 + 60).state == "online"


def test_told_after_clear_in_demand(live: LiveScene) -> None:
    live.view(1, at=0)
    live.clear(at=5, seq=2)
    live.watch("sam-1", at=6)
    answer = live.answer(live.event("message", 7, "p", 3))
    assert told(answer).heartbeat_seconds == 10
    assert live.shown(at=7 + 29.9).state == "online"
    live.watch("sam-1", at=7 + 29.95)
    assert live.shown(at=7 + 30).state == "offline"


def test_stream_after_restart(live: LiveScene) -> None:
    live.view(1, at=0)
    live.open_stream(at=1)
    live.record_alive(at=10)
    live.restart(at=12)
    assert live.beat(2, at=13) == 60


def test_clear_and_message_in_one_request(live: LiveScene) -> None:
    live.view(1, at=0)
    live.take_over("sam-1", at=1)
    live.tell_together(live.event("chat_cleared", 2, "p", 2), live.event("message", 2, "p", 3))
    assert live.owner() is None


def test_message_and_clear_in_one_request(live: LiveScene) -> None:
    live.view(1, at=0)
    live.clear(at=1, seq=2)
    live.take_over("sam-1", at=2, acknowledge="chat_cleared")
    live.tell_together(live.event("message", 3, "p", 3), live.event("chat_cleared", 3, "p", 4))
    assert live.owner() is None


def test_second_clear(live: LiveScene) -> None:
    live.view(1, at=0)
    live.clear(at=1, seq=2)
    live.take_over("sam-1", at=2, acknowledge="chat_cleared")
    live.clear(at=3, seq=3)
    assert live.owner() is None

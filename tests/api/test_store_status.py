"""``GET /v1/store/status``: what the bridge knows of the store."""

from __future__ import annotations

from bridge import __version__
from tests.api.installation import Clock
from tests.api.store import Store
from tests.api.visitor import event, message

PATH = "/v1/store/status"


def test_of_a_store_that_was_only_added(store: Store) -> None:
    assert store.get(PATH).get_json() == {
        "site": store.site,
        "name": "Shop 1",
        "bridge_version": __version__,
        "connected_at": None,
        "last_event_at": None,
        "conversations": 0,
        "online": 0,
        "woocommerce": {
            "reachable": False,
            "code": "not-connected",
            "text": "The store has not let the bridge read its customers.",
            "since": None,
            "reached_at": None,
        },
        "devices": [],
    }


def test_conversations_and_those_online_are_counted(store: Store, clock: Clock) -> None:
    def counts() -> tuple[int, int]:
        status = store.get(PATH).get_json()
        return status["conversations"], status["online"]

    store.results(message("a", author="bot"))
    assert counts() == (1, 0)
    store.visitor("v1").page("b").view()
    page = store.visitor("v2").page("c")
    page.view()
    assert counts() == (3, 2)
    page.unload()
    assert counts() == (3, 1)
    store.results(event("conversation_deleted", "a"))
    assert counts() == (2, 1)
    clock.advance(hours=1)
    store.installation.bridge.sweep.settle(clock.now)
    assert counts() == (2, 0)


def test_when_the_last_event_came(store: Store, clock: Clock) -> None:
    store.visitor().page("c").view()
    assert store.get(PATH).get_json()["last_event_at"] == "2026-03-02T09:30:00.123Z"
    clock.advance(seconds=5)
    store.results(message("c", author="bot", occurred_at="2026-01-01T00:00:00Z"))
    assert store.get(PATH).get_json()["last_event_at"] == "2026-03-02T09:30:05.123Z"


def test_devices_are_listed(store: Store) -> None:
    app = store.app()
    [device] = store.get(PATH).get_json()["devices"]
    assert device == app.get("/v1/me").get_json()["device"]


def test_another_sites_are_not_counted(store: Store, other_store: Store) -> None:
    other_store.visitor().page("c").view()
    other_store.app()
    status = store.get(PATH).get_json()
    assert (status["conversations"], status["online"], status["devices"]) == (0, 0, [])
    assert status["last_event_at"] is None

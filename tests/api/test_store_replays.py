"""A ``webhook-id`` seen before is answered as the first time was, and changes nothing."""

from __future__ import annotations

import pytest

from tests.api.device import App
from tests.api.installation import Clock
from tests.api.store import Store
from tests.api.visitor import event, message

CONNECTION = {
    "store_url": "http://93.184.215.14/",
    "rest_url": "http://93.184.215.14/wp-json/",
    "name": "Plants",
    "origins": ["https://shop.example"],
    "plugin_version": "0.1.0",
    "wordpress_version": "6.1",
}
PAIRING = {"agent": {"id": "1", "name": "Sam"}, "rights": []}


def test_a_replayed_batch_is_answered_as_the_first_time_was(store: Store, app: App) -> None:
    happened = message("c", "Hello", visitor="v")
    first = store.send(happened, webhook_id="msg_1")
    again = store.send(happened, webhook_id="msg_1")
    assert first.json["results"][0]["status"] == "accepted"  # type: ignore[index]  # held to the description
    assert again.data == first.data
    assert app.texts("c") == ["Hello"]


def test_another_body_under_a_known_id_is_not_looked_at(store: Store, app: App) -> None:
    first = store.send(message("c", "Hello"), webhook_id="msg_1")
    again = store.send(message("c", "Something else"), webhook_id="msg_1")
    assert again.data == first.data
    assert app.texts("c") == ["Hello"]


def test_a_known_id_is_known_on_every_path(store: Store, app: App) -> None:
    first = store.send(message("c", "Hello"), webhook_id="msg_1")
    others = [
        ("POST", "/v1/store/pairings", PAIRING),
        ("POST", "/v1/store/connect", CONNECTION),
        ("POST", "/v1/store/connect", {"no": "connection"}),
        ("POST", "/v1/store/events", b"no JSON"),
        ("GET", "/v1/store/status", None),
        ("GET", "/v1/store/devices", None),
        ("DELETE", f"/v1/store/devices/{app.device}", None),
        ("DELETE", "/v1/store/agents/1", None),
    ]
    answers = [
        store.request(method, path, body, webhook_id="msg_1", described=False)
        for method, path, body in others
    ]
    assert {answered.status_code for answered in answers} == {200}
    assert {answered.data for answered in answers} == {first.data}
    assert app.get("/v1/me").status_code == 200


def test_a_replayed_get_says_what_it_said(store: Store) -> None:
    first = store.get("/v1/store/status", webhook_id="msg_1")
    store.send(message("c", "Hello"))
    assert store.get("/v1/store/status", webhook_id="msg_1").data == first.data
    assert store.get("/v1/store/status").data != first.data


def test_a_replayed_delete_says_what_it_said_and_deletes_nothing_more(store: Store) -> None:
    store.app()
    path = "/v1/store/agents/1"
    assert store.request("DELETE", path, webhook_id="msg_1").json == {"devices": 1}
    app = store.app()
    assert store.request("DELETE", path, webhook_id="msg_1").json == {"devices": 1}
    assert app.get("/v1/me").status_code == 200


def test_a_replayed_pairing_offers_the_same_code(store: Store) -> None:
    path = "/v1/store/pairings"
    first, again = (store.request("POST", path, PAIRING, webhook_id="msg_1") for _ in range(2))
    assert first.data == again.data


def test_a_retry_is_signed_anew_and_answered_as_the_first_time(store: Store, clock: Clock) -> None:
    first = store.send(event("page_view", "c", page="p", seq=1), webhook_id="msg_1")
    clock.advance(hours=47, minutes=59)
    again = store.send(event("page_view", "c", page="p", seq=1), webhook_id="msg_1")
    assert again.data == first.data


def test_an_id_is_remembered_for_48_hours(store: Store, clock: Clock, app: App) -> None:
    store.send(message("c", "Hello"), webhook_id="msg_1")
    clock.advance(hours=48, seconds=-1)
    store.installation.bridge.sweep.keep_house(clock.now)
    store.send(message("c", "Still the same"), webhook_id="msg_1")
    assert app.texts("c") == ["Hello"]
    clock.advance(seconds=2)
    store.installation.bridge.sweep.keep_house(clock.now)
    store.send(message("c", "Another"), webhook_id="msg_1")
    assert app.texts("c") == ["Hello", "Another"]


def test_an_id_outlives_a_restart(store: Store, app: App) -> None:
    first = store.send(message("c", "Hello"), webhook_id="msg_1")
    store.installation.restart()
    assert store.send(message("c", "Hello"), webhook_id="msg_1").data == first.data
    assert app.texts("c") == ["Hello"]


def test_ids_are_each_sites_own(store: Store, other_store: Store) -> None:
    store.send(message("c", "Hello"), webhook_id="msg_1")
    other = other_store.app()
    other_store.send(message("c", "Hello there"), webhook_id="msg_1")
    assert other.texts("c") == ["Hello there"]


def test_ids_are_case_sensitive(store: Store, app: App) -> None:
    store.send(message("c", "Hello"), webhook_id="msg_a")
    store.send(message("c", "Hello again"), webhook_id="MSG_A")
    assert sorted(app.texts("c")) == ["Hello", "Hello again"]


def test_a_request_that_was_refused_is_refused_again(store: Store, app: App) -> None:
    """Its id was seen too: what is sent under it later is not looked at."""
    refused = store.request("POST", "/v1/store/events", {"events": []}, webhook_id="msg_1")
    again = store.send(message("c", "Hello"), webhook_id="msg_1")
    assert refused.status_code == 422
    assert (again.status_code, again.mimetype) == (422, "application/problem+json")
    assert again.data == refused.data
    assert app.listed() == []


def test_a_device_that_was_not_there_is_not_there_again(store: Store) -> None:
    path = "/v1/store/devices/dev_1"
    first = store.request("DELETE", path, webhook_id="msg_1")
    again = store.request("DELETE", path, webhook_id="msg_1")
    assert (first.status_code, again.status_code) == (404, 404)
    assert again.data == first.data


def test_a_request_whose_signature_was_wrong_was_not_seen(store: Store, app: App) -> None:
    secret, store.secret = store.secret, "A" * 43
    assert store.send(message("c", "Hello"), webhook_id="msg_1").status_code == 401
    store.secret = secret
    assert store.send(message("c", "Hello"), webhook_id="msg_1").status_code == 200
    assert app.texts("c") == ["Hello"]


@pytest.mark.parametrize("size", [2 * 1024 * 1024 + 1])
def test_a_request_that_was_too_large_was_not_seen(store: Store, app: App, size: int) -> None:
    assert store.request("POST", "/v1/store/events", b" " * size, webhook_id="m").status_code == 413
    assert store.send(message("c", "Hello"), webhook_id="m").status_code == 200
    assert app.texts("c") == ["Hello"]

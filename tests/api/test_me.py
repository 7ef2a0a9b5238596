"""``GET`` and ``DELETE /v1/me``: the device that asks, and signing it out."""

from __future__ import annotations

from datetime import datetime

import pytest

from bridge.ports import Device
from tests.api.description import refused
from tests.api.device import RIGHTS, App
from tests.api.installation import Clock, Installation
from tests.api.store import Store


def test_a_device_learns_who_it_is(app: App, store: Store) -> None:
    me = app.get("/v1/me").get_json()
    agent = {"id": "1", "name": "Sam", "email": None, "avatar_url": None}
    assert me == {
        "device": {
            "id": app.device,
            "agent": agent,
            "rights": sorted(RIGHTS),
            "label": "Sam's phone",
            "platform": "Android",
            "registered_at": "2026-03-02T09:30:00.123Z",
            "last_seen_at": "2026-03-02T09:30:00.123Z",
        },
        "agent": agent,
        "site": {"id": store.site, "name": "Shop 1", "url": "https://shop.example"},
    }


def test_no_right_is_needed(store: Store) -> None:
    app = store.app(rights=())
    assert app.get("/v1/me").get_json()["device"]["rights"] == []
    assert app.request("DELETE", "/v1/me").status_code == 204


def test_a_device_signs_itself_out(store: Store) -> None:
    phone, tablet = store.app(), store.app()
    answered = phone.request("DELETE", "/v1/me")
    assert (answered.status_code, answered.data) == (204, b"")
    for method in ("GET", "DELETE"):
        refused(phone.request(method, "/v1/me"), 401, "device-unknown")
    assert tablet.get("/v1/me").status_code == 200


def test_one_who_signs_out_twice_at_once_is_signed_out(
    app: App, store: Store, installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    devices = installation.bridge.services.devices
    known = devices.device

    def known_for_the_last_time(token: str, now: datetime) -> tuple[Device, int]:
        found = known(token, now)
        assert store.request("DELETE", f"/v1/store/devices/{app.device}").status_code == 200
        return found

    monkeypatch.setattr(devices, "device", known_for_the_last_time)
    assert app.request("DELETE", "/v1/me").status_code == 204


def test_what_cannot_be_a_token_is_not_looked_up(
    app: App, installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    find = installation.bridge.records.device_by_token

    def found(token_hash: str) -> tuple[Device, int] | None:
        asked.append(token_hash)
        return find(token_hash)

    monkeypatch.setattr(installation.bridge.records, "device_by_token", found)
    for token in ("x", "x" * 42, "x" * 44, "x" * 42 + "=", "x" * 42 + "\xe9", "x" * 42 + "."):
        refused(App(installation, token, "").get("/v1/me"), 401, "device-unknown")
    assert asked == []
    refused(App(installation, "x" * 43, "").get("/v1/me"), 401, "device-unknown")
    assert app.get("/v1/me").status_code == 200
    assert len(asked) == 2


def test_a_delete_without_a_body_may_name_a_content_type(app: App) -> None:
    headers = {"Content-Type": "application/json"}
    assert app.request("DELETE", "/v1/me", headers=headers).status_code == 204


@pytest.mark.parametrize(
    ("header", "code"),
    [
        (None, "token-missing"),
        ("", "token-missing"),
        ("Bearer", "token-missing"),
        ("Bearer ", "token-missing"),
        ("Basic dTpw", "token-missing"),
        ("Bearer x", "device-unknown"),
        ("Bearer \xff\xfe", "device-unknown"),
        ("Bearer " + "x" * 7_000, "device-unknown"),
    ],
    ids=range(8),
)
def test_a_device_needs_its_token(
    app: App, installation: Installation, header: str | None, code: str
) -> None:
    headers = {} if header is None else {"Authorization": header}
    for path in ("/v1/me", "/v1/conversations", "/v1/conversations/c"):
        answered = installation.open(path, headers=headers)
        refused(answered, 401, code)
        assert answered.headers["WWW-Authenticate"] == "Bearer"


def test_tokens_of_others_are_no_devices(store: Store, installation: Installation) -> None:
    for token in (store.visitor().token(), store.secret, store.offer()["code"]):
        app = App(installation, token, "")
        refused(app.get("/v1/me"), 401, "device-unknown")


def test_a_token_in_the_address_is_no_token(app: App, installation: Installation) -> None:
    refused(installation.open(f"/v1/me?token={app.token}"), 401, "token-missing")


def test_only_the_hash_of_a_token_is_kept(app: App, installation: Installation) -> None:
    installation.close()
    assert app.token.encode() not in installation.database.read_bytes()


def test_when_a_device_was_last_seen_is_known_to_the_minute(app: App, clock: Clock) -> None:
    clock.advance(seconds=59)
    app.get("/v1/me")
    assert app.get("/v1/me").get_json()["device"]["last_seen_at"] == "2026-03-02T09:30:00.123Z"
    clock.advance(seconds=1)
    app.get("/v1/conversations")
    assert app.get("/v1/me").get_json()["device"]["last_seen_at"] == "2026-03-02T09:31:00.123Z"


def test_a_device_keeps_its_token_for_as_long_as_it_is_not_signed_out(
    app: App, clock: Clock, installation: Installation
) -> None:
    clock.advance(days=400)
    installation.restart()
    assert app.get("/v1/me").status_code == 200


def test_an_agent_is_shown_as_the_store_named_them_last(store: Store) -> None:
    phone = store.app("1", "Sam")
    store.app("1", "Samantha")
    assert phone.get("/v1/me").get_json()["agent"]["name"] == "Samantha"

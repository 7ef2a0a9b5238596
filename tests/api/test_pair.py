"""``POST /v1/pair``: a code becomes a device's token, once."""

from __future__ import annotations

from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.api.description import refused
from tests.api.device import RIGHTS, App
from tests.api.installation import Clock, Installation
from tests.api.store import Store

DEVICE = {"label": "Sam's phone", "platform": "Android"}


def pair(installation: Installation, code: object, address: str = "192.0.2.1") -> TestResponse:
    said = {"code": code, "device": DEVICE}
    environ = {"REMOTE_ADDR": address}
    return installation.open("/v1/pair", "POST", json=said, environ_overrides=environ)


def test_a_code_becomes_a_device(installation: Installation, store: Store) -> None:
    paired = pair(installation, store.offer("1", "Sam")["code"]).get_json()
    token = paired.pop("token")
    device = paired["device"].pop("id")
    agent = {"id": "1", "name": "Sam", "email": None, "avatar_url": None}
    assert len(token) >= 43
    assert paired == {
        "device": {
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
    app = App(installation, token, device)
    assert app.get("/v1/me").get_json()["device"]["id"] == device


def test_a_code_works_once(installation: Installation, store: Store) -> None:
    code = store.offer()["code"]
    assert pair(installation, code).status_code == 200
    refused(pair(installation, code), 401, "pairing-code-invalid")


def test_a_code_works_for_10_minutes(
    installation: Installation, store: Store, clock: Clock
) -> None:
    in_time, late = store.offer()["code"], store.offer()["code"]
    clock.advance(minutes=10, microseconds=-1)
    assert pair(installation, in_time).status_code == 200
    clock.advance(microseconds=1)
    refused(pair(installation, late), 401, "pairing-code-invalid")


def test_a_code_outlives_a_restart(installation: Installation, store: Store) -> None:
    code = store.offer()["code"]
    installation.restart()
    assert pair(installation, code).status_code == 200


@pytest.mark.parametrize("code", ["x", "X" * 128, "'; --", "ü", " "])
def test_a_wrong_code(installation: Installation, store: Store, code: str) -> None:
    store.offer()
    refused(pair(installation, code), 401, "pairing-code-invalid")


def test_a_code_is_case_sensitive_and_whole(installation: Installation, store: Store) -> None:
    code: str = store.offer()["code"]
    for other in (code.swapcase(), code[:-1], code + "A", f" {code}"):
        refused(pair(installation, other), 401, "pairing-code-invalid")
    assert pair(installation, code).status_code == 200


def test_ten_wrong_codes_from_one_address(
    installation: Installation, store: Store, clock: Clock
) -> None:
    code = store.offer()["code"]
    for number in range(10):
        refused(pair(installation, f"wrong{number}"), 401, "pairing-code-invalid")
    limited = pair(installation, code)
    refused(limited, 429, "too-many-requests")
    assert 1 <= int(limited.headers["Retry-After"]) <= 600
    assert pair(installation, code, "192.0.2.2").status_code == 200
    clock.advance(seconds=int(limited.headers["Retry-After"]))
    assert pair(installation, store.offer()["code"]).status_code == 200


def test_right_codes_do_not_count(installation: Installation, store: Store) -> None:
    for _ in range(15):
        assert pair(installation, store.offer()["code"]).status_code == 200


def test_an_ipv6_network_is_one_address(installation: Installation, store: Store) -> None:
    for number in range(10):
        pair(installation, "wrong", f"2001:db8::{number}")
    refused(pair(installation, "wrong", "2001:db8::ffff:1"), 429, "too-many-requests")
    refused(pair(installation, "wrong", "2001:db8:0:1::1"), 401, "pairing-code-invalid")


@pytest.mark.parametrize("code", ["", "x" * 129, None, 7, True, [], {}])
def test_a_code_that_is_none(installation: Installation, code: object) -> None:
    problem = refused(pair(installation, code), 422, "invalid")
    assert problem["errors"][0]["pointer"] == "/code"


@pytest.mark.parametrize(
    ("device", "pointer"),
    [
        (None, "/device"),
        ({}, "/device"),
        ({"label": ""}, "/device/label"),
        ({"label": "x" * 121}, "/device/label"),
        ({"label": 1}, "/device/label"),
        ({"label": "x", "platform": "y" * 61}, "/device/platform"),
        ({"label": "x", "platform": None}, "/device/platform"),
    ],
)
def test_a_device_says_what_it_is(
    installation: Installation, store: Store, device: object, pointer: str
) -> None:
    code = store.offer()["code"]
    answered = installation.open("/v1/pair", "POST", json={"code": code, "device": device})
    problem = refused(answered, 422, "invalid")
    assert problem["errors"][0]["pointer"] == pointer
    assert pair(installation, code).status_code == 200


def test_the_platform_may_be_left_out(installation: Installation, store: Store) -> None:
    said = {"code": store.offer()["code"], "device": {"label": "x"}}
    answered = installation.open("/v1/pair", "POST", json=said)
    assert answered.get_json()["device"]["platform"] == ""


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "malformed-json"),
        (b"no JSON", 400, "malformed-json"),
        (b'{"code": "\xff"}', 400, "malformed-json"),
        (b'{"x":' + b"[" * 50_000, 400, "malformed-json"),
        (b"[]", 422, "invalid"),
        (b"{}", 422, "invalid"),
        (b'{"code": "a\\u0000", "device": {"label": "x"}}', 422, "character-not-allowed"),
        (b'{"code": "a\\ud800", "device": {"label": "x"}}', 422, "character-not-allowed"),
        (b'{"code": "a", "device": {"label": "\\u0000"}}', 422, "character-not-allowed"),
        (b" " * (256 * 1024 + 1), 413, "body-too-large"),
    ],
    ids=range(10),
)
def test_a_body_that_is_not_taken(
    installation: Installation, body: bytes, status: int, code: str
) -> None:
    answered = installation.open(
        "/v1/pair", "POST", data=body, headers={"Content-Type": "application/json"}
    )
    refused(answered, status, code)


@pytest.mark.parametrize("media_type", ["", "text/plain", "application/x-www-form-urlencoded"])
def test_another_content_type_is_not_taken(
    installation: Installation, store: Store, media_type: str
) -> None:
    body = b'{"code": "x", "device": {"label": "x"}}'
    headers = {"Content-Type": media_type}
    answered = installation.open("/v1/pair", "POST", data=body, headers=headers)
    refused(answered, 415, "unsupported-media-type")


def test_unknown_fields_are_ignored(installation: Installation, store: Store) -> None:
    said: dict[str, Any] = {
        "code": store.offer()["code"],
        "device": {**DEVICE, "model": "x"},
        "app": "0.1",
    }
    assert installation.open("/v1/pair", "POST", json=said).status_code == 200

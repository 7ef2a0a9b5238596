"""``POST /v1/store/connect``: what a store says of itself."""

from __future__ import annotations

import socket
from typing import Any

import pytest
from werkzeug.test import TestResponse

from bridge import __version__
from tests.api.description import refused
from tests.api.installation import Installation, SetUp
from tests.api.store import Store
from tests.api.visitor import message

PUBLIC = "http://93.184.215.14"
CONNECTION: dict[str, Any] = {
    "store_url": f"{PUBLIC}/",
    "rest_url": f"{PUBLIC}/wp-json/",
    "name": "Plants & Pots",
    "origins": ["https://shop.example", "https://www.shop.example"],
    "plugin_version": "0.1.0",
    "wordpress_version": "6.1.1",
    "woocommerce_version": "8.2.0",
    "timezone": "Europe/Berlin",
    "woocommerce": {
        "consumer_key": "ck_0123456789abcdef",
        "consumer_secret": "cs_0123456789abcdef",
        "webhook_secret": "wh_0123456789abcdef",
    },
}


KEYS: dict[str, str] = CONNECTION["woocommerce"]


def connect(store: Store, **changes: Any) -> TestResponse:
    return store.request("POST", "/v1/store/connect", {**CONNECTION, **changes})


def without(name: str) -> dict[str, Any]:
    return {each: value for each, value in CONNECTION.items() if each != name}


def test_a_store_says_who_it_is(store: Store) -> None:
    assert connect(store).get_json() == {
        "site": store.site,
        "name": "Plants & Pots",
        "bridge_version": __version__,
    }
    status = store.get("/v1/store/status").get_json()
    assert (status["name"], status["connected_at"]) == ("Plants & Pots", "2026-03-02T09:30:00.123Z")


def test_the_agents_app_shows_the_stores_name(store: Store) -> None:
    app = store.app()
    connect(store, name="Pots")
    assert app.get("/v1/me").get_json()["site"]["name"] == "Pots"


def test_without_woocommerce(store: Store) -> None:
    assert connect(store, woocommerce=None, woocommerce_version=None).status_code == 200
    body = {
        name: value
        for name, value in CONNECTION.items()
        if name not in ("woocommerce", "woocommerce_version", "timezone")
    }
    assert store.request("POST", "/v1/store/connect", body).status_code == 200


@pytest.mark.parametrize(
    ("woocommerce", "version", "code"),
    [(KEYS, "8.2.0", None), (None, "8.2.0", "not-connected"), (None, None, "not-installed")],
)
def test_the_store_is_told_whether_its_customers_can_be_read(
    store: Store, woocommerce: dict[str, str] | None, version: str | None, code: str | None
) -> None:
    connect(store, woocommerce=KEYS)
    connect(store, woocommerce=woocommerce, woocommerce_version=version)
    status = store.get("/v1/store/status").get_json()["woocommerce"]
    assert (status["reachable"], status["code"]) == (None if code is None else False, code)


@pytest.mark.parametrize(
    "admin_url", ["https://shop.example/wp-admin/", "http://10.0.0.7/wp-admin/", None]
)
def test_where_its_wp_admin_is_may_be_private_for_only_people_go_there(
    store: Store, admin_url: str | None
) -> None:
    assert connect(store, admin_url=admin_url).status_code == 200


def test_the_keys_of_woocommerce_are_not_kept_readable(
    store: Store, installation: Installation
) -> None:
    connect(store)
    installation.close()
    kept = installation.database.read_bytes()
    for secret in (*CONNECTION["woocommerce"].values(), store.secret):
        assert secret.encode() not in kept
    assert b"Plants & Pots" in kept


def test_visitors_of_every_origin_that_it_lists_are_let_in(store: Store) -> None:
    connect(store, origins=["https://Shop.Example:443/path?x", "http://localhost:8080"])
    for origin in ("https://shop.example", "http://localhost:8080"):
        answered = store.visitor().send(message("c"), headers={"Origin": origin})
        assert answered.status_code == 200
    for origin in ("https://www.shop.example", "http://localhost"):
        answered = store.visitor().send(message("c"), headers={"Origin": origin})
        refused(answered, 403, "origin-not-allowed")


def test_connecting_again_takes_the_place_of_the_first(store: Store) -> None:
    connect(store, origins=["https://old.example"])
    connect(store, origins=["https://new.example"])
    visitor = store.visitor()
    assert visitor.send(message("c"), headers={"Origin": "https://new.example"}).status_code == 200
    refused(
        visitor.send(message("c"), headers={"Origin": "https://old.example"}),
        403,
        "origin-not-allowed",
    )


def test_the_same_origin_twice_is_one(store: Store) -> None:
    assert connect(store, origins=["https://a.example"] * 20).status_code == 200


@pytest.mark.parametrize(
    "missing",
    ["store_url", "rest_url", "name", "origins", "plugin_version", "wordpress_version"],
)
def test_what_is_needed(store: Store, missing: str) -> None:
    answered = store.request("POST", "/v1/store/connect", without(missing))
    problem = refused(answered, 422, "invalid")
    assert missing in problem["errors"][0]["detail"]
    assert problem["errors"][0]["pointer"] == ""


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"name": None}, "/name"),
        ({"name": "x" * 201}, "/name"),
        ({"origins": []}, "/origins"),
        ({"origins": "https://shop.example"}, "/origins"),
        ({"origins": ["https://a.example"] * 21}, "/origins"),
        ({"origins": [None]}, "/origins/0"),
        ({"origins": ["https://a.example", "javascript:x"]}, "/origins/1"),
        ({"origins": ["null"]}, "/origins/0"),
        ({"origins": ["*"]}, "/origins/0"),
        ({"origins": ["//shop.example"]}, "/origins/0"),
        ({"origins": ["https://"]}, "/origins/0"),
        ({"store_url": "x" * 2049}, "/store_url"),
        ({"store_url": "ftp://93.184.215.14/"}, "/store_url"),
        ({"store_url": "javascript:alert(1)"}, "/store_url"),
        ({"store_url": "http://"}, "/store_url"),
        ({"store_url": "http://[::1"}, "/store_url"),
        ({"store_url": "http://93.184.215.14:0/"}, "/store_url"),
        ({"store_url": "http://93.184.215.14:99999/"}, "/store_url"),
        ({"rest_url": "http://user:password@93.184.215.14/"}, "/rest_url"),
        ({"rest_url": ""}, "/rest_url"),
        ({"wordpress_version": 6.1}, "/wordpress_version"),
        ({"woocommerce": {}}, "/woocommerce"),
        ({"woocommerce": {"consumer_key": ""}}, "/woocommerce/consumer_key"),
        ({"woocommerce": {**KEYS, "consumer_secret": "x" * 201}}, "/woocommerce/consumer_secret"),
        ({"woocommerce": {**KEYS, "webhook_secret": None}}, "/woocommerce/webhook_secret"),
        ({"woocommerce": "ck_0123456789abcdef"}, "/woocommerce"),
        ({"admin_url": ""}, "/admin_url"),
        ({"admin_url": "/wp-admin/"}, "/admin_url"),
        ({"admin_url": "javascript:alert(1)"}, "/admin_url"),
        ({"admin_url": "data:text/html,x"}, "/admin_url"),
        ({"admin_url": "//shop.example/wp-admin/"}, "/admin_url"),
        ({"admin_url": "https://"}, "/admin_url"),
        ({"admin_url": "https://" + "x" * 2048}, "/admin_url"),
        ({"admin_url": 7}, "/admin_url"),
    ],
    ids=range(34),
)
def test_what_is_not_taken(store: Store, changes: dict[str, Any], pointer: str) -> None:
    problem = refused(connect(store, **changes), 422, "invalid")
    assert problem["errors"][0]["pointer"] == pointer
    assert "password" not in str(problem)
    assert store.get("/v1/store/status").get_json()["connected_at"] is None


@pytest.mark.parametrize("field", ["store_url", "rest_url"])
@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1/",
        "http://127.1.2.3:8080/",
        "http://0.0.0.0/",
        "http://10.0.0.1/",
        "http://172.16.0.1/",
        "http://192.168.1.1/",
        "http://169.254.169.254/latest/",
        "http://100.64.0.1/",
        "http://224.0.0.1/",
        "http://255.255.255.255/",
        "http://[::1]/",
        "http://[::]/",
        "http://[fe80::1]/",
        "http://[fc00::1]/",
        "http://[ff02::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[::ffff:10.0.0.1]/",
        "http://localhost/",
    ],
)
def test_an_address_must_be_public(store: Store, field: str, address: str) -> None:
    problem = refused(connect(store, **{field: address}), 422, "address-not-public")
    assert problem["errors"][0]["pointer"] == f"/{field}"


@pytest.mark.parametrize("address", [f"{PUBLIC}:8443/a", "http://[2606:2800:21f:cb07::1]/"])
def test_a_public_address_is_taken(store: Store, address: str) -> None:
    assert connect(store, store_url=address).status_code == 200


@pytest.mark.parametrize(
    ("leads_to", "status"),
    [
        (["93.184.215.14"], 200),
        (["93.184.215.14", "127.0.0.1"], 422),
        (["10.0.0.1"], 422),
        (["fe80::1%eth0"], 422),
        ([], 422),
    ],
    ids=range(5),
)
def test_a_name_must_lead_to_public_addresses_alone(
    store: Store, monkeypatch: pytest.MonkeyPatch, leads_to: list[str], status: int
) -> None:
    def look_up(host: str, *_: object, **__: object) -> list[tuple[object, ...]]:
        assert host == "shop.example"
        if not leads_to:
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, 0)) for each in leads_to]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    answered = connect(store, store_url="https://shop.example/", rest_url="https://shop.example/")
    assert answered.status_code == status
    if status == 422:
        refused(answered, 422, "address-not-public")


def test_for_development_addresses_may_be_private(set_up: SetUp) -> None:
    store = set_up(allow_private_stores=True).add_store()
    assert (
        connect(store, store_url="http://127.0.0.1:8080/", rest_url="http://[::1]/").status_code
        == 200
    )
    refused(connect(store, store_url="file:///etc/passwd"), 422, "invalid")


def test_characters_that_are_not_taken(store: Store) -> None:
    refused(connect(store, name="a\0"), 422, "character-not-allowed")
    refused(connect(store, timezone="\ud800"), 422, "character-not-allowed")


def test_what_is_no_json(store: Store) -> None:
    for body in (b"no JSON", b"{", b"\xff"):
        refused(store.request("POST", "/v1/store/connect", body), 400, "malformed-json")

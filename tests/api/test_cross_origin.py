"""Cross-origin requests: the preflight, and who may read which answer."""

from __future__ import annotations

import pytest
from werkzeug.test import TestResponse

from tests.api.description import refused
from tests.api.device import App
from tests.api.installation import SHOP, Installation
from tests.api.store import Store
from tests.api.visitor import Visitor, event

OTHER = "https://other.example"
EVENTS = "/v1/visitor/events"


def view() -> dict[str, object]:
    return event("page_view", "c", page="p", seq=1)


def preflight(installation: Installation, origin: str | None, path: str = EVENTS) -> TestResponse:
    headers = {
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type",
        **({} if origin is None else {"Origin": origin}),
    }
    return installation.open(path, "OPTIONS", headers=headers)


@pytest.mark.parametrize("origin", [SHOP, OTHER])
def test_the_preflight_allows_an_origin_that_any_site_lists(
    installation: Installation, store: Store, other_store: Store, origin: str
) -> None:
    answered = preflight(installation, origin)
    assert (answered.status_code, answered.data) == (204, b"")
    assert answered.headers.getlist("Access-Control-Allow-Origin") == [origin]
    assert "POST" in answered.headers["Access-Control-Allow-Methods"]
    allowed = answered.headers["Access-Control-Allow-Headers"].lower()
    assert {"authorization", "content-type"} <= set(allowed.replace(" ", "").split(","))
    assert int(answered.headers["Access-Control-Max-Age"]) > 0
    assert "Origin" in answered.headers["Vary"]
    assert "Access-Control-Allow-Credentials" not in answered.headers


@pytest.mark.parametrize(
    "origin",
    [
        "https://nobody.example",
        "http://shop.example",
        "https://shop.example:8443",
        "https://shop.example.evil.example",
        "https://SHOP.example",
        "https://shop.example/",
        "null",
        "*",
        "",
        None,
    ],
)
def test_the_preflight_allows_no_other_origin(
    installation: Installation, store: Store, origin: str | None
) -> None:
    answered = preflight(installation, origin)
    assert answered.status_code == 204
    assert not [name for name, _ in answered.headers if name.startswith("Access-Control-Allow")]


def test_an_origin_is_allowed_once_the_store_lists_it_and_not_after(
    installation: Installation, store: Store
) -> None:
    def allowed(origin: str) -> bool:
        return "Access-Control-Allow-Origin" in preflight(installation, origin).headers

    connection = {
        "store_url": "http://93.184.215.14/",
        "rest_url": "http://93.184.215.14/wp-json/",
        "name": "Plants",
        "plugin_version": "1",
        "wordpress_version": "6",
    }
    path = "/v1/store/connect"
    listed = {**connection, "origins": ["https://new.example"]}
    assert (allowed(SHOP), allowed("https://new.example")) == (True, False)
    assert store.request("POST", path, listed).status_code == 200
    assert (allowed(SHOP), allowed("https://new.example")) == (False, True)


def test_a_page_of_the_site_may_read_its_answer(visitor: Visitor) -> None:
    answered = visitor.send(view())
    assert answered.status_code == 200
    assert answered.headers.getlist("Access-Control-Allow-Origin") == [SHOP]
    assert "Origin" in answered.headers["Vary"]
    assert "Retry-After" in answered.headers["Access-Control-Expose-Headers"]


def test_the_stores_proxy_sends_no_origin(visitor: Visitor) -> None:
    answered = visitor.send(view(), headers={"Origin": None})
    assert answered.status_code == 200
    assert "Access-Control-Allow-Origin" not in answered.headers


@pytest.mark.parametrize("origin", [OTHER, "https://nobody.example", "http://shop.example", "null"])
def test_a_page_of_another_origin_is_refused(
    visitor: Visitor, other_store: Store, app: App, origin: str
) -> None:
    answered = visitor.send(view(), headers={"Origin": origin})
    refused(answered, 403, "origin-not-allowed")
    assert app.listed() == []


def test_a_page_may_read_why_it_was_refused(visitor: Visitor) -> None:
    for answered in (
        visitor.send(view(), token="a.b.c"),
        visitor.post(b"no JSON"),
        visitor.post(b" " * 65_537),
        visitor.send(view(), headers={"Content-Type": "text/html"}),
    ):
        assert answered.status_code >= 400
        assert answered.headers["Access-Control-Allow-Origin"] == SHOP


def test_a_page_of_nobodys_origin_may_read_nothing(visitor: Visitor) -> None:
    for token in (None, "a.b.c", ""):
        answered = visitor.send(view(), token=token, headers={"Origin": "https://nobody.example"})
        assert "Access-Control-Allow-Origin" not in answered.headers


def test_what_is_not_the_visitors_is_read_across_origins_by_nobody(
    installation: Installation, store: Store, app: App
) -> None:
    for path in ("/v1/me", "/v1/conversations", "/v1/store/status", "/v1/pair", "/healthz"):
        answered = preflight(installation, SHOP, path)
        assert not [name for name, _ in answered.headers if name.startswith("Access-Control")]
    answered = app.get("/v1/me", headers={"Origin": SHOP})
    assert "Access-Control-Allow-Origin" not in answered.headers
    answered = store.get("/v1/store/status", headers={"Origin": SHOP})
    assert "Access-Control-Allow-Origin" not in answered.headers

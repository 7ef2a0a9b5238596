"""Who may read what a visitor's page is told: the stream and the sync alike."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest
from werkzeug.test import TestResponse

from tests.api.description import refused
from tests.api.device import App
from tests.api.installation import SHOP, Clock, Installation
from tests.api.store import Store
from tests.api.stream import Stream
from tests.api.visitor import Page, Visitor, event, message

OTHER = "https://other.example"


@pytest.fixture
def page(visitor: Visitor) -> Page:
    """A page on which somebody is."""
    page = visitor.page("c")
    page.view()
    return page


@pytest.fixture(params=["stream", "sync"])
def endpoint(request: pytest.FixtureRequest) -> str:
    """Either way of reading."""
    return str(request.param)


def ask(visitor: Visitor, endpoint: str, conversation: str = "c", **request: Any) -> TestResponse:
    """Ask for a conversation as this visitor."""
    return visitor.get(visitor.page(conversation).address(endpoint), **request)


def test_whose_it_is_reads_it(page: Page, endpoint: str) -> None:
    answered = ask(page.visitor, endpoint)
    assert answered.status_code == 200
    answered.close()


def test_a_strangers_is_not_there_as_one_that_never_was(
    page: Page, store: Store, other_store: Store, endpoint: str
) -> None:
    other_store.visitor("v_jane").page("theirs").view()
    store.results(message("nobodys", author="bot"))
    stranger = store.visitor("v_stranger")
    bodies = []
    for conversation in ("c", "never", "theirs", "nobodys", "C", "x" * 128):
        problem = refused(ask(stranger, endpoint, conversation), 404, "not-found")
        problem.pop("request_id")
        bodies.append(problem)
    assert all(body == bodies[0] for body in bodies)


def test_the_same_visitor_of_another_site_is_a_stranger(
    page: Page, other_store: Store, endpoint: str
) -> None:
    refused(ask(other_store.visitor("v_jane"), endpoint), 404, "not-found")


def test_a_stranger_keeps_nobody_online(
    page: Page, store: Store, app: App, clock: Clock, endpoint: str
) -> None:
    clock.advance(seconds=60)
    refused(ask(store.visitor("v_stranger"), endpoint), 404, "not-found")
    assert app.presence("c")["heard_at"] == "2026-03-02T09:30:00.123Z"
    assert app.listed() == ["c"], "and begins no conversation"


def test_it_goes_with_the_visitor_whom_the_store_names(store: Store, endpoint: str) -> None:
    store.results(message("c", "Hello", visitor="v_joe"))
    answered = ask(store.visitor("v_joe"), endpoint)
    assert answered.status_code == 200
    answered.close()


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({}, 422),
        ({"conversation": "c"}, 422),
        ({"page": "p"}, 422),
        ({"conversation": "", "page": "p"}, 422),
        ({"conversation": "c", "page": ""}, 422),
        ({"conversation": "x" * 129, "page": "p"}, 404),
        ({"conversation": "c", "page": "x" * 129}, 404),
        ({"conversation": "a\nb", "page": "p"}, 404),
        ({"conversation": "c\0", "page": "p"}, 404),
        ({"conversation": "c", "page": "\u200b"}, 404),
    ],
)
def test_the_conversation_and_the_page_are_named(
    page: Page, endpoint: str, query: dict[str, str], status: int
) -> None:
    answered = page.visitor.get(f"/v1/visitor/{endpoint}?{urlencode(query)}")
    refused(answered, status, "invalid" if status == 422 else "not-found")


@pytest.mark.parametrize("name", ["ä/ö?ü#&=+%41", "a b", "😀" * 128, "..", "null"])
def test_ids_are_opaque(visitor: Visitor, endpoint: str, name: str) -> None:
    page = visitor.page(name, name)
    page.view()
    answered = visitor.get(page.address(endpoint))
    assert answered.status_code == 200
    answered.close()


# --------------------------------------------------------------------------- credentials


def test_without_a_token(page: Page, endpoint: str) -> None:
    refused(ask(page.visitor, endpoint, token=""), 401, "token-missing")


def test_a_token_in_the_address_is_not_looked_at(page: Page, endpoint: str) -> None:
    address = f"{page.address(endpoint)}&token={page.visitor.token()}"
    refused(page.visitor.get(address, token=""), 401, "token-missing")


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({"exp": 1}, "token-expired"),
        ({"aud": "agent"}, "token-invalid"),
        ({"sub": None}, "token-invalid"),
    ],
)
def test_a_token_that_is_none(page: Page, endpoint: str, claims: dict[str, Any], code: str) -> None:
    token = page.visitor.token(**claims)
    assert ask(page.visitor, endpoint, token=token).status_code == 401


def test_a_token_of_another_site(page: Page, other_store: Store, endpoint: str) -> None:
    forged = Visitor(
        page.visitor.installation, page.visitor.site, other_store.secret, SHOP, "v_jane"
    )
    refused(ask(forged, endpoint), 401, "token-invalid")


def test_a_token_that_was_superseded(page: Page, store: Store, clock: Clock, endpoint: str) -> None:
    token = page.visitor.token()
    clock.advance(seconds=5)
    store.results(event("customer", visitor="v_jane", customer=None))
    refused(ask(page.visitor, endpoint, token=token), 401, "token-superseded")
    clock.advance(seconds=5)
    answered = ask(page.visitor, endpoint)
    assert answered.status_code == 200
    answered.close()


def test_a_devices_token_is_no_visitors(page: Page, app: App, endpoint: str) -> None:
    refused(ask(page.visitor, endpoint, token=app.token), 401, "token-invalid")


def test_a_visitors_token_is_no_devices(page: Page, installation: Installation) -> None:
    app = App(installation, page.visitor.token(), "")
    for path in ("/v1/sync", "/v1/stream"):
        refused(app.get(path), 401, "device-unknown")


# ------------------------------------------------------------------------------- origins


@pytest.mark.parametrize("origin", [OTHER, "https://nobody.example", "http://shop.example", "null"])
def test_a_page_of_another_origin(
    page: Page, other_store: Store, endpoint: str, origin: str
) -> None:
    answered = ask(page.visitor, endpoint, headers={"Origin": origin})
    refused(answered, 403, "origin-not-allowed")


def test_the_stores_proxy_sends_no_origin(page: Page, endpoint: str) -> None:
    answered = ask(page.visitor, endpoint, headers={"Origin": None})
    assert answered.status_code == 200
    assert "Access-Control-Allow-Origin" not in answered.headers
    answered.close()


def test_a_page_of_the_site_may_read_the_answer_and_why_it_was_refused(
    page: Page, store: Store, endpoint: str
) -> None:
    for visitor, token, status in (
        (page.visitor, None, 200),
        (page.visitor, "a.b.c", 401),
        (store.visitor("v_stranger"), None, 404),
    ):
        answered = ask(visitor, endpoint, token=token)
        assert answered.status_code == status
        assert answered.headers.getlist("Access-Control-Allow-Origin") == [SHOP]
        assert "Origin" in answered.headers["Vary"]
        assert "Access-Control-Allow-Credentials" not in answered.headers
        answered.close()


@pytest.mark.parametrize(
    "headers", ["authorization", "authorization,cache-control", "authorization,last-event-id"]
)
def test_the_preflight_allows_what_a_stream_needs(
    installation: Installation, store: Store, endpoint: str, headers: str
) -> None:
    asked = {
        "Origin": SHOP,
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": headers,
    }
    answered = installation.open(f"/v1/visitor/{endpoint}", "OPTIONS", headers=asked)
    assert (answered.status_code, answered.data) == (204, b"")
    assert answered.headers["Access-Control-Allow-Origin"] == SHOP
    assert "GET" in answered.headers["Access-Control-Allow-Methods"]
    allowed = answered.headers["Access-Control-Allow-Headers"].lower().replace(" ", "").split(",")
    assert set(headers.split(",")) - {"cache-control"} <= set(allowed)
    assert int(answered.headers["Access-Control-Max-Age"]) > 0


@pytest.mark.parametrize("origin", ["https://nobody.example", "null", "*", "", None])
def test_the_preflight_allows_no_other_origin(
    installation: Installation, store: Store, endpoint: str, origin: str | None
) -> None:
    headers = {"Access-Control-Request-Method": "GET"} | ({"Origin": origin} if origin else {})
    answered = installation.open(f"/v1/visitor/{endpoint}", "OPTIONS", headers=headers)
    assert answered.status_code == 204
    assert not [name for name, _ in answered.headers if name.startswith("Access-Control-Allow")]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_another_method(page: Page, endpoint: str, method: str) -> None:
    answered = page.visitor.get(page.address(endpoint), method=method)
    refused(answered, 405, "method-not-allowed")
    assert "GET" in answered.headers["Allow"]


def test_a_head_changes_nothing(page: Page, app: App, clock: Clock, endpoint: str) -> None:
    """Whoever asks for the head alone holds no stream, and has dropped none."""
    held = page.stream()
    for _ in range(12):
        answered = page.visitor.get(page.address(endpoint), method="HEAD", described=False)
        assert (answered.status_code, answered.data) == (200, b"")
        answered.close()
    page.visitor.installation.bridge.services.visits.settle_drops(clock.now)
    clock.advance(seconds=60)
    assert app.presence("c")["online"]
    app.watch("c")
    assert [each.name for each in held.read()] == ["demand"]


def test_a_strangers_stream_is_told_nothing(page: Page, store: Store, app: App) -> None:
    stranger = store.visitor("v_stranger").page("d", "p_1")
    stranger.view()
    theirs: Stream = stranger.stream()
    mine = page.stream()
    app.take_over("c")
    app.write("c", "Hello")
    assert len(mine.read(4)) == 4
    assert theirs.until_now() == []

"""Addresses and methods that are not there: problems, and never HTML."""

from __future__ import annotations

import re

import pytest

from bridge.api.endpoints import ENDPOINTS
from tests.api.description import refused
from tests.api.installation import SHOP, Installation
from tests.api.store import Store

PATHS = sorted({endpoint.path for endpoint in ENDPOINTS})


def methods(path: str) -> set[str]:
    """What may be done there; with GET, also what reads as the id of a conversation."""
    found = {endpoint.method for endpoint in ENDPOINTS if endpoint.path == path}
    return found | {"GET"} if path.startswith("/v1/conversations/") else found


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "PROPFIND", "X-Y"])
def test_a_method_that_an_address_does_not_take(
    installation: Installation, path: str, method: str
) -> None:
    if method in methods(path):
        return
    answered = installation.open(re.sub(r"{\w+}", "x", path), method)
    refused(answered, 405, "method-not-allowed")
    allowed = set(answered.headers["Allow"].split(", "))
    assert allowed - {"HEAD", "OPTIONS"} == methods(path)


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/v1",
        "/v1/",
        "/v2/me",
        "/v1/Me",
        "/v1/visitor",
        "/v1/visitor/",
        "/v1/store",
        "/wp-login.php",
        "/.env",
        "/../etc/passwd",
        "/%2e%2e/etc/passwd",
        "/v1//me",
        "//v1/me",
        "/demo/",
        "/metrics",
        "/\0",
        "/%ff",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_an_address_that_is_not_there(installation: Installation, path: str, method: str) -> None:
    answered = installation.open(path, method, described=False)
    refused(answered, 404, "not-found")


@pytest.mark.parametrize("path", ["/healthz", "/openapi.json", "/docs", "/plugin.zip"])
def test_a_head_is_a_get_without_its_body(installation: Installation, path: str) -> None:
    got, head = installation.open(path), installation.open(path, "HEAD")
    assert (head.status_code, head.data) == (200, b"")
    assert head.headers["Content-Type"] == got.headers["Content-Type"]


def test_a_head_is_signed_as_a_head(store: Store) -> None:
    assert store.request("HEAD", "/v1/store/status").status_code == 200


@pytest.mark.parametrize("path", PATHS)
def test_what_may_be_asked_of_an_address(installation: Installation, path: str) -> None:
    answered = installation.open(re.sub(r"{\w+}", "x", path), "OPTIONS")
    assert answered.status_code in (200, 204)
    assert answered.data == b""


def test_every_answer_has_the_id_of_its_request(installation: Installation) -> None:
    answered = installation.open("/nowhere")
    assert answered.headers["X-Request-Id"] == answered.get_json()["request_id"]
    first, second = installation.open("/healthz"), installation.open("/healthz")
    assert first.headers["X-Request-Id"] != second.headers["X-Request-Id"]


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ("req_0123456789", True),
        ("4bf92f35-77b3-4da6-a3ce-929d0e0e4736", True),
        ("short", False),
        ("x" * 129, False),
        ("<script>alert(1)</script>", False),
        ("\xe9" * 10, False),
    ],
)
def test_a_proxys_id_is_taken_over_if_it_is_one(
    installation: Installation, given: str, taken: bool
) -> None:
    answered = installation.open("/nowhere", headers={"X-Request-Id": given})
    assert (answered.get_json()["request_id"] == given) == taken


@pytest.mark.parametrize("path", ["/healthz", "/nowhere", "/docs", "/v1/me", "/plugin.zip"])
def test_no_browser_guesses_what_an_answer_is(installation: Installation, path: str) -> None:
    answered = installation.open(path, headers={"Origin": SHOP})
    assert answered.headers["X-Content-Type-Options"] == "nosniff"

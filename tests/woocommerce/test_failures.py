"""What each failure to ask a store is called, and that it says nothing of whom or with what."""

from __future__ import annotations

import traceback
from datetime import timedelta

import pytest
import requests
import responses

from bridge.domain.customer import Subject
from bridge.ports import LookUpError, LookUpProblem, StoreAccess
from tests.woocommerce.asking import (
    BY_EMAIL,
    BY_USER,
    CUSTOMER,
    CUSTOMERS,
    ORDERS,
    REST,
    by_kind,
    failure,
    says,
)

KEY, NONE, BUSY, BROKEN, AWAY = (
    LookUpProblem.KEY_REFUSED,
    LookUpProblem.NOT_INSTALLED,
    LookUpProblem.BUSY,
    LookUpProblem.BROKEN,
    LookUpProblem.UNREACHABLE,
)
HTML = "<html>Käse</html>"
NO_ROUTE = '{"code": "rest_no_route", "message": "No route", "data": {"status": 404}}'
MOVED = "it answered {}: redirects are not followed"


@by_kind
@pytest.mark.parametrize(
    ("status", "headers", "body", "problem", "reason", "seconds"),
    [
        (401, {}, HTML, KEY, "it answered 401", None),
        (403, {}, '{"code": "woocommerce_rest_cannot_view"}', KEY, "it answered 403", None),
        (404, {}, NO_ROUTE, NONE, "it answered 404", None),
        (404, {}, HTML, NONE, "it answered 404", None),
        (404, {"Content-Encoding": "gzip"}, HTML, NONE, "it answered 404", None),
        (404, {}, '["woocommerce_rest_invalid_id"]', NONE, "it answered 404", None),
        (429, {"Retry-After": "30"}, "", BUSY, "it answered 429", 30),
        (429, {"Retry-After": "Tue, 01 Jan 2030 12:01:00 GMT"}, "", BUSY, "it answered 429", 60),
        (429, {}, HTML, BUSY, "it answered 429", None),
        (503, {"Retry-After": "600"}, HTML, BUSY, "it answered 503", 600),
        (503, {"Retry-After": "soon"}, HTML, BROKEN, "it answered 503", None),
        (503, {}, HTML, BROKEN, "it answered 503", None),
        (500, {"Retry-After": "30"}, NO_ROUTE, BROKEN, "it answered 500", None),
        (502, {}, HTML, BROKEN, "it answered 502", None),
        (400, {}, NO_ROUTE, BROKEN, "it does not take what it was asked", None),
        (204, {}, "", BROKEN, "it answered 204", None),
        (301, {"Location": "https://elsewhere.example/"}, "", BROKEN, MOVED.format(301), None),
        (307, {"Location": "/there"}, "", BROKEN, MOVED.format(307), None),
        (302, {"Location": "http://[x"}, "", BROKEN, MOVED.format(302), None),
        (304, {}, "", BROKEN, MOVED.format(304), None),
        (200, {}, HTML, BROKEN, "its answer is of no use: it is no JSON", None),
        (200, {}, "", BROKEN, "its answer is of no use: it is no JSON", None),
        (200, {}, "[" * 200_000, BROKEN, None, None),
        (200, {}, '{"id": ' + "[" * 200_000, BROKEN, None, None),
        (200, {}, '{"x": ' + '{"x":' * 200_000, BROKEN, None, None),
        (200, {}, '[{"id": "\ud800"}]'.encode("utf-8", "surrogatepass"), BROKEN, None, None),
        (200, {}, '"text"', BROKEN, None, None),
        (200, {}, "null", BROKEN, None, None),
        (200, {"Content-Encoding": "gzip"}, "[]", BROKEN, None, None),
        (200, {}, " " * (2 * 1024 * 1024) + "[]", BROKEN, "its answer is too large", None),
    ],
)
def test_what_each_failure_is_called(
    web: responses.RequestsMock,
    subject: Subject,
    status: int,
    headers: dict[str, str],
    body: str | bytes,
    problem: LookUpProblem,
    reason: str | None,
    seconds: int | None,
) -> None:
    for route in (CUSTOMER, CUSTOMERS, ORDERS, BY_EMAIL):
        web.get(
            f"{REST}{route}",
            status=status,
            headers=headers,
            body=body,
            auto_calculate_content_length=True,
        )
    failed = failure(subject)
    assert failed.problem is problem
    assert failed.reason == (reason or failed.reason)
    assert failed.retry_after == (None if seconds is None else timedelta(seconds=seconds))
    assert_says_nothing_personal(failed)


@by_kind
@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (requests.ConnectionError("shop.example"), "the connection broke off"),
        (requests.Timeout("shop.example"), "no answer in time"),
        (requests.exceptions.SSLError("shop.example"), "its certificate is not accepted"),
        (requests.exceptions.InvalidURL("shop.example"), "its address cannot be called"),
    ],
)
def test_a_store_that_is_not_reached(
    web: responses.RequestsMock, subject: Subject, error: Exception, reason: str
) -> None:
    for route in (CUSTOMER, CUSTOMERS, ORDERS, BY_EMAIL):
        web.get(f"{REST}{route}", body=error)
    failed = failure(subject)
    assert (failed.problem, failed.reason) == (AWAY, reason)
    assert_says_nothing_personal(failed)


@pytest.mark.parametrize(
    "rest_url",
    [
        "https://[::1/",
        "https://" + "a" * 70 + ".example/",
        "x",
        "",
        "ftp://shop.example/",
        "http://\n",
    ],
)
@by_kind
def test_an_address_that_is_none(subject: Subject, rest_url: str) -> None:
    failed = failure(subject, StoreAccess(rest_url, "ck_the_key", "cs_the_secret"))
    assert failed.problem is AWAY
    assert failed.reason in ("its address cannot be called", "its name leads to no address")
    assert_says_nothing_personal(failed)


@by_kind
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_private_address_is_not_called(subject: Subject, scheme: str) -> None:
    access = StoreAccess(f"{scheme}://127.0.0.1/wp-json/", "ck_the_key", "cs_the_secret")
    failed = failure(subject, access)
    assert (failed.problem, failed.reason) == (AWAY, "its address is not public")
    assert_says_nothing_personal(failed)


@by_kind
def test_the_later_requests_may_fail_too(web: responses.RequestsMock, subject: Subject) -> None:
    says(web, CUSTOMER, {"id": 2})
    says(web, CUSTOMERS, [])
    for route in (BY_USER, BY_EMAIL):
        says(web, route, {}, status=403)
    says(web, ORDERS, {}, status=401)
    assert failure(subject).problem is KEY


@by_kind
def test_analytics_that_are_broken_are_not_missing(
    web: responses.RequestsMock, subject: Subject
) -> None:
    says(web, CUSTOMER, {"id": 2})
    says(web, CUSTOMERS, [])
    for route in (BY_USER, BY_EMAIL):
        says(web, route, {}, status=500)
    assert failure(subject).problem is BROKEN


def assert_says_nothing_personal(error: LookUpError) -> None:
    told = [str(error), repr(error), error.reason, *traceback.format_exception(error)]
    for secret in ("ck_the_key", "cs_the_secret", "example.test", "shop.example", "customers/2"):
        assert not any(secret in each for each in told)

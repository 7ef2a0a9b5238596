"""Asks a store's REST API, with the key that its owner gave.

``woocommerce.API`` is not used: it calls ``/wp-json/`` alone, connects to whatever address the name
leads to by then, follows redirects, and reads an answer of any size for any time
(``docs/decisions/0007-asking-woocommerce.md``). What it knows of signing is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic
from urllib.parse import quote

import requests
from requests.auth import HTTPBasicAuth
from urllib3.exceptions import HTTPError, ReadTimeoutError
from woocommerce.oauth import OAuth  # type: ignore[import-untyped]  # it comes without types

from bridge.ports import LookUpError, LookUpProblem, StoreAccess, StoreCallError
from bridge.stores.addresses import address_of
from bridge.stores.exchange import HEADERS, TOO_LATE, retry_after, send
from bridge.stores.line import Line
from bridge.woocommerce.answers import Shape, decode, error_code

REQUEST_SECONDS = 5.0
"""The longest that one request takes."""

MOST_READ = 2 * 1024 * 1024
"""The longest answer, in bytes."""

_PIECE = 64 * 1024

_REFUSALS = {
    401: LookUpProblem.KEY_REFUSED,
    403: LookUpProblem.KEY_REFUSED,
    404: LookUpProblem.NOT_INSTALLED,
}


class RefusedError(LookUpError):
    """The store answered that this may not be asked (401, 403), or that it is not there (404);
    ``code`` is WordPress' word for why, if it was WordPress that answered."""

    def __init__(self, status: int, code: str | None) -> None:
        super().__init__(_REFUSALS[status], f"it answered {status}")
        self.status = status
        self.code = code


@dataclass(frozen=True, slots=True)
class Answer(Generic[Shape]):
    """What a store answered; ``total`` is how many there are of what is a page of, if it says."""

    content: Shape
    total: int | None


@dataclass(frozen=True, slots=True)
class RestApi:
    """A store's REST API, as it is asked at ``now``."""

    store: StoreAccess
    now: datetime
    allow_private: bool
    verify: str | bool

    def get(self, route: str, query: Mapping[str, str], shape: type[Shape]) -> Answer[Shape]:
        """The answer of ``route`` ("wc/v3/orders") to ``query``.

        Raises :class:`RefusedError`, or :class:`LookUpError` for any other answer than one of that
        ``shape``, and for none.
        """
        request = self._request(route, query)
        try:
            with (
                Line(allow_private=self.allow_private, seconds=REQUEST_SECONDS) as line,
                send(line, request, REQUEST_SECONDS, verify=self.verify) as answer,
            ):
                self._require_success(answer, line)
                return Answer(_content(_body(answer, line), shape), _total(answer))
        except StoreCallError as error:
            raise LookUpError(LookUpProblem.UNREACHABLE, error.reason) from None

    def _request(self, route: str, query: Mapping[str, str]) -> requests.Request:
        try:
            address = address_of(self.store.rest_url, route, list(query.items()))
        except ValueError:
            raise LookUpError(LookUpProblem.UNREACHABLE, "its address cannot be called") from None
        headers = {**HEADERS, "Accept": "application/json"}
        key, secret = self.store.consumer_key, self.store.consumer_secret
        if address.startswith("https:"):
            auth = HTTPBasicAuth(key.encode(), secret.encode())
            return requests.Request("GET", address, headers, auth=auth)
        # Anybody may read what goes over plain HTTP: the secret signs, and stays here.
        at = int(self.now.timestamp())
        signed = _Signing(address, key, secret, version="wc/v3", method="GET", oauth_timestamp=at)
        return requests.Request("GET", signed.get_oauth_url(), headers)

    def _require_success(self, answer: requests.Response, line: Line) -> None:
        status = answer.status_code
        if status == 200:
            return
        if 300 <= status < 400:
            reason = f"it answered {status}: redirects are not followed"
            raise LookUpError(LookUpProblem.BROKEN, reason)
        if status in _REFUSALS:
            raise RefusedError(status, _code(answer, line))
        if status == 400:
            reason = "it does not take what it was asked"
            raise LookUpError(LookUpProblem.BROKEN, reason, of_customer=True)
        wait = retry_after(answer, self.now)
        busy = status == 429 or (status == 503 and wait is not None)
        problem = LookUpProblem.BUSY if busy else LookUpProblem.BROKEN
        raise LookUpError(problem, f"it answered {status}", wait if busy else None)


class _Signing(OAuth):  # type: ignore[misc]  # the class it derives from comes without types
    """OAuth 1.0a as WooCommerce checks it."""

    @staticmethod
    def normalize_parameters(params: Mapping[str, Any]) -> dict[str, str]:
        """Names and values, encoded twice. The package leaves the slashes of a ``rest_route`` as
        they are, and takes a ``%`` for an encoding; WooCommerce does neither."""
        return {_twice(name): _twice(str(value)) for name, value in params.items()}


def _twice(text: str) -> str:
    return quote(quote(text, safe=""), safe="")


def _code(answer: requests.Response, line: Line) -> str | None:
    try:
        return error_code(_body(answer, line))
    except LookUpError:
        # That it refuses is clear without its reasons.
        return None


def _body(answer: requests.Response, line: Line) -> bytes:
    if answer.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise LookUpError(LookUpProblem.BROKEN, "its answer is packed, which was not asked for")
    body = b""
    try:
        # Piece by piece: of one that ends too early, only the next piece tells.
        while len(body) <= MOST_READ and (piece := answer.raw.read(_PIECE)):
            body += piece
    except ReadTimeoutError:
        raise StoreCallError(TOO_LATE) from None
    except (HTTPError, OSError):
        if line.hung_up:
            raise StoreCallError(TOO_LATE) from None
        raise LookUpError(LookUpProblem.BROKEN, "its answer broke off") from None
    if line.hung_up:
        raise StoreCallError(TOO_LATE)
    if len(body) > MOST_READ:
        raise LookUpError(LookUpProblem.BROKEN, "its answer is too large")
    return body


def _content(body: bytes, shape: type[Shape]) -> Shape:
    try:
        return decode(body, shape)
    except ValueError as error:
        raise LookUpError(LookUpProblem.BROKEN, f"its answer is of no use: {error}") from None


def _total(answer: requests.Response) -> int | None:
    total = answer.headers.get("X-WP-Total", "")
    return int(total) if re.fullmatch(r"[0-9]{1,12}", total) else None

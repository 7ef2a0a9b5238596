"""Calls stores over HTTP, signed by Standard Webhooks."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import requests
from urllib3.exceptions import HTTPError

from bridge import __version__
from bridge.ports import StoreCall, StoreCallError
from bridge.stores.line import CONNECT_SECONDS, Line, LineAdapter
from bridge.webhooks import sign

ROUTE = "chat-presence-bridge/v1/bridge"
"""Where the plugin listens, under the store's REST address."""

READ_SECONDS = 5.0
CALL_SECONDS = 12.0
"""The longest that one call takes, looking up its address apart."""

_MOST_READ = 16 * 1024
_BUSY = (429, 503)
_TOO_LATE = "no answer in time"


class HttpStoreCaller:
    """Implements :class:`bridge.ports.StoreCaller`. It never follows a redirect, and calls public
    addresses alone unless ``allow_private``."""

    def __init__(self, *, allow_private: bool) -> None:
        self._allow_private = allow_private

    def call(self, rest_url: str, keys: Sequence[bytes], call: StoreCall, now: datetime) -> None:
        """See :meth:`bridge.ports.StoreCaller.call`."""
        timestamp = int(now.timestamp())
        headers = {
            "Accept-Encoding": "identity",
            "Bridge-Site": call.site,
            "Connection": "close",
            "Content-Type": "application/json",
            "User-Agent": f"chat-presence-bridge/{__version__}",
            "webhook-id": call.id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": " ".join(sign(key, call.id, timestamp, call.body) for key in keys),
        }
        with Line(allow_private=self._allow_private, seconds=CALL_SECONDS) as line:
            try:
                _post(line, endpoint(rest_url), call.body, headers, now)
            except requests.RequestException as error:
                reason = _TOO_LATE if line.hung_up else _reason(error)
                raise StoreCallError(reason) from error
            except (HTTPError, ValueError) as error:
                # What is thought of an address that was good when the store connected.
                raise StoreCallError("its address cannot be called") from error


def endpoint(rest_url: str) -> str:
    """The plugin's address under ``rest_url``, which names its route in the query where the store
    has plain permalinks."""
    parts = urlsplit(rest_url)
    query = parse_qsl(parts.query, keep_blank_values=True)
    path = parts.path
    if any(name == "rest_route" for name, _ in query):
        query = [(name, _joined(value) if name == "rest_route" else value) for name, value in query]
    else:
        path = _joined(path)
    return urlunsplit((parts.scheme, parts.netloc, path, urlencode(query, safe="/"), ""))


def _joined(root: str) -> str:
    return f"{root.rstrip('/')}/{ROUTE}"


def _post(line: Line, url: str, body: bytes, headers: dict[str, str], now: datetime) -> None:
    with requests.Session() as session:
        # No proxy, and no credential from a netrc file.
        session.trust_env = False
        for scheme in ("http://", "https://"):
            session.mount(scheme, LineAdapter(line))
        answer = session.post(
            url,
            data=body,
            headers=headers,
            timeout=(CONNECT_SECONDS, READ_SECONDS),
            allow_redirects=False,
            stream=True,
        )
        with answer:
            if line.hung_up:
                # Half of a head can be taken for a whole one.
                raise StoreCallError(_TOO_LATE)
            # What it says does not matter, but a store that is cut short may log an error.
            with suppress(HTTPError, OSError):
                answer.raw.read(_MOST_READ)
            _require_success(answer, now)


def _require_success(answer: requests.Response, now: datetime) -> None:
    status = answer.status_code
    if 200 <= status < 300:
        return
    if 300 <= status < 400:
        raise StoreCallError(f"it answered {status}: redirects are not followed")
    wait = _retry_after(answer.headers.get("Retry-After"), now) if status in _BUSY else None
    raise StoreCallError(f"it answered {status}", wait)


def _retry_after(value: str | None, now: datetime) -> timedelta | None:
    """What a ``Retry-After`` asks for, in seconds or as a date; ``None`` if it is neither."""
    if value is None:
        return None
    if re.fullmatch(r"[0-9]{1,9}", value):
        return timedelta(seconds=int(value))
    try:
        at = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max((at if at.tzinfo else at.replace(tzinfo=UTC)) - now, timedelta())


def _reason(error: requests.RequestException) -> str:
    """In our own words: what the library says quotes the address."""
    if isinstance(error, requests.exceptions.SSLError):
        return "its certificate is not accepted"
    if isinstance(error, requests.Timeout):
        return _TOO_LATE
    if isinstance(error, requests.ConnectionError):
        return "the connection broke off"
    return "its address cannot be called"

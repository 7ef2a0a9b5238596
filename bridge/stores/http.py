"""Calls stores over HTTP, signed by Standard Webhooks."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime

import requests
from urllib3.exceptions import HTTPError

from bridge.ports import StoreCall, StoreCallError
from bridge.stores.addresses import address_of
from bridge.stores.exchange import HEADERS, retry_after, send
from bridge.stores.line import Line
from bridge.webhooks import sign

ROUTE = "chat-presence-bridge/v1/bridge"
"""Where the plugin listens, under the store's REST address."""

READ_SECONDS = 5.0
CALL_SECONDS = 12.0
"""The longest that one call takes."""

_MOST_READ = 16 * 1024
_BUSY = (429, 503)


class HttpStoreCaller:
    """Implements :class:`bridge.ports.StoreCaller`. It never follows a redirect, and calls public
    addresses alone unless ``allow_private``."""

    def __init__(self, *, allow_private: bool) -> None:
        self._allow_private = allow_private

    def call(self, rest_url: str, keys: Sequence[bytes], call: StoreCall, now: datetime) -> None:
        """See :meth:`bridge.ports.StoreCaller.call`."""
        timestamp = int(now.timestamp())
        headers = {
            **HEADERS,
            "Bridge-Site": call.site,
            "Content-Type": "application/json",
            "webhook-id": call.id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": " ".join(sign(key, call.id, timestamp, call.body) for key in keys),
        }
        request = requests.Request("POST", endpoint(rest_url), headers, data=call.body)
        with Line(allow_private=self._allow_private, seconds=CALL_SECONDS) as line:
            answer = send(line, request, READ_SECONDS)
            with answer:
                # What it says does not matter, but a store that is cut short may log an error.
                with suppress(HTTPError, OSError):
                    answer.raw.read(_MOST_READ)
                _require_success(answer, now)


def endpoint(rest_url: str) -> str:
    """The plugin's address under ``rest_url``. Raises :class:`StoreCallError` if that is none."""
    try:
        return address_of(rest_url, ROUTE)
    except ValueError:
        raise StoreCallError("its address cannot be called") from None


def _require_success(answer: requests.Response, now: datetime) -> None:
    status = answer.status_code
    if 200 <= status < 300:
        return
    if 300 <= status < 400:
        raise StoreCallError(f"it answered {status}: redirects are not followed")
    wait = retry_after(answer, now) if status in _BUSY else None
    raise StoreCallError(f"it answered {status}", wait)

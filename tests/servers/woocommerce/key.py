"""How the simulated WooCommerce checks a REST key: as ``WC_REST_Authentication`` does, written anew
from what that does and with nothing of the bridge's."""

from __future__ import annotations

import base64
import hashlib
import hmac
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

WINDOW_SECONDS = 15 * 60
_OAUTH = tuple(
    f"oauth_{name}"
    for name in ("consumer_key", "timestamp", "nonce", "signature", "signature_method")
)
_INVALID = "woocommerce_rest_authentication_error"


class RejectedError(Exception):
    """WordPress' error; an anonymous request is rejected by each route in its own words."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass
class RestKey:
    """A REST key with the permission to read."""

    consumer_key: str
    consumer_secret: str
    _nonces: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def check(
        self,
        method: str,
        address: str,
        query: Mapping[str, str],
        authorization: str | None,
        now: float,
    ) -> bool:
        """Whether the request is the key's; ``False`` if it is anonymous.

        ``address`` is without query. Raises :class:`RejectedError` for bad credentials, and for
        what the key may not do.
        """
        if address.startswith("https:"):
            known = self._is_basic(authorization)
        else:
            known = self._is_signed(method, address, query, now)
        if known and method not in {"GET", "HEAD"}:
            message = "The API key provided does not have write permissions."
            raise RejectedError(_INVALID, message)
        return known

    def _is_basic(self, authorization: str | None) -> bool:
        scheme, _, encoded = (authorization or "").partition(" ")
        if scheme.lower() != "basic":
            return False
        key, _, secret = base64.b64decode(encoded).decode().partition(":")
        if key != self.consumer_key:
            return False
        if secret != self.consumer_secret:
            raise RejectedError(_INVALID, "Consumer secret is invalid.")
        return True

    def _is_signed(self, method: str, address: str, query: Mapping[str, str], now: float) -> bool:
        missing = [name for name in _OAUTH if not query.get(name)]
        if len(missing) == len(_OAUTH):
            return False
        if missing:
            message = f"Missing OAuth parameters {', '.join(missing)}"
            raise RejectedError("woocommerce_rest_authentication_missing_parameter", message)
        if query["oauth_consumer_key"] != self.consumer_key:
            raise RejectedError(_INVALID, "Consumer key is invalid.")
        if not hmac.compare_digest(
            query["oauth_signature"], self._signature(method, address, query)
        ):
            message = "Invalid signature - provided signature does not match."
            raise RejectedError(_INVALID, message)
        if abs(int(query["oauth_timestamp"]) - now) > WINDOW_SECONDS:
            raise RejectedError(_INVALID, "Invalid timestamp.")
        with self._lock:
            if query["oauth_nonce"] in self._nonces:
                message = "Invalid nonce - nonce has already been used."
                raise RejectedError(_INVALID, message)
            self._nonces.add(query["oauth_nonce"])
        return True

    def _signature(self, method: str, address: str, query: Mapping[str, str]) -> str:
        if query["oauth_signature_method"] != "HMAC-SHA256":
            raise RejectedError(_INVALID, "Invalid signature - signature method is invalid.")
        # Encoded one by one, joined, and all of it encoded again.
        signed = "&".join(
            f"{quote(name, safe='~')}={quote(query[name], safe='~')}"
            for name in sorted(query)
            if name != "oauth_signature"
        )
        text = "&".join((method, quote(address, safe="~"), quote(signed, safe="~")))
        key = f"{self.consumer_secret}&".encode()
        return base64.b64encode(hmac.digest(key, text.encode(), hashlib.sha256)).decode()

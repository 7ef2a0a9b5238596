"""How the shop's REST API knows the bridge: by its read-only key, as WooCommerce checks one.

Over HTTPS the key comes as user and password (Basic); over plain HTTP each request is signed with
it by OAuth 1.0a.
"""

import base64
import hashlib
import hmac
import threading
from collections.abc import Mapping
from urllib.parse import quote

from werkzeug.wrappers import Request

WINDOW_SECONDS = 15 * 60


class RestKey:
    """A key with the permission to read.

    :param consumer_key: names it.
    :param consumer_secret: signs, and over plain HTTP is never sent.
    """

    def __init__(self, consumer_key: str, consumer_secret: str) -> None:
        self._key = consumer_key
        self._secret = consumer_secret
        self._lock = threading.Lock()
        self._nonces: dict[str, float] = {}

    def refuse(self, asked: Request, now: float) -> str | None:
        """Why a request is not this key's; ``None`` if it is.

        :param asked: the request.
        :param now: in unix seconds.
        """
        if asked.is_secure:
            return self._refuse_basic(asked)
        return self._refuse_signed(asked, now)

    def _refuse_basic(self, asked: Request) -> str | None:
        given = asked.authorization
        user, password = (given.username, given.password) if given else (None, None)
        if not _same(user, self._key):
            return "Consumer key is invalid."
        return None if _same(password, self._secret) else "Consumer secret is invalid."

    def _refuse_signed(self, asked: Request, now: float) -> str | None:
        query = asked.args.to_dict()
        signature = query.pop("oauth_signature", None)
        if not _same(query.get("oauth_consumer_key"), self._key):
            return "Consumer key is invalid."
        expected = _signature(asked.method, asked.base_url, query, self._secret)
        if query.get("oauth_signature_method") != "HMAC-SHA256" or not _same(signature, expected):
            return "Invalid signature - provided signature does not match."
        timestamp = query.get("oauth_timestamp", "")
        in_time = timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12
        if not in_time or abs(now - int(timestamp)) > WINDOW_SECONDS:
            return "Invalid timestamp."
        return self._refuse_again(query.get("oauth_nonce", ""), now)

    def _refuse_again(self, nonce: str, now: float) -> str | None:
        """Refuse a request that came before: what was overheard is of no use."""
        oldest = now - 2 * WINDOW_SECONDS
        with self._lock:
            self._nonces = {each: at for each, at in self._nonces.items() if at > oldest}
            if not nonce or nonce in self._nonces:
                return "Invalid nonce - nonce has already been used."
            self._nonces[nonce] = now
        return None


def _signature(method: str, address: str, query: Mapping[str, str], secret: str) -> str:
    # WooCommerce encodes names and values once by themselves and once as part of the whole, and
    # the signs between them only as part of the whole.
    pairs = (f"{_twice(name)}%3D{_twice(value)}" for name, value in sorted(query.items()))
    signed = f"{method}&{quote(address, safe='')}&{'%26'.join(pairs)}"
    digest = hmac.digest(f"{secret}&".encode(), signed.encode(), hashlib.sha256)
    return base64.b64encode(digest).decode()


def _twice(text: str) -> str:
    return quote(quote(text, safe=""), safe="")


def _same(given: str | None, expected: str) -> bool:
    return given is not None and hmac.compare_digest(given.encode(), expected.encode())

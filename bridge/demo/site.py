"""Who the demo's shop is to the bridge, and how it proves that (api.md, Three callers)."""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import jwt
from itsdangerous import BadSignature, Signer
from werkzeug.datastructures import Headers

from bridge.demo.orders import Customer
from bridge.webhooks import OWN_ID_PREFIX, TOLERANCE, sign, verify

TOKEN_LIFETIME = timedelta(hours=24)


@dataclass(frozen=True)
class DemoSite:
    """The demo's site.

    :param site_id: the bridge's id of it, ``st_…``.
    :param secret: the site's secret, decoded: the key of every signature.
    :param agent_token: a paired device's token for the page that shows what an agent sees, if any.
    """

    site_id: str
    secret: bytes = field(repr=False)
    agent_token: str | None = field(default=None, repr=False)

    @property
    def woocommerce(self) -> dict[str, str]:
        """The read-only key to the shop's WooCommerce and the secret of its webhooks, as the store
        gives them to the bridge on connecting. They follow from the site's secret, so that they
        last as long as it does and are kept nowhere else."""
        return {
            "consumer_key": f"ck_{self._derived('consumer key')}",
            "consumer_secret": f"cs_{self._derived('consumer secret')}",
            "webhook_secret": self._derived("webhook secret"),
        }

    def visitor_token(
        self, visitor: str, now: datetime, customer: Customer | None = None
    ) -> tuple[str, datetime]:
        """A visitor's JWT.

        :param visitor: the visitor's id.
        :param now: aware, UTC.
        :param customer: who is signed in, if anybody (C1).
        :returns: the token, and when it ends.
        """
        expires_at = now + TOKEN_LIFETIME
        claims = {"aud": "visitor", "sub": visitor, "iat": now, "exp": expires_at}
        if customer is not None:
            claims["customer"] = customer.described
        token = jwt.encode(claims, self.secret, algorithm="HS256", headers={"kid": self.site_id})
        return token, expires_at

    def sign(self, body: bytes, now: datetime) -> dict[str, str]:
        """The headers with which the store vouches for a request (Standard Webhooks).

        :param body: the raw bytes that will be sent.
        :param now: aware, UTC.
        """
        webhook_id = f"msg_{secrets.token_urlsafe(16)}"
        timestamp = int(now.timestamp())
        return {
            "Content-Type": "application/json",
            "Bridge-Site": self.site_id,
            "webhook-id": webhook_id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": sign(self.secret, webhook_id, timestamp, body),
        }

    def is_bridge(self, headers: Headers, body: bytes, now: datetime) -> bool:
        """Whether the bridge itself signed a call: a fresh one, with an id of its own.

        :param headers: of the request.
        :param body: its raw bytes.
        :param now: aware, UTC.
        """
        webhook_id, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
        if not webhook_id.startswith(OWN_ID_PREFIX) or not re.fullmatch("[0-9]{1,12}", timestamp):
            return False
        if abs(now.timestamp() - int(timestamp)) > TOLERANCE.total_seconds():
            return False
        signatures = headers.get("webhook-signature", "")
        return verify([self.secret], webhook_id, int(timestamp), body, signatures)

    def seal(self, cookie: str, value: str) -> str:
        """What goes into the cookie of this name: signed, so that nobody picks another's."""
        return self._signer(cookie).sign(value).decode()

    def unseal(self, cookie: str, given: str | None) -> str | None:
        """What :meth:`seal` was given; ``None`` if there is no cookie or it is not ours."""
        try:
            return self._signer(cookie).unsign(given or "").decode()
        except BadSignature:
            return None

    def _signer(self, cookie: str) -> Signer:
        return Signer(self.secret, salt=f"demo {cookie} cookie", digest_method=hashlib.sha256)

    def _derived(self, purpose: str) -> str:
        return hmac.digest(self.secret, f"demo {purpose}".encode(), hashlib.sha256).hex()[:40]

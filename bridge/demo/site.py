"""Who the demo's shop is to the bridge, and how it proves that (api.md, Three callers)."""

import hashlib
import json
import re
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import jwt
from itsdangerous import BadSignature, Signer
from werkzeug.datastructures import Headers

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

    def visitor_token(self, visitor: str, now: datetime) -> tuple[str, datetime]:
        """A visitor's JWT.

        :param visitor: the visitor's id.
        :param now: aware, UTC.
        :returns: the token, and when it ends.
        """
        expires_at = now + TOKEN_LIFETIME
        claims = {"aud": "visitor", "sub": visitor, "iat": now, "exp": expires_at}
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

    def seal(self, visitor: str) -> str:
        """The visitor's id as it goes into the cookie: signed, so that nobody picks another's."""
        return self._signer.sign(visitor).decode()

    def unseal(self, cookie: str | None) -> str | None:
        """The visitor's id from the cookie; ``None`` if there is none or it is not ours."""
        try:
            return self._signer.unsign(cookie or "").decode()
        except BadSignature:
            return None

    @property
    def _signer(self) -> Signer:
        return Signer(self.secret, salt="demo visitor cookie", digest_method=hashlib.sha256)


def bot_message_event(
    conversation: str, visitor: str | None, message: str, text: str
) -> dict[str, Any]:
    """The store's event for what its bot answered.

    :param conversation: the widget's id of the chat.
    :param visitor: whose chat it is, where the store knows.
    :param message: the id of the visitor's message that it answers; an answer that is asked for
        twice then has the same id, and is told once (M1).
    :param text: the answer.
    """
    event: dict[str, Any] = {
        "id": f"bot-{message}",
        "type": "message",
        "conversation": conversation,
        "message": {"id": f"bot-{message}", "author": "bot", "text": text},
    }
    if visitor is not None:
        event["visitor"] = visitor
    return event


def events_body(*events: dict[str, Any]) -> bytes:
    """The body of ``POST /v1/store/events``."""
    return json.dumps({"events": events}).encode()

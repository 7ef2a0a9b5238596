"""The plugin's PHP, as the bridge sees it: requests that carry a Standard Webhooks signature."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from werkzeug.test import TestResponse

from tests.api.device import RIGHTS, App
from tests.api.visitor import Visitor, message

if TYPE_CHECKING:
    from tests.api.installation import Installation


class Store:
    """One connected store. ``skew`` is how far its clock is ahead of the bridge's."""

    def __init__(self, installation: Installation, site: str, secret: str, origin: str) -> None:
        self.installation = installation
        self.site = site
        self.secret = secret
        self.origin = origin
        self.skew = timedelta()

    @property
    def now(self) -> datetime:
        """The time by the store's clock."""
        return self.installation.clock.now + self.skew

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        webhook_id: str | None = None,
        headers: Mapping[str, str] | None = None,
        **request: Any,
    ) -> TestResponse:
        """A signed request; ``headers`` take the place of those that signing would set."""
        content = body if isinstance(body, bytes) else b"" if body is None else encode(body)
        webhook_id = webhook_id or f"msg_{secrets.token_hex(8)}"
        signed = self.signed(content or f"{method} {path}".encode(), webhook_id)
        if content:
            signed["Content-Type"] = "application/json"
        return self.installation.open(
            path, method, data=content or None, headers={**signed, **(headers or {})}, **request
        )

    def signed(self, content: bytes, webhook_id: str, stamp: int | None = None) -> dict[str, str]:
        """The headers that sign ``content``."""
        stamp = int(self.now.timestamp()) if stamp is None else stamp
        return {
            "Bridge-Site": self.site,
            "webhook-id": webhook_id,
            "webhook-timestamp": str(stamp),
            "webhook-signature": signature(self.secret, webhook_id, stamp, content),
        }

    def get(self, path: str, **request: Any) -> TestResponse:
        """A signed GET."""
        return self.request("GET", path, **request)

    def send(self, *events: Mapping[str, Any], **request: Any) -> TestResponse:
        """Send a batch of events."""
        return self.request("POST", "/v1/store/events", {"events": list(events)}, **request)

    def results(self, *events: Mapping[str, Any], **request: Any) -> list[dict[str, Any]]:
        """Send a batch of events that is answered, and return what became of each."""
        answered = self.send(*events, **request)
        assert answered.status_code == 200, answered.get_data(as_text=True)
        results: list[dict[str, Any]] = answered.json["results"]  # type: ignore[index]  # held to the description
        return results

    def outcome(self, happened: Mapping[str, Any]) -> tuple[str, str]:
        """Send one event; status and code of what became of it."""
        [result] = self.results(happened)
        return result["status"], result.get("code", "")

    def begin(self, *conversations: str) -> None:
        """Conversations that nobody is in, each a second younger than the one before."""
        for conversation in conversations:
            self.installation.clock.advance(seconds=1)
            self.results(message(conversation, visitor=f"v_{conversation}", author="bot"))

    def offer(
        self, agent: str = "1", name: str = "Sam", rights: tuple[str, ...] = RIGHTS
    ) -> dict[str, Any]:
        """A pairing code for an agent."""
        body = {"agent": {"id": agent, "name": name}, "rights": rights}
        answered = self.request("POST", "/v1/store/pairings", body)
        assert answered.status_code == 200, answered.get_data(as_text=True)
        offered: dict[str, Any] = answered.json or {}
        return offered

    def app(self, agent: str = "1", name: str = "Sam", rights: tuple[str, ...] = RIGHTS) -> App:
        """An agent's app, paired with this store."""
        code = self.offer(agent, name, rights)["code"]
        return App.paired(self.installation, code)

    def visitor(self, visitor: str = "v_jane") -> Visitor:
        """A visitor of this store."""
        return Visitor(self.installation, self.site, self.secret, self.origin, visitor)


def signature(secret: str, webhook_id: str, stamp: int, content: bytes) -> str:
    """The signature as Standard Webhooks have it, made apart from the bridge's own code."""
    key = base64.urlsafe_b64decode(secret + "=" * (-len(secret) % 4))
    digest = hmac.new(key, b"%s.%d.%s" % (webhook_id.encode(), stamp, content), hashlib.sha256)
    return f"v1,{base64.b64encode(digest.digest()).decode()}"


def encode(body: Any) -> bytes:
    """A body as JSON."""
    return json.dumps(body).encode()

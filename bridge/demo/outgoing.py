"""What the shop tells the bridge, once the visitor has their answer.

Each call goes to this very server, by its port on the loopback interface and not by the request's
Host header, which says whatever the client likes. Another greenlet answers it, and it waits for
nothing that waits for it: no transaction is open here, and the bridge asks the shop for customers
from the background alone.
"""

import base64
import hashlib
import hmac
import threading
from collections.abc import Callable
from datetime import UTC, datetime

import requests
from flask import request
from werkzeug.wrappers import Response

from bridge.demo.events import Event, events_body
from bridge.demo.site import DemoSite

TIMEOUT_SECONDS = (1, 5)


def bridge_url(path: str) -> str:
    """Where the bridge takes requests of ``path``, which is this server as well."""
    return f"http://127.0.0.1:{request.environ['SERVER_PORT']}{path}"


class Outgoing:
    """Signs and sends; one call after another, so that what happened first is told first."""

    def __init__(self, site: DemoSite) -> None:
        self._site = site
        self._lock = threading.Lock()

    def tell(self, response: Response, *events: Event) -> None:
        """Send ``events`` as the store's PHP does, once ``response`` was sent."""
        body = events_body(*events)
        # Signed when it is sent: it may have to wait.
        self._send_after(
            response, "/v1/store/events", body, lambda: self._site.sign(body, datetime.now(UTC))
        )

    def deliver(self, response: Response, topic: str, body: bytes) -> None:
        """Deliver a webhook as WooCommerce does, once ``response`` was sent.

        :param topic: such as ``order.created``.
        :param body: the order or customer, as the REST API would give it.
        """
        key = self._site.woocommerce["webhook_secret"].encode()
        signature = base64.b64encode(hmac.digest(key, body, hashlib.sha256)).decode()
        headers = {
            "Content-Type": "application/json",
            "X-WC-Webhook-Topic": topic,
            "X-WC-Webhook-Signature": signature,
        }
        path = f"/v1/woocommerce/webhooks/{self._site.site_id}"
        self._send_after(response, path, body, lambda: headers)

    def _send_after(
        self, response: Response, path: str, body: bytes, headers: Callable[[], dict[str, str]]
    ) -> None:
        url = bridge_url(path)

        def send() -> None:
            with self._lock:
                try:
                    requests.post(
                        url,
                        data=body,
                        headers=headers(),
                        timeout=TIMEOUT_SECONDS,
                        allow_redirects=False,
                    )
                except requests.RequestException:
                    return  # The visitor has their answer; an agent will miss this.

        response.call_on_close(send)

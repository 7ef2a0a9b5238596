"""WooCommerce's webhooks: verified, answered at once, worked on later."""

from __future__ import annotations

import base64
import hashlib
import hmac
import logging
from datetime import UTC, datetime

import msgspec
from flask import Blueprint, Response, g, request

from bridge.api import body, limits
from bridge.api.auth import count_failure
from bridge.api.services import Services, services
from bridge.errors import UnauthorizedError, UnavailableError
from bridge.logs import reason_of
from bridge.services.store_changes import DRAFTS, StoreChange

blueprint = Blueprint("woocommerce", __name__)

WEBHOOK_LIMIT = 2 * 1024 * 1024
"""Bytes of a delivery: an order of many lines is within it."""

_log = logging.getLogger("bridge.webhooks")

_PING = b"webhook_id="


class _Billing(msgspec.Struct):
    email: str | None = None


class _Resource(msgspec.Struct):
    """What is read of a customer or an order; a deleted one has its id alone."""

    id: int
    email: str | None = None
    customer_id: int | None = None
    status: str | None = None
    billing: _Billing | None = None
    date_modified_gmt: str | None = None


_resource = msgspec.json.Decoder(_Resource)


@blueprint.post("/v1/woocommerce/webhooks/<id:site>")
def webhooks(site: str) -> Response:
    """Take in that a customer or an order changed.

    What is signed well is answered 200 whatever it says: after five failed deliveries in a row
    WooCommerce sends no more.
    """
    app, now = services(), g.now
    content = body.raw(request, WEBHOOK_LIMIT)
    if _is_ping(content):
        return Response(status=200)
    _verify(app, site, content, now)
    change = _change(request.headers.get("X-WC-Webhook-Topic", ""), content)
    if change is not None:
        try:
            app.store_changes.take(site, change, now)
        except UnavailableError as error:
            # What an agent looks at is fetched again anyway, but a webhook that was switched off
            # stays so.
            _log.warning("a webhook was not acted on: storage is away (%s)", reason_of(error))
    return Response(status=200)


def _is_ping(content: bytes) -> bool:
    """WooCommerce's first delivery to a new address, which is not signed: ``webhook_id=3``."""
    return content.startswith(_PING) and content[len(_PING) :].isdigit()


def _verify(app: Services, site: str, content: bytes, now: datetime) -> None:
    """Raise :class:`UnauthorizedError` unless the delivery is signed with the secret of this
    site's webhooks. Whether there is such a site is not told."""
    signature = request.headers.get("X-WC-Webhook-Signature", "")
    for find in (app.sites.find, app.sites.find_again):
        found = find(site, now)
        if found is not None and found.webhook_secret is not None:
            digest = hmac.digest(found.webhook_secret.encode(), content, hashlib.sha256)
            if hmac.compare_digest(base64.b64encode(digest), signature.encode()):
                return
    count_failure(app, limits.ADDRESS_FAILURES, now)
    raise UnauthorizedError(
        "The webhook's signature does not match: connect the store again.",
        code="signature-invalid",
    )


def _change(topic: str, content: bytes) -> StoreChange | None:
    """What a delivery says; ``None`` if it is of no concern, or not understood."""
    kind = topic.partition(".")[0]
    if kind not in ("customer", "order"):
        return None
    try:
        resource = _resource.decode(content)
    except msgspec.MsgspecError:
        return None
    if resource.status in DRAFTS:
        return None
    changed_at = _moment(resource.date_modified_gmt)
    if kind == "customer":
        return StoreChange(str(resource.id), resource.email, changed_at=changed_at)
    customer = str(resource.customer_id) if resource.customer_id else None
    email = resource.billing.email if resource.billing else None
    return StoreChange(customer, email, str(resource.id), changed_at)


def _moment(text: str | None) -> datetime | None:
    """A time as WooCommerce writes it: in UTC, and without saying so."""
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC) if text else None
    except ValueError:
        return None

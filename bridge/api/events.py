"""Reading a batch of events, one by one: a wrong event rejects itself, not its batch."""

from __future__ import annotations

from collections.abc import Container, Iterator
from datetime import datetime, timedelta
from typing import Any

import msgspec
from msgspec import UNSET, Struct

from bridge.api import body
from bridge.api.schemas import (
    Event,
    EventConversation,
    EventOrder,
    EventResult,
    EventsAnswer,
    to_json,
)
from bridge.api.schemas.common import Confidential
from bridge.errors import InvalidError
from bridge.services.addresses import page_address
from bridge.services.incoming import Answer, Incoming, IncomingMessage, Result
from bridge.times import rfc3339

MOST_EVENTS = 100
FURTHEST_FUTURE = timedelta(seconds=60)
"""A store's event from further ahead is refused (P11)."""
_TITLE = 300
_NOBODY = "0"
"""What WooCommerce calls the customer of a guest's order."""
_ADDRESS = 2_048
"""Characters of a page's title and address that are kept: each list carries them."""


class RawEvents(Confidential):
    """A batch before its events are looked at."""

    events: list[msgspec.Raw]
    token: str | None = None


_batch = msgspec.json.Decoder(RawEvents)
_event = msgspec.json.Decoder(Event)
_anything = msgspec.json.Decoder()


def read_batch(content: bytes) -> RawEvents:
    """The batch in a body.

    Raises :class:`bridge.errors.BadRequestError` for what is no JSON, and :class:`InvalidError`
    for what is no batch of 1 to 100 events.
    """
    batch = body.parse(body.without_lone_surrogates(content), _batch)
    if not 1 <= len(batch.events) <= MOST_EVENTS:
        raise InvalidError(
            f"A batch has 1 to {MOST_EVENTS} events, not {len(batch.events)}.",
            code="too-many-events" if batch.events else "invalid",
            errors=(("/events", f"1 to {MOST_EVENTS} events"),),
        )
    return batch


def of_visitor(
    raw: msgspec.Raw, visitor: str, origins: Container[str], now: datetime
) -> Incoming | Result:
    """An event from a visitor's page: it happened now, whatever the page's clock says (P11)."""
    event = _read(raw)
    return event if isinstance(event, Result) else _incoming(event, visitor, origins, now)


def of_store(
    raw: msgspec.Raw, origins: Container[str], sent_at: datetime, now: datetime
) -> Incoming | Result:
    """An event from a store, sent at ``sent_at`` by its own clock and received ``now`` (P11)."""
    event = _read(raw)
    if isinstance(event, Result):
        return event
    occurred_at = sent_at
    if event.occurred_at is not None:
        try:
            occurred_at = datetime.fromisoformat(event.occurred_at.upper())
            if occurred_at.tzinfo is None:
                return _rejected(event.id, "invalid", "occurred_at needs an offset, such as Z.")
            at = now - (sent_at - occurred_at)
        except (ValueError, OverflowError):
            return _rejected(event.id, "invalid", "occurred_at is no RFC 3339 time.")
        if at - now > FURTHEST_FUTURE:
            return _rejected(event.id, "in-the-future", "The event has not happened yet.")
    else:
        at = now
    return _incoming(event, event.visitor, origins, min(at, now), tokens_from=occurred_at)


def answer(taken: Answer) -> bytes:
    """The answer to a batch, as JSON."""
    return to_json(
        EventsAnswer(
            [
                EventResult(result.id, result.status, result.code, result.detail)  # type: ignore[arg-type]  # the service's statuses are those of the schema
                for result in taken.results
            ],
            {
                conversation: EventConversation(
                    told.takeover_until is not None,
                    rfc3339(told.takeover_until) if told.takeover_until else None,
                    told.heartbeat_seconds,
                    told.state,  # type: ignore[arg-type]  # the domain's states are those of the schema
                )
                for conversation, told in taken.conversations.items()
            },
        )
    )


def _read(raw: msgspec.Raw) -> Event | Result:
    try:
        event = _event.decode(raw)
        body.refuse_nul(bytes(raw), event)
    except msgspec.ValidationError as error:
        return _rejected(_id_of(raw), "invalid", str(error))
    except InvalidError as error:
        return _rejected(_id_of(raw), error.code, error.detail)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _rejected(None, "malformed-json", "The event is not JSON in UTF-8.")
    if not all(each.isprintable() for each in _ids(event)):
        return _rejected(event.id, "invalid", "Ids are of printable characters.")
    if event.type == "message" and (event.message is None or not event.message.text):
        return _rejected(event.id, "message-required", "A message event needs a message with text.")
    return event


def _ids(event: Event) -> Iterator[str]:
    named = (event, event.message, event.customer or None, event.order)
    yield from (each.id for each in named if each)
    others = (event.conversation, event.visitor, event.page)
    yield from (each for each in others if each is not None)
    if event.order is not None and event.order.customer_id is not None:
        yield event.order.customer_id
    if event.cart is not None:
        yield from (item.product_id for item in event.cart.items)


def _incoming(
    event: Event,
    visitor: str | None,
    origins: Container[str],
    at: datetime,
    tokens_from: datetime | None = None,
) -> Incoming | Result:
    details = _details(event)
    if isinstance(details, Result):
        return details
    message = event.message
    url = page_address(event.url, origins)
    if url is not None and len(url) > _ADDRESS:
        url = None
    return Incoming(
        id=event.id,
        type=event.type,
        at=at,
        conversation=event.conversation,
        visitor=visitor,
        page=event.page,
        seq=event.seq,
        url=url,
        title=event.title[:_TITLE] if event.title and url else None,
        message=None
        if message is None
        else IncomingMessage(
            message.id, message.author, message.text or "", message.name, message.email
        ),
        details=details,
        tokens_from=tokens_from,
    )


def _details(event: Event) -> dict[str, Any] | Result | None:
    if event.type == "customer":
        if event.customer is UNSET:
            return _rejected(event.id, "invalid", "customer is needed; null at sign-out.")
        found: Struct | None = event.customer
    elif event.type in ("order_placed", "cart"):
        found = event.order if event.type == "order_placed" else event.cart
        if found is None:
            field = "order" if event.type == "order_placed" else "cart"
            return _rejected(event.id, "invalid", f"{field} is needed.")
    else:
        return None
    if isinstance(found, EventOrder) and found.customer_id == _NOBODY:
        found.customer_id = None
    return None if found is None else msgspec.to_builtins(found)


def _id_of(raw: msgspec.Raw) -> str | None:
    try:
        event = _anything.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    known = event.get("id") if isinstance(event, dict) else None
    return known if isinstance(known, str) and len(known) <= 128 else None


def _rejected(event: str | None, code: str, detail: str) -> Result:
    return Result(event, "rejected", code, detail)

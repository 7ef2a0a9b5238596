"""The events that the shop's PHP sends to the bridge (api.md, Events)."""

import json
import secrets
from collections.abc import Sequence
from typing import Any

from bridge.demo.basket import Line, total_of
from bridge.demo.orders import CURRENCY, Customer, Order

Event = dict[str, Any]


def events_body(*events: Event) -> bytes:
    """The body of ``POST /v1/store/events``."""
    return json.dumps({"events": events}).encode()


def bot_message(conversation: str, visitor: str | None, message: str, text: str) -> Event:
    """What the bot answered.

    :param conversation: the widget's id of the chat.
    :param visitor: whose chat it is, where the store knows.
    :param message: the id of the visitor's message that it answers; an answer that is asked for
        twice then has the same id, and is told once (M1).
    :param text: the answer.
    """
    said = {"id": f"bot-{message}", "author": "bot", "text": text}
    event = {"id": said["id"], "type": "message", "conversation": conversation, "message": said}
    return event if visitor is None else {**event, "visitor": visitor}


def customer(visitor: str, signed_in: Customer | None) -> Event:
    """Who signed in; ``None`` when somebody signed out (C3)."""
    described = signed_in.described if signed_in else None
    return {**_of(visitor, "customer"), "customer": described}


def order_placed(visitor: str, order: Order) -> Event:
    """This browser placed an order (C1)."""
    placed = {
        "id": str(order.id),
        "number": order.number,
        "total": str(order.total),
        "currency": CURRENCY,
        "email": order.email,
        "customer_id": str(order.customer_id) if order.customer_id else None,
    }
    return {**_of(visitor, "order_placed"), "order": placed}


def cart(visitor: str, lines: Sequence[Line]) -> Event:
    """What is in the visitor's cart now."""
    items = [
        {
            "product_id": line.product.slug,
            "name": line.product.name,
            "quantity": line.quantity,
            "total": str(line.total),
        }
        for line in lines
    ]
    held = {"items": items, "total": str(total_of(lines)), "currency": CURRENCY}
    return {**_of(visitor, "cart"), "cart": held}


def _of(visitor: str, kind: str) -> Event:
    return {"id": f"demo_{secrets.token_urlsafe(16)}", "type": kind, "visitor": visitor}

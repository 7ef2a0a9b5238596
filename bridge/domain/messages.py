"""Messages: who may speak as whom, which of them are the same, and which were shown (M1 to M3)."""

from __future__ import annotations

from enum import StrEnum


class Delivery(StrEnum):
    """Whether the visitor's page has shown an agent's message (M2)."""

    QUEUED = "queued"
    DELIVERED = "delivered"


def may_speak_as(author: str, *, store: bool) -> bool:
    """Whether the store, or else a visitor, may write as ``author`` (M3)."""
    return store or author == "visitor"


def sent_once(agent: str, client_id: str) -> str:
    """What names a message of an agent in its conversation, however often it is sent (M1)."""
    return f"{agent}\n{client_id}"


def confirmed(delivery: str) -> Delivery | None:
    """What a confirmation makes of an agent's message; ``None``: it changes nothing (M2)."""
    return Delivery.DELIVERED if delivery == Delivery.QUEUED else None

"""What a visitor's page is told, besides the answers to its events."""

from __future__ import annotations

from msgspec import Struct

from bridge.api.schemas.agent import MessageAgent, MessageBody
from bridge.api.schemas.common import PresenceFilter


class VisitorTakeover(Struct):
    """Whether a person answers instead of the AI, and who."""

    active: bool
    agent: MessageAgent | None


class VisitorSync(Struct):
    """What a page without a stream is told; it asks again in ``next_sync_seconds``."""

    rev: int
    messages: list[MessageBody]
    takeover: VisitorTakeover
    heartbeat_seconds: float
    next_sync_seconds: float
    state: PresenceFilter


class VisitorReady(Struct, omit_defaults=True):
    """The first event of a visitor's stream; ``live`` is there, and false, if the page is held for
    gone."""

    heartbeat_seconds: float
    takeover: VisitorTakeover
    live: bool = True


class VisitorDemand(Struct):
    """How often to beat from now on; at once, if at all."""

    heartbeat_seconds: float


class VisitorCleared(Struct):
    """The chat was cleared: the stream ends."""

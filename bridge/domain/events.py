"""What can happen to the presence of one conversation.

Each event carries its own time ``at`` (when the bridge received it, or P11's computed time) and an
``id``. ``told`` is the heartbeat interval, in seconds, that its answer tells the page: 0 means "do
not beat", ``None`` that nothing was told.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

STORE_PAGE = ""
"""The key of the page that P13 names ``store``; no page of a browser can have an empty id."""


class PageEventKind(StrEnum):
    """The lifecycle events of one page, which ``seq`` orders (P9)."""

    VIEW = "page_view"
    HEARTBEAT = "heartbeat"
    HIDDEN = "page_hidden"
    UNLOAD = "page_unload"


@dataclass(frozen=True, slots=True, order=True)
class Mark:
    """A place in the order of one page: by ``seq``, then time, then id (P15)."""

    seq: int
    at: datetime
    id: str


@dataclass(frozen=True, slots=True)
class PageEvent:
    """A lifecycle event of the page ``page``, or of the store's own page (P13)."""

    kind: PageEventKind
    page: str
    mark: Mark
    url: str | None = None
    title: str | None = None


@dataclass(frozen=True, slots=True)
class VisitorMessage:
    """The visitor wrote: its page is heard (P2), and a clear before it is over (P7).

    ``page`` is ``None`` where only the store's PHP saw it; ``seq`` is ``None`` where the page gave
    none, and then time decides what came later.
    """

    id: str
    at: datetime
    page: str | None = None
    seq: int | None = None
    told: float | None = None


@dataclass(frozen=True, slots=True)
class Cleared:
    """The visitor cleared the chat (P7)."""

    id: str
    at: datetime
    page: str | None = None
    seq: int | None = None


@dataclass(frozen=True, slots=True)
class HeardElsewhere:
    """The same visitor was heard in another conversation (P8)."""

    conversation: str
    at: datetime


@dataclass(frozen=True, slots=True)
class KeptAlive:
    """A sync from a page: it never revives one that ended (P2). Unless the page ``streams`` all the
    same, it says thereby that it holds no stream, whether the end of one was noticed or not."""

    page: str
    at: datetime
    told: float | None = None
    streams: bool = False


@dataclass(frozen=True, slots=True)
class StreamOpened:
    """A page opened the stream ``stream``; the newest one of a page counts (P2)."""

    page: str
    stream: str
    at: datetime
    told: float | None = None


@dataclass(frozen=True, slots=True)
class StreamDropped:
    """The stream ``stream``, opened at ``opened_at``, ended without an unload (P2)."""

    page: str
    stream: str
    opened_at: datetime
    at: datetime


@dataclass(frozen=True, slots=True)
class ToldByStream:
    """A page was told another heartbeat interval through its stream (P2)."""

    page: str
    at: datetime
    told: float


Event = (
    PageEvent
    | VisitorMessage
    | Cleared
    | HeardElsewhere
    | KeptAlive
    | StreamOpened
    | StreamDropped
    | ToldByStream
)

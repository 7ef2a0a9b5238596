"""Who was heard when: hot, and rebuildable."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import NamedTuple, Protocol

from bridge.domain.events import Mark


class ConversationKey(NamedTuple):
    """A conversation, named across sites."""

    site: str
    conversation: str


class Beat(Enum):
    """What became of a heartbeat that liveness was asked to answer alone."""

    HEARD = "heard"
    DUPLICATE = "duplicate"
    UNKNOWN = "unknown"
    """Liveness cannot tell, or it would change more: the records must be asked."""


@dataclass(frozen=True, slots=True)
class HotPage:
    """A live page: its greatest signal (P9), and when it is gone (P2)."""

    mark: Mark
    heard_at: datetime
    """When it was last heard; after a restart, when the bridge was last alive (P14)."""
    allowance: float
    """Seconds from a heartbeat to the deadline that it sets."""
    deadline: datetime


@dataclass(frozen=True, slots=True)
class HotConversation:
    """What is hot of one conversation: everything that a heartbeat needs, and nothing more.

    ``pages`` are the live pages, the store's under ``STORE_PAGE``; ``due`` is when the records must
    be asked although no page is live (the end of a grace time); ``quiet`` says that a heartbeat
    changes nothing but what is kept here.
    """

    visitor: str | None
    heard_at: datetime | None
    pages: Mapping[str, HotPage] = field(default_factory=dict)
    due: datetime | None = None
    quiet: bool = False
    heartbeat_seconds: float = 0.0


class Liveness(Protocol):
    """Page deadlines: hot, and rebuilt from the records after a loss (P14).

    An engine that cannot be reached raises :class:`bridge.errors.UnavailableError` from every
    method and has then changed nothing.
    """

    def beat(self, key: ConversationKey, visitor: str, page: str, mark: Mark) -> tuple[Beat, float]:
        """Take a heartbeat of a page at ``mark.at``, in one round trip and without the records.

        ``HEARD`` moves the page's deadline to ``mark.at`` plus its allowance; ``DUPLICATE`` and
        ``UNKNOWN`` change nothing. ``UNKNOWN`` for a page that is not live at ``mark.at``, another
        visitor's conversation, and one that is not quiet. Also returns the heartbeat interval to
        tell, in seconds.
        """

    def read(self, keys: Iterable[ConversationKey]) -> dict[ConversationKey, HotConversation]:
        """What is hot of these conversations; those that are not are left out."""

    def place(self, key: ConversationKey, hot: HotConversation | None) -> None:
        """Set what is hot of a conversation, ``None`` to forget it. Of a page whose
        mark known here is greater, that and the later hearing stay: a heartbeat came in between."""

    def interrupt(self, key: ConversationKey) -> None:
        """Let the next heartbeat of this conversation be ``UNKNOWN``, once (P8)."""

    def take_due(self, now: datetime, limit: int) -> list[ConversationKey]:
        """The conversations that are due at ``now``, earliest first, never scanning the others.

        Each is lent to the caller: it is due again 5 s later unless placed before, so that what
        a caller loses is not lost.
        """

    def give_back(self, keys: Iterable[ConversationKey], now: datetime) -> None:
        """What was taken and could not be worked on: it is due again at once."""

    def next_due(self) -> datetime | None:
        """When the next conversation may be due; never later than it is."""

"""Who was heard when: hot, and rebuildable."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import NamedTuple, Protocol

from bridge.domain.events import Mark
from bridge.domain.page import Restored


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
    interval: float = 0.0
    """The heartbeat interval to tell the page, in seconds (D2)."""
    informed: bool = False
    """Whether it was told that interval: the answer that tells it must be recorded (P2)."""
    kept_at: datetime | None = None
    """When it was last kept alive by a request without a mark (P2)."""
    restored: Restored | None = None
    """What it was given after a restart, while it was not heard again (P14)."""


@dataclass(frozen=True, slots=True)
class HotConversation:
    """What is hot of one conversation: everything that a heartbeat needs, and nothing more.

    ``pages`` are the live pages, the store's under ``STORE_PAGE``; ``due`` is when the records must
    be asked whatever the pages do (the end of a grace time, a watch or a takeover); ``quiet`` says
    that a heartbeat changes nothing but what is kept here; ``watched`` that somebody wants to know
    of each (N2); ``takeover_until`` is when the takeover ends by itself, if there is one.
    """

    visitor: str | None
    heard_at: datetime | None
    pages: Mapping[str, HotPage] = field(default_factory=dict)
    due: datetime | None = None
    quiet: bool = False
    watched: bool = False
    takeover_until: datetime | None = None


class Beaten(NamedTuple):
    """What liveness made of a request, and what its answer tells: the heartbeat interval in
    seconds, and when the takeover ends by itself, if there is one; ``watched`` as above."""

    outcome: Beat
    heartbeat_seconds: float = 0.0
    watched: bool = False
    takeover_until: datetime | None = None


class Liveness(Protocol):
    """Page deadlines: hot, and rebuilt from the records after a loss (P14).

    An engine that cannot be reached raises :class:`bridge.errors.UnavailableError` from every
    method and has then changed nothing.
    """

    def beat(self, key: ConversationKey, visitor: str, page: str, mark: Mark) -> Beaten:
        """Take a heartbeat of a page at ``mark.at``, in one round trip and without the records.

        ``HEARD`` moves the page's deadline to ``mark.at`` plus its allowance; ``DUPLICATE`` and
        ``UNKNOWN`` change nothing. ``UNKNOWN`` for a page that is not live at ``mark.at`` or is yet
        to be told its interval, another visitor's conversation, and one that is not quiet.
        """

    def keep_alive(self, key: ConversationKey, visitor: str, page: str, at: datetime) -> Beaten:
        """The same for a request without a mark ``at`` that time, such as a sync (P2); it is never
        a ``DUPLICATE``."""

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

"""The streams of this process, and what is put into them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from bridge.live.mailbox import Mailbox
from bridge.ports import Device, MessageRecord
from bridge.services.conversations import ConversationView
from bridge.services.visits import ToldPage

MAILBOX = 500
"""Items that may wait for one stream."""


@dataclass(frozen=True, slots=True)
class HeardNow:
    """The visitor of a conversation that the agent watches was heard (N2)."""

    conversation: str
    at: datetime


class CatchUp:
    """What was recorded before the stream began is to be read, up to the present (S3)."""


AgentItem = tuple[int, ConversationView | MessageRecord] | HeardNow | CatchUp
VisitorItem = ToldPage | MessageRecord


@dataclass(slots=True, eq=False)
class AgentStream:
    """A stream of one agent's device; ``rev`` is the revision that it continues from, ``watching``
    the conversations that the agent watches."""

    device: Device
    rev: int
    watching: set[str]
    leave: Callable[[], None]
    mailbox: Mailbox[AgentItem] = field(default_factory=lambda: Mailbox(MAILBOX))


@dataclass(slots=True, eq=False)
class VisitorStream:
    """A stream of one page."""

    visitor: str
    page: str
    leave: Callable[[], None]
    mailbox: Mailbox[VisitorItem] = field(default_factory=lambda: Mailbox(MAILBOX))


@dataclass(slots=True, eq=False)
class SiteStreams:
    """The streams of one site, and the revision up to which they were told."""

    rev: int
    agents: list[AgentStream] = field(default_factory=list)
    visitors: dict[str, list[VisitorStream]] = field(default_factory=dict)

    def mailboxes(self) -> Iterator[Mailbox[AgentItem] | Mailbox[VisitorItem]]:
        """Of all its streams."""
        for stream in self.agents:
            yield stream.mailbox
        for streams in self.visitors.values():
            for each in streams:
                yield each.mailbox

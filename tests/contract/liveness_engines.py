"""Every engine behind the port ``Liveness``: a new one passes the suite by a line here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

from bridge.domain.events import Mark
from bridge.liveness.memory import MemoryLiveness
from bridge.ports import Beat, ConversationKey, HotConversation, HotPage, Liveness

ENGINES: Mapping[str, Callable[[], Liveness]] = {
    "memory": MemoryLiveness,
}
"""By name, what makes an empty one."""

START = datetime(2030, 1, 1, tzinfo=UTC)
LOAN = 5.0
"""Seconds for which a conversation that was taken as due is lent."""


def moment(seconds: float) -> datetime:
    """The time that lies ``seconds`` after the start."""
    return START + timedelta(seconds=seconds)


def key(conversation: str = "c", site: str = "s") -> ConversationKey:
    """A conversation across sites."""
    return ConversationKey(site, conversation)


def mark(seq: int, at: float, id: str | None = None) -> Mark:
    """A mark at ``at`` seconds; unless given, its id is its own."""
    return Mark(seq, moment(at), id if id is not None else f"e{seq}@{at}")


def page(seq: int = 1, heard: float = 0.0, allowance: float = 30.0, **other: float) -> HotPage:
    """A page heard at ``heard`` seconds, gone ``allowance`` later or at ``deadline`` seconds."""
    deadline = other.get("deadline", heard + allowance)
    return HotPage(mark(seq, heard), moment(heard), allowance, moment(deadline))


def online(
    pages: Mapping[str, HotPage] | None = None,
    *,
    visitor: str | None = "v",
    heard: float | None = None,
    due: float | None = None,
    quiet: bool = True,
    interval: float = 60.0,
) -> HotConversation:
    """What is placed of a conversation that is online; times in seconds."""
    return HotConversation(
        visitor,
        None if heard is None else moment(heard),
        {"p": page()} if pages is None else pages,
        None if due is None else moment(due),
        quiet,
        interval,
    )


def beat(
    liveness: Liveness, seq: int, at: float, *, page: str = "p", id: str | None = None
) -> Beat:
    """What becomes of a heartbeat of the visitor ``v`` in the conversation ``c``."""
    return liveness.beat(key(), "v", page, mark(seq, at, id))[0]

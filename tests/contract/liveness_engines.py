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
    return Mark(seq, moment(at), id if id is not None else f"e{seq}@{float(at)}")


def page(
    seq: int = 1,
    heard: float = 0.0,
    allowance: float = 30.0,
    *,
    deadline: float | None = None,
    interval: float = 60.0,
    informed: bool = True,
    kept: float | None = None,
) -> HotPage:
    """A page whose mark came at ``heard`` seconds, that was kept alive at ``kept`` seconds, and is
    gone ``allowance`` after the later of them, or at ``deadline`` seconds."""
    last = heard if kept is None else max(heard, kept)
    return HotPage(
        mark(seq, heard),
        moment(last),
        allowance,
        moment(last + allowance if deadline is None else deadline),
        interval,
        informed,
        None if kept is None else moment(kept),
    )


def online(
    pages: Mapping[str, HotPage] | None = None,
    *,
    visitor: str | None = "v",
    heard: float | None = None,
    due: float | None = None,
    quiet: bool = True,
    watched: bool = False,
    takeover_until: float | None = None,
) -> HotConversation:
    """What is placed of a conversation that is online; times in seconds."""
    return HotConversation(
        visitor,
        None if heard is None else moment(heard),
        {"p": page()} if pages is None else pages,
        None if due is None else moment(due),
        quiet,
        watched,
        None if takeover_until is None else moment(takeover_until),
    )


def beat(
    liveness: Liveness, seq: int, at: float, *, page: str = "p", id: str | None = None
) -> Beat:
    """What becomes of a heartbeat of the visitor ``v`` in the conversation ``c``."""
    return liveness.beat(key(), "v", page, mark(seq, at, id)).outcome


def keep_alive(liveness: Liveness, at: float, *, page: str = "p") -> Beat:
    """What becomes of a request without a mark, such as a sync, of the same visitor there."""
    return liveness.keep_alive(key(), "v", page, moment(at)).outcome

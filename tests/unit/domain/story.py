"""A conversation told in seconds, so that a test of a rule reads like the rule.

Seconds count from an arbitrary ``START``. Every word of a :class:`Story` returns whether the domain
took it in (``False``: it changed nothing), and :meth:`Story.at` says what is seen at a moment.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count

from bridge.domain.events import (
    STORE_PAGE,
    Cleared,
    Event,
    HeardElsewhere,
    KeptAlive,
    Mark,
    PageEvent,
    PageEventKind,
    StreamDropped,
    StreamOpened,
    ToldByStream,
    VisitorMessage,
)
from bridge.domain.page import Timing
from bridge.domain.presence import Presence, PresenceState

START = datetime(2030, 1, 1, tzinfo=UTC)
DAY = 86_400.0


def moment(seconds: float) -> datetime:
    """The time that lies ``seconds`` after the start."""
    return START + timedelta(seconds=seconds)


def seconds(at: datetime | None) -> float | None:
    """How many seconds after the start ``at`` is."""
    return None if at is None else (at - START).total_seconds()


@dataclass(frozen=True)
class Seen:
    """What an agent sees, with times in seconds."""

    state: str
    reason: str | None
    since: float | None
    last_seen_at: float | None
    continued_in: str | None
    hidden: bool
    pages: int
    url: str | None
    title: str | None


def seen(presence: PresenceState) -> Seen:
    """``presence`` with its times in seconds."""
    return Seen(
        state=presence.state.value,
        reason=presence.reason.value if presence.reason else None,
        since=seconds(presence.since),
        last_seen_at=seconds(presence.last_seen_at),
        continued_in=presence.continued_in,
        hidden=presence.hidden,
        pages=presence.pages,
        url=presence.url,
        title=presence.title,
    )


class Story:
    """One conversation; ``numbers`` are those of the rules that differ from the usual."""

    def __init__(self, **numbers: float) -> None:
        self.timing = Timing(**numbers)
        self.presence = Presence()
        self._opened: dict[str, tuple[str, float]] = {}
        self._ids = count()

    def apply(self, event: Event) -> bool:
        return self.presence.apply(event, self.timing)

    def view(
        self,
        page: str,
        seq: int,
        at: float,
        told: float | None = None,
        id: str | None = None,
        url: str | None = None,
        title: str | None = None,
    ) -> bool:
        mark = self._mark(seq, at, id)
        return self._answered(PageEvent(PageEventKind.VIEW, page, mark, url, title), told)

    def heartbeat(
        self, page: str, seq: int, at: float, told: float | None = None, id: str | None = None
    ) -> bool:
        mark = self._mark(seq, at, id)
        return self._answered(PageEvent(PageEventKind.HEARTBEAT, page, mark), told)

    def hide(
        self, page: str, seq: int, at: float, told: float | None = None, id: str | None = None
    ) -> bool:
        mark = self._mark(seq, at, id)
        return self._answered(PageEvent(PageEventKind.HIDDEN, page, mark), told)

    def _answered(self, event: PageEvent, told: float | None) -> bool:
        """A lifecycle event, and the interval that its answer tells, if it tells one."""
        changed = self.apply(event)
        if told is not None:
            self.presence.tell(event.page, event.mark.at, told)
        return changed

    def unload(self, page: str, seq: int, at: float, id: str | None = None) -> bool:
        return self.apply(PageEvent(PageEventKind.UNLOAD, page, self._mark(seq, at, id)))

    def store_heartbeat(self, at: float, id: str | None = None) -> bool:
        mark = self._mark(0, at, id)
        return self.apply(PageEvent(PageEventKind.HEARTBEAT, STORE_PAGE, mark))

    def store_unload(self, at: float, id: str | None = None) -> bool:
        return self.unload(STORE_PAGE, 0, at, id)

    def message(
        self,
        at: float,
        page: str | None = None,
        seq: int | None = None,
        told: float | None = None,
        id: str | None = None,
    ) -> bool:
        return self.apply(VisitorMessage(self._id(id), moment(at), page, seq, told))

    def clear(
        self, at: float, page: str | None = None, seq: int | None = None, id: str | None = None
    ) -> bool:
        return self.apply(Cleared(self._id(id), moment(at), page, seq))

    def elsewhere(self, conversation: str, at: float) -> bool:
        return self.apply(HeardElsewhere(conversation, moment(at)))

    def sync(self, page: str, at: float, told: float | None = None) -> bool:
        return self.apply(KeptAlive(page, moment(at), told))

    def open_stream(self, stream: str, page: str, at: float, told: float | None = 0) -> bool:
        self._opened[stream] = (page, at)
        return self.apply(StreamOpened(page, stream, moment(at), told))

    def drop_stream(self, stream: str, at: float) -> bool:
        page, opened_at = self._opened[stream]
        return self.apply(StreamDropped(page, stream, moment(opened_at), moment(at)))

    def push(self, page: str, at: float, told: float) -> bool:
        return self.apply(ToldByStream(page, moment(at), told))

    def restart(self, recorded_at: float, alive_at: float, at: float) -> None:
        self.presence.restore(moment(recorded_at), moment(alive_at), moment(at), self.timing)

    def forget(self, at: float) -> None:
        self.presence.forget(moment(at), self.timing)

    def at(self, now: float, previous: PresenceState | None = None) -> Seen:
        """What is seen at ``now``."""
        return seen(self.state_at(now, previous))

    def state_at(self, now: float, previous: PresenceState | None = None) -> PresenceState:
        return self.presence.state_at(moment(now), self.timing, previous)

    def next_deadline(self, now: float) -> float | None:
        return seconds(self.presence.next_deadline(moment(now), self.timing))

    def live_pages(self, now: float) -> set[str]:
        return set(self.presence.live_pages(moment(now), self.timing))

    def _mark(self, seq: int, at: float, id: str | None) -> Mark:
        return Mark(seq, moment(at), self._id(id))

    def _id(self, id: str | None) -> str:
        return id if id is not None else f"e{next(self._ids):06}"


def lives_until(story: Story, deadline: float, since: float = 0) -> bool:
    """Whether the only page is live until exactly ``deadline``."""
    before, at = story.at(max(since, deadline - 0.001)), story.at(deadline)
    return (before.pages, at.pages, story.next_deadline(since)) == (1, 0, deadline)

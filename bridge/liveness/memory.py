"""Liveness in the memory of one process."""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count

from bridge.domain.events import Mark
from bridge.ports import Beat, Beaten, ConversationKey, HotConversation, HotPage

LOAN = timedelta(seconds=5)
"""How long a conversation taken as due is lent before it is due again."""


class MemoryLiveness:
    """Implements :class:`bridge.ports.Liveness` for a single process.

    Deadlines wait in a heap. A heartbeat that moves its deadline away does not touch the heap: an
    entry that comes up too early is put back at its proper time.
    """

    def __init__(self) -> None:
        self._hot: dict[ConversationKey, HotConversation] = {}
        self._pages: dict[ConversationKey, dict[str, HotPage]] = {}
        self._interrupted: set[ConversationKey] = set()
        self._heap: list[tuple[datetime, int, ConversationKey]] = []
        self._queued: dict[ConversationKey, tuple[datetime, int]] = {}
        self._entries = count()

    def beat(self, key: ConversationKey, visitor: str, page: str, mark: Mark) -> Beaten:
        """See :meth:`bridge.ports.Liveness.beat`."""
        known = self._live_page(key, visitor, page, mark.at)
        if known is None or not known.informed:
            return _UNKNOWN
        hot = self._hot[key]
        if mark.seq < known.mark.seq or (mark.seq, mark.id) == (known.mark.seq, known.mark.id):
            return _beaten(Beat.DUPLICATE, hot, known)
        if mark.seq == known.mark.seq or not self._quiet(key, known):
            return _UNKNOWN
        # Of a request without a mark that came a moment later, the time stays (P15).
        heard_at = max(mark.at, known.kept_at or mark.at)
        deadline = heard_at + timedelta(seconds=known.allowance)
        self._pages[key][page] = replace(known, mark=mark, heard_at=heard_at, deadline=deadline)
        if deadline < known.deadline:
            self._queue_no_later(key, deadline)
        return _beaten(Beat.HEARD, hot, known)

    def keep_alive(self, key: ConversationKey, visitor: str, page: str, at: datetime) -> Beaten:
        """See :meth:`bridge.ports.Liveness.keep_alive`."""
        known = self._live_page(key, visitor, page, at)
        if known is None or not self._quiet(key, known):
            return _UNKNOWN
        deadline = at + timedelta(seconds=known.allowance)
        kept = replace(known, heard_at=at, deadline=deadline, kept_at=at)
        if at > known.heard_at:
            self._pages[key][page] = kept
            if deadline < known.deadline:
                self._queue_no_later(key, deadline)
        return _beaten(Beat.HEARD, self._hot[key], known)

    def read(self, keys: Iterable[ConversationKey]) -> dict[ConversationKey, HotConversation]:
        """See :meth:`bridge.ports.Liveness.read`."""
        return {key: self._present(key) for key in keys if key in self._hot}

    def place(self, key: ConversationKey, hot: HotConversation | None) -> None:
        """See :meth:`bridge.ports.Liveness.place`."""
        if hot is None:
            self._hot.pop(key, None)
            self._pages.pop(key, None)
            self._interrupted.discard(key)
            self._queued.pop(key, None)
            return
        known = self._pages.get(key, {})
        heard_before = self._heard_at(key)
        self._hot[key] = hot
        self._pages[key] = {
            page: _later(known.get(page), placed) for page, placed in hot.pages.items()
        }
        if self._heard_at(key) != heard_before:
            self._interrupted.discard(key)
        self._queue(key)

    def interrupt(self, key: ConversationKey) -> None:
        """See :meth:`bridge.ports.Liveness.interrupt`."""
        if key in self._hot:
            self._interrupted.add(key)

    def take_due(self, now: datetime, limit: int) -> list[ConversationKey]:
        """See :meth:`bridge.ports.Liveness.take_due`."""
        due: list[ConversationKey] = []
        while self._heap and self._heap[0][0] <= now and len(due) < limit:
            at, entry, key = heapq.heappop(self._heap)
            if self._queued.get(key) != (at, entry):
                continue
            del self._queued[key]
            proper = self._due_at(key)
            if proper is not None and proper <= at:
                due.append(key)
                self._push(key, now + LOAN)
            elif proper is not None:
                self._push(key, proper)
        return due

    def give_back(self, keys: Iterable[ConversationKey], now: datetime) -> None:
        """See :meth:`bridge.ports.Liveness.give_back`."""
        for key in keys:
            if key in self._hot:
                self._queue_no_later(key, now)

    def next_due(self) -> datetime | None:
        """See :meth:`bridge.ports.Liveness.next_due`."""
        while self._heap and self._queued.get(self._heap[0][2]) != self._heap[0][:2]:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def _live_page(
        self, key: ConversationKey, visitor: str, page: str, at: datetime
    ) -> HotPage | None:
        hot = self._hot.get(key)
        if hot is None or hot.visitor != visitor:
            return None
        known = self._pages[key].get(page)
        return known if known is not None and at < known.deadline else None

    def _quiet(self, key: ConversationKey, page: HotPage) -> bool:
        """Whether a request of the page changes nothing but what is kept here."""
        return page.informed and self._hot[key].quiet and key not in self._interrupted

    def _present(self, key: ConversationKey) -> HotConversation:
        return replace(self._hot[key], pages=dict(self._pages[key]), heard_at=self._heard_at(key))

    def _heard_at(self, key: ConversationKey) -> datetime | None:
        hot = self._hot.get(key)
        if hot is None:
            return None
        pages = self._pages[key].values()
        heard = [max(page.mark.at, page.kept_at or page.mark.at) for page in pages]
        return max(heard if hot.heard_at is None else [*heard, hot.heard_at], default=None)

    def _due_at(self, key: ConversationKey) -> datetime | None:
        deadlines = [page.deadline for page in self._pages[key].values()]
        own = self._hot[key].due
        return min(deadlines if own is None else [*deadlines, own], default=None)

    def _queue(self, key: ConversationKey) -> None:
        due = self._due_at(key)
        queued = self._queued.get(key)
        if due is None:
            self._queued.pop(key, None)
        elif queued is None or queued[0] != due:
            self._push(key, due)

    def _queue_no_later(self, key: ConversationKey, due: datetime) -> None:
        queued = self._queued.get(key)
        if queued is None or due < queued[0]:
            self._push(key, due)

    def _push(self, key: ConversationKey, at: datetime) -> None:
        entry = next(self._entries)
        self._queued[key] = (at, entry)
        heapq.heappush(self._heap, (at, entry, key))


_UNKNOWN = Beaten(Beat.UNKNOWN)


def _beaten(outcome: Beat, hot: HotConversation, page: HotPage) -> Beaten:
    return Beaten(outcome, page.interval, hot.watched, hot.takeover_until)


def _later(known: HotPage | None, placed: HotPage) -> HotPage:
    """``placed``, with what was heard of the page since it was read."""
    if known is None or (known.mark <= placed.mark and not _kept_later(known, placed)):
        return placed
    deadline = max(placed.deadline, known.heard_at + timedelta(seconds=placed.allowance))
    return replace(
        placed,
        mark=max(known.mark, placed.mark),
        heard_at=max(known.heard_at, placed.heard_at),
        kept_at=known.kept_at if _kept_later(known, placed) else placed.kept_at,
        deadline=deadline,
    )


def _kept_later(known: HotPage, placed: HotPage) -> bool:
    if known.kept_at is None:
        return False
    return known.kept_at > max(placed.heard_at, placed.kept_at or placed.heard_at)

"""Liveness in the memory of one process."""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count

from bridge.domain.events import Mark
from bridge.ports import Beat, ConversationKey, HotConversation, HotPage

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

    def beat(self, key: ConversationKey, visitor: str, page: str, mark: Mark) -> tuple[Beat, float]:
        """See :meth:`bridge.ports.Liveness.beat`."""
        hot = self._hot.get(key)
        if hot is None or hot.visitor != visitor:
            return Beat.UNKNOWN, 0.0
        pages = self._pages[key]
        known = pages.get(page)
        if known is None or known.deadline <= mark.at:
            return Beat.UNKNOWN, 0.0
        if mark.seq < known.mark.seq or (mark.seq, mark.id) == (known.mark.seq, known.mark.id):
            return Beat.DUPLICATE, hot.heartbeat_seconds
        if not hot.quiet or key in self._interrupted or mark.seq == known.mark.seq:
            return Beat.UNKNOWN, 0.0
        deadline = mark.at + timedelta(seconds=known.allowance)
        pages[page] = HotPage(mark, mark.at, known.allowance, deadline)
        if deadline < known.deadline:
            self._queue_no_later(key, deadline)
        return Beat.HEARD, hot.heartbeat_seconds

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

    def _present(self, key: ConversationKey) -> HotConversation:
        return replace(self._hot[key], pages=dict(self._pages[key]), heard_at=self._heard_at(key))

    def _heard_at(self, key: ConversationKey) -> datetime | None:
        hot = self._hot.get(key)
        if hot is None:
            return None
        heard = [page.mark.at for page in self._pages[key].values()]
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


def _later(known: HotPage | None, placed: HotPage) -> HotPage:
    """``placed``, with what was heard of the page since it was read."""
    if known is None or known.mark <= placed.mark:
        return placed
    deadline = max(placed.deadline, known.heard_at + timedelta(seconds=placed.allowance))
    mark, heard_at = max(known.mark, placed.mark), max(known.heard_at, placed.heard_at)
    return HotPage(mark, heard_at, placed.allowance, deadline)

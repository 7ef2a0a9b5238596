"""What waits to be written to one stream."""

from __future__ import annotations

import threading
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Mailbox(Generic[Item]):
    """What waits to be written to one stream: bounded, many putting, one taking.

    A reader that falls behind is cut off: it comes back and catches up by revision (S2), so that
    nobody waits for it and nothing piles up.

    There is no lock: each step is one operation on a list, which Python does not divide. So `put`
    and `close` are safe in a signal handler, in a finalizer, and in gevent's hub, none of which may
    wait; and under gevent an empty mailbox is below 300 bytes, of which a process holds 10,000.

    Args:
        size: how many items may wait, at least 1.
    """

    __slots__ = ("_fell_behind", "_size", "_waiting", "_wake", "closed")

    def __init__(self, size: int) -> None:
        self._size = size
        self._waiting: list[Item] = []
        self._wake = threading.Event()
        self._fell_behind = False
        self.closed = False

    def put(self, item: Item) -> None:
        """Leave ``item`` for the reader; never waits.

        If as many wait already as may, the reader has fallen behind: all are dropped, and the
        mailbox is closed. A closed mailbox takes nothing and says nothing.
        """
        if self.closed:
            return
        if len(self._waiting) < self._size:
            self._waiting.append(item)
            self._wake.set()
        else:
            self._fell_behind = True
            self._waiting.clear()
            self.close()

    def close(self) -> None:
        """Take nothing more. What waits is still handed out, then comes the end."""
        self.closed = True
        self._wake.set()

    def take(self, seconds: float) -> list[Item] | None:
        """What waits, in order; if nothing does, what comes first within ``seconds``.

        Returns an empty list if nothing came (seldom, before the time is over), and None once the
        mailbox is closed and empty.
        """
        if not self._waiting and not self.closed:
            self._wake.wait(seconds)
        # In this order, whatever is put meanwhile is seen now or wakes the next call.
        self._wake.clear()
        closed = self.closed
        taken = self._waiting[:]
        del self._waiting[: len(taken)]
        # Asked last: something put after the others were dropped must not be mistaken for the next.
        if self._fell_behind or (closed and not taken):
            return None
        return taken

"""How many streams one process holds, and of whom: an open stream costs memory for minutes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable

from bridge.errors import TooManyRequestsError

TRY_AGAIN_AFTER = 60.0
"""Seconds after which one who was refused a stream may ask again; until then, sync."""


class Admission:
    """Counts open streams by whom they belong to. ``most`` is how many there may be in all."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._open: Counter[str] = Counter()
        self._total = 0
        self.closed = False
        """Whether no more streams are taken, since the process is about to end."""

    def admit(self, limits: Iterable[tuple[str, int]]) -> Callable[[], None]:
        """Count one more stream for each of these, with the most that it may hold.

        Returns what gives the place back, to be called once. Raises :class:`TooManyRequestsError`
        and counts nothing if there is no place.
        """
        wanted = list(limits)
        full = self._total >= self._most or self.closed
        if full or any(self._open[name] >= most for name, most in wanted):
            raise TooManyRequestsError(
                "There are too many open streams. Use sync meanwhile.",
                code="too-many-streams",
                retry_after=1.0 if self.closed else TRY_AGAIN_AFTER,
            )
        self._total += 1
        self._open.update(name for name, _ in wanted)
        return lambda: self._leave([name for name, _ in wanted])

    def _leave(self, names: list[str]) -> None:
        self._total -= 1
        for name in names:
            self._open[name] -= 1
            if not self._open[name]:
                del self._open[name]

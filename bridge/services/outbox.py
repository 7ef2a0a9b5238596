"""Stores are told: each site's calls in order, at least once, tried again for 24 hours."""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable
from datetime import datetime, timedelta

from bridge.ports import ClaimedCall, Outbox, StoreCaller, StoreCallError, good_keys

LEASE = timedelta(seconds=20)
"""How long a claim lasts: longer than a call, and as short as a store can wait when a process dies
in the middle of one."""

GIVE_UP_AFTER = timedelta(hours=24)
"""How long a store is told of what has come about."""

FIRST_WAIT = timedelta(seconds=1)
LONGEST_WAIT = timedelta(minutes=5)
_MOST_DOUBLED = 10

BATCH = 100
"""Calls of one site in one go: then other sites have their turn."""

_log = logging.getLogger("bridge.outbox")


class StoreOutbox:
    """Tells stores what waits for them.

    ``clock`` is what the time is read from before and after each call; ``chance`` returns a number
    from 0 to 1, which spreads out the attempts of many.
    """

    def __init__(
        self,
        outbox: Outbox,
        caller: StoreCaller,
        clock: Callable[[], datetime],
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._outbox = outbox
        self._caller = caller
        self._clock = clock
        self._chance = chance
        self._noticed = threading.Event()
        self.ending = False

    def notice(self) -> None:
        """Something may be due: to be called once it lasts."""
        self._noticed.set()

    def end(self) -> None:
        """Begin no further call; a site that is being told is free after the one under way."""
        self.ending = True
        self.notice()

    def wait(self, seconds: float) -> None:
        """Return when something was noticed, or after so many seconds."""
        self._noticed.wait(seconds)
        self._noticed.clear()

    def claim(self, *, failing: bool) -> ClaimedCall | None:
        """The call to make next, of a site that failed last (``failing``) or of another; ``None``
        if none is due. Raises :class:`UnavailableError`."""
        now = self._clock()
        return self._outbox.claim(now, now + LEASE, failing=failing)

    def carry_out(self, claimed: ClaimedCall) -> None:
        """Make the call, and then those that wait behind it, until one fails.

        Raises :class:`UnavailableError` when storage is away; what could not be noted is done again
        once the claim has ended.
        """
        current = self._without_old(claimed)
        for made in range(1, BATCH + 1):
            if current is None:
                return
            failure = self._attempt(current)
            now = self._clock()
            if failure is not None:
                due_at = now + self._pause(current.attempts, failure.retry_after)
                self._outbox.put_off(current, failure.reason, now, due_at)
                return
            leave = self.ending or made == BATCH
            # A claim that has ended leaves the site to whoever has room for it next.
            following = self._outbox.told(current, now if leave else now + LEASE)
            current = None if leave else self._without_old(following)

    def _without_old(self, claimed: ClaimedCall | None) -> ClaimedCall | None:
        """The call itself, or the next of its site that has not waited for too long."""
        current, given_up, now = claimed, 0, self._clock()
        while current is not None and now - current.call.at >= GIVE_UP_AFTER:
            current = self._outbox.give_up(current, now + LEASE)
            given_up, now = given_up + 1, self._clock()
        if claimed is not None and given_up:
            site = claimed.call.site
            _log.warning("a store could not be told for a day: %d given up (%s)", given_up, site)
        return current

    def _attempt(self, claimed: ClaimedCall) -> StoreCallError | None:
        if claimed.rest_url is None:
            return StoreCallError("the store has not connected yet")
        now = self._clock()
        try:
            self._caller.call(claimed.rest_url, good_keys(claimed.secrets, now), claimed.call, now)
        except StoreCallError as failure:
            return failure
        except Exception:  # noqa: BLE001 - whatever it is, the store is tried again, and not at once
            _log.exception("a call to a store broke down")
            return StoreCallError("a fault of the bridge")
        return None

    def _pause(self, attempts: int, asked: timedelta | None) -> timedelta:
        """How long to wait after ``attempts`` failures in a row and another one: doubled each time,
        up to half of it left to chance, and at least what the store asked for within reason."""
        longest = min(FIRST_WAIT * (1 << min(attempts, _MOST_DOUBLED)), LONGEST_WAIT)
        pause = longest * (1 + self._chance()) / 2
        return min(max(pause, asked or pause), LONGEST_WAIT)

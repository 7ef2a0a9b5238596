"""Stores are asked for customers: in the background, one at a time for each store (C4)."""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable
from datetime import datetime, timedelta

from bridge.domain.customer import SubjectKind
from bridge.ports import (
    ClaimedLookUp,
    CustomerReader,
    LookUpError,
    LookUpProblem,
    LookUps,
    Profile,
    Records,
)
from bridge.services.customers import show_anew
from bridge.services.recording import Recorder

LEASE = timedelta(seconds=60)
"""How long a claim lasts: longer than a look-up."""

FIRST_WAIT = timedelta(seconds=5)
LONGEST_WAIT = timedelta(minutes=15)
GIVE_UP_AFTER = timedelta(hours=24)
"""How long a customer is tried for; then an agent must look, or the store say that they changed."""
_MOST_DOUBLED = 10
_TOLD_AGAIN = 3

_BY_THE_OWNER = (
    LookUpProblem.NOT_CONNECTED,
    LookUpProblem.NOT_INSTALLED,
    LookUpProblem.KEY_REFUSED,
)
"""Problems that do not go away by themselves. Connecting the store again ends the wait."""

_log = logging.getLogger("bridge.look_ups")


class CustomerLookUps:
    """Asks stores for the customers that wait.

    ``clock`` is what the time is read from before and after each look-up; ``noticed`` is set when
    somebody may be due; ``chance`` returns a number from 0 to 1, which spreads out the attempts of
    many.
    """

    def __init__(
        self,
        look_ups: LookUps,
        reader: CustomerReader,
        records: Records,
        recorder: Recorder,
        clock: Callable[[], datetime],
        noticed: threading.Event,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._look_ups = look_ups
        self._reader = reader
        self._records = records
        self._recorder = recorder
        self._clock = clock
        self._chance = chance
        self._noticed = noticed
        self.ending = False

    def notice(self) -> None:
        """Somebody may be due: to be called once it lasts."""
        self._noticed.set()

    def end(self) -> None:
        """Begin no further look-up."""
        self.ending = True
        self.notice()

    def wait(self, seconds: float) -> None:
        """Return when something was noticed, or after so many seconds."""
        self._noticed.wait(seconds)
        self._noticed.clear()

    def claim(self, *, failing: bool) -> ClaimedLookUp | None:
        """Whom to look up next, at a store that failed last (``failing``) or at another; ``None``
        if nobody is due. Raises :class:`bridge.errors.UnavailableError`."""
        now = self._clock()
        return self._look_ups.claim(now, now + LEASE, failing=failing)

    def carry_out(self, claimed: ClaimedLookUp) -> None:
        """Look the customer up, and show agents what came of it.

        Raises :class:`bridge.errors.UnavailableError` when storage is away; what could not be noted
        is done again once the claim has ended.
        """
        asked_at = self._clock()
        try:
            profile = self._ask(claimed, asked_at)
        except LookUpError as error:
            self._put_off(claimed, error)
        else:
            self._keep(claimed, profile, asked_at)

    def _ask(self, claimed: ClaimedLookUp, now: datetime) -> Profile:
        if isinstance(claimed.store, LookUpProblem):
            raise LookUpError(claimed.store, "it has given no key to its WooCommerce")
        try:
            profile = self._reader.look_up(claimed.store, claimed.subject, now)
        except LookUpError:
            raise
        except Exception as error:
            _log.exception("a look-up broke down")
            raise LookUpError(LookUpProblem.BROKEN, "a fault of the bridge") from error
        if claimed.subject.kind is SubjectKind.CLAIMED:
            # Whatever was answered, no more is kept than may be shown (C2).
            return Profile(known=profile.known, orders_count=profile.orders_count)
        return profile

    def _keep(self, claimed: ClaimedLookUp, profile: Profile, asked_at: datetime) -> None:
        with self._records.begin(claimed.site) as work:
            # What came about since it was asked for, the answer need not hold.
            if work.keep_profile(claimed, profile, asked_at):
                show_anew(work, self._recorder, claimed.subject, self._clock())
        if claimed.attempts:
            _log.info("a store can be asked for customers again (%s)", claimed.site)

    def _put_off(self, claimed: ClaimedLookUp, error: LookUpError) -> None:
        now = self._clock()
        pause = FIRST_WAIT if error.of_customer else self._pause(claimed.attempts, error)
        due_at = now + pause
        customer_due_at: datetime | None = now + self._pause(claimed.customer_attempts, error)
        if isinstance(claimed.store, LookUpProblem) or now - claimed.asked_since >= GIVE_UP_AFTER:
            customer_due_at = None
        is_news = self._look_ups.put_off(claimed, error, now, due_at, customer_due_at)
        if claimed.attempts == 0 and not error.of_customer:
            _log.warning("a store cannot be asked for customers: %s (%s)", error, claimed.site)
        # Once more the next times, in case that this process ends, or storage goes, in between.
        if is_news or claimed.customer_attempts < _TOLD_AGAIN:
            with self._records.begin(claimed.site) as work:
                show_anew(work, self._recorder, claimed.subject, now)

    def _pause(self, attempts: int, error: LookUpError) -> timedelta:
        """How long to wait after ``attempts`` failures in a row and another one: doubled each time,
        up to half of it left to chance, and at least what the store asked for within reason."""
        longest = min(FIRST_WAIT * (1 << min(attempts, _MOST_DOUBLED)), LONGEST_WAIT)
        if error.problem in _BY_THE_OWNER:
            longest = LONGEST_WAIT
        pause = longest * (1 + self._chance()) / 2
        return min(max(pause, error.retry_after or pause), LONGEST_WAIT)

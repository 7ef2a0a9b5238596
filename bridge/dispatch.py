"""What a process does by itself with stores: it looks for those that are to be told something, or
asked, and does so with several at a time, so that one that does not answer holds up no other.

Under gunicorn's gevent worker the threads are greenlets.
"""

from __future__ import annotations

import logging
import threading
from threading import BoundedSemaphore
from typing import Generic, Protocol, TypeVar

from bridge.errors import UnavailableError
from bridge.logs import reason_of

POLL_SECONDS = 1.0
"""How long it may take until another process's change is found, or that a back-off has ended."""

AT_A_TIME = 6
"""Stores at a time that answered last; those that failed last have places of their own, since
each may take until the time-out."""
FAILING_AT_A_TIME = 2

_log = logging.getLogger("bridge.dispatch")


Claimed = TypeVar("Claimed")


class Errands(Protocol[Claimed]):
    """What is to be done with stores: claimed one by one, each by one process."""

    ending: bool

    def wait(self, seconds: float) -> None:
        """Return when something may be due, or after so many seconds."""

    def notice(self) -> None:
        """Something may be due."""

    def claim(self, *, failing: bool) -> Claimed | None:
        """What to do next, at a store that failed last or at another; ``None`` if nothing is due.
        Raises :class:`UnavailableError`."""

    def carry_out(self, claimed: Claimed) -> None:
        """Do it. Raises :class:`UnavailableError`."""


def start(errands: Errands[Claimed], name: str) -> threading.Thread:
    """Carry out what is due until ``errands`` are ``ending``, or until the process ends."""
    thread = threading.Thread(target=_Dispatch(errands, name).run, name=name, daemon=True)
    thread.start()
    return thread


class _Dispatch(Generic[Claimed]):
    def __init__(self, errands: Errands[Claimed], name: str) -> None:
        self._errands = errands
        self._name = name
        self._places = {
            False: BoundedSemaphore(AT_A_TIME),
            True: BoundedSemaphore(FAILING_AT_A_TIME),
        }
        self._away_because: str | None = None

    def run(self) -> None:
        while not self._errands.ending:
            try:
                for failing in (False, True):
                    while self._begin_one(failing=failing):
                        pass
            except UnavailableError as error:
                self._storage_is_away(error)
            except Exception:  # noqa: BLE001 - whatever failed, other stores must not wait for it
                _log.exception("stores could not be looked after (%s)", self._name)
            self._errands.wait(POLL_SECONDS)

    def _begin_one(self, *, failing: bool) -> bool:
        """Begin one errand, if one is due and there is a place for it."""
        place = self._places[failing]
        if not place.acquire(blocking=False):
            return False
        claimed = None
        try:
            claimed = self._errands.claim(failing=failing)
        finally:
            if claimed is None:
                place.release()
        if claimed is None:
            return False
        self._storage_is_there()
        errand = threading.Thread(
            target=self._carry_out, args=(claimed, place), name=f"{self._name} call", daemon=True
        )
        errand.start()
        return True

    def _carry_out(self, claimed: Claimed, place: BoundedSemaphore) -> None:
        try:
            self._errands.carry_out(claimed)
        except UnavailableError as error:
            self._storage_is_away(error)
        except Exception:  # noqa: BLE001 - told of here; the site is due again when its claim ends
            _log.exception("a store could not be looked after (%s)", self._name)
        finally:
            place.release()
            self._errands.notice()

    def _storage_is_away(self, error: UnavailableError) -> None:
        reason = reason_of(error)
        # One line for each trouble, however long it lasts.
        if reason != self._away_because:
            _log.warning("storage is away: stores wait (%s, %s)", self._name, reason)
        self._away_because = reason

    def _storage_is_there(self) -> None:
        if self._away_because is not None:
            _log.info("storage is back: stores wait no more (%s)", self._name)
        self._away_because = None

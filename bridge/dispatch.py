"""What a process does by itself to tell stores: it looks for those that are due, and tells several
at a time, so that one that does not answer holds up no other.

Under gunicorn's gevent worker the threads are greenlets.
"""

from __future__ import annotations

import logging
import threading
from threading import BoundedSemaphore

from bridge.errors import UnavailableError
from bridge.logs import reason_of
from bridge.ports import ClaimedCall
from bridge.services.outbox import StoreOutbox

POLL_SECONDS = 1.0
"""How long it may take until another process's change is found, or that a back-off has ended."""

AT_A_TIME = 6
"""Stores told at a time that answered last; those that failed last have places of their own, since
each may take until the time-out."""
FAILING_AT_A_TIME = 2

_log = logging.getLogger("bridge.dispatch")


def start(outbox: StoreOutbox) -> threading.Thread:
    """Tell stores until ``outbox.end()``, or until the process ends."""
    thread = threading.Thread(target=_Dispatch(outbox).run, name="outbox", daemon=True)
    thread.start()
    return thread


class _Dispatch:
    def __init__(self, outbox: StoreOutbox) -> None:
        self._outbox = outbox
        self._places = {
            False: BoundedSemaphore(AT_A_TIME),
            True: BoundedSemaphore(FAILING_AT_A_TIME),
        }
        self._away_because: str | None = None

    def run(self) -> None:
        while not self._outbox.ending:
            try:
                for failing in (False, True):
                    while self._begin_one(failing=failing):
                        pass
            except UnavailableError as error:
                self._storage_is_away(error)
            except Exception:  # noqa: BLE001 - whatever failed, other stores must not wait for it
                _log.exception("stores could not be looked after")
            self._outbox.wait(POLL_SECONDS)

    def _begin_one(self, *, failing: bool) -> bool:
        """Begin to tell one store, if one is due and there is a place for it."""
        place = self._places[failing]
        if not place.acquire(blocking=False):
            return False
        claimed = None
        try:
            claimed = self._outbox.claim(failing=failing)
        finally:
            if claimed is None:
                place.release()
        if claimed is None:
            return False
        self._storage_is_there()
        telling = threading.Thread(
            target=self._tell, args=(claimed, place), name="outbox call", daemon=True
        )
        telling.start()
        return True

    def _tell(self, claimed: ClaimedCall, place: BoundedSemaphore) -> None:
        try:
            self._outbox.tell(claimed)
        except UnavailableError as error:
            self._storage_is_away(error)
        except Exception:  # noqa: BLE001 - told of here; the site is due again when its claim ends
            _log.exception("a store could not be told")
        finally:
            place.release()
            self._outbox.notice()

    def _storage_is_away(self, error: UnavailableError) -> None:
        reason = reason_of(error)
        # One line for each trouble, however long it lasts.
        if reason != self._away_because:
            _log.warning("storage is away: stores are not told (%s)", reason)
        self._away_because = reason

    def _storage_is_there(self) -> None:
        if self._away_because is not None:
            _log.info("storage is back: stores are told again")
        self._away_because = None

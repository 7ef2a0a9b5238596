"""What a process does by itself: it sweeps passed deadlines, feeds streams, tells stores, and
records that it is alive.

Under gunicorn's gevent worker the thread is a greenlet.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import datetime, timedelta

from bridge import dispatch
from bridge.bootstrap import Bridge
from bridge.errors import UnavailableError
from bridge.logs import reason_of
from bridge.services.sweep import ALIVE_EVERY

LONGEST_NAP = 0.2
"""Seconds between looks at the next deadline, when none is nearer."""

_AFTER_FAILURE = 1.0

_log = logging.getLogger("bridge.background")


def start(bridge: Bridge, clock: Callable[[], datetime]) -> threading.Thread:
    """Restore what a restart lost (P14), then sweep until the process ends.

    Returns once presence is restored: only then may events be taken in. Raises
    :class:`UnavailableError` when storage is away.
    """
    now = clock()
    bridge.sites.load_superseded(now)
    restored = bridge.sweep.restore(now)
    bridge.sweep.keep_house(now)
    _log.info("presence restored: %d conversations", restored)
    bridge.services.fan_out.start()
    dispatch.start(bridge.outbox, "outbox")
    dispatch.start(bridge.look_ups, "look-ups")
    thread = threading.Thread(target=_run, args=(bridge, clock), name="sweep", daemon=True)
    thread.start()
    return thread


def _run(bridge: Bridge, clock: Callable[[], datetime]) -> None:
    nap, next_house_keeping = threading.Event(), clock() + ALIVE_EVERY
    away_because: str | None = None
    while True:
        now = clock()
        try:
            wrote = bridge.sweep.settle(now) > 0
            wrote = bridge.services.visits.settle_drops(now) > 0 or wrote
            if now >= next_house_keeping:
                wrote = True
                bridge.sweep.keep_house(now)
                bridge.sites.forget_superseded(now)
                next_house_keeping = now + ALIVE_EVERY
            if wrote and away_because is not None:
                _log.info("storage is back")
                away_because = None
            nap.wait(_until(bridge.liveness.next_due(), clock()))
        except UnavailableError as error:
            reason = reason_of(error)
            # One line for each trouble, however long it lasts.
            if reason != away_because:
                _log.warning("storage is away: deadlines wait (%s)", reason)
            away_because = reason
            nap.wait(_AFTER_FAILURE)
        except Exception:  # noqa: BLE001 - whatever failed, later deadlines must not wait for it
            _log.exception("a sweep failed")
            nap.wait(_AFTER_FAILURE)


def _until(due: datetime | None, now: datetime) -> float:
    nap = timedelta(seconds=LONGEST_NAP)
    left = nap if due is None else min(nap, due - now)
    return max(left.total_seconds(), 0.0)

"""Nudges within one process."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from functools import partial

from bridge.ports import ConversationKey
from bridge.ports.nudges import Changed, Heard, SignedOut

_log = logging.getLogger("bridge.live")


class MemoryNudges:
    """Implements :class:`bridge.ports.Nudges` for a single process: each is handed on at once."""

    def __init__(self) -> None:
        self._listeners: list[tuple[Changed, Heard, SignedOut]] = []

    def changed(self, site: str) -> None:
        """See :meth:`bridge.ports.Nudges.changed`."""
        for changed, _, _ in self._listeners:
            _tell(partial(changed, site))

    def heard(self, key: ConversationKey, at: datetime) -> None:
        """See :meth:`bridge.ports.Nudges.heard`."""
        for _, heard, _ in self._listeners:
            _tell(partial(heard, key, at))

    def signed_out(self, device: str) -> None:
        """See :meth:`bridge.ports.Nudges.signed_out`."""
        for _, _, signed_out in self._listeners:
            _tell(partial(signed_out, device))

    def listen(self, changed: Changed, heard: Heard, signed_out: SignedOut) -> None:
        """See :meth:`bridge.ports.Nudges.listen`."""
        self._listeners.append((changed, heard, signed_out))


def _tell(listener: Callable[[], None]) -> None:
    try:
        listener()
    except Exception:  # noqa: BLE001 - what was recorded lasts, whatever becomes of a nudge
        _log.exception("a listener failed")

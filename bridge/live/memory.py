"""Nudges within one process."""

from __future__ import annotations

from datetime import datetime

from bridge.ports import ConversationKey
from bridge.ports.nudges import Changed, Heard, SignedOut


class MemoryNudges:
    """Implements :class:`bridge.ports.Nudges` for a single process: each is handed on at once."""

    def __init__(self) -> None:
        self._listeners: list[tuple[Changed, Heard, SignedOut]] = []

    def changed(self, site: str) -> None:
        """See :meth:`bridge.ports.Nudges.changed`."""
        for changed, _, _ in self._listeners:
            changed(site)

    def heard(self, key: ConversationKey, at: datetime) -> None:
        """See :meth:`bridge.ports.Nudges.heard`."""
        for _, heard, _ in self._listeners:
            heard(key, at)

    def signed_out(self, device: str) -> None:
        """See :meth:`bridge.ports.Nudges.signed_out`."""
        for _, _, signed_out in self._listeners:
            signed_out(device)

    def listen(self, changed: Changed, heard: Heard, signed_out: SignedOut) -> None:
        """See :meth:`bridge.ports.Nudges.listen`."""
        self._listeners.append((changed, heard, signed_out))

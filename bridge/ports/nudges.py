"""Telling the streams of all processes that something happened."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from bridge.ports.liveness import ConversationKey

Changed = Callable[[str], None]
"""Called with the site in which something was recorded."""

Heard = Callable[[ConversationKey, datetime], None]
"""Called with a conversation in which the visitor was heard, and when."""


SignedOut = Callable[[str], None]
"""Called with a device that was signed out."""


class Nudges(Protocol):
    """Nudges carry no data: who gets one reads what changed (S2), so one that is lost costs a delay
    and never a difference. Giving one never waits, and never raises."""

    def changed(self, site: str) -> None:
        """Something was recorded in ``site``, and lasts."""

    def heard(self, key: ConversationKey, at: datetime) -> None:
        """The visitor of a conversation in demand was heard ``at`` that time (N2)."""

    def signed_out(self, device: str) -> None:
        """A device was signed out: its streams are to end."""

    def listen(self, changed: Changed, heard: Heard, signed_out: SignedOut) -> None:
        """Call these for every nudge of any process, in whatever thread: they must not wait."""

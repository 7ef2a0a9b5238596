"""The store's copy of who is taken over, which keeps its bot silent (T2, T3)."""

import threading
from datetime import datetime, timedelta
from typing import Any

LONGEST = timedelta(hours=24)
MOST = 1000


class Takeovers:
    """Conversations in which an agent answers, as the bridge told it; each until its end."""

    def __init__(self) -> None:
        self._ends: dict[str, datetime] = {}
        self._lock = threading.Lock()

    def learn(self, told: dict[str, Any], now: datetime) -> None:
        """Take in what the bridge says (api.md, Bridge to store); what is not known is ignored.

        :param told: the body of its call.
        :param now: aware, UTC.
        """
        conversation, ends_at = told.get("conversation"), told.get("expires_at")
        if not isinstance(conversation, str):
            return
        with self._lock:
            if told.get("type") == "takeover.released":
                self._ends.pop(conversation, None)
            elif told.get("type") in ("takeover.started", "message.created"):
                ends = datetime.fromisoformat(ends_at) if isinstance(ends_at, str) else now
                self._ends = {c: e for c, e in self._ends.items() if e > now}
                if len(self._ends) < MOST:
                    self._ends[conversation] = min(ends, now + LONGEST)

    def holds(self, conversation: str, now: datetime) -> bool:
        """Whether an agent answers in this conversation at ``now``."""
        with self._lock:
            ends = self._ends.get(conversation)
        return ends is not None and now < ends

"""Visitors who never pause, and what the bridge told them that it had."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import requests

from tests.processes.client import Store, accepted
from tests.servers.waiting import wait_until

THREADS = 4
ENOUGH = 150
"""Accepted events that make a load."""
STAYS, LEAVES, CLEARS = range(3)


@dataclass(frozen=True)
class Accepted:
    """An event that was answered ``accepted``; it happened between ``sent`` and ``answered``."""

    event: dict[str, Any]
    sent: datetime
    answered: datetime


@dataclass
class Visitors:
    """Conversation after conversation, each of another visitor, until the bridge is gone.

    Each is viewed and written in; then one of three visitors leaves and one clears the chat.
    ``uncertain`` are the conversations with an event that was never answered.
    """

    store: Store
    name: str
    accepted: list[Accepted] = field(default_factory=list)
    uncertain: set[str] = field(default_factory=set)
    failures: list[object] = field(default_factory=list)

    def run(self) -> None:
        session, number = self.store.session(), 0
        try:
            while True:
                self._one(session, f"{self.name}-{number}", number % 3)
                number += 1
        except requests.ConnectionError:
            return
        except Exception as failure:  # noqa: BLE001 - a thread's failure is the test's to report
            self.failures.append(failure)

    def _one(self, session: requests.Session, conversation: str, ends: int) -> None:
        visitor = self.store.visitor(f"visitor-{conversation}", session)
        page = f"page-{conversation}"

        def send(*events: dict[str, Any]) -> None:
            sent = datetime.now(UTC)
            try:
                response = visitor.post(*events)
            except requests.ConnectionError:
                self.uncertain.add(conversation)
                raise
            answered = datetime.now(UTC)
            done = accepted(response, events)
            self.accepted += [Accepted(event, sent, answered) for event in done]
            if len(done) < len(events):
                self.failures.append(response.text)

        def message(number: int) -> dict[str, Any]:
            said = {"id": f"{conversation}-{number}", "author": "visitor", "text": "Hello?"}
            return visitor.event("message", conversation, page=page, message=said)

        send(visitor.event("page_view", conversation, page=page, seq=1), message(1))
        send(message(2))
        if ends == LEAVES:
            send(visitor.event("page_unload", conversation, page=page, seq=2))
        elif ends == CLEARS:
            send(visitor.event("chat_cleared", conversation, page=page, seq=2))


class Load:
    """Several threads of visitors; what was accepted of all of them."""

    def __init__(self, store: Store) -> None:
        self._all = [Visitors(store, f"c{number}") for number in range(THREADS)]

    def until_gone(self, end: Callable[[], object]) -> None:
        """Run until there is load, then let ``end`` end the bridge, and wait for all threads."""
        threads = [threading.Thread(target=each.run) for each in self._all]
        for thread in threads:
            thread.start()
        try:
            wait_until(lambda: self._count() >= ENOUGH or self.failures, "there is load")
        finally:
            end()
            for thread in threads:
                thread.join()

    @property
    def failures(self) -> list[object]:
        """What was answered otherwise than ``accepted``, or raised."""
        return [failure for each in self._all for failure in each.failures]

    @property
    def uncertain(self) -> set[str]:
        """Conversations with an event of which the bridge said nothing."""
        return {conversation for each in self._all for conversation in each.uncertain}

    def accepted(self, kind: str) -> dict[str, list[Accepted]]:
        """The accepted events of one type by conversation."""
        found: dict[str, list[Accepted]] = {}
        for visitors in self._all:
            for each in visitors.accepted:
                if each.event["type"] == kind:
                    found.setdefault(each.event["conversation"], []).append(each)
        return found

    def _count(self) -> int:
        return sum(len(each.accepted) for each in self._all)

"""What an agent reads: the list, one conversation, its messages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bridge.domain.presence import State
from bridge.errors import NotFoundError
from bridge.ports import (
    ConversationKey,
    ConversationQuery,
    ConversationSummary,
    Liveness,
    MessageRecord,
    Records,
)
from bridge.services.sweep import Sweep


@dataclass(frozen=True, slots=True)
class ConversationView:
    """A conversation as a reader sees it; ``heard_at`` is when the visitor was last heard."""

    summary: ConversationSummary
    heard_at: datetime | None


class Conversations:
    """Reads for agents. Passed deadlines are settled first, so that what is read is true."""

    def __init__(self, records: Records, liveness: Liveness, sweep: Sweep) -> None:
        self._records = records
        self._liveness = liveness
        self._sweep = sweep

    def listing(
        self, site: str, agent: str, query: ConversationQuery, now: datetime
    ) -> list[ConversationView]:
        """Conversations in the order and number asked for."""
        self._sweep.settle_if_due(now)
        return self._viewed(site, self._records.list_conversations(site, agent, query))

    def one(self, site: str, agent: str, conversation: str, now: datetime) -> ConversationView:
        """One conversation. Raises :class:`NotFoundError`."""
        self._sweep.settle_if_due(now)
        return self._viewed(site, [self._find(site, agent, conversation)])[0]

    def messages(
        self,
        site: str,
        agent: str,
        conversation: str,
        before: str | None,
        after: str | None,
        limit: int,
    ) -> Sequence[MessageRecord]:
        """A page of messages, oldest first. Raises :class:`NotFoundError`."""
        self._find(site, agent, conversation)
        found = self._records.list_messages(site, conversation, before, after, limit)
        if found is None:
            raise NotFoundError("There is no such message in this conversation.")
        return found

    def mark_read(self, site: str, agent: str, conversation: str) -> None:
        """The agent has read all there is. Raises :class:`NotFoundError`."""
        summary = self._find(site, agent, conversation)
        self._records.mark_read(site, agent, conversation, summary.record.message_count)

    def _find(self, site: str, agent: str, conversation: str) -> ConversationSummary:
        summary = self._records.read_conversation(site, agent, conversation)
        if summary is None:
            raise NotFoundError("There is no such conversation.")
        return summary

    def _viewed(self, site: str, found: list[ConversationSummary]) -> list[ConversationView]:
        present = [
            ConversationKey(site, summary.record.id)
            for summary in found
            if summary.record.state.state in (State.ONLINE, State.SWITCHING_PAGES)
        ]
        hot = self._liveness.read(present)
        views = []
        for summary in found:
            key = ConversationKey(site, summary.record.id)
            heard_at = hot[key].heard_at if key in hot else summary.record.heard_at
            views.append(ConversationView(summary, heard_at))
        return views

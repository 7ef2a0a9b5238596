"""What an agent reads: the list, one conversation, its messages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bridge.domain.page import Timing
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
from bridge.services.recording import overlay
from bridge.services.sweep import Sweep


@dataclass(frozen=True, slots=True)
class ConversationView:
    """A conversation as a reader sees it; ``heard_at`` is when the visitor was last heard."""

    summary: ConversationSummary
    heard_at: datetime | None


class Conversations:
    """Reads for agents. Passed deadlines are settled first, so that what is read is true."""

    def __init__(self, records: Records, liveness: Liveness, sweep: Sweep, timing: Timing) -> None:
        self._records = records
        self._liveness = liveness
        self._sweep = sweep
        self._timing = timing

    def listing(
        self, site: str, agent: str, query: ConversationQuery, now: datetime
    ) -> list[ConversationView]:
        """Conversations in the order and number asked for."""
        recorded = self._sweep.settle_if_due(now)
        found = self._records.list_conversations(site, agent, query)
        return self._viewed(site, found, None if recorded else now)

    def one(self, site: str, agent: str, conversation: str, now: datetime) -> ConversationView:
        """One conversation. Raises :class:`NotFoundError`."""
        recorded = self._sweep.settle_if_due(now)
        found = [self._find(site, agent, conversation)]
        return self._viewed(site, found, None if recorded else now)[0]

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

    def _viewed(
        self, site: str, found: list[ConversationSummary], derived_at: datetime | None
    ) -> list[ConversationView]:
        """With what liveness knows better. While storage cannot be written, states are derived at
        ``derived_at``: nobody is shown who is gone."""
        present = [
            ConversationKey(site, summary.record.id)
            for summary in found
            if summary.record.state.state in (State.ONLINE, State.SWITCHING_PAGES)
        ]
        hot = self._liveness.read(present)
        views = []
        for summary in found:
            record, heard_at = summary.record, summary.record.heard_at
            key = ConversationKey(site, record.id)
            if key in hot:
                heard_at = hot[key].heard_at
                if derived_at is not None:
                    overlay(record.presence, hot[key], self._timing)
                    record.state = record.presence.state_at(derived_at, self._timing, record.state)
            views.append(ConversationView(summary, heard_at))
        return views

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
from bridge.services.hot import overlay
from bridge.services.recording import Recorder
from bridge.services.sweep import Sweep


@dataclass(frozen=True, slots=True)
class ConversationView:
    """A conversation as a reader sees it; ``heard_at`` is when the visitor was last heard."""

    summary: ConversationSummary
    heard_at: datetime | None


class Conversations:
    """Reads for agents. Passed deadlines are settled first, so that what is read is true."""

    def __init__(
        self,
        records: Records,
        liveness: Liveness,
        recorder: Recorder,
        sweep: Sweep,
        timing: Timing,
    ) -> None:
        self._records = records
        self._liveness = liveness
        self._recorder = recorder
        self._sweep = sweep
        self._timing = timing

    def listing(
        self, site: str, agent: str, query: ConversationQuery, now: datetime
    ) -> list[ConversationView]:
        """Conversations in the order and number asked for."""
        derived_at = self.settle(now)
        found = self._records.list_conversations(site, agent, query)
        return self.viewed(site, found, derived_at)

    def one(self, site: str, agent: str, conversation: str, now: datetime) -> ConversationView:
        """One conversation. Raises :class:`NotFoundError`."""
        derived_at = self.settle(now)
        found = [self._find(site, agent, conversation)]
        return self.viewed(site, found, derived_at)[0]

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

    def mark_read(self, site: str, agent: str, conversation: str, now: datetime) -> None:
        """The agent has read all there is, and all devices of the agent are to show it.

        Raises :class:`NotFoundError`.
        """
        if self._find(site, agent, conversation).unread == 0:
            return
        with self._records.begin(site) as work:
            loaded = self._recorder.find(work, conversation, now)
            count = loaded.record.message_count
            loaded.changed |= work.mark_read(agent, conversation, count)
            self._recorder.write(work, loaded, now)

    def settle(self, now: datetime) -> datetime | None:
        """Settle what is due before something is read. If storage cannot be written now, the time
        to derive states at instead, for :meth:`viewed`."""
        return None if self._sweep.settle_if_due(now) else now

    def viewed(
        self, site: str, found: Sequence[ConversationSummary], derived_at: datetime | None
    ) -> list[ConversationView]:
        """What was read, with what liveness knows better. While storage cannot be written, states
        are derived at ``derived_at``: nobody is shown who is gone."""
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

    def _find(self, site: str, agent: str, conversation: str) -> ConversationSummary:
        summary = self._records.read_conversation(site, agent, conversation)
        if summary is None:
            raise NotFoundError("There is no such conversation.")
        return summary

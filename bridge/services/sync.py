"""What changed since a revision (S1, S2): for one reader that asks, or for all that listen."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from bridge.ports import MessageRecord, Records
from bridge.services.conversations import Conversations, ConversationView


@dataclass(frozen=True, slots=True)
class SiteChanges:
    """What changed in a site, in its present form; all of it up to ``rev``, unless ``more``.

    ``read`` is how many messages each agent has read of each conversation.
    """

    rev: int
    views: list[ConversationView]
    messages: list[MessageRecord]
    more: bool
    read: Mapping[tuple[str, str], int]

    def of(self, agent: str) -> list[ConversationView]:
        """The conversations as this agent sees them."""
        return [self._seen_by(agent, view) for view in self.views]

    def in_order(self, agent: str) -> Iterator[tuple[int, ConversationView | MessageRecord]]:
        """Everything as this agent sees it, each with its revision, in the order of these."""
        changed: list[tuple[int, ConversationView | MessageRecord]] = [
            *((view.summary.record.rev, view) for view in self.of(agent)),
            *((message.rev, message) for message in self.messages),
        ]
        return iter(sorted(changed, key=lambda each: each[0]))

    def _seen_by(self, agent: str, view: ConversationView) -> ConversationView:
        read = self.read.get((agent, view.summary.record.id), 0)
        unread = view.summary.record.message_count - read
        return replace(view, summary=replace(view.summary, unread=unread))


class Sync:
    """Reads what changed. Passed deadlines are settled first, so that what is read is true."""

    def __init__(self, records: Records, conversations: Conversations) -> None:
        self._records = records
        self._conversations = conversations

    def revision(self, site: str) -> int:
        """The site's revision now."""
        return self._records.revision(site)

    def watched_by(self, site: str, agent: str) -> set[str]:
        """The conversations that the agent watches, or watched a moment ago."""
        return set(self._records.watched_by(site, agent))

    def since(
        self, site: str, agents: Collection[str], after: int, limit: int, now: datetime
    ) -> SiteChanges:
        """At most ``limit`` changes after the revision ``after``, for these agents.

        Who has a revision that the site has not reached has it from another database: everything
        is new to them. Raises :class:`bridge.errors.UnavailableError`.
        """
        derived_at = self._conversations.settle(now)
        return self.read(site, agents, after, limit, derived_at)

    def read(
        self,
        site: str,
        agents: Collection[str],
        after: int,
        limit: int,
        derived_at: datetime | None = None,
    ) -> SiteChanges:
        """The same as it is recorded: what is due is not waited for. ``derived_at`` is the time to
        derive states at, if they cannot be recorded."""
        changes = self._records.sync(site, after, limit)
        if changes.rev < after:
            changes = self._records.sync(site, 0, limit)
        views = self._conversations.viewed(site, changes.conversations, derived_at)
        read: Mapping[tuple[str, str], int] = {}
        if agents and views:
            ids = [view.summary.record.id for view in views]
            read = self._records.read_counts(site, list(agents), ids)
        return SiteChanges(changes.rev, views, list(changes.messages), changes.more, read)

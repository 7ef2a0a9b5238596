"""A reader's own copy of a site, kept up by ``sync`` alone (S2)."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count

import sqlalchemy as sa

from bridge.ports import Changes, ConversationRecord, MessageRecord, Records
from bridge.records.database import Database
from bridge.records.tables import conversations, messages


@dataclass
class Replica:
    """What one reader knows of a site, and the revision that it has seen."""

    site: str
    rev: int = 0
    conversations: dict[str, ConversationRecord] = field(default_factory=dict)
    messages: dict[tuple[str, str], MessageRecord] = field(default_factory=dict)

    def take(self, answer: Changes, limit: int) -> None:
        """Take in an answer to a reader that has seen ``self.rev``, and see that it is one."""
        of_conversations = [each.record.rev for each in answer.conversations]
        of_messages = [each.rev for each in answer.messages]
        assert of_conversations == sorted(of_conversations)
        assert of_messages == sorted(of_messages)
        revs = {*of_conversations, *of_messages}
        assert len(revs) == len(of_conversations) + len(of_messages) <= limit
        assert all(self.rev < rev <= answer.rev for rev in revs)
        for summary in answer.conversations:
            self.conversations[summary.record.id] = summary.record
            if summary.record.deleted:
                self._forget_messages_of(summary.record.id)
        for message in answer.messages:
            self.messages[message.conversation, message.id] = message
        self.rev = answer.rev

    def catch_up(self, records: Records, limit: int) -> int:
        """Ask until nothing is left; how often."""
        for asked in count(1):
            answer = records.sync(self.site, self.rev, limit)
            self.take(answer, limit)
            if not answer.more:
                return asked
        raise AssertionError

    def missing(self, database: Database) -> list[tuple[str, str, int]]:
        """What lies at or below the revision seen and is not known here in that form: S1 says
        nothing. True at any moment, since a row that changes leaves for a greater revision."""
        seen = [
            (conversations.c.id, sa.literal(""), conversations.c.rev, conversations.c.site),
            (messages.c.conversation, messages.c.id, messages.c.rev, messages.c.site),
        ]
        statement = sa.union_all(
            *(sa.select(*row).where(row[3] == self.site, row[2] <= self.rev) for row in seen)
        )
        with database.reading() as connection:
            there = connection.execute(statement).all()
        return [(one, other, rev) for one, other, rev, _ in there if self._rev(one, other) != rev]

    def _rev(self, conversation: str, message: str) -> int | None:
        if message:
            known = self.messages.get((conversation, message))
            return known.rev if known else None
        found = self.conversations.get(conversation)
        return found.rev if found else None

    def _forget_messages_of(self, conversation: str) -> None:
        for key in [key for key in self.messages if key[0] == conversation]:
            del self.messages[key]


def whole(records: Records, database: Database, site: str) -> Replica:
    """A copy that was made without ``sync``."""
    with database.reading() as connection:
        ids = list(connection.scalars(sa.select(conversations.c.id).filter_by(site=site)))
    with records.begin(site) as work:
        found = {id: work.conversation(id) for id in ids}
    said = [each for id in ids for each in records.list_messages(site, id, None, None, 9_999) or []]
    return Replica(
        site,
        records.revision(site),
        {id: record for id, record in found.items() if record is not None},
        {(each.conversation, each.id): each for each in said},
    )

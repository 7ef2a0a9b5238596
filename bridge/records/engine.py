"""The records behind their port: one method a query, each in a transaction of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

import sqlalchemy as sa

from bridge.encryption import Encryption
from bridge.ports import (
    Changes,
    ConversationQuery,
    ConversationRecord,
    ConversationSummary,
    Device,
    MessageRecord,
    Pairing,
    Site,
    SiteStatus,
    Work,
)
from bridge.records import conversations, customers, devices, messages, reads, sites, visitors
from bridge.records.database import Database
from bridge.records.tables import alive, answered_requests, seen_events
from bridge.records.upsert import upsert
from bridge.records.work import SqlWork

_BATCH = 500


class SqlRecords:
    """Implements :class:`bridge.ports.Records` on SQLite and PostgreSQL.

    ``changed`` is called with a site once a revision of it lasts, ``outbox_grew`` once something
    for a store does, and ``customers_wanted`` once a customer is to be looked up; none may wait.
    """

    def __init__(
        self,
        database: Database,
        encryption: Encryption,
        changed: Callable[[str], None] | None = None,
        outbox_grew: Callable[[], None] | None = None,
        customers_wanted: Callable[[], None] | None = None,
    ) -> None:
        self._database = database
        self._encryption = encryption
        self._changed = changed
        self._outbox_grew = outbox_grew
        self._customers_wanted = customers_wanted

    @contextmanager
    def begin(self, site: str) -> Iterator[Work]:
        """See :meth:`bridge.ports.Records.begin`."""
        with self._database.writing() as connection:
            work = SqlWork(connection, site, self._encryption)
            yield work
            work.flush()
        work.committed()
        if work.has_changed and self._changed is not None:
            self._changed(site)
        if work.tells_store and self._outbox_grew is not None:
            self._outbox_grew()
        if work.wants_customers and self._customers_wanted is not None:
            self._customers_wanted()

    def add_site(self, site: Site, now: datetime) -> None:
        """See :meth:`bridge.ports.Records.add_site`."""
        with self._database.writing() as connection:
            sites.add(connection, site, now, self._encryption.encrypt)

    def rotate_secret(self, site: str, secret: bytes, keep_old: datetime) -> bool:
        """See :meth:`bridge.ports.Records.rotate_secret`."""
        with self._database.writing() as connection:
            return sites.rotate(connection, site, secret, keep_old, self._encryption.encrypt)

    def site(self, site: str) -> Site | None:
        """See :meth:`bridge.ports.Records.site`."""
        with self._database.reading() as connection:
            return sites.find(connection, site, self._encryption.decrypt)

    def sites(self) -> list[tuple[str, str, str]]:
        """See :meth:`bridge.ports.Records.sites`."""
        with self._database.reading() as connection:
            return sites.listing(connection)

    def site_status(self, site: str) -> SiteStatus:
        """See :meth:`bridge.ports.Records.site_status`."""
        with self._database.reading() as connection:
            return sites.status(connection, site)

    def customers_known(self, site: str, keys: Sequence[str], order: str | None) -> list[str]:
        """See :meth:`bridge.ports.Records.customers_known`."""
        with self._database.reading() as connection:
            return customers.known(connection, site, keys, order)

    def origin_known(self, origin: str) -> bool:
        """See :meth:`bridge.ports.Records.origin_known`."""
        with self._database.reading() as connection:
            return sites.origin_known(connection, origin)

    def superseded_tokens(self, since: datetime) -> list[tuple[str, str, datetime]]:
        """See :meth:`bridge.ports.Records.superseded_tokens`."""
        with self._database.reading() as connection:
            return visitors.superseded(connection, since)

    def use_pairing(
        self, code_hash: str, now: datetime, pair: Callable[[Pairing], tuple[Device, str]]
    ) -> Device | None:
        """See :meth:`bridge.ports.Records.use_pairing`."""
        with self._database.writing() as connection:
            pairing = devices.use_pairing(connection, code_hash, now)
            if pairing is None:
                return None
            device, token_hash = pair(pairing)
            devices.add(connection, device, token_hash)
        return device

    def device_by_token(self, token_hash: str) -> tuple[Device, int] | None:
        """See :meth:`bridge.ports.Records.device_by_token`."""
        with self._database.reading() as connection:
            return devices.by_token(connection, token_hash)

    def device_seen(self, device: str, now: datetime) -> None:
        """See :meth:`bridge.ports.Records.device_seen`."""
        with self._database.writing() as connection:
            devices.seen(connection, device, now)

    def devices(self, site: str) -> list[Device]:
        """See :meth:`bridge.ports.Records.devices`."""
        with self._database.reading() as connection:
            return devices.listing(connection, site)

    def list_conversations(
        self, site: str, agent: str, query: ConversationQuery
    ) -> list[ConversationSummary]:
        """See :meth:`bridge.ports.Records.list_conversations`."""
        with self._database.reading() as connection:
            return conversations.listing(connection, site, agent, query)

    def read_conversation(
        self, site: str, agent: str, conversation: str
    ) -> ConversationSummary | None:
        """See :meth:`bridge.ports.Records.read_conversation`."""
        with self._database.reading() as connection:
            return conversations.one(connection, site, agent, conversation)

    def list_messages(
        self, site: str, conversation: str, before: str | None, after: str | None, limit: int
    ) -> Sequence[MessageRecord] | None:
        """See :meth:`bridge.ports.Records.list_messages`."""
        with self._database.reading() as connection:
            return messages.page(connection, site, conversation, before, after, limit)

    def changes(self, site: str, conversation: str) -> Sequence[tuple[str, str | None, datetime]]:
        """See :meth:`bridge.ports.Records.changes`."""
        with self._database.reading() as connection:
            return conversations.changes(connection, site, conversation)

    def revision(self, site: str) -> int:
        """See :meth:`bridge.ports.Records.revision`."""
        with self._database.reading() as connection:
            return sites.revision(connection, site)

    def sync(self, site: str, after: int, limit: int) -> Changes:
        """See :meth:`bridge.ports.Records.sync`."""
        with self._database.reading() as connection:
            # First: what is read after it has all that came up to it (S1), and perhaps, between the
            # two queries, some of what came since, which is left for the next time.
            present = sites.revision(connection, site)
            changed = conversations.changed(connection, site, after, limit + 1)
            said = messages.changed(connection, site, after, limit + 1)
        revs = sorted([*(each.record.rev for each in changed), *(each.rev for each in said)])
        more = len(revs) > limit
        last = min(present, revs[limit - 1]) if more else present
        return Changes(
            last,
            [each for each in changed if each.record.rev <= last],
            [each for each in said if each.rev <= last],
            more,
        )

    def read_counts(
        self, site: str, agents: Sequence[str], conversations: Sequence[str]
    ) -> dict[tuple[str, str], int]:
        """See :meth:`bridge.ports.Records.read_counts`."""
        with self._database.reading() as connection:
            return reads.counts(connection, site, agents, conversations)

    def messages_for_visitor(
        self, site: str, conversation: str, after: int | None, limit: int
    ) -> list[MessageRecord]:
        """See :meth:`bridge.ports.Records.messages_for_visitor`."""
        with self._database.reading() as connection:
            return messages.for_visitor(connection, site, conversation, after, limit)

    def watched_by(self, site: str, agent: str) -> list[str]:
        """See :meth:`bridge.ports.Records.watched_by`."""
        with self._database.reading() as connection:
            return conversations.watched_by(connection, site, agent)

    def active_conversations(self) -> Iterable[tuple[str, list[ConversationRecord]]]:
        """See :meth:`bridge.ports.Records.active_conversations`."""
        with self._database.reading() as connection:
            yield from conversations.active(connection)

    def alive_at(self) -> datetime | None:
        """See :meth:`bridge.ports.Records.alive_at`."""
        with self._database.reading() as connection:
            return connection.scalar(sa.select(alive.c.at))

    def record_alive(self, now: datetime) -> None:
        """See :meth:`bridge.ports.Records.record_alive`."""
        with self._database.writing() as connection:
            upsert(connection, alive, {"id": 1, "at": now})

    def forget_replays(self, before: datetime) -> None:
        """See :meth:`bridge.ports.Records.forget_replays`."""
        for table in (answered_requests, seen_events):
            keys = sa.tuple_(table.c.site, table.c.id)
            old = sa.select(table.c.site, table.c.id).where(table.c.at < before).limit(_BATCH)
            removed = _BATCH
            while removed == _BATCH:
                with self._database.writing() as connection:
                    removed = connection.execute(sa.delete(table).where(keys.in_(old))).rowcount

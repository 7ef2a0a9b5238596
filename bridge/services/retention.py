"""Removing conversations: because the store did, or because they are old."""

from __future__ import annotations

from datetime import datetime, timedelta

from bridge.domain.demand import Demand
from bridge.domain.presence import Presence, PresenceState, State
from bridge.ports import Records, Work
from bridge.services.loaded import Loaded
from bridge.services.recording import Recorder

BATCH = 100
"""Conversations removed in one transaction: writers of the site wait for no more."""


def delete(work: Work, loaded: Loaded) -> None:
    """Make a conversation a tombstone: readers are told that it is gone, and nothing else stays."""
    record = loaded.record
    work.empty_conversation(record.id)
    record.presence = Presence()
    record.state = PresenceState(State.OFFLINE)
    record.visitor = record.last_message = record.heard_at = record.followed_up = None
    record.message_count = 0
    record.demand = Demand()
    record.deleted = loaded.changed = True
    loaded.entered.clear()


class Retention:
    """Removes what is older than ``RETENTION_DAYS``."""

    def __init__(self, records: Records, recorder: Recorder) -> None:
        self._records = records
        self._recorder = recorder

    def purge(self, days: float, now: datetime) -> int:
        """Remove the conversations without activity for ``days``; how many. 0 days keeps all.

        Raises :class:`bridge.errors.UnavailableError` when storage is away; what was removed until
        then stays removed.
        """
        if days == 0:
            return 0
        before = now - timedelta(days=days)
        purged = 0
        for site, _, _ in self._records.sites():
            purged += self._purge_site(site, before, now)
            self._purge_people(site, before)
        return purged

    def _purge_people(self, site: str, before: datetime) -> None:
        """Remove the visitors who have no conversation left, and the customers who have no
        visitor."""
        last: str | None = ""
        while last is not None:
            with self._records.begin(site) as work:
                idle, last = work.idle_visitors(before, last, BATCH)
                for visitor in idle:
                    work.forget_visitor(visitor)
        last = ""
        while last is not None:
            with self._records.begin(site) as work:
                unlinked, last = work.unlinked_customers(last, BATCH)
                work.forget_customers(unlinked)

    def _purge_site(self, site: str, before: datetime, now: datetime) -> int:
        purged, removed = 0, BATCH
        while removed == BATCH:
            with self._records.begin(site) as work:
                old = work.idle_conversations(before, BATCH)
                for record in old:
                    loaded = Loaded(record, known_rev=record.rev)
                    delete(work, loaded)
                    self._recorder.write(work, loaded, now)
                removed = len(old)
            purged += removed
        return purged

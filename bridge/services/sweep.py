"""Deadlines that pass become recorded changes; after a restart, deadlines are made anew (P14)."""

from __future__ import annotations

from collections import defaultdict
from contextlib import suppress
from datetime import datetime, timedelta

from bridge.domain.page import Timing
from bridge.domain.presence import State
from bridge.errors import UnavailableError
from bridge.ports import ConversationKey, Liveness, Records
from bridge.services.recording import Recorder

BATCH = 200
"""Conversations settled in one go; more are taken in the next."""

ALIVE_EVERY = timedelta(seconds=10)
"""How often the bridge records that it is alive (P14)."""

REPLAYS_KEPT = timedelta(hours=48)
"""How long answered requests and event ids are remembered."""


class Sweep:
    """Settles what is due, and restores what a restart lost."""

    def __init__(
        self, records: Records, liveness: Liveness, recorder: Recorder, timing: Timing
    ) -> None:
        self._records = records
        self._liveness = liveness
        self._recorder = recorder
        self._timing = timing

    def settle(self, now: datetime) -> int:
        """Record the changes of all deadlines passed at ``now``; how many conversations were due.

        Raises :class:`UnavailableError` when storage is away; they are still due then.
        """
        settled = 0
        while due := self._liveness.take_due(now, BATCH):
            by_site: dict[str, list[str]] = defaultdict(list)
            for site, conversation in due:
                by_site[site].append(conversation)
            try:
                for site, conversations in by_site.items():
                    self._settle_site(site, conversations, now)
            except UnavailableError:
                self._liveness.give_back(due, now)
                raise
            settled += len(due)
        return settled

    def settle_if_due(self, now: datetime) -> None:
        """The same before somebody reads, so that what is recorded is what is true: nothing but a
        look at the next deadline, as a rule. When storage cannot be written, readers still read."""
        next_due = self._liveness.next_due()
        if next_due is not None and next_due <= now:
            with suppress(UnavailableError):
                self.settle(now)

    def restore(self, now: datetime) -> int:
        """Give the pages recorded live their deadlines after a restart (P14); how many
        conversations are present."""
        alive_at = self._records.alive_at() or now
        restored = 0
        for site, conversations in self._records.present_conversations():
            keys = [ConversationKey(site, record.id) for record in conversations]
            known = self._liveness.read(keys)
            for key, record in zip(keys, conversations, strict=True):
                if key in known:
                    continue
                if record.state.state is State.ONLINE:
                    record.presence.restore(record.recorded_at, alive_at, now, self._timing)
                self._liveness.place(key, self._recorder.hot(record, now))
                # Whether a heartbeat changes more than it says was lost with the memory of it (P8).
                self._liveness.interrupt(key)
                restored += 1
        return restored

    def keep_house(self, now: datetime) -> None:
        """Record that the bridge is alive, and forget replays that are too old to come."""
        self._records.record_alive(now)
        self._records.forget_replays(now - REPLAYS_KEPT)

    def _settle_site(self, site: str, conversations: list[str], now: datetime) -> None:
        with self._records.begin(site) as work:
            for conversation in conversations:
                loaded = self._recorder.load(work, conversation, now)
                if loaded is None:
                    self._liveness.place(ConversationKey(site, conversation), None)
                else:
                    self._recorder.write(work, loaded, now)

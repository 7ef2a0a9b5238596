"""Deadlines that pass become recorded changes; after a restart, deadlines are made anew (P14)."""

from __future__ import annotations

import logging
from collections import defaultdict
from datetime import datetime, timedelta

from bridge.domain.page import Timing
from bridge.domain.presence import State
from bridge.errors import UnavailableError
from bridge.ports import ConversationKey, Liveness, Records
from bridge.services.hot import hot_conversation
from bridge.services.recording import Recorder

_log = logging.getLogger("bridge.sweep")

BATCH = 200
"""Conversations settled in one go; more are taken in the next."""

ALIVE_EVERY = timedelta(seconds=10)
"""How often the bridge records that it is alive (P14)."""

TRY_AGAIN_AFTER = timedelta(seconds=1)
"""How long readers are not kept waiting for storage that could not be written just now."""

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
        self._try_again_at: datetime | None = None

    def settle(self, now: datetime) -> int:
        """Record the changes of all deadlines passed at ``now``; how many conversations were due.

        One site's trouble is not another's. Raises :class:`UnavailableError` when storage was away
        for some of them; those are still due then.
        """
        settled, failed, failure = (
            set[ConversationKey](),
            list[ConversationKey](),
            UnavailableError(),
        )
        # What is due again after it was settled is lent, and left for the next time.
        while due := [k for k in self._liveness.take_due(now, BATCH) if k not in settled]:
            by_site: dict[str, list[ConversationKey]] = defaultdict(list)
            for key in due:
                by_site[key.site].append(key)
            for site, keys in by_site.items():
                try:
                    self._settle_site(site, keys, now)
                except UnavailableError as error:
                    failure = error
                    failed += keys
            settled.update(due)
        if failed:
            self._liveness.give_back(failed, now)
            self._try_again_at = now + TRY_AGAIN_AFTER
            raise failure
        return len(settled)

    def settle_if_due(self, now: datetime) -> bool:
        """The same before somebody reads, so that what is recorded is what is true: nothing but a
        look at the next deadline, as a rule. ``False`` if storage cannot be written now: then what
        is recorded may be less than what is true."""
        next_due = self._liveness.next_due()
        if next_due is None or next_due > now:
            return True
        if self._try_again_at is not None and now < self._try_again_at:
            return False
        try:
            self.settle(now)
        except UnavailableError:
            return False
        return True

    def restore(self, now: datetime) -> int:
        """Give the pages recorded live their deadlines after a restart (P14), and watches and
        takeovers theirs; how many conversations there are of either."""
        alive_at = self._records.alive_at() or now
        restored = 0
        for site, conversations in self._records.active_conversations():
            keys = [ConversationKey(site, record.id) for record in conversations]
            known = self._liveness.read(keys)
            for key, record in zip(keys, conversations, strict=True):
                if key in known:
                    continue
                if record.state.state is State.ONLINE:
                    record.presence.restore(record.recorded_at, alive_at, now, self._timing)
                self._liveness.place(key, hot_conversation(record, now, self._timing))
                # Whether a heartbeat changes more than it says was lost with the memory of it (P8).
                self._liveness.interrupt(key)
                restored += 1
        return restored

    def keep_house(self, now: datetime) -> None:
        """Record that the bridge is alive, and forget replays that are too old to come."""
        self._records.record_alive(now)
        self._records.forget_replays(now - REPLAYS_KEPT)

    def _settle_site(self, site: str, keys: list[ConversationKey], now: datetime) -> None:
        """In one transaction; or, if one of them cannot be settled, each in its own: that one stays
        lent, and is tried again when its loan ends."""
        try:
            with self._records.begin(site) as work:
                for key in keys:
                    loaded = self._recorder.load(work, key.conversation, now)
                    if loaded is None:
                        self._liveness.place(key, None)
                    else:
                        self._recorder.write(work, loaded, now)
        except UnavailableError:
            raise
        except Exception:  # noqa: BLE001 - whatever it is, the other conversations do not wait
            if len(keys) == 1:
                _log.exception("a conversation could not be settled")
                return
            for key in keys:
                self._settle_site(site, [key], now)

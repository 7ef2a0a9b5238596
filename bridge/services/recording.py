"""Presence is derived, changes are recorded: the one place where the two meet (P14).

A conversation is loaded with what liveness knows better, brought up to the present deadline by
deadline, changed, and written back with one revision for each change that a reader could see.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from functools import partial

from bridge.domain.events import (
    HeardElsewhere,
    ToldByStream,
)
from bridge.domain.page import Timing
from bridge.domain.presence import PresenceState, Reason, State
from bridge.domain.takeover import Ending
from bridge.errors import NotFoundError, UnavailableError
from bridge.ports import (
    ConversationKey,
    ConversationRecord,
    Liveness,
    Nudges,
    Work,
)
from bridge.services import ownership
from bridge.services.hot import PRESENT, hot_conversation, interval, overlay
from bridge.services.loaded import Loaded


class Recorder:
    """Loads conversations for a transaction and records what became of them."""

    def __init__(self, liveness: Liveness, nudges: Nudges, timing: Timing) -> None:
        self._liveness = liveness
        self._nudges = nudges
        self._timing = timing

    def load(self, work: Work, conversation: str, now: datetime) -> Loaded | None:
        """The conversation as it is at ``now``, passed deadlines settled; ``None`` if unknown."""
        record = work.conversation(conversation)
        if record is None:
            return None
        # Those that ended since were in demand until now, as far as pages were told.
        in_demand = record.demand.present(record.recorded_at)
        loaded = Loaded(record, known_rev=record.rev, in_demand=in_demand)
        key = ConversationKey(work.site, conversation)
        for hot in self._liveness.read([key]).values():
            overlay(record.presence, hot, self._timing)
        if not record.deleted:
            self._settle(work, loaded, now)
        return loaded

    def find(self, work: Work, conversation: str, now: datetime) -> Loaded:
        """The same for one that is asked for, in the state that it has at ``now``.

        Raises :class:`NotFoundError` if it is not there, or deleted.
        """
        loaded = self.load(work, conversation, now)
        if loaded is None or loaded.record.deleted:
            raise NotFoundError("There is no such conversation.")
        # What is decided by the present state, is decided by that of now.
        self.evaluate(work, loaded, max(now, loaded.record.recorded_at))
        return loaded

    def write(self, work: Work, loaded: Loaded, now: datetime) -> None:
        """Record the present state, if there is anything to record, and tell liveness once it
        lasts. Time goes forward: a request that waited for the lock does not undo what was recorded
        of a later moment.

        Raises :class:`UnavailableError` when another process changed the conversation meanwhile.
        """
        record, now = loaded.record, max(now, loaded.record.recorded_at)
        if not record.deleted:
            self.evaluate(work, loaded, now)
            if loaded.moved and record.state.state not in PRESENT:
                self._listen_elsewhere(work, record)
            self._tell_streams(loaded, now)
        known = record.heard_at
        if loaded.changed or loaded.dirty:
            self._save(work, loaded, now)
        key = ConversationKey(work.site, record.id)
        work.after_commit(
            partial(self._liveness.place, key, hot_conversation(record, now, self._timing))
        )
        if record.demand.watches and record.heard_at is not None and record.heard_at != known:
            work.after_commit(partial(self._nudges.heard, key, record.heard_at))

    def heard_in(self, work: Work, loaded: Loaded, now: datetime) -> None:
        """The visitor was heard in this conversation: where they are gone, they went on here
        (P8)."""
        record = loaded.record
        heard = record.presence.last_heard()
        if record.visitor is None or heard is None:
            return
        for sibling in work.siblings(record.visitor, record.id):
            if sibling.state in PRESENT or sibling.continued_in == record.id:
                continue
            other = self.load(work, sibling.id, now)
            if other is not None:
                elsewhere = HeardElsewhere(record.id, heard)
                other.dirty |= other.record.presence.apply(elsewhere, self._timing)
                self.write(work, other, now)

    def _tell_streams(self, loaded: Loaded, now: datetime) -> None:
        """Demand began or ended: pages that hold a stream are told at once (D3), and are expected
        to do as they are told (P2)."""
        presence, in_demand = loaded.record.presence, loaded.record.demand.present(now)
        if in_demand == loaded.in_demand:
            return
        loaded.in_demand, loaded.changed = in_demand, True
        for key in presence.streaming_pages(now, self._timing):
            told = interval(loaded.record, presence.pages[key], now, self._timing)
            presence.apply(ToldByStream(key, now, told), self._timing)

    def _settle(self, work: Work, loaded: Loaded, now: datetime) -> None:
        """Record what each end that passed since the last writing changed, in order: of pages, of
        watches, of a takeover."""
        at = loaded.record.recorded_at
        while (due := self._next_end(loaded.record, at)) is not None and due <= now:
            at = due
            self._end_demand(work, loaded, at, now)
            self.evaluate(work, loaded, at)

    def _next_end(self, record: ConversationRecord, at: datetime) -> datetime | None:
        """When, at the time ``at`` or later, something next ends by itself."""
        demand_due = record.demand.next_change(self._timing)
        ends = [None if demand_due is None else max(at, demand_due)]
        ends.append(record.presence.next_deadline(at, self._timing))
        return min((end for end in ends if end is not None), default=None)

    def _end_demand(self, work: Work, loaded: Loaded, at: datetime, now: datetime) -> None:
        """End the watches and the takeover that have ended by themselves at ``at`` (D4, T3)."""
        record, known = loaded.record, loaded.record.demand
        record.demand = known.expired(at)
        if record.demand != known:
            loaded.dirty = True
            loaded.changed |= record.demand.watchers(at) != known.watchers(record.recorded_at)
        ends_at = record.demand.takeover_ends_at(self._timing)
        if ends_at is not None and ends_at <= at:
            ownership.end(work, loaded, Ending.IDLE, at, self._timing, now=now)

    def evaluate(self, work: Work, loaded: Loaded, at: datetime) -> None:
        """Enter the state at ``at`` if a reader would see a difference."""
        record = loaded.record
        was, new = record.state, loaded.known_rev == 0 and not loaded.entered
        present = record.presence.state_at(at, self._timing, was)
        if present.state not in PRESENT:
            loaded.moved |= new or was.state in PRESENT
        if present.state not in PRESENT and loaded.moved:
            self._look_elsewhere(work, record, at)
            present = record.presence.state_at(at, self._timing, was)
        if not new and not _differ(was, present):
            return
        if new or (was.state, was.reason) != (present.state, present.reason):
            record.entered_at = _entered_at(record, present, at)
            loaded.entered.append((present, record.entered_at))
        record.state = present
        loaded.changed = True
        if present.state is State.CHAT_CLEARED and _since(was) != _since(present):
            ownership.end(work, loaded, Ending.CLEARED, at, self._timing)

    def _look_elsewhere(self, work: Work, record: ConversationRecord, at: datetime) -> None:
        """One who is gone from here, and was heard later in another conversation, went on there
        (P8): as far as was known at ``at``."""
        for key, heard in self._heard_elsewhere(work, record).items():
            if heard <= at:
                record.presence.apply(HeardElsewhere(key.conversation, heard), self._timing)

    def _listen_elsewhere(self, work: Work, record: ConversationRecord) -> None:
        """Until it is known where the visitor went on, the heartbeats of their other conversations
        take the long way, to tell (P8)."""
        if record.state.continued_in is None:
            for key in self._heard_elsewhere(work, record):
                work.after_commit(partial(self._liveness.interrupt, key))

    def _heard_elsewhere(
        self, work: Work, record: ConversationRecord
    ) -> dict[ConversationKey, datetime]:
        """When the visitor was last heard in each of their other conversations."""
        if record.visitor is None:
            return {}
        siblings = {
            ConversationKey(work.site, sibling.id): sibling
            for sibling in work.siblings(record.visitor, record.id)
        }
        hot = self._liveness.read(siblings)
        heard = {
            key: hot[key].heard_at if key in hot else sibling.heard_at
            for key, sibling in siblings.items()
        }
        return {key: at for key, at in heard.items() if at is not None}

    def _save(self, work: Work, loaded: Loaded, now: datetime) -> None:
        record = loaded.record
        record.presence.forget(now, self._timing)
        record.recorded_at = now
        record.heard_at = record.presence.last_heard()
        record.demand_due = record.demand.next_change(self._timing)
        for state, at in loaded.entered:
            record.rev = work.next_rev()
            work.keep_change(record.id, record.rev, state, at)
        if loaded.changed and not loaded.entered:
            record.rev = work.next_rev()
        if not work.save_conversation(record, known_rev=loaded.known_rev):
            raise UnavailableError("The conversation was changed by another process; try again.")


def _since(state: PresenceState) -> tuple[State, datetime | None]:
    """What tells one clear from the next (P7)."""
    return state.state, state.since


def _differ(recorded: PresenceState, present: PresenceState) -> bool:
    """Whether a reader would see a difference. When one who is online was last heard is not
    recorded, but read from liveness."""
    if recorded.state is State.ONLINE and present.state is State.ONLINE:
        present = replace(present, last_seen_at=recorded.last_seen_at)
    return recorded != present


def _entered_at(record: ConversationRecord, present: PresenceState, at: datetime) -> datetime:
    """The computed time of a change, never before that of the one recorded last (P14)."""
    was, elsewhere = record.state, record.presence.elsewhere
    entered_at = present.since or at
    if present.reason is Reason.MOVED_ON and was.state is State.OFFLINE and elsewhere is not None:
        entered_at = max(entered_at, elsewhere.at)
    return max(entered_at, record.entered_at or record.started_at)

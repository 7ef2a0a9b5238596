"""A visitor's page stays in touch: by a stream, or by asking again and again (P2, D2, D3, M2)."""

from __future__ import annotations

import logging
import secrets
from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bridge.domain.demand import sync_seconds
from bridge.domain.events import KeptAlive, StreamDropped, StreamOpened
from bridge.domain.page import Timing
from bridge.domain.presence import State
from bridge.domain.takeover import Person
from bridge.errors import NotFoundError, UnavailableError
from bridge.ports import (
    Beat,
    ConversationKey,
    ConversationRecord,
    Liveness,
    MessageRecord,
    Nudges,
    Records,
    Work,
)
from bridge.services.hot import interval, interval_if_open
from bridge.services.loaded import Loaded
from bridge.services.recording import Recorder

_log = logging.getLogger("bridge.visits")

MOST_MESSAGES = 500
"""Messages that a page is told at once; it asks again for more."""


@dataclass(frozen=True, slots=True)
class ToldPage:
    """What a page is told of its conversation: how often to beat, who has taken over, whether the
    chat is cleared."""

    heartbeat_seconds: float
    owner: Person | None
    cleared: bool


@dataclass(frozen=True, slots=True)
class OpenedStream:
    """A stream that was opened: what to write first, and how it is named when it drops.

    One of a page that is held for gone (not ``live``) does not count (P2). ``shown`` is the
    revision up to which the page has been told all messages.
    """

    key: ConversationKey
    page: str
    id: str
    opened_at: datetime
    live: bool
    told: ToldPage
    messages: Sequence[MessageRecord]
    shown: int


@dataclass(frozen=True, slots=True)
class Synced:
    """The answer to a page that asks: all that it is to show up to ``rev`` is in it."""

    rev: int
    state: State
    told: ToldPage
    messages: Sequence[MessageRecord]
    next_sync_seconds: float


class Visits:
    """Keeps pages in touch with their conversation."""

    def __init__(
        self,
        records: Records,
        liveness: Liveness,
        nudges: Nudges,
        recorder: Recorder,
        timing: Timing,
    ) -> None:
        self._records = records
        self._liveness = liveness
        self._nudges = nudges
        self._recorder = recorder
        self._timing = timing
        self._dropped: deque[tuple[OpenedStream, datetime]] = deque()

    def open_stream(
        self, key: ConversationKey, visitor: str, page: str, after: int | None, now: datetime
    ) -> OpenedStream:
        """A page of the visitor opens a stream, which keeps it alive if it is live (P2).

        ``after`` is the revision of the message that it was shown last. Raises
        :class:`NotFoundError` for a conversation that is not there, or not this visitor's.
        """
        stream = secrets.token_hex(8)
        with self._records.begin(key.site) as work:
            loaded = self._of_visitor(work, key, visitor, now)
            told = self._told_on_opening(loaded.record, page, now)
            opened = StreamOpened(page, stream, now, told.heartbeat_seconds)
            live = loaded.record.presence.apply(opened, self._timing)
            loaded.dirty |= live
            self._recorder.write(work, loaded, now)
        if after is not None and after > loaded.record.rev:
            # It has that from another database.
            after = None
        messages = self._messages(key, loaded.record, after)
        shown = max([after or 0, *(each.place for each in messages)])
        return OpenedStream(key, page, stream, now, live, told, messages, shown)

    def dropped(self, stream: OpenedStream, now: datetime) -> None:
        """The page's stream ended without a word, which may mean that the page is gone (P2): noted,
        and recorded by :meth:`settle_drops`. Never waits."""
        self._dropped.append((stream, now))

    def settle_drops(self, now: datetime) -> int:
        """Record the streams that dropped, those of a site together; how many.

        Raises :class:`bridge.errors.UnavailableError` when storage is away: they are kept then.
        """
        by_site: dict[str, list[tuple[OpenedStream, datetime]]] = defaultdict(list)
        while self._dropped:
            stream, at = self._dropped.popleft()
            by_site[stream.key.site].append((stream, at))
        settled, failure = 0, None
        for site, dropped in by_site.items():
            try:
                self._settle_site(site, dropped, now)
                settled += len(dropped)
            except UnavailableError as error:
                failure = error
                self._dropped.extend(dropped)
            except Exception:  # noqa: BLE001 - whatever it is, the other sites do not wait
                _log.exception("streams that dropped could not be recorded")
        if failure is not None:
            raise failure
        return settled

    def sync(
        self,
        key: ConversationKey,
        visitor: str,
        page: str,
        after: int | None,
        now: datetime,
        *,
        streams: bool = False,
    ) -> Synced:
        """A page of the visitor asks, which keeps it alive if it is live (P2). Unless it is known
        to stream (``streams``), it thereby says that it does not, whatever is recorded.

        Raises as :meth:`open_stream` does.
        """
        quietly = self._keep_alive_quietly(key, visitor, page, now, streams=streams)
        record, told = quietly or self._keep_alive(key, visitor, page, now, streams=streams)
        messages = self._messages(key, record, after)
        shown = record.presence.pages.get(page)
        pause = sync_seconds(
            in_demand=record.demand.present(now),
            taken_over=record.demand.takeover is not None,
            visible=shown is None or not shown.hidden,
            timing=self._timing,
        )
        rev = self._told_up_to(key, record, messages)
        return Synced(rev, record.state.state, told, messages, pause)

    def told(
        self, record: ConversationRecord, page: str, now: datetime, *, streams: bool = True
    ) -> ToldPage:
        """What a page is to be told of its conversation; not ``streams``: it holds no stream,
        whatever is recorded."""
        owned, known = record.demand.takeover, record.presence.pages.get(page)
        return ToldPage(
            interval(record, known, now, self._timing, streams=streams),
            owned.owner if owned else None,
            record.deleted or record.state.state is State.CHAT_CLEARED,
        )

    def _told_on_opening(self, record: ConversationRecord, page: str, now: datetime) -> ToldPage:
        """The same for a page that opens a stream. One that is held for gone is told to beat: only
        that brings it back (P2)."""
        told = self.told(record, page, now)
        if told.cleared:
            return told
        live = record.presence.live_pages(now, self._timing)
        hidden = page in live and live[page].hidden
        seconds = interval_if_open(record, now, self._timing, streams=page in live, hidden=hidden)
        return replace(told, heartbeat_seconds=seconds)

    def _keep_alive_quietly(
        self, key: ConversationKey, visitor: str, page: str, now: datetime, *, streams: bool
    ) -> tuple[ConversationRecord, ToldPage] | None:
        """Keep the page alive without recording it; ``None`` if it must be recorded, since it may
        not be live, or is to be told another interval than was told last (P2)."""
        kept = self._liveness.keep_alive(key, visitor, page, now)
        if kept.outcome is Beat.UNKNOWN:
            return None
        record = self._read(key)
        told = self.told(record, page, now, streams=streams)
        if told.heartbeat_seconds != kept.heartbeat_seconds:
            return None
        if kept.watched:
            self._nudges.heard(key, now)
        return record, told

    def _keep_alive(
        self, key: ConversationKey, visitor: str, page: str, now: datetime, *, streams: bool
    ) -> tuple[ConversationRecord, ToldPage]:
        with self._records.begin(key.site) as work:
            loaded = self._of_visitor(work, key, visitor, now)
            presence = loaded.record.presence
            live = page in presence.live_pages(now, self._timing)
            told = self.told(loaded.record, page, now, streams=streams and live)
            kept = KeptAlive(page, now, told.heartbeat_seconds, streams)
            changed = presence.apply(kept, self._timing)
            # Of a live page what it is told is recorded, though liveness heard it already.
            loaded.dirty |= changed or live
            self._recorder.write(work, loaded, now)
        return loaded.record, told

    def _settle_site(
        self, site: str, dropped: list[tuple[OpenedStream, datetime]], now: datetime
    ) -> None:
        with self._records.begin(site) as work:
            known: dict[str, Loaded] = {}
            for stream, at in dropped:
                name = stream.key.conversation
                loaded = known.get(name) or self._recorder.load(work, name, now)
                if loaded is None:
                    continue
                known[name] = loaded
                drop = StreamDropped(stream.page, stream.id, stream.opened_at, at)
                loaded.dirty |= loaded.record.presence.apply(drop, self._timing)
            for loaded in known.values():
                self._recorder.write(work, loaded, now)

    def _told_up_to(
        self, key: ConversationKey, record: ConversationRecord, messages: Sequence[MessageRecord]
    ) -> int:
        """The revision up to which the page was told all that it is to show: to go on from it
        misses nothing, neither what was too much for one answer nor what a clear holds back (P7).
        """
        if record.state.state is State.CHAT_CLEARED:
            waiting = self._records.messages_for_visitor(key.site, key.conversation, None, 1)
            return waiting[0].place - 1 if waiting else record.rev
        return messages[-1].place if len(messages) == MOST_MESSAGES else record.rev

    def require_own(self, key: ConversationKey, visitor: str) -> None:
        """Raise :class:`NotFoundError` unless the conversation is this visitor's."""
        if self._read(key).visitor != visitor:
            raise NotFoundError("There is no such conversation.")

    def _of_visitor(self, work: Work, key: ConversationKey, visitor: str, now: datetime) -> Loaded:
        loaded = self._recorder.find(work, key.conversation, now)
        if loaded.record.visitor != visitor:
            raise NotFoundError("There is no such conversation.")
        return loaded

    def _read(self, key: ConversationKey) -> ConversationRecord:
        summary = self._records.read_conversation(key.site, "", key.conversation)
        if summary is None:
            raise NotFoundError("There is no such conversation.")
        return summary.record

    def _messages(
        self, key: ConversationKey, record: ConversationRecord, after: int | None
    ) -> Sequence[MessageRecord]:
        """What the page is to show (M2): in a cleared chat nothing (P7)."""
        if record.state.state is State.CHAT_CLEARED:
            return []
        return self._records.messages_for_visitor(key.site, key.conversation, after, MOST_MESSAGES)

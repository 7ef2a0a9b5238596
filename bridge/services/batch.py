"""One transaction's events: whose conversations they may touch, each loaded once."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime

from bridge.domain.presence import Presence, PresenceState, State
from bridge.ports import ConversationRecord, VisitorRecord, Work
from bridge.services.customers import look_up_linked, shown_of
from bridge.services.incoming import Incoming, RejectedError
from bridge.services.loaded import Loaded
from bridge.services.recording import Recorder


@dataclass(slots=True)
class Batch:
    """What a batch has loaded, of which conversations it spoke, from which page last, and in which
    the visitor was heard.

    ``from_store`` grants what only the store may say (M3); ``device`` is what the visitor's browser
    calls itself.
    """

    work: Work
    recorder: Recorder
    now: datetime
    from_store: bool
    device: str | None = None
    loaded: dict[str, Loaded] = field(default_factory=dict)
    visitors: dict[str, VisitorRecord] = field(default_factory=dict)
    known_visitors: dict[str, VisitorRecord | None] = field(default_factory=dict)
    spoken_of: dict[str, str | None] = field(default_factory=dict)
    heard: set[str] = field(default_factory=set)

    def seen(self, event: Incoming) -> bool:
        """Whether the event came before; from now on it did."""
        owner = event.conversation or event.visitor or ""
        return not self.work.first_time(f"{owner}\n{event.id}", self.now)

    def store_only(self, event: Incoming) -> None:
        """Raise :class:`RejectedError` unless the store is speaking."""
        if not self.from_store:
            raise RejectedError("store-only", f"Only the store may send {event.type}.")

    def visitor(self, visitor: str) -> VisitorRecord:
        """The visitor, new or known; written with the batch."""
        if visitor not in self.visitors:
            found = self.work.visitor(visitor)
            self.known_visitors[visitor] = found
            self.visitors[visitor] = replace(found) if found else VisitorRecord(visitor)
        return self.visitors[visitor]

    def write(self) -> None:
        """Write all that was loaded, and show anew where the visitor looks different (S1)."""
        for visitor in self.visitors.values():
            known = self.known_visitors[visitor.id]
            if visitor != known:
                self.work.save_visitor(visitor, self.now)
            known = known or VisitorRecord(visitor.id)
            if shown_of(visitor) != shown_of(known):
                self._show_anew(visitor.id)
            look_up_linked(self.work, visitor.links, known.links, self.now)
        for loaded in self.loaded.values():
            self.recorder.write(self.work, loaded, self.now)
        for conversation in self.heard:
            self.recorder.heard_in(self.work, self.loaded[conversation], self.now)

    def _show_anew(self, visitor: str) -> None:
        for record in self.work.siblings(visitor, ""):
            if record.id not in self.loaded:
                loaded = self.recorder.load(self.work, record.id, self.now)
                if loaded is not None:
                    self.loaded[record.id] = loaded
        for loaded in self.loaded.values():
            loaded.changed |= loaded.record.visitor == visitor

    def existing(self, event: Incoming) -> Loaded | None:
        """The event's conversation; ``None`` if it never was.

        Raises :class:`RejectedError` if the event names none, or one that is deleted or another
        visitor's, which are not told apart.
        """
        loaded = self.find(event)
        if loaded is None:
            return None
        owner = loaded.record.visitor
        foreign = not self.from_store and owner is not None and owner != event.visitor
        if loaded.record.deleted or foreign:
            raise RejectedError("conversation-not-found", "There is no such conversation.")
        self.keep(loaded, event.page)
        return loaded

    def keep(self, loaded: Loaded, page: str | None) -> None:
        """Write this conversation with the batch, and answer ``page`` what has become of it."""
        self.loaded[loaded.record.id] = loaded
        self.spoken_of[loaded.record.id] = page

    def find(self, event: Incoming) -> Loaded | None:
        """The event's conversation, whosesoever it is, deleted or not; ``None`` if it never was.

        Raises :class:`RejectedError` if the event names none.
        """
        if event.conversation is None:
            raise RejectedError("conversation-required", f"{event.type} needs its conversation.")
        known = self.loaded.get(event.conversation)
        if known is None:
            known = self.recorder.load(self.work, event.conversation, self.now)
        if known is not None:
            # Written even if the event is rejected: what ended by itself was said already.
            self.loaded[event.conversation] = known
        return known

    def conversation(self, event: Incoming) -> Loaded:
        """The event's conversation, begun by this event if it is new.

        It belongs to the visitor who began it, or to the one the store names.
        """
        loaded = self.existing(event)
        if loaded is None:
            loaded = Loaded(_begun_by(event), known_rev=0)
            self.keep(loaded, event.page)
        elif event.visitor is not None and event.visitor != loaded.record.visitor:
            loaded.record.visitor = event.visitor
            loaded.changed = True
        else:
            return loaded
        if event.visitor is not None:
            visitor = self.visitor(event.visitor)
            visitor.device = self.device or visitor.device
        return loaded


def _begun_by(event: Incoming) -> ConversationRecord:
    return ConversationRecord(
        id=event.conversation or "",
        visitor=event.visitor,
        started_at=event.at,
        last_activity_at=event.at,
        presence=Presence(),
        state=PresenceState(State.OFFLINE),
        recorded_at=event.at,
    )

"""What ought to be recorded: the rules applied by an observer who never sleeps.

Where the bridge looks at a conversation only when it must, the ideal looks at each turning point at
its time, keeps every event in memory, and tells each conversation of every hearing in the others.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime

from bridge.domain.events import (
    STORE_PAGE,
    Cleared,
    Event,
    HeardElsewhere,
    Mark,
    PageEvent,
    PageEventKind,
    VisitorMessage,
)
from bridge.domain.page import Timing
from bridge.domain.presence import Presence, PresenceState, Reason, State
from bridge.services.incoming import Incoming

TIMING = Timing()


@dataclass
class IdealConversation:
    """One conversation: its presence, the state it is in, and the changes until now."""

    visitor: str | None
    began_at: datetime
    presence: Presence = field(default_factory=Presence)
    state: PresenceState | None = None
    changes: list[tuple[str, datetime]] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)

    def evaluate(self, at: datetime) -> None:
        """Enter the state that holds at ``at``: at its computed time, but never before the change
        that was entered last."""
        was, now = self.state, self.presence.state_at(at, TIMING, self.state)
        self.state = now
        if was is not None and (was.state, was.reason) == (now.state, now.reason):
            return
        entered = now.since or at
        if now.reason is Reason.MOVED_ON and (was is None or was.state is State.OFFLINE):
            assert self.presence.elsewhere is not None
            entered = max(entered, self.presence.elsewhere.at)
        before = self.changes[-1][1] if self.changes else self.began_at
        self.changes.append((now.reason or now.state, max(entered, before)))

    def last_heard(self) -> datetime | None:
        """When the visitor was last heard here: that the bridge was alive is no hearing."""
        heard = deepcopy(self.presence)
        for page in (*heard.pages.values(), heard.store):
            page.restored = None
        return heard.last_heard()

    def settle(self, since: datetime, now: datetime) -> None:
        """Enter what each deadline brought that passed after ``since``, until ``now``."""
        at = since
        while (due := self.presence.next_deadline(at, TIMING)) is not None and due <= now:
            at = due
            self.evaluate(at)


class Ideal:
    """All conversations of a site; ``now`` never goes back."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.conversations: dict[str, IdealConversation] = {}
        self.recorded: dict[str, tuple[datetime, IdealConversation]] = {}
        """Each conversation as it was when the bridge last wrote it: what a kill leaves of it."""

    def advance(self, now: datetime) -> None:
        """Let time pass until ``now``."""
        for each in self.conversations.values():
            each.settle(self.now, now)
        self.now = now

    def tell(self, event: Incoming, *, beat: bool) -> bool:
        """Take an event in; whether it changed anything.

        ``beat`` says that it was answered by liveness alone, which tells a page nothing new.
        """
        name = event.conversation or ""
        known = self.conversations.get(name) or self._begin(name, event)
        if self._came_before(known, event):
            if known.state is None:
                known.evaluate(self.now)
            return False
        cleared = known.state is not None and known.state.state is State.CHAT_CLEARED
        meant = meaning(event, TIMING.idle)
        changed = meant is not None and known.presence.apply(meant, TIMING)
        if isinstance(meant, PageEvent) and not beat:
            known.presence.tell(meant.page, event.at, 0.0 if cleared else TIMING.idle)
        known.evaluate(self.now)
        if changed:
            self._tell_others(name)
        # A message is in the transcript, whatever it means to presence.
        return changed or event.type == "message"

    def written(self, conversation: str) -> None:
        """The bridge wrote this conversation just now."""
        self.recorded[conversation] = self.now, deepcopy(self.conversations[conversation])

    def restart(self, alive_at: datetime, now: datetime) -> None:
        """What was not written is lost; who was recorded live is given time (P14)."""
        for name, (recorded_at, each) in deepcopy(self.recorded).items():
            self.conversations[name] = each
            if each.state is not None and each.state.state is State.ONLINE:
                each.presence.restore(recorded_at, alive_at, now, TIMING)
            each.settle(recorded_at, now)
        self.now = now
        for name in self.conversations:
            self._tell_others(name)

    def _begin(self, name: str, event: Incoming) -> IdealConversation:
        begun = self.conversations[name] = IdealConversation(event.visitor, event.at)
        for other, sibling in self.conversations.items():
            heard = sibling.last_heard()
            if other != name and sibling.visitor == event.visitor and heard is not None:
                begun.presence.apply(HeardElsewhere(other, heard), TIMING)
        return begun

    def _tell_others(self, name: str) -> None:
        """The visitor was heard in this conversation (P8)."""
        known = self.conversations[name]
        heard = known.last_heard()
        for other, sibling in self.conversations.items():
            if other != name and sibling.visitor == known.visitor and heard is not None:
                sibling.presence.apply(HeardElsewhere(name, heard), TIMING)
                sibling.evaluate(self.now)

    def _came_before(self, known: IdealConversation, event: Incoming) -> bool:
        """Messages, clears and what has no page are told apart by their ids (P9)."""
        if event.type in tuple(PageEventKind) and event.page is not None:
            return False
        id = event.message.id if event.message else event.id
        before = id in known.seen
        known.seen.add(id)
        return before


def meaning(event: Incoming, told: float) -> Event | None:
    """What an event means to presence; ``None``: nothing (P13). ``told`` is what the answer to a
    message tells its page."""
    if event.type == "chat_cleared":
        return Cleared(event.id, event.at, event.page, event.seq)
    if event.type == "message":
        if event.message is None or event.message.author != "visitor":
            return None
        return VisitorMessage(event.id, event.at, event.page, event.seq, told)
    mark = Mark(event.seq or 0, event.at, event.id)
    kind = PageEventKind(event.type)
    return PageEvent(kind, event.page or STORE_PAGE, mark, event.url, event.title)


def told_apart(changes: list[tuple[str, datetime]]) -> list[tuple[str, datetime]]:
    """Changes without the difference between the reasons of one stay offline, which a later look
    may know better: what was heard elsewhere by heartbeats alone is known by the last of them."""
    offline = {reason.value for reason in Reason}
    plain: list[tuple[str, datetime]] = []
    for what, at in changes:
        if not (what in offline and plain and plain[-1][0] == "offline"):
            plain.append(("offline" if what in offline else what, at))
    return plain

"""One page: one loaded document in one tab, and when it counts as gone (P1, P2, P3, P9, P12)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bridge.domain.events import STORE_PAGE, Mark, PageEvent, PageEventKind


@dataclass(frozen=True, slots=True)
class Timing:
    """The numbers of the rules, all in seconds."""

    grace: float = 15.0
    """How long an unload may be a mere change of pages (P1)."""
    active: float = 10.0
    """The heartbeat interval of a conversation in demand (D2)."""
    idle: float = 60.0
    """The heartbeat interval of a page without a stream and without demand (D2)."""
    first_beat: float = 10.0
    """A page told to beat beats at once, or is gone after this (P2)."""
    stream: float = 330.0
    """The deadline of a page that holds a stream and is told not to beat (P2)."""
    hidden: float = 150.0
    """The deadline of a page in the background (P12)."""
    store: float = 90.0
    """How long the store's word keeps its page live (P13)."""
    browser_precedence: float = 155.0
    """The store's word counts only if no browser page was heard from this long before it (P13)."""
    memory: float = 86_400.0
    """How long the sequence of a page is remembered after its end (P9)."""
    watch: float = 45.0
    """How long a watch lasts unless it is renewed (D4)."""
    takeover_idle: float = 1_800.0
    """How long a takeover lasts in which its owner neither writes nor watches (T3)."""
    owner_unheard: float = 900.0
    """How long an owner's devices are unheard until anybody may release the takeover (T3)."""
    sync: float = 3.0
    """How often a visible page without a stream syncs while under takeover."""

    def allowance(self, interval: float) -> float:
        """Seconds until a page that beats every ``interval`` seconds counts as gone (P2)."""
        return 2.5 * interval + 5.0


@dataclass(frozen=True, slots=True, order=True)
class Hearing:
    """A request that ``seq`` does not order: a message, a clear, a sync, a stream (P2)."""

    at: datetime
    id: str


@dataclass(frozen=True, slots=True, order=True)
class Told:
    """The heartbeat interval, in seconds, that a page was told, and when (P2)."""

    at: datetime
    interval: float
    pushed: bool = False
    """Through a stream, and not in the answer to a request of the page."""


@dataclass(frozen=True, slots=True, order=True)
class Stream:
    """The newest stream of a page; ``dropped_at`` is when it ended without an unload, ``view`` the
    page's view when it was opened."""

    opened_at: datetime
    id: str
    dropped_at: datetime | None = None
    view: Mark | None = None


@dataclass(frozen=True, slots=True)
class Restored:
    """A page recorded live that outlived a restart of the bridge (P14)."""

    alive_at: datetime
    """When it was last known to be live: it was not heard since if it was not heard later."""
    until: datetime
    """The deadline that the page was given after the restart."""


def later(at: datetime, seconds: float) -> datetime:
    """``at`` plus ``seconds``."""
    return at + timedelta(seconds=seconds)


@dataclass(slots=True)
class Page:
    """What is known of one page: for each kind of event the greatest, so that order cannot matter.

    ``signal`` is the greatest of page_view, heartbeat and page_hidden (P9), ``hearing`` the latest
    request without a place among them, ``told`` the interval told last, in an answer or through a
    stream. ``clear``, ``written`` and ``written_at`` serve P7 alone.
    """

    view: Mark | None = None
    url: str | None = None
    title: str | None = None
    hidden_at: Mark | None = None
    unload: Mark | None = None
    signal: Mark | None = None
    hearing: Hearing | None = None
    told: Told | None = None
    stream: Stream | None = None
    restored: Restored | None = None
    clear: Mark | None = None
    written: Mark | None = None
    written_at: Hearing | None = None

    @property
    def gone(self) -> bool:
        """Whether the page was unloaded and not viewed again (P9)."""
        return self.unload is not None and (self.view is None or self.unload > self.view)

    @property
    def hidden(self) -> bool:
        """Whether the page is in the background (P12)."""
        return self.hidden_at is not None and (self.view is None or self.hidden_at > self.view)

    @property
    def heard_at(self) -> datetime | None:
        """When a request last arrived from the page (P2), whether it is gone or not."""
        times = [at for at in (self._signal_at, self._hearing_at, self._alive_at) if at]
        return max(times, default=None)

    @property
    def last_request_at(self) -> datetime | None:
        """The same, and for a page that is gone its unload: that the bridge was alive (P14) is no
        hearing (P8)."""
        if self.gone and self.unload is not None:
            return self.unload.at
        return max(filter(None, (self._signal_at, self._hearing_at)), default=None)

    @property
    def end(self) -> datetime | None:
        """The page's end, once it has one: the unload, else the last time heard (P1)."""
        if self.gone and self.unload is not None:
            return self.unload.at
        return self.heard_at

    def deadline(self, timing: Timing) -> datetime | None:
        """When the page counts as gone if nothing more is heard (P2, P12, P14); ``None`` if it is
        gone already, or was never heard."""
        heard = self.heard_at
        if heard is None or self.gone:
            return None
        if self.restored is not None and heard <= self.restored.alive_at:
            return self.restored.until
        return self._usual_deadline(heard, timing)

    def heartbeat_allowance(self, timing: Timing) -> float:
        """Seconds from a heartbeat to the deadline that it sets, without a stream (P2, P12)."""
        if self.hidden:
            return timing.hidden
        interval = self.told.interval if self.told is not None else 0
        return timing.allowance(interval or timing.idle)

    def allowance(self, timing: Timing) -> float:
        """Seconds from any request to the deadline that it sets (P2, P12)."""
        if self.streams and self._told_not_to_beat:
            return timing.stream
        return self.heartbeat_allowance(timing)

    def longest_allowance(self, timing: Timing) -> float:
        """The longest deadline, in seconds, that the page's interval allows (P14)."""
        longest = timing.stream if self._told_not_to_beat else self.heartbeat_allowance(timing)
        return max(longest, timing.grace)

    @property
    def streams(self) -> bool:
        """Whether the page holds a stream, as far as is known."""
        stream = self._own_stream()
        return stream is not None and stream.dropped_at is None

    def live(self, now: datetime, timing: Timing) -> bool:
        """Whether the page is live at ``now`` (P1)."""
        deadline = self.deadline(timing)
        return deadline is not None and now < deadline

    def apply(self, event: PageEvent) -> bool:
        """Take in a lifecycle event; ``False`` if it changes nothing (P9)."""
        if event.kind is PageEventKind.UNLOAD:
            return self._apply_unload(event.mark)
        if event.kind is PageEventKind.VIEW and _supersedes(event.mark, self.view):
            self.view, self.url, self.title = event.mark, event.url, event.title
            self._apply_signal(event.mark)
            return True
        if self.gone and self.unload is not None and event.mark < self.unload:
            return False
        hides = event.kind is PageEventKind.HIDDEN and (self.view is None or event.mark > self.view)
        if hides and _supersedes(event.mark, self.hidden_at):
            self.hidden_at = event.mark
            self._apply_signal(event.mark)
            return True
        return self._apply_signal(event.mark)

    def hear(self, at: datetime, request: str) -> bool:
        """Take in a request, by its id, that has no place in the page's sequence."""
        hearing = Hearing(at, request)
        if self.hearing is not None and hearing <= self.hearing:
            return False
        self.hearing = hearing
        return True

    def tell(self, at: datetime, interval: float | None, *, pushed: bool = False) -> None:
        """Note the heartbeat interval that the page was told at ``at``; ``None``: none was."""
        if interval is not None:
            told = Told(at, interval, pushed)
            self.told = max(self.told, told) if self.told is not None else told

    def outlive(self, restored: Restored) -> None:
        """The bridge was restarted (P14), which ended the page's streams without a word."""
        self.restored, stream = restored, self.stream
        if stream and stream.dropped_at is None and stream.opened_at <= restored.alive_at:
            self.stream = replace(stream, dropped_at=restored.alive_at)

    def _apply_unload(self, mark: Mark) -> bool:
        if not _supersedes(mark, self.unload):
            return False
        self.unload = mark
        return self.gone

    def _apply_signal(self, mark: Mark) -> bool:
        if not _supersedes(mark, self.signal):
            return False
        self.signal = mark
        return True

    def _usual_deadline(self, heard: datetime, timing: Timing) -> datetime:
        """P2 and P12 for a page that was heard at ``heard`` and is not gone."""
        told, stream = self.told, self._own_stream()
        dropped_at = stream.dropped_at if stream is not None else None
        if dropped_at is not None and dropped_at < heard:
            stream = dropped_at = None
        if stream is not None and self._told_not_to_beat:
            deadline = later(heard, timing.stream)
        elif told is not None and told.pushed and told.at > heard and told.interval > 0:
            # A browser may hold up a page in the background for longer (P12).
            until = later(told.at, timing.hidden if self.hidden else timing.first_beat)
            deadline = min(later(heard, timing.stream), until)
        elif self.hidden:
            deadline = later(heard, timing.hidden)
        else:
            deadline = later(heard, self.heartbeat_allowance(timing))
        if dropped_at is not None:
            left = timing.hidden if self.hidden else timing.grace
            deadline = min(deadline, later(dropped_at, left))
        return deadline

    def _own_stream(self) -> Stream | None:
        """The newest stream, unless an unload ended it (P3)."""
        stream, unload = self.stream, self.unload
        if stream is None or unload is None or unload.at < stream.opened_at:
            return stream
        back = stream.view is not None and stream.view > unload
        return stream if back else None

    @property
    def _told_not_to_beat(self) -> bool:
        return self.told is not None and self.told.interval == 0

    @property
    def _signal_at(self) -> datetime | None:
        return self.signal.at if self.signal else None

    @property
    def _hearing_at(self) -> datetime | None:
        return self.hearing.at if self.hearing else None

    @property
    def _alive_at(self) -> datetime | None:
        return self.restored.alive_at if self.restored else None


@dataclass(slots=True)
class StorePage(Page):
    """The page that the store's word keeps live (P13): ordered by time, without a sequence."""

    def hear_from_store(self, at: datetime, event: str) -> bool:
        """Take in a message or a heartbeat, with the id ``event``, that only the store saw."""
        mark = Mark(0, at, event)
        return self.apply(PageEvent(PageEventKind.VIEW, STORE_PAGE, mark))

    def allowance(self, timing: Timing) -> float:
        """The store's word holds so long, and no longer (P13)."""
        return timing.store

    def longest_allowance(self, timing: Timing) -> float:
        """The same after a restart, but never less than the grace time (P14)."""
        return max(timing.store, timing.grace)

    def _usual_deadline(self, heard: datetime, timing: Timing) -> datetime:
        return later(heard, timing.store)


def _supersedes(mark: Mark, known: Mark | None) -> bool:
    """Whether ``mark`` is greater than the one known, and not that event sent again."""
    return known is None or (mark > known and (mark.seq, mark.id) != (known.seq, known.id))

"""The presence of one conversation: the rules P1 to P15.

A :class:`Presence` keeps, of all that happened, only the greatest of each kind, so that neither the
order in which events arrive nor how often they do can matter (P15). :meth:`Presence.apply` takes an
event in; :meth:`Presence.state_at` says what the state is; :meth:`Presence.next_deadline` says when
that may change by itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from bridge.domain.events import (
    STORE_PAGE,
    Cleared,
    Event,
    HeardElsewhere,
    KeptAlive,
    Mark,
    PageEvent,
    PageEventKind,
    StreamDropped,
    StreamOpened,
    ToldByStream,
    VisitorMessage,
)
from bridge.domain.page import Hearing, Page, Restored, StorePage, Stream, Timing, later

MOST_PAGES = 64
"""Pages remembered of one conversation; of more, those that ended first are forgotten."""


class State(StrEnum):
    """What an agent sees of a conversation (P1)."""

    ONLINE = "online"
    SWITCHING_PAGES = "switching_pages"
    OFFLINE = "offline"
    CHAT_CLEARED = "chat_cleared"

    @property
    def rank(self) -> int:
        """The greater, the earlier in a list of conversations: online, switching pages, others."""
        return {"online": 2, "switching_pages": 1}.get(self.value, 0)


class Reason(StrEnum):
    """Why a conversation is offline (P5, P6, P8)."""

    LEFT = "left"
    TIMED_OUT = "timed_out"
    MOVED_ON = "moved_on"


@dataclass(frozen=True, slots=True)
class PresenceState:
    """The state of a conversation at one moment.

    ``since`` is the computed time of entry (``None``: nobody was ever heard here); ``url`` and
    ``title`` are of the page viewed last, a live one before one that is gone; ``pages`` counts the
    live ones and ``hidden`` says that all of them are in the background (P12).
    """

    state: State
    since: datetime | None = None
    reason: Reason | None = None
    last_seen_at: datetime | None = None
    continued_in: str | None = None
    hidden: bool = False
    url: str | None = None
    title: str | None = None
    pages: int = 0


@dataclass(frozen=True, slots=True, order=True)
class End:
    """The end of a page: of two at one time, the unload counts as the later (P5)."""

    at: datetime
    unloaded: bool


@dataclass(slots=True)
class Presence:
    """All that presence depends on in one conversation.

    ``pages`` are the browser's, by page id, and ``store`` is the store's own (P13); ``elsewhere``
    is the latest hearing of the visitor in another conversation (P8); ``forgotten`` is the latest
    end of the pages that are remembered no more (P9), and ``forgotten_from`` the latest time from
    which one of them did not count.
    """

    pages: dict[str, Page] = field(default_factory=dict)
    store: StorePage = field(default_factory=StorePage)
    elsewhere: HeardElsewhere | None = None
    forgotten: End | None = None
    forgotten_from: datetime | None = None

    def apply(self, event: Event, timing: Timing) -> bool:
        """Take an event in; ``False`` if it changes nothing (P9)."""
        match event:
            case PageEvent():
                return self._apply_page_event(event)
            case VisitorMessage():
                return self._apply_message(event)
            case Cleared():
                return self._apply_clear(event)
            case HeardElsewhere():
                return self._apply_elsewhere(event)
            case KeptAlive():
                return self._keep_alive(event, timing)
            case StreamOpened():
                return self._open_stream(event, timing)
            case StreamDropped():
                return self._drop_stream(event)
            case ToldByStream(page, at, told):
                return self._push(page, at, told, timing)

    def state_at(
        self, now: datetime, timing: Timing, previous: PresenceState | None = None
    ) -> PresenceState:
        """The state at ``now`` (P1).

        ``previous`` is the state recorded last: one stays online since the same moment.
        """
        clear = self._standing_clear()
        if clear is not None:
            return self._cleared(clear, timing)
        live = [page for page in self._counting_pages(timing) if page.live(now, timing)]
        if live:
            return self._online(live, previous, timing)
        left_at = self._left_at(timing)
        if left_at is not None and now < later(left_at, timing.grace):
            passed = [at for at in self._deadlines(timing) if at <= now]
            since = max([left_at, *passed])
            return self._present(State.SWITCHING_PAGES, since, self.pages.values(), timing)
        return self._offline(timing)

    def next_deadline(self, now: datetime, timing: Timing) -> datetime | None:
        """When the state, or the number of live pages, next changes if nothing more is heard."""
        if self._standing_clear() is not None:
            return None
        return min((at for at in self._deadlines(timing) if at > now), default=None)

    def live_pages(self, now: datetime, timing: Timing) -> dict[str, Page]:
        """The pages live at ``now`` by page id, the store's under ``STORE_PAGE``; none in a
        cleared chat."""
        if self._standing_clear() is not None:
            return {}
        keys = {id(page): key for key, page in self.pages.items()}
        return {
            keys.get(id(page), STORE_PAGE): page
            for page in self._counting_pages(timing)
            if page.live(now, timing)
        }

    def tell(self, page: str, at: datetime, told: float) -> None:
        """A browser's page was told a heartbeat interval in the answer to a lifecycle event (P2):
        what to tell depends on what the event made of the page."""
        if page in self.pages:
            self.pages[page].tell(at, told)

    def streaming_pages(self, now: datetime, timing: Timing) -> list[str]:
        """The live pages that hold a stream: they are told at once what changes (D3)."""
        return [key for key, page in self.live_pages(now, timing).items() if page.streams]

    def last_heard(self) -> datetime | None:
        """When the visitor was last heard in this conversation (P8)."""
        pages = [*self.pages.values(), self.store]
        heard = [at for page in pages if (at := page.last_request_at) is not None]
        if self.forgotten is not None:
            heard.append(self.forgotten.at)
        return max(heard, default=None)

    def restore(
        self, recorded_at: datetime, alive_at: datetime, now: datetime, timing: Timing
    ) -> None:
        """Give the pages that were live when this was recorded the longest deadline that their
        interval allows, counted from the restart (P14).

        ``recorded_at`` is when this was recorded, ``alive_at`` when the bridge last recorded that
        it was alive (the ``last_seen_at`` of pages that are not heard again), ``now`` the restart.
        """
        for page in self.live_pages(recorded_at, timing).values():
            until = later(now, page.longest_allowance(timing))
            page.outlive(Restored(max(alive_at, recorded_at), until))

    def forget(self, now: datetime, timing: Timing) -> None:
        """Forget pages that ended more than 24 h ago (P9), and the oldest of too many. One whose
        clear is in force is remembered: by time alone its clear might seem answered."""
        ended = sorted(
            (page.end, key)
            for key, page in self.pages.items()
            if page.end is not None and not page.live(now, timing)
        )
        surplus = len(self.pages) - MOST_PAGES
        for position, (end, key) in enumerate(ended):
            old = now >= later(end, timing.memory) and not self._stands(self.pages[key])
            if position < surplus or old:
                self._fold(self.pages.pop(key), timing)

    def _page(self, key: str) -> Page:
        return self.pages.setdefault(key, Page())

    def _apply_page_event(self, event: PageEvent) -> bool:
        if event.page != STORE_PAGE:
            return self._page(event.page).apply(event)
        if event.kind is PageEventKind.UNLOAD:
            return self.store.apply(replace(event, mark=replace(event.mark, seq=0)))
        return self.store.hear_from_store(event.mark.at, event.mark.id)

    def _apply_message(self, event: VisitorMessage) -> bool:
        if event.page is None:
            changed = self.store.hear_from_store(event.at, event.id)
        else:
            changed = _heard(self._page(event.page), event.at, event.id, event.told)
        # P7: a message without a seq is compared by time alone, as the store's are.
        book, seq = self._book(event.page, event.seq)
        mark, moment = Mark(seq, event.at, event.id), Hearing(event.at, event.id)
        if book.written is None or mark > book.written:
            book.written, changed = mark, True
        if book.written_at is None or moment > book.written_at:
            book.written_at, changed = moment, True
        return changed

    def _apply_clear(self, event: Cleared) -> bool:
        book, seq = self._book(event.page, event.seq)
        mark = Mark(seq, event.at, event.id)
        if book.clear is not None and mark.id == book.clear.id:
            return False
        page = self._page(event.page) if event.page is not None else None
        heard = page is not None and page.hear(event.at, event.id)
        if book.clear is not None and mark < book.clear:
            return heard
        book.clear = mark
        return True

    def _book(self, page: str | None, seq: int | None) -> tuple[Page, int]:
        """Where a message or a clear is noted: with its page, or by time alone (P7)."""
        if page is None or seq is None:
            return self.store, 0
        return self._page(page), seq

    def _apply_elsewhere(self, event: HeardElsewhere) -> bool:
        known = self.elsewhere
        if known and (event.at, event.conversation) <= (known.at, known.conversation):
            return False
        self.elsewhere = event
        return True

    def _live_page(self, key: str, at: datetime, timing: Timing) -> Page | None:
        page = self.pages.get(key)
        return page if page is not None and page.live(at, timing) else None

    def _keep_alive(self, event: KeptAlive, timing: Timing) -> bool:
        page = self._live_page(event.page, event.at, timing)
        if page is None:
            return False
        if not event.streams:
            page.stream = None
        return _heard(page, event.at, "", event.told)

    def _open_stream(self, event: StreamOpened, timing: Timing) -> bool:
        page = self._live_page(event.page, event.at, timing)
        if page is None:
            return False
        _heard(page, event.at, event.stream, event.told)
        newest = page.stream
        if newest is None or (event.at, event.stream) > (newest.opened_at, newest.id):
            page.stream = Stream(event.at, event.stream, None, page.view)
        return True

    def _drop_stream(self, event: StreamDropped) -> bool:
        page = self.pages.get(event.page)
        if page is None or page.stream is None or page.stream.dropped_at is not None:
            return False
        if (page.stream.opened_at, page.stream.id) != (event.opened_at, event.stream):
            return False
        page.stream = replace(page.stream, dropped_at=event.at)
        return True

    def _push(self, key: str, at: datetime, interval: float, timing: Timing) -> bool:
        page = self._live_page(key, at, timing)
        if page is None:
            return False
        page.tell(at, interval, pushed=True)
        return True

    def _counting_pages(self, timing: Timing) -> list[Page]:
        """The pages that count: the store's only where no browser was heard near it (P13)."""
        browser = list(self.pages.values())
        if self.store.heard_at is None:
            return browser
        ends = [page.end for page in browser if page.end is not None]
        if self.forgotten is not None:
            ends.append(self.forgotten.at)
        heard = max(ends, default=None)
        if heard is None or later(heard, timing.browser_precedence) < self.store.heard_at:
            return [*browser, self.store]
        return browser

    def _deadlines(self, timing: Timing) -> list[datetime]:
        """The moments at which a page stops counting, or the grace time after an unload ends."""
        pages = self._counting_pages(timing)
        deadlines = [at for page in pages if (at := page.deadline(timing)) is not None]
        left_at = self._left_at(timing)
        return deadlines if left_at is None else [*deadlines, later(left_at, timing.grace)]

    def _left_at(self, timing: Timing) -> datetime | None:
        """The latest unload that no later view of its page has undone."""
        gone = [page for page in self._counting_pages(timing) if page.gone]
        return max((page.end for page in gone if page.end is not None), default=None)

    def _latest_end(self, timing: Timing) -> End | None:
        pages = self._counting_pages(timing)
        ends = [End(page.end, page.gone) for page in pages if page.end is not None]
        if self.forgotten is not None:
            ends.append(self.forgotten)
        return max(ends, default=None)

    def _standing_clear(self) -> Mark | None:
        """The latest clear that no later message of the visitor has ended (P7)."""
        pages = [*self.pages.values(), self.store]
        standing = [page.clear for page in pages if page.clear and self._stands(page)]
        return max(standing, key=lambda clear: (clear.at, clear.id), default=None)

    def _answered(self, cleared: Page) -> bool:
        """Whether the visitor wrote after the clear of ``cleared``: later by seq on that very
        page, by time anywhere else (P7)."""
        clear = cleared.clear
        if clear is None:
            return False
        if cleared.written is not None and cleared.written > clear:
            return True
        others = [page for page in [*self.pages.values(), self.store] if page is not cleared]
        return any(
            page.written_at is not None
            and (page.written_at.at, page.written_at.id) > (clear.at, clear.id)
            for page in others
        )

    def _stands(self, page: Page) -> bool:
        """Whether the page's clear is in force (P7)."""
        return page.clear is not None and not self._answered(page)

    def _cleared(self, clear: Mark, timing: Timing) -> PresenceState:
        state = self._present(State.CHAT_CLEARED, clear.at, self.pages.values(), timing)
        return replace(state, last_seen_at=clear.at, continued_in=self._continued_in(clear.at))

    def _online(
        self, live: list[Page], previous: PresenceState | None, timing: Timing
    ) -> PresenceState:
        since = min(page.heard_at for page in live if page.heard_at is not None)
        if previous is not None and previous.state is State.ONLINE and previous.since is not None:
            since = previous.since
        state = self._present(State.ONLINE, since, live, timing)
        return replace(state, hidden=all(page.hidden for page in live), pages=len(live))

    def _offline(self, timing: Timing) -> PresenceState:
        entries = self._deadlines(timing)
        if self.forgotten_from is not None:
            entries.append(self.forgotten_from)
        since = max(entries, default=None)
        state = self._present(State.OFFLINE, since, self.pages.values(), timing)
        continued_in = self._continued_in()
        end = self._latest_end(timing)
        if continued_in is not None:
            reason = Reason.MOVED_ON
        elif end is not None and end.unloaded:
            reason = Reason.LEFT
        else:
            reason = Reason.TIMED_OUT
        return replace(state, reason=reason, continued_in=continued_in)

    def _continued_in(self, cleared_at: datetime | None = None) -> str | None:
        """Where the visitor was heard later than here (P8)."""
        if self.elsewhere is None:
            return None
        here = [at for at in (self.last_heard(), cleared_at) if at is not None]
        if here and self.elsewhere.at <= max(here):
            return None
        return self.elsewhere.conversation

    def _present(
        self, state: State, since: datetime | None, pages: Iterable[Page], timing: Timing
    ) -> PresenceState:
        viewed = [(page.view, page) for page in pages if page.view and page.url is not None]
        newest = max(viewed, key=lambda pair: (pair[0].at, pair[0].id), default=None)
        end = self._latest_end(timing)
        return PresenceState(
            state=state,
            since=since,
            last_seen_at=end.at if end else None,
            url=newest[1].url if newest else None,
            title=newest[1].title if newest else None,
        )

    def _fold(self, page: Page, timing: Timing) -> None:
        """Forget a page: of it stay its end, its standing clear and its last message, by time."""
        if page.end is not None:
            end = End(page.end, page.gone)
            self.forgotten = max(self.forgotten or end, end)
            until = page.deadline(timing) or later(page.end, timing.grace)
            self.forgotten_from = max(self.forgotten_from or until, until)
        standing = page.clear if self._stands(page) else None
        if standing is not None:
            clear = Mark(0, standing.at, standing.id)
            self.store.clear = max(self.store.clear, clear) if self.store.clear else clear
        said = page.written_at
        if said is not None and (standing is None or said.at < standing.at):
            written = Mark(0, said.at, said.id)
            self.store.written = max(self.store.written or written, written)
            self.store.written_at = max(self.store.written_at or said, said)


def _heard(page: Page, at: datetime, request: str, told: float | None) -> bool:
    page.tell(at, told)
    return page.hear(at, request)

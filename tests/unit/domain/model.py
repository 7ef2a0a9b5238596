"""The presence rules a second time, naively: the whole history, read anew at every question.

Nothing here is shared with ``bridge.domain``, and nothing is clever: a list of all that ever
happened, and the words of the rules over that list. Times are seconds, as floats that quarters
represent exactly.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

STORE = ""
"""The page that P13 names ``store``."""

SIGNALS = ("view", "heartbeat", "hidden")
REQUESTS = ("message", "clear", "sync", "stream")
FACTS = ("sync", "stream", "drop", "push")
"""What the bridge itself sees or does, in the order of time; all else may come late or again."""


@dataclass(frozen=True)
class Happening:
    """Something that happened at ``at``; ``page`` is ``None`` where only the store saw it."""

    kind: str
    at: float
    id: str = ""
    page: str | None = None
    seq: int | None = None
    told: float | None = None
    conversation: str = ""
    url: str | None = None

    @property
    def order(self) -> tuple[int, float, str]:
        """P15: ties by seq, then time, then id."""
        return (self.seq if self.seq is not None else 0, self.at, self.id)

    @property
    def moment(self) -> tuple[float, str]:
        return (self.at, self.id)


@dataclass(frozen=True)
class Expected:
    """What the rules say is seen; ``since`` is ``None`` while online (see the machine)."""

    state: str
    reason: str | None
    since: float | None
    last_seen_at: float | None
    continued_in: str | None
    hidden: bool
    pages: frozenset[str]
    url: str | None


class History:
    """All that ever happened in one conversation, in the order in which it was told."""

    def __init__(self) -> None:
        self.happened: list[Happening] = []

    def tell(self, it: Happening) -> None:
        """Note ``it``; P2: what comes from, or goes to, a page that has ended does not count."""
        if it.kind in ("sync", "stream", "push") and not self.live(it.page or STORE, it.at):
            return
        self.happened.append(it)

    # One page: P2, P3, P9, P12.

    def of(self, page: str, *kinds: str) -> list[Happening]:
        return [it for it in self.happened if it.page == page and it.kind in kinds]

    def browser_pages(self) -> set[str]:
        kinds = (*SIGNALS, *REQUESTS, "unload")
        return {it.page for it in self.happened if it.page is not None and it.kind in kinds}

    def unload(self, page: str) -> Happening | None:
        """The unload that the page is gone by (P9)."""
        if page == STORE:
            unload = _latest(self.store("unload"))
            back = _latest(self.store("message", "heartbeat"))
            gone = unload and (back is None or unload.moment > back.moment)
            return unload if gone else None
        unload, view = _greatest(self.of(page, "unload")), _greatest(self.of(page, "view"))
        return unload if unload and (view is None or unload.order > view.order) else None

    def heard(self, page: str) -> float | None:
        """P9: by the greatest signal; P2: by any request that no sequence orders."""
        if page == STORE:
            word = _latest(self.store("message", "heartbeat"))
            return word.at if word else None
        signal = _greatest(self.of(page, *SIGNALS))
        times = [it.at for it in self.of(page, *REQUESTS)] + ([signal.at] if signal else [])
        return max(times, default=None)

    def end(self, page: str) -> float | None:
        unload = self.unload(page)
        return unload.at if unload else self.heard(page)

    def hidden(self, page: str) -> bool:
        hide, view = _greatest(self.of(page, "hidden")), _greatest(self.of(page, "view"))
        return hide is not None and (view is None or hide.order > view.order)

    def last_told(self, page: str) -> Happening | None:
        answers = [it for it in self.happened if it.page == page and it.told is not None]
        return max(answers, key=lambda it: (it.at, it.told or 0), default=None)

    def newest_stream(self, page: str) -> Happening | None:
        """The newest stream, unless an unload ended it (P3), or a sync said that there is none.

        An unload from before a view that was there when the stream was opened came late: it is
        none of that stream's.
        """
        stream, unload = _latest(self.of(page, "stream")), _greatest(self.of(page, "unload"))
        if stream and any(it.kind == "sync" for it in self.since(stream) if it.page == page):
            return None
        if stream is None or unload is None or unload.at < stream.at:
            return stream
        before = self.happened[: self.happened.index(stream)]
        views = [it for it in before if it.page == page and it.kind == "view"]
        return stream if any(view.order > unload.order for view in views) else None

    def since(self, it: Happening) -> list[Happening]:
        return self.happened[self.happened.index(it) + 1 :]

    def deadline(self, page: str) -> float | None:
        heard = self.heard(page)
        if heard is None or self.unload(page):
            return None
        if page == STORE:
            return heard + 90
        return min(self.limits(page, heard))

    def limits(self, page: str, heard: float) -> Iterable[float]:
        """Each time at which, by the one rule or the other, the page is gone if unheard."""
        answer = self.last_told(page)
        told = 60.0 if answer is None or answer.told is None else answer.told
        stream = self.newest_stream(page)
        drops = [it.at for it in self.of(page, "drop") if stream and it.id == stream.id]
        streaming = stream is not None and not any(drop < heard for drop in drops)
        if streaming:
            yield from (drop + (150 if self.hidden(page) else 15) for drop in drops)
        if streaming and told == 0:
            yield heard + 330
        elif answer and answer.kind == "push" and answer.at > heard and told > 0:
            yield min(heard + 330, answer.at + (150 if self.hidden(page) else 10))
        elif self.hidden(page):
            yield heard + 150
        else:
            yield heard + 2.5 * (told or 60) + 5

    def live(self, page: str, now: float) -> bool:
        deadline = self.deadline(page)
        return deadline is not None and now < deadline

    # The store's page: P13.

    def store(self, *kinds: str) -> list[Happening]:
        return [it for it in self.happened if it.page is None and it.kind in kinds]

    def counting(self) -> set[str]:
        """The pages that count: the store's own unless a browser's was heard near its word."""
        browser = self.browser_pages()
        heard = self.heard(STORE)
        ends = [end for page in browser if (end := self.end(page)) is not None]
        if heard is None or any(end >= heard - 155 for end in ends):
            return browser
        return browser | {STORE}

    # The conversation: P1, P4 to P8.

    def standing_clear(self) -> Happening | None:
        """P7: the latest clear after which the visitor wrote nothing."""
        clears = [it for it in self.happened if it.kind == "clear"]
        with_seq = [it for it in clears if it.page is not None and it.seq is not None]
        counting = [it for it in clears if it not in with_seq] + [
            max((it for it in with_seq if it.page == page), key=lambda it: it.order)
            for page in {it.page for it in with_seq}
        ]
        return _latest(it for it in counting if not self.answered(it))

    def answered(self, clear: Happening) -> bool:
        for it in self.happened:
            if it.kind != "message":
                continue
            same = clear.page is not None and it.page == clear.page
            by_seq = same and it.seq is not None and clear.seq is not None
            if it.order > clear.order if by_seq else it.moment > clear.moment:
                return True
        return False

    def continued_in(self, clear: Happening | None) -> str | None:
        """P8: where the visitor was heard last, if that is later than anything here."""
        others = [it for it in self.happened if it.kind == "elsewhere"]
        last = max(others, key=lambda it: (it.at, it.conversation), default=None)
        here = [self.end(page) for page in self.browser_pages() | {STORE}]
        here += [clear.at] if clear else []
        heard_here = max((at for at in here if at is not None), default=None)
        if last is None or (heard_here is not None and last.at <= heard_here):
            return None
        return last.conversation

    def url(self, pages: Iterable[str]) -> str | None:
        views = [_greatest(self.of(page, "view")) for page in pages if page != STORE]
        newest = _latest(view for view in views if view and view.url)
        return newest.url if newest else None

    def expected(self, now: float) -> Expected:
        """What is seen at ``now``, which is not before anything that happened."""
        counting = self.counting()
        ends = [(self.end(page) or 0.0, self.unload(page) is not None) for page in counting]
        last_seen_at = max(ends)[0] if ends else None
        by_unload = bool(ends) and max(ends)[1]
        unloads = [it.at for page in counting if (it := self.unload(page))]
        live = {page for page in counting if self.live(page, now)}
        clear = self.standing_clear()
        continued_in = self.continued_in(clear)
        nowhere = frozenset[str]()
        url = self.url(self.browser_pages())
        if clear is not None:
            return Expected(
                "chat_cleared", None, clear.at, clear.at, continued_in, False, nowhere, url
            )
        if live:
            hidden = all(page != STORE and self.hidden(page) for page in live)
            pages = frozenset(live)
            return Expected("online", None, None, last_seen_at, None, hidden, pages, self.url(live))
        passed = [at for page in counting if (at := self.deadline(page)) is not None]
        if any(now - at < 15 for at in unloads):
            went = max(unloads + passed)
            return Expected("switching_pages", None, went, last_seen_at, None, False, nowhere, url)
        since = max([at + 15 for at in unloads] + passed, default=None)
        reason = "moved_on" if continued_in else "left" if by_unload else "timed_out"
        return Expected("offline", reason, since, last_seen_at, continued_in, False, nowhere, url)

    def turning_points(self) -> set[float]:
        """Every moment at which, without another happening, something may change by itself."""
        if self.standing_clear():
            return set()
        deadlines = {self.deadline(page) for page in self.counting()}
        unloads = [it.at for page in self.counting() if (it := self.unload(page))]
        if unloads:
            deadlines.add(max(unloads) + 15)
        return {at for at in deadlines if at is not None}


def _greatest(happenings: Iterable[Happening]) -> Happening | None:
    return max(happenings, key=lambda it: it.order, default=None)


def _latest(happenings: Iterable[Happening]) -> Happening | None:
    return max(happenings, key=lambda it: it.moment, default=None)

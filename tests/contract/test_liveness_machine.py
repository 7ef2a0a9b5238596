"""Every engine of liveness against a naive model that keeps plain numbers and looks at them all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import ClassVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from hypothesis.stateful import run_state_machine_as_test as run

from bridge.domain.events import Mark
from bridge.ports import Beat, Beaten, ConversationKey, HotConversation, HotPage, Liveness
from tests.contract.liveness_engines import ENGINES, LOAN, START, key, mark, moment

# Binary fractions, so that adding them up is exact.
SECONDS = st.sampled_from([0.0, 0.25, 1.0, 4.75, 5.0, 10.0, 30.0, 150.0])
# P2 gives no page less than 5 s, the time of a loan: none times out while it is lent.
ALLOWANCES = st.sampled_from([10.0, 30.0, 150.0])
# Two processes hand on what they heard, not quite in order.
DELAYS = st.sampled_from([0.0, 0.0, 0.0, 0.25, 1.0])
MOSTLY = st.sampled_from([True, True, True, False])
KEYS = st.sampled_from([key("a"), key("a"), key("b"), key("a", "another site")])
VISITORS = st.sampled_from(["v", "v", "v", "w"])
PAGES = st.sampled_from(["p", "q"])
SEQS = st.integers(0, 4)
IDS = st.sampled_from(["x", "y"])
STEPS = st.sampled_from([1, 1, 1, 1, 0, -1])


@dataclass(frozen=True)
class Placing:
    """A page as it is to be placed: how long ago it was heard and, by a request without a mark,
    kept alive; and how much longer than its allowance it has."""

    seq: int
    id: str
    heard: float
    kept: float | None
    allowance: float
    longer: float
    informed: bool = True


@dataclass
class ModelPage:
    mark: Mark
    heard: float
    allowance: float
    deadline: float
    interval: float
    informed: bool
    kept: float | None = None

    def last_request(self) -> float:
        """By the requests themselves: a page restored after a restart was not heard by that."""
        signal = seconds(self.mark.at)
        return signal if self.kept is None else max(signal, self.kept)


@dataclass
class ModelConversation:
    visitor: str | None
    heard: float | None
    due: float | None
    quiet: bool
    watched: bool = False
    takeover_until: float | None = None
    pages: dict[str, ModelPage] = field(default_factory=dict)
    lent_until: float | None = None
    interrupted: bool = False

    def last_heard(self) -> float | None:
        """When the visitor was last heard, as far as is known."""
        heard = [page.last_request() for page in self.pages.values()]
        return max(heard if self.heard is None else [*heard, self.heard], default=None)

    def due_at(self) -> float | None:
        """When it is due: by its pages and its own time, but never while it is lent."""
        times = [page.deadline for page in self.pages.values()]
        due = min(times if self.due is None else [*times, self.due], default=None)
        if due is None or self.lent_until is None:
            return due
        return max(due, self.lent_until)


class LivenessMachine(RuleBasedStateMachine):
    """Placements, heartbeats and sweeps in any order."""

    make: ClassVar[Callable[[], Liveness]]
    """Makes the engine."""

    def __init__(self) -> None:
        super().__init__()
        self.liveness = type(self).make()
        self.model: dict[ConversationKey, ModelConversation] = {}
        self.now = 0.0

    @initialize()
    def something_is_there(self) -> None:
        for conversation, allowance in ((key("a"), 10.0), (key("b"), 30.0)):
            told = Placing(1, "x", 0.0, None, allowance, 5.0)
            pages = {"p": told, "q": replace(told, informed=False)}
            self.place(conversation, "v", None, None, True, False, None, pages)

    @rule(passed=SECONDS)
    def time_passes(self, passed: float) -> None:
        self.now += passed

    @rule(pick=st.integers(0, 2), early=st.sampled_from([0.0, 0.0, 0.25]))
    def the_time_of_one_comes(self, pick: int, early: float) -> None:
        due = sorted(at for known in self.model.values() if (at := known.due_at()) is not None)
        if due:
            self.now = max(self.now, due[pick % len(due)] - early)

    @rule(
        conversation=KEYS,
        visitor=VISITORS | st.none(),
        heard=st.none() | SECONDS,
        due=st.none() | SECONDS,
        quiet=MOSTLY,
        watched=st.booleans(),
        takeover=st.none() | SECONDS,
        pages=st.dictionaries(
            PAGES,
            st.builds(
                Placing, SEQS, IDS, SECONDS, st.none() | SECONDS, ALLOWANCES, SECONDS, MOSTLY
            ),
            max_size=2,
        ),
    )
    def place(
        self,
        conversation: ConversationKey,
        visitor: str | None,
        heard: float | None,
        due: float | None,
        quiet: bool,
        watched: bool,
        takeover: float | None,
        pages: dict[str, Placing],
    ) -> None:
        """``heard`` lies so long ago; ``due`` and the end of the ``takeover`` are so far away."""
        placed = ModelConversation(
            visitor,
            None if heard is None else self.now - heard,
            None if due is None else self.now + due,
            quiet,
            watched,
            None if takeover is None else self.now + takeover,
        )
        for name, placing in pages.items():
            placed.pages[name] = self.placed_page(name, placing)
        self.liveness.place(conversation, hot(placed))
        known = self.model.get(conversation)
        self.model[conversation] = placed
        if known is not None:
            merge(known, placed)

    @rule(conversation=KEYS)
    def forget(self, conversation: ConversationKey) -> None:
        self.liveness.place(conversation, None)
        self.model.pop(conversation, None)

    @rule(conversation=KEYS, visitor=VISITORS, name=PAGES, step=STEPS, id=IDS, delayed=DELAYS)
    def beat(
        self,
        conversation: ConversationKey,
        visitor: str,
        name: str,
        step: int,
        id: str,
        delayed: float,
    ) -> None:
        """A heartbeat whose seq is ``step`` after that of the page's last."""
        page = self.page(conversation, name)
        last = page.mark.seq if page else 0
        at = self.now - delayed
        sent = mark(max(0, last + step), at, id)
        answer = self.liveness.beat(conversation, visitor, name, sent)
        outcome = self.outcome_of_beat(conversation, visitor, name, sent)
        assert answer == self.answer(outcome, conversation, name)
        if outcome is Beat.HEARD and page is not None:
            page.mark = sent
            # What was kept alive a moment later was, whichever was taken in first (P15).
            page.heard = page.last_request()
            page.deadline = page.heard + page.allowance

    @rule(conversation=KEYS, visitor=VISITORS, name=PAGES, delayed=DELAYS)
    def keep_alive(
        self, conversation: ConversationKey, visitor: str, name: str, delayed: float
    ) -> None:
        """A request without a mark."""
        at = self.now - delayed
        answer = self.liveness.keep_alive(conversation, visitor, name, moment(at))
        known, page = self.model.get(conversation), self.page(conversation, name)
        heard = known is not None and self.is_live(conversation, visitor, name, at)
        heard = heard and known is not None and known.quiet and not known.interrupted
        outcome = Beat.HEARD if heard and page and page.informed else Beat.UNKNOWN
        assert answer == self.answer(outcome, conversation, name)
        if outcome is Beat.HEARD and page is not None and at > page.heard:
            page.heard = page.kept = at
            page.deadline = at + page.allowance

    @rule(conversation=KEYS)
    def interrupt(self, conversation: ConversationKey) -> None:
        self.liveness.interrupt(conversation)
        if conversation in self.model:
            self.model[conversation].interrupted = True

    @rule(limit=st.integers(1, 7))
    def sweep(self, limit: int) -> None:
        due = {
            conversation: at
            for conversation, known in self.model.items()
            if (at := known.due_at()) is not None and at <= self.now
        }
        taken = self.liveness.take_due(moment(self.now), limit)
        assert len(taken) == len(set(taken)) == min(limit, len(due))
        times = [due[conversation] for conversation in taken]
        assert times == sorted(due.values())[:limit]
        for conversation in taken:
            self.model[conversation].lent_until = self.now + LOAN

    @rule(conversations=st.lists(KEYS, max_size=2))
    def give_back(self, conversations: list[ConversationKey]) -> None:
        self.liveness.give_back(conversations, moment(self.now))
        for conversation in conversations:
            known = self.model.get(conversation)
            if known is not None and known.lent_until is not None:
                known.lent_until = min(known.lent_until, self.now)

    @invariant()
    def what_is_read_is_what_the_model_has(self) -> None:
        absent = key("never placed")
        read = self.liveness.read([*self.model, absent])
        assert read == {
            conversation: hot(known, known.last_heard())
            for conversation, known in self.model.items()
        }

    @invariant()
    def the_next_due_is_never_later_than_it_is(self) -> None:
        due = [at for known in self.model.values() if (at := known.due_at()) is not None]
        said = self.liveness.next_due()
        if due:
            assert said is not None
            assert said <= moment(min(due))

    def placed_page(self, name: str, placing: Placing) -> ModelPage:
        """That page now; each page is told another interval, and after each placement another."""
        heard = self.now - placing.heard
        kept = None if placing.kept is None else self.now - placing.kept
        page = ModelPage(
            mark(placing.seq, heard, placing.id),
            heard,
            placing.allowance,
            0.0,
            interval=self.now + (0.5 if name == "q" else 0.0),
            informed=placing.informed,
            kept=kept,
        )
        page.heard = page.last_request()
        page.deadline = page.heard + page.allowance + placing.longer
        return page

    def page(self, conversation: ConversationKey, name: str) -> ModelPage | None:
        known = self.model.get(conversation)
        return known.pages.get(name) if known else None

    def is_live(self, conversation: ConversationKey, visitor: str, name: str, at: float) -> bool:
        """Whether it is a live page of that visitor."""
        known, page = self.model.get(conversation), self.page(conversation, name)
        if known is None or page is None or known.visitor != visitor:
            return False
        return at < page.deadline

    def outcome_of_beat(
        self, conversation: ConversationKey, visitor: str, name: str, sent: Mark
    ) -> Beat:
        known, page = self.model.get(conversation), self.page(conversation, name)
        live = self.is_live(conversation, visitor, name, seconds(sent.at))
        if known is None or page is None or not live or not page.informed:
            return Beat.UNKNOWN
        if sent.seq < page.mark.seq or (sent.seq, sent.id) == (page.mark.seq, page.mark.id):
            return Beat.DUPLICATE
        if sent.seq == page.mark.seq or not known.quiet or known.interrupted:
            return Beat.UNKNOWN
        return Beat.HEARD

    def answer(self, outcome: Beat, conversation: ConversationKey, name: str) -> Beaten:
        """What is told with that outcome: of what is for the records, nothing."""
        known, page = self.model.get(conversation), self.page(conversation, name)
        if outcome is Beat.UNKNOWN or known is None or page is None:
            return Beaten(Beat.UNKNOWN)
        ends_at = None if known.takeover_until is None else moment(known.takeover_until)
        return Beaten(outcome, page.interval, known.watched, ends_at)


def merge(known: ModelConversation, placed: ModelConversation) -> None:
    """Of a page whose mark was greater before, that and the later hearing stay, and so does a
    later request without a mark; an interruption stays until the visitor is heard again."""
    for name, page in placed.pages.items():
        before = known.pages.get(name)
        if before is None:
            continue
        kept_later = before.kept is not None and before.kept > page.heard
        if before.mark <= page.mark and not kept_later:
            continue
        page.deadline = max(page.deadline, before.heard + page.allowance)
        page.mark = max(before.mark, page.mark)
        page.heard = max(page.heard, before.heard)
        page.kept = before.kept if kept_later else page.kept
    placed.interrupted = known.interrupted and placed.last_heard() == known.last_heard()


def hot(known: ModelConversation, heard: float | None = None) -> HotConversation:
    """As it is placed, or as it is read if ``heard`` is given."""
    at = known.heard if heard is None else heard
    return HotConversation(
        known.visitor,
        optional_moment(at),
        {
            name: HotPage(
                page.mark,
                moment(page.heard),
                page.allowance,
                moment(page.deadline),
                page.interval,
                page.informed,
                optional_moment(page.kept),
            )
            for name, page in known.pages.items()
        },
        optional_moment(known.due),
        known.quiet,
        known.watched,
        optional_moment(known.takeover_until),
    )


def optional_moment(at: float | None) -> datetime | None:
    return None if at is None else moment(at)


def seconds(at: datetime) -> float:
    return (at - START).total_seconds()


@pytest.mark.parametrize("engine", ENGINES)
def test_an_engine_does_what_the_model_says(engine: str) -> None:
    class Machine(LivenessMachine):
        make = staticmethod(ENGINES[engine])

    run(
        Machine,
        settings=settings(
            deadline=None, derandomize=True, max_examples=250, stateful_step_count=40
        ),
    )

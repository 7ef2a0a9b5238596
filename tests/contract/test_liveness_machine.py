"""Every engine of liveness against a naive model that keeps plain numbers and looks at them all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from hypothesis.stateful import run_state_machine_as_test as run

from bridge.domain.events import Mark
from bridge.ports import Beat, ConversationKey, HotConversation, HotPage, Liveness
from tests.contract.liveness_engines import ENGINES, LOAN, START, key, mark, moment

# Binary fractions, so that adding them up is exact.
SECONDS = st.sampled_from([0.0, 0.25, 1.0, 4.75, 5.0, 10.0, 30.0, 150.0])
KEYS = st.sampled_from([key("a"), key("b"), key("a", "another site")])
VISITORS = st.sampled_from(["v", "v", "v", "w"])
PAGES = st.sampled_from(["p", "q"])
SEQS = st.integers(0, 4)
IDS = st.sampled_from(["x", "y"])
STEPS = st.sampled_from([1, 1, 1, 1, 0, -1])


@dataclass
class ModelPage:
    mark: Mark
    heard: float
    allowance: float
    deadline: float


@dataclass
class ModelConversation:
    visitor: str | None
    heard: float | None
    due: float | None
    quiet: bool
    interval: float
    pages: dict[str, ModelPage] = field(default_factory=dict)
    lent_until: float | None = None
    interrupted: bool = False

    def last_heard(self) -> float | None:
        """By the requests themselves: a page restored after a restart was not heard by that."""
        heard = [(page.mark.at - START).total_seconds() for page in self.pages.values()]
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
            pages = {"p": (1, "x", 0.0, allowance, 5.0)}
            self.place(conversation, "v", None, None, True, pages)

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
        quiet=st.sampled_from([True, True, True, False]),
        pages=st.dictionaries(PAGES, st.tuples(SEQS, IDS, SECONDS, SECONDS, SECONDS), max_size=2),
    )
    def place(
        self,
        conversation: ConversationKey,
        visitor: str | None,
        heard: float | None,
        due: float | None,
        quiet: bool,
        pages: dict[str, tuple[int, str, float, float, float]],
    ) -> None:
        """Pages: seq, id, how long ago it was heard, its allowance, and how much longer it has."""
        placed = ModelConversation(
            visitor,
            None if heard is None else self.now - heard,
            None if due is None else self.now + due,
            quiet,
            interval=self.now,
        )
        for name, (seq, id, ago, allowance, longer) in pages.items():
            at = self.now - ago
            placed.pages[name] = ModelPage(
                mark(seq, at, id), at, allowance, at + allowance + longer
            )
        self.liveness.place(conversation, hot(placed))
        known = self.model.get(conversation)
        self.model[conversation] = placed
        if known is not None:
            merge(known, placed)

    @rule(conversation=KEYS)
    def forget(self, conversation: ConversationKey) -> None:
        self.liveness.place(conversation, None)
        self.model.pop(conversation, None)

    @rule(conversation=KEYS, visitor=VISITORS, name=PAGES, step=STEPS, id=IDS)
    def beat(
        self, conversation: ConversationKey, visitor: str, name: str, step: int, id: str
    ) -> None:
        """A heartbeat whose seq is ``step`` after that of the page's last."""
        known = self.model.get(conversation)
        last = known.pages[name].mark.seq if known and name in known.pages else 0
        at = mark(max(0, last + step), self.now, id)
        answer = self.liveness.beat(conversation, visitor, name, at)
        assert answer == self.expected_answer(conversation, visitor, name, at)
        if answer[0] is Beat.HEARD:
            page = self.model[conversation].pages[name]
            page.mark, page.heard = at, self.now
            page.deadline = self.now + page.allowance

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

    def expected_answer(
        self, conversation: ConversationKey, visitor: str, name: str, at: Mark
    ) -> tuple[Beat, float]:
        known = self.model.get(conversation)
        unknown = Beat.UNKNOWN, 0.0
        if known is None or known.visitor != visitor or name not in known.pages:
            return unknown
        page = known.pages[name]
        if self.now >= page.deadline:
            return unknown
        if at.seq < page.mark.seq or (at.seq, at.id) == (page.mark.seq, page.mark.id):
            return Beat.DUPLICATE, known.interval
        if at.seq == page.mark.seq or not known.quiet or known.interrupted:
            return unknown
        return Beat.HEARD, known.interval


def merge(known: ModelConversation, placed: ModelConversation) -> None:
    """Of a page whose mark was greater before, that and the later hearing stay; an interruption
    stays until the visitor is heard again."""
    for name, page in placed.pages.items():
        before = known.pages.get(name)
        if before is None or before.mark <= page.mark:
            continue
        page.deadline = max(page.deadline, before.heard + page.allowance)
        page.mark = before.mark
        page.heard = max(page.heard, before.heard)
    placed.interrupted = known.interrupted and placed.last_heard() == known.last_heard()


def hot(known: ModelConversation, heard: float | None = None) -> HotConversation:
    """As it is placed, or as it is read if ``heard`` is given."""
    at = known.heard if heard is None else heard
    return HotConversation(
        known.visitor,
        None if at is None else moment(at),
        {
            name: HotPage(page.mark, moment(page.heard), page.allowance, moment(page.deadline))
            for name, page in known.pages.items()
        },
        None if known.due is None else moment(known.due),
        known.quiet,
        known.interval,
    )


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

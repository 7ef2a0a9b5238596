"""What is recorded, against an ideal observer, over anything that may happen.

Two conversations of one visitor and one of another; events come from pages and from the store,
doubled, late and in any order of ``seq``; sweeps and restarts come when they please, or never.
"""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from hypothesis.stateful import run_state_machine_as_test as run

from bridge.domain.presence import State
from bridge.records.tables import conversations, messages, presence_changes, revisions
from bridge.services.incoming import Incoming
from tests.services.ideal import Ideal, told_apart
from tests.services.scene import SITE, Scene, moment, seconds

VISITORS = {"A": "v", "B": "v", "C": "w"}
CONVERSATIONS = st.sampled_from(["A", "A", "B", "C"])
PAGES = {"A": ["p", "q"], "B": ["r"], "C": ["s"]}
# Around the numbers of the rules, so that boundaries are met.
DURATIONS = st.sampled_from([0.0, 0.25, 1.0, 14.75, 15.0, 60.0, 89.75, 90.0, 150.0, 155.0, 156.0])
STEPS = st.sampled_from([1, 1, 1, 2, 0, -1])
CARRIERS = (conversations, messages, presence_changes)
PAGE_EVENTS = st.sampled_from(
    ["page_view", "page_view", "heartbeat", "heartbeat", "heartbeat", "page_hidden", "page_unload"]
)
STORE_EVENTS = st.sampled_from(["message", "heartbeat", "page_unload", "chat_cleared"])


class RecordedPresenceMachine(RuleBasedStateMachine):
    """A bridge and the ideal, told of the same."""

    prepared: Path

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="bridge-scene-"))
        self.scene = Scene(self.folder, self.prepared)
        self.ideal = Ideal(moment(0))
        self.alive_at = moment(0)
        self.sequences: dict[str, int] = {}
        self.events: list[tuple[Incoming, bool]] = []
        self.rows: dict[str, object] = {}
        self.visible: dict[str, tuple[object, int]] = {}
        self.rev = 0

    def teardown(self) -> None:
        for conversation in self.ideal.conversations:
            self.compare(conversation)
        self.scene.stop()
        shutil.rmtree(self.folder)

    # ---------------------------------------------------------------------- what happens

    @rule(passed=DURATIONS)
    def time_passes(self, passed: float) -> None:
        self.scene.now += passed

    @rule(conversation=CONVERSATIONS, pick=st.integers(0, 1), kind=PAGE_EVENTS, step=STEPS)
    def a_page_speaks(self, conversation: str, pick: int, kind: str, step: int) -> None:
        page = PAGES[conversation][pick % len(PAGES[conversation])]
        seq = max(0, self.sequences.get(page, 0) + step)
        self.sequences[page] = max(seq, self.sequences.get(page, 0))
        url = f"https://shop.example/{seq}" if kind == "page_view" else None
        event = self.scene.event(
            kind,
            self.scene.now,
            page,
            seq,
            conversation=conversation,
            visitor=VISITORS[conversation],
            url=url,
        )
        self.tell(event, from_store=False)

    @rule(
        conversation=CONVERSATIONS,
        pick=st.integers(0, 1),
        kind=st.sampled_from(["message", "message", "chat_cleared"]),
        step=st.none() | STEPS,
    )
    def a_visitor_acts(self, conversation: str, pick: int, kind: str, step: int | None) -> None:
        page = PAGES[conversation][pick % len(PAGES[conversation])]
        seq = None if step is None else max(0, self.sequences.get(page, 0) + step)
        event = self.scene.event(
            kind,
            self.scene.now,
            page,
            seq,
            conversation=conversation,
            visitor=VISITORS[conversation],
        )
        self.tell(event, from_store=False)

    @rule(
        conversation=CONVERSATIONS,
        kind=STORE_EVENTS,
        ago=st.just(0.0) | DURATIONS,
        author=st.sampled_from(["visitor", "visitor", "bot"]),
    )
    def the_store_tells(self, conversation: str, kind: str, ago: float, author: str) -> None:
        event = self.scene.event(
            kind,
            self.scene.now - ago,
            conversation=conversation,
            visitor=VISITORS[conversation],
            author=author,
        )
        self.tell(event, from_store=True)

    @precondition(lambda self: self.events)
    @rule(pick=st.integers(0, 9))
    def it_is_told_again(self, pick: int) -> None:
        event, from_store = self.events[-1 - pick % len(self.events)]
        at = event.at if from_store else moment(self.scene.now)
        self.tell(replace(event, at=at), from_store=from_store)

    @rule()
    def a_sweep_comes(self) -> None:
        self.ideal.advance(moment(self.scene.now))
        self.scene.sweep()
        self.note_what_was_written()

    @rule()
    def the_bridge_says_that_it_is_alive(self) -> None:
        self.scene.record_alive()
        self.alive_at = moment(self.scene.now)

    @rule(away=DURATIONS.filter(bool))
    def the_bridge_is_killed_and_started(self, away: float) -> None:
        self.note_what_was_written()
        self.scene.restart(at=self.scene.now + away)
        self.ideal.restart(self.alive_at, moment(self.scene.now))
        self.alive_at = moment(self.scene.now)

    @precondition(lambda self: self.ideal.conversations)
    @rule(pick=st.integers(0, 2))
    def a_reader_looks(self, pick: int) -> None:
        self.compare(sorted(self.ideal.conversations)[pick % len(self.ideal.conversations)])

    # ------------------------------------------------------------------ what has to hold

    @invariant()
    def nothing_visible_changes_without_a_revision(self) -> None:
        """S1; when one who is online was last heard is told without one."""
        for conversation in self.ideal.conversations:
            summary = self.scene.summary(conversation)
            assert summary is not None
            record = summary.record
            seen_at = record.state.last_seen_at
            state = replace(
                record.state, last_seen_at=None if record.state.state is State.ONLINE else seen_at
            )
            visible = (
                state,
                record.visitor,
                record.last_activity_at,
                record.last_message,
                record.message_count,
                summary.visitor,
            )
            before = self.visible.get(conversation)
            if before is not None:
                assert record.rev > before[1] or (visible, record.rev) == before
            self.visible[conversation] = visible, record.rev

    @invariant()
    def the_latest_revision_is_carried_by_what_changed(self) -> None:
        """S1: or a reader who has it would wait for what never comes."""
        carried = sa.union_all(*(sa.select(table.c.rev) for table in CARRIERS)).subquery()
        with self.scene.bridge.database.reading() as connection:
            latest = connection.scalar(sa.select(sa.func.max(carried.c.rev)))
            told = connection.scalar(sa.select(revisions.c.rev).where(revisions.c.site == SITE))
        assert (latest or 0) == told
        assert told >= self.rev
        self.rev = told

    @invariant()
    def changes_are_in_order_and_none_is_kept_twice(self) -> None:
        for conversation in self.ideal.conversations:
            changes = self.scene.changes(conversation)
            times = [at for _, at in changes if at is not None]
            assert times == sorted(times)
            assert all(one[0] != other[0] for one, other in pairwise(changes))

    # --------------------------------------------------------------------------- the rest

    def tell(self, event: Incoming, *, from_store: bool) -> None:
        self.ideal.advance(moment(self.scene.now))
        self.events.append((event, from_store))
        if from_store:
            status, beat = self.scene.tell_from_store(event, self.scene.now), False
        else:
            with self.scene.statements() as made:
                status = self.scene.tell(event)
            beat = not made
        changed = self.ideal.tell(event, beat=beat)
        assert status == ("accepted" if changed else "duplicate")
        self.note_what_was_written()

    def note_what_was_written(self) -> None:
        """Which conversations the bridge wrote: it would find these as they are after a kill."""
        for conversation in self.ideal.conversations:
            record = self.scene.recorded(conversation)
            assert record is not None
            row = (record.recorded_at, record.rev, record.presence)
            if self.rows.get(conversation) != row:
                self.rows[conversation] = row
                assert record.recorded_at == self.ideal.now
                self.ideal.written(conversation)

    def compare(self, conversation: str) -> None:
        """What a reader sees now is what the ideal has."""
        self.ideal.advance(moment(self.scene.now))
        shown = self.scene.shown(conversation)
        self.note_what_was_written()
        ideal = self.ideal.conversations[conversation]
        state = ideal.state
        assert state is not None
        online = state.state is State.ONLINE
        assert (shown.state, shown.reason) == (state.state, state.reason)
        assert shown.since == seconds(state.since)
        assert online or shown.last_seen_at == seconds(state.last_seen_at)
        assert shown.heard_at == seconds(ideal.last_heard())
        assert shown.continued_in == state.continued_in
        assert (shown.hidden, shown.pages) == (state.hidden, state.pages)
        assert (shown.url, shown.title) == (state.url, state.title)
        recorded = [
            (what, moment(at)) for what, at in self.scene.changes(conversation) if at is not None
        ]
        assert told_apart(recorded) == told_apart(ideal.changes)


def test_what_is_recorded_is_what_the_rules_say(prepared: Path) -> None:
    class Machine(RecordedPresenceMachine):
        pass

    Machine.prepared = prepared
    run(
        Machine,
        settings=settings(
            deadline=None,
            derandomize=True,
            max_examples=60,
            stateful_step_count=30,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )

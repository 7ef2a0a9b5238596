"""A live conversation over anything that may happen to it, against the ideal.

Two agents with two devices each, and a visitor with two tabs that stream or sync. Requests are
lost, doubled and late; streams break, noticed or not; sweeps, restarts and signing out come when
they please.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from copy import deepcopy
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from hypothesis.stateful import run_state_machine_as_test as run

from bridge.domain.events import KeptAlive, PageEvent, StreamDropped
from bridge.domain.notes import note
from bridge.domain.presence import State
from bridge.errors import ConflictError, ForbiddenError
from bridge.ports import MessageRecord
from bridge.services.visits import OpenedStream
from bridge.times import rfc3339
from tests.services.ideal import TIMING, meaning, told_apart
from tests.services.ideal_live import MUTE, LiveConversation, agent_of
from tests.services.live import LiveScene
from tests.services.readers import App, StoreCopy, Tab, conversation_body, message_body
from tests.services.scene import SITE, moment, seconds, told
from tests.services.streams import AgentReading

Request = Callable[[], None]

AGENTS = ("sam", "kim")
DEVICES = ("sam-1", "sam-2", "kim-1", "kim-2")
# Around the numbers of the rules, so that boundaries are met.
DURATIONS = st.sampled_from(
    [0.25, 0.25, 1.0, 3.0, 9.75, 10.0, 15.0, 30.0, 44.75, 45.0, 60.0, 155.0, 330.0, 900.0, 1800.0]
)
DEVICE, PAGE = st.sampled_from(DEVICES), st.sampled_from(["p", "q"])
FATE = st.sampled_from(["arrives"] * 5 + ["lost", "doubled", "late"])
STEPS = st.sampled_from([1, 1, 1, 2, 0, -1])
PAGE_EVENTS = st.sampled_from(
    ["page_view", "page_view", "heartbeat", "heartbeat", "page_hidden", "page_unload"]
)


class LiveMachine(RuleBasedStateMachine):
    """A bridge and the ideal, told of the same; and everybody who follows what the bridge says."""

    prepared: Path

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="bridge-scene-"))
        self.scene = LiveScene(self.folder, self.prepared)
        self.ideal = LiveConversation("v", moment(0))
        self.recorded: tuple[datetime, LiveConversation] = moment(0), deepcopy(self.ideal)
        self.row: object = None
        self.alive_at = moment(0)
        self.paired = dict.fromkeys(DEVICES, moment(0))
        self.late: list[Request] = []
        self.drops: list[tuple[OpenedStream, datetime]] = []
        self.tabs = {page: Tab(page) for page in ("p", "q")}
        self.sent: dict[str, MessageRecord] = {}
        self.apps = {agent: App() for agent in AGENTS}
        self.streaming_apps = {device: App() for device in ("sam-1", "kim-2")}
        self.streams: dict[str, AgentReading] = {}
        self.store = StoreCopy()

    @initialize()
    def a_visitor_comes(self) -> None:
        self.the_tab_says("p", "page_view", 1, "arrives")

    # -------------------------------------------------------------------------- time, sweeps

    @rule(passed=DURATIONS, alive=st.booleans())
    def time_passes(self, passed: float, alive: bool) -> None:
        """And perhaps the bridge says that it is alive."""
        self.scene.now += passed
        if alive:
            self.scene.record_alive()
            self.alive_at = self.now

    @rule()
    def a_sweep_comes(self) -> None:
        self.look()
        self.scene.bridge.services.visits.settle_drops(self.now)
        for stream, at in self.drops:
            self.ideal.happens(StreamDropped(stream.page, stream.id, stream.opened_at, at))
        self.drops.clear()
        self.scene.sweep()
        self.wrote()

    @rule(away=st.sampled_from([0.25, 5.0, 30.0, 400.0, 2_000.0]))
    def the_bridge_is_killed_and_started(self, away: float) -> None:
        self.scene.restart(at=self.scene.now + away)
        recorded_at, ideal = self.recorded
        self.ideal = deepcopy(ideal)
        self.ideal.restart(recorded_at, self.alive_at, self.now)
        self.alive_at = self.now
        self.drops.clear()
        self.streams.clear()
        for tab in self.tabs.values():
            tab.stream = None

    # ------------------------------------------------------------------------------- agents

    @rule(device=DEVICE, fate=FATE)
    def a_device_watches(self, device: str, fate: str) -> None:
        def watch() -> None:
            self.look()
            self.ideal.watches(device, self.now)
            assert self.scene.watch(device) == self.scene.now + TIMING.watch
            self.wrote()

        self.ask(device, watch, fate)

    @rule(device=DEVICE, fate=FATE)
    def a_device_leaves(self, device: str, fate: str) -> None:
        def leave() -> None:
            self.look()
            self.ideal.leaves(device, self.now)
            self.scene.leave(device)
            self.wrote()

        self.ask(device, leave, fate)

    @rule(device=DEVICE, fate=FATE, knows=st.sampled_from([True, True, False]))
    def a_device_takes_over(self, device: str, fate: str, knows: bool) -> None:
        def take_over() -> None:
            self.look()
            agent, state = agent_of(device), self.ideal.state
            assert state is not None
            present = state.state in (State.ONLINE, State.SWITCHING_PAGES)
            unread = None if present else note(state)
            code = unread.code if unread is not None and knows else None
            refusal = None
            if self.ideal.owner not in (None, agent):
                refusal = "takeover-owned"
            elif self.ideal.owner is None and unread is not None and not knows:
                refusal = "presence-note"
            self.expect(refusal, lambda: self.scene.take_over(device, acknowledge=code))
            if refusal is None and self.ideal.owner is None:
                self.ideal.takes_over(agent, self.now)
            if refusal is None:
                self.wrote()

        self.ask(device, take_over, fate)

    @rule(device=DEVICE, fate=FATE, force=st.booleans())
    def a_device_releases(self, device: str, fate: str, force: bool) -> None:
        def release() -> None:
            self.look()
            agent, owner = agent_of(device), self.ideal.owner
            refusal = None
            if owner not in (None, agent):
                heard = max(at for each, at in self.paired.items() if agent_of(each) == owner)
                away = (self.now - heard).total_seconds() >= TIMING.owner_unheard
                if not force:
                    refusal = "takeover-owned"
                elif agent != "kim" and not away:
                    refusal = "right-missing"
            self.expect(refusal, lambda: self.scene.release(device, force=force))
            if refusal is None:
                self.ideal.end("released", self.now)
                self.wrote()

        self.ask(device, release, fate)

    @rule(device=DEVICE, fate=FATE)
    def a_device_writes(self, device: str, fate: str) -> None:
        client_id = f"c{len(self.sent)}-{self.scene.now}"
        self.ask(device, lambda: self.write(device, client_id), fate)

    @precondition(lambda self: self.sent)
    @rule(pick=st.integers(0, 5))
    def a_message_is_sent_again(self, pick: int) -> None:
        key = list(self.sent)[-1 - pick % len(self.sent)]
        agent, client_id = key.split("\n")
        for device in self.paired:
            if agent_of(device) == agent:
                self.write(device, client_id)
                return

    @rule(device=DEVICE, what=st.sampled_from(["heard", "heard", "signed out or paired"]))
    def a_device_comes_or_goes(self, device: str, what: str) -> None:
        if device not in self.paired:
            self.pair(device)
        elif what == "heard":
            self.scene.heard_of(device)
            self.paired[device] = self.now
        elif device != "kim-1":
            self.sign_out(device)

    @rule(agent=st.sampled_from(AGENTS))
    def an_agent_reads(self, agent: str) -> None:
        self.look()
        self.scene.mark_read(agent)
        self.wrote()

    # ------------------------------------------------------------------------------ visitor

    @rule(page=PAGE, kind=PAGE_EVENTS, step=STEPS, fate=FATE)
    def the_tab_says(self, page: str, kind: str, step: int, fate: str) -> None:
        tab = self.tabs[page]
        seq = max(0, tab.seq + step)
        tab.seq = max(tab.seq, seq)
        self.tell(kind, page, seq, fate)
        if kind == "page_unload" and tab.stream is not None:
            self.part(tab, noticed=True)

    @rule(
        page=PAGE,
        kind=st.sampled_from(["message", "message", "chat_cleared"]),
        step=st.none() | STEPS,
        fate=FATE,
    )
    def the_visitor_acts(self, page: str, kind: str, step: int | None, fate: str) -> None:
        seq = None if step is None else max(0, self.tabs[page].seq + step)
        self.tabs[page].seq = max(seq or 0, self.tabs[page].seq)
        self.tell(kind, page, seq, fate)

    @rule(page=PAGE)
    def a_tab_opens_a_stream(self, page: str) -> None:
        tab = self.tabs[page]
        if tab.stream is not None:
            self.part(tab, noticed=False)
        self.look()
        tab.stream = self.scene.join_page(page=page, after=tab.after or None)
        opened = tab.stream.opened
        expected = self.ideal.opens(page, opened.id, self.now)
        self.wrote()
        assert opened.told.heartbeat_seconds == expected
        assert opened.told.cleared == self.ideal.cleared
        self.show(tab, opened.messages)
        if opened.told.cleared:
            self.part(tab, noticed=False)

    @rule(page=PAGE, noticed=st.booleans())
    def a_tab_loses_its_stream(self, page: str, noticed: bool) -> None:
        if self.tabs[page].stream is not None:
            self.part(self.tabs[page], noticed=noticed)

    @rule(page=PAGE)
    def a_tab_reads_its_stream(self, page: str) -> None:
        tab = self.tabs[page]
        if tab.stream is None:
            return
        frames = tab.stream.read()
        if frames is None:
            self.part(tab, noticed=False)
            return
        messages = [said for name, said in frames if name == "message"]
        if messages and tab.since is None:
            tab.since = messages[0]["rev"] - 1
        for said in messages:
            tab.receive(said["id"], said["rev"])

    @rule(page=PAGE)
    def a_tab_syncs(self, page: str) -> None:
        self.sync(self.tabs[page])

    @rule(page=PAGE, fate=FATE)
    def a_tab_confirms_what_it_showed(self, page: str, fate: str) -> None:
        for message in self.tabs[page].shown[-2:]:
            if any(message == sent.id for sent in self.sent.values()):
                self.send(lambda message=message: self.confirm(message, page), fate)  # type: ignore[misc]  # bound early

    # ------------------------------------------------------------------------------ readers

    @rule()
    def the_streams_are_fed(self) -> None:
        self.scene.feed()

    @rule(device=st.sampled_from(["sam-1", "kim-2"]), loses=st.sampled_from([False, False, True]))
    def an_app_streams(self, device: str, loses: bool) -> None:
        app, stream = self.streaming_apps[device], self.streams.get(device)
        if stream is None:
            if device in self.paired:
                self.streams[device] = self.scene.join_agent(device, after=app.rev)
            return
        self.look()
        if not loses:
            app.take_frames(stream.read_all())
        self.wrote()
        if loses or stream.read() is None:
            stream.leave()
            del self.streams[device]

    @rule(agent=st.sampled_from(AGENTS), limit=st.sampled_from([1, 2, 3, 10, 500]))
    def an_app_syncs(self, agent: str, limit: int) -> None:
        self.catch_up(agent, limit)

    @rule(calls=st.integers(1, 3))
    def the_store_is_told(self, calls: int) -> None:
        self.store.take_calls(self.scene.told_to_store()[self.store.heard :][:calls])

    @precondition(lambda self: self.late)
    @rule(pick=st.integers(0, 9))
    def a_late_request_arrives(self, pick: int) -> None:
        self.late.pop(pick % len(self.late))()

    # ------------------------------------------------------------------- what has to hold

    @invariant()
    def no_ai_is_mute_for_ever(self) -> None:
        """T3: what the store knows, read with its end, is true, or soon over."""
        if self.store.mute(rfc3339(self.now)) and self.ideal.owner_at(self.now) is None:
            ended = self.ideal.last_end(self.now)
            assert ended is not None
            assert self.now - ended <= MUTE

    def teardown(self) -> None:
        try:
            self.all_catch_up()
        finally:
            self.scene.stop()
            shutil.rmtree(self.folder)

    def all_catch_up(self) -> None:
        """Everything arrives at last, and everybody sees the same."""
        if self.ideal.state is None:
            return
        while self.late:
            self.late.pop(0)()
        self.a_sweep_comes()
        self.compare()
        self.what_the_agents_see()
        # A word of the visitor's ends a clear, for which messages wait (P7).
        self.tell("message", "p", self.tabs["p"].seq + 1, "arrives")
        for tab in self.tabs.values():
            if tab.stream is not None:
                self.part(tab, noticed=False)
            self.sync(tab)
        self.what_the_visitor_saw()
        self.what_the_agents_see()
        self.store.take_calls(self.scene.told_to_store()[self.store.heard :])
        assert self.ideal.owner_at(self.now) or not self.store.mute(rfc3339(self.now))

    def what_the_visitor_saw(self) -> None:
        """M2: nothing lost, doubled or out of order, and nobody's words but the owners'."""
        transcript = self.scene.transcript()
        said = [each.id for each in transcript if each.author == "agent"]
        assert said == [message.id for message in self.sent.values()]
        ours = [tab.shown for tab in self.tabs.values()]
        assert set(said) <= {id for shown in ours for id in shown}
        places = {each.id: each.place for each in transcript}
        for tab in self.tabs.values():
            assert len(set(tab.shown)) == len(tab.shown)
            assert [places[id] for id in tab.shown] == sorted(places[id] for id in tab.shown)
            if tab.since is not None:
                due = {id for id in said if places[id] > tab.since}
                assert due <= set(tab.shown)

    def what_the_agents_see(self) -> None:
        """S2, S3: every reader that has caught up has the same."""
        for agent in AGENTS:
            self.catch_up(agent, 3)
        for device in self.streaming_apps:
            if device not in self.paired:
                self.pair(device)
            if device in self.streams:
                self.an_app_streams(device, loses=True)
            self.an_app_streams(device, loses=False)
        self.the_streams_are_fed()
        conversations = self.scene.bridge.services.conversations
        messages = {each.id: message_body(each) for each in self.scene.transcript()}
        for device in self.streaming_apps:
            self.an_app_streams(device, loses=False)
        for name, app in [*self.apps.items(), *self.streaming_apps.items()]:
            view = conversations.one(SITE, agent_of(name), "A", self.now)
            assert app.conversations == {"A": conversation_body(view, self.now)}
            assert app.messages == messages
            assert app.rev == self.scene.revision()

    # ------------------------------------------------------------------------------ the rest

    def pair(self, device: str) -> None:
        self.scene.pair(agent_of(device), int(device[-1]))
        self.paired[device] = self.now

    def sign_out(self, device: str) -> None:
        """T3, D4: the device watches no more, and with an agent's last one a takeover ends."""
        self.look()
        self.scene.sign_out(device)
        del self.paired[device]
        self.ideal.leaves(device, self.now)
        others = [each for each in self.paired if agent_of(each) == agent_of(device)]
        if not others and self.ideal.owner == agent_of(device):
            self.ideal.write(self.now)
            self.ideal.end("signed_out", self.now)
        self.wrote()
        if (stream := self.streams.get(device)) is not None:
            self.streaming_apps[device].take_frames(stream.read_all())
            assert stream.read() is None

    @property
    def now(self) -> datetime:
        return moment(self.scene.now)

    def look(self) -> None:
        """The bridge is about to look at the conversation."""
        self.ideal.look(self.now)

    def wrote(self) -> None:
        """The bridge has written what it had to: that is what a kill would leave."""
        self.ideal.write(self.now)
        self.note_what_was_recorded()

    def note_what_was_recorded(self) -> None:
        record = self.scene.recorded()
        assert record is not None
        owned = record.demand.takeover
        assert (owned.owner.id if owned else None) == self.ideal.owner, "T1: one, and the right one"
        row = (record.recorded_at, record.rev, record.presence, record.demand)
        if row != self.row:
            self.row = row
            self.recorded = record.recorded_at, deepcopy(self.ideal)

    def send(self, request: Request, fate: str) -> None:
        if fate == "late":
            self.late.append(request)
        elif fate != "lost":
            request()
            if fate == "doubled":
                request()

    def ask(self, device: str, request: Request, fate: str) -> None:
        """The same from a device: one that is signed out is not let in."""
        self.send(lambda: request() if device in self.paired else None, fate)

    def expect(self, refusal: str | None, request: Callable[[], object]) -> None:
        """Ask, and be refused with that code, or not."""
        if refusal is None:
            request()
            return
        with pytest.raises((ConflictError, ForbiddenError)) as refused:
            request()
        assert refused.value.code == refusal

    def write(self, device: str, client_id: str) -> None:
        self.look()
        agent, key = agent_of(device), f"{agent_of(device)}\n{client_id}"
        if key in self.sent:
            assert self.scene.write(device, client_id=client_id).id == self.sent[key].id
        elif self.ideal.owner == agent:
            self.sent[key] = self.scene.write(device, client_id=client_id)
            self.ideal.wrote(self.now)
        else:
            code = "takeover-required" if self.ideal.owner is None else "takeover-owned"
            self.expect(code, lambda: self.scene.write(device, client_id=client_id))
            return
        self.wrote()

    def tell(self, kind: str, page: str, seq: int | None, fate: str) -> None:
        event = self.scene.event(kind, self.scene.now, page, seq)

        def request() -> None:
            arrived = deepcopy(event)
            object.__setattr__(arrived, "at", self.now)
            known = self.ideal.presence.pages.get(page)
            recorded = known.told.interval if known and known.told else None
            with self.scene.transactions() as made:
                answer = self.scene.answer(arrived)
            status = answer.results[0].status
            if not made:
                meant = meaning(arrived, TIMING.idle)
                assert meant is not None
                assert (status == "accepted") == self.ideal.happens(meant)
                assert told(answer).heartbeat_seconds == recorded
                return
            self.look()
            came_before = self.came_before(event.id, kind)
            changed = False
            if not came_before:
                again = kind == "message" and self.ideal.cleared
                anew = TIMING.active if self.ideal.demanded(self.now) else TIMING.idle
                meant = meaning(arrived, anew if again else self.ideal.interval(page, self.now))
                assert meant is not None
                changed = self.ideal.happens(meant) or kind == "message"
                if isinstance(meant, PageEvent):
                    interval = self.ideal.interval(page, self.now)
                    self.ideal.presence.tell(page, self.now, interval)
            assert (status == "accepted") == changed
            self.wrote()
            assert told(answer).heartbeat_seconds == self.ideal.interval(page, self.now)
            until = self.ideal.ends_at()
            assert told(answer).takeover_until == until
            self.store.until = rfc3339(until) if until else None

        self.send(request, fate)

    def came_before(self, id: str, kind: str) -> bool:
        if kind not in ("message", "chat_cleared"):
            return False
        before = id in self.ideal.seen
        self.ideal.seen.add(id)
        return before

    def sync(self, tab: Tab) -> None:
        with self.scene.transactions() as made:
            synced = self.scene.sync(page=tab.page, after=tab.after or None)
        if made:
            self.look()
        interval = self.ideal.interval(tab.page, self.now, streams=False)
        self.ideal.happens(KeptAlive(tab.page, self.now, interval if made else None))
        if made:
            self.wrote()
        else:
            known = self.ideal.presence.pages[tab.page].told
            assert known is not None
            assert synced.told.heartbeat_seconds == known.interval
        assert synced.told.heartbeat_seconds == interval
        self.show(tab, synced.messages)

    def show(self, tab: Tab, messages: object) -> None:
        assert isinstance(messages, list)
        if messages and tab.since is None:
            tab.since = self.scene.revision()
        for message in messages:
            tab.receive(message.id, message.place)

    def confirm(self, message: str, page: str) -> None:
        self.look()
        assert self.scene.deliver(message, page=page) in ("accepted", "duplicate")
        self.wrote()

    def part(self, tab: Tab, *, noticed: bool) -> None:
        """A tab's stream ends; if the bridge notices, it takes it for dropped."""
        assert tab.stream is not None
        stream, tab.stream = tab.stream, None
        if noticed:
            stream.leave()
            self.scene.bridge.services.visits.dropped(stream.opened, self.now)
            self.drops.append((stream.opened, self.now))

    def catch_up(self, agent: str, limit: int) -> None:
        app, more = self.apps[agent], True
        while more:
            self.look()
            sync = self.scene.bridge.services.sync
            changes = sync.since(SITE, [agent], app.rev, limit, self.now)
            self.wrote()
            app.take_changes(
                changes.rev,
                [conversation_body(view, self.now) for view in changes.of(agent)],
                [message_body(message) for message in changes.messages],
            )
            more = changes.more

    def compare(self) -> None:
        """What a reader sees now is what the ideal has."""
        self.look()
        shown = self.scene.shown()
        self.wrote()
        state = self.ideal.state
        assert state is not None
        assert (shown.state, shown.reason) == (state.state, state.reason)
        assert shown.since == seconds(state.since)
        if state.state is not State.ONLINE:
            assert shown.last_seen_at == seconds(state.last_seen_at)
        assert (shown.hidden, shown.pages) == (state.hidden, state.pages)
        assert shown.heard_at == seconds(self.ideal.last_heard())
        recorded = [(what, moment(at)) for what, at in self.scene.changes() if at is not None]
        assert told_apart(recorded) == told_apart(self.ideal.changes)
        assert set(self.scene.watchers()) == self.ideal.watchers(self.now)
        lines = [text for text, _ in self.scene.said_by_system()]
        assert len(lines) == self.ideal.begun + len(self.ideal.ended), "T4: one line each"


def test_live_conversations_are_what_the_rules_say(prepared: Path) -> None:
    class Machine(LiveMachine):
        pass

    Machine.prepared = prepared
    run(
        Machine,
        settings=settings(
            deadline=None,
            derandomize=True,
            max_examples=60,
            stateful_step_count=40,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )

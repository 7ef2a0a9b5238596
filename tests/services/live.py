"""Live conversations under a clock that the test moves: agents with devices, pages that stream or
sync, and what waits to be told to the store.

Two agents, ``sam`` and ``kim``, have two devices each, ``sam-1`` to ``kim-2``; ``kim`` may release
what others have taken over. Unless a test says otherwise, things happen at ``Scene.now``.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa

from bridge.api.agent_stream import AgentFrames
from bridge.api.visitor_stream import VisitorFrames
from bridge.encryption import Encryption
from bridge.live.admission import Admission
from bridge.live.fan_out import FanOut
from bridge.ports import Agent, ConversationKey, Device, MessageRecord
from bridge.records.tables import store_calls
from bridge.services.incoming import Incoming, IncomingMessage
from bridge.services.sync import Sync
from bridge.services.takeover import FORCE
from bridge.services.visits import OpenedStream, Synced
from bridge.times import rfc3339
from tests.services.scene import SITE, Scene, moment, seconds, sender
from tests.services.streams import AgentReading, PageReading, parsed

RIGHTS = frozenset({"conversations:read", "conversations:reply", "takeover"})
AGENTS = {
    "sam": (Agent("sam", "Sam"), RIGHTS),
    "kim": (Agent("kim", "Kim"), RIGHTS | {FORCE}),
    "lee": (Agent("lee", "Lee"), RIGHTS),
}
A = ConversationKey(SITE, "A")


class LiveScene(Scene):
    """A bridge, a site, agents and a visitor who is in touch."""

    def __init__(self, folder: Path, prepared: Path) -> None:
        self.devices: dict[str, Device] = {}
        super().__init__(folder, prepared)
        for agent in ("sam", "kim"):
            self.pair(agent, 1)
            self.pair(agent, 2)

    def start(self) -> None:
        super().start()
        self.fan_out = self.bridge.services.fan_out

    def pair(self, agent: str, number: int, at: float | None = None) -> Device:
        """Pair one more device of an agent, called ``<agent>-<number>``."""
        self.at(at)
        who, rights = AGENTS[agent]
        devices = self.bridge.services.devices
        with self.bridge.records.begin(SITE) as work:
            offer = devices.offer(work, who, rights, moment(self.now))
        paired = devices.pair(offer.code, f"{agent}-{number}", "test", moment(self.now))
        assert paired is not None
        self.devices[f"{agent}-{number}"] = paired.device
        return paired.device

    def at(self, at: float | None) -> datetime:
        """Go on to that time, if one is given; the time it is then."""
        self.now = self.now if at is None else at
        return moment(self.now)

    def key(self, conversation: str) -> ConversationKey:
        return ConversationKey(SITE, conversation)

    # ------------------------------------------------------------------------- agents

    def watch(self, device: str, at: float | None = None, conversation: str = "A") -> float | None:
        """Until when the device watches, in seconds."""
        now = self.at(at)
        watches = self.bridge.services.watches
        return seconds(watches.watch(self.devices[device], conversation, now))

    def leave(self, device: str, at: float | None = None, conversation: str = "A") -> None:
        now = self.at(at)
        self.bridge.services.watches.leave(self.devices[device], conversation, now)

    def take_over(
        self,
        device: str,
        at: float | None = None,
        acknowledge: str | None = None,
        conversation: str = "A",
    ) -> None:
        now = self.at(at)
        takeovers = self.bridge.services.takeovers
        takeovers.begin(self.devices[device], conversation, acknowledge, now)

    def release(
        self,
        device: str,
        at: float | None = None,
        *,
        force: bool = False,
        conversation: str = "A",
    ) -> None:
        now = self.at(at)
        takeovers = self.bridge.services.takeovers
        takeovers.release(self.devices[device], conversation, now, force=force)

    def write(
        self,
        device: str,
        at: float | None = None,
        text: str = "Hello!",
        client_id: str | None = None,
        conversation: str = "A",
    ) -> MessageRecord:
        """An agent's message, by a ``client_id`` of its own unless one is given."""
        now = self.at(at)
        client_id = client_id or f"c{next(self._ids)}"
        converse = self.bridge.services.converse
        return converse.send(self.devices[device], conversation, client_id, text, now)

    def heard_of(self, device: str, at: float | None = None) -> None:
        """Any request of a device arrives."""
        self.bridge.records.device_seen(self.devices[device].id, self.at(at))

    def sign_out(self, device: str, at: float | None = None) -> None:
        now = self.at(at)
        with self.bridge.records.begin(SITE) as work:
            self.bridge.services.sign_out.device(work, self.devices[device].id, now)

    def sign_out_agent(self, agent: str, at: float | None = None) -> int:
        now = self.at(at)
        with self.bridge.records.begin(SITE) as work:
            return self.bridge.services.sign_out.agent(work, agent, now)

    def mark_read(self, agent: str, at: float | None = None, conversation: str = "A") -> None:
        now = self.at(at)
        self.bridge.services.conversations.mark_read(SITE, agent, conversation, now)

    def join_agent(
        self,
        device: str,
        after: int | None = None,
        address: str = "192.0.2.1",
        sync: Sync | None = None,
    ) -> AgentReading:
        """A device opens its stream, from now or resuming ``after`` a revision; what it
        missed is read from ``sync``, if that is not the bridge's own."""
        app = self.bridge.services
        joined = self.fan_out.join_agent(self.devices[device], address)
        frames = AgentFrames(joined, sync or app.sync, app.sites, app.clock, after)
        return AgentReading(joined.mailbox, frames, joined.leave, [parsed(frames.ready())])

    def another_fan_out(self, most: int = 1_000, sync: Sync | None = None) -> FanOut:
        """Put another fan-out over the same records in the place of the bridge's own."""
        app = self.bridge.services
        self.fan_out = FanOut(sync or app.sync, app.visits, Admission(most), app.clock)
        return self.fan_out

    def feed(self) -> None:
        """Let the streams be told what changed."""
        self.fan_out.feed()

    # -------------------------------------------------------------------------- pages

    def open_stream(
        self,
        at: float | None = None,
        page: str = "p",
        after: int | None = None,
        visitor: str = "v",
        key: ConversationKey = A,
    ) -> OpenedStream:
        """A page opens a stream that nobody feeds: what the bridge knows of it."""
        return self.bridge.services.visits.open_stream(key, visitor, page, after, self.at(at))

    def join_page(
        self,
        at: float | None = None,
        page: str = "p",
        after: int | None = None,
        visitor: str = "v",
        key: ConversationKey = A,
        address: str = "192.0.2.2",
    ) -> PageReading:
        """A page opens a stream, as ``GET /v1/visitor/stream`` does."""
        joined = self.fan_out.join_visitor(key, visitor, page, address)
        opened = self.open_stream(at, page, after, visitor, key)
        if opened.told.cleared:
            joined.mailbox.close()
        frames = VisitorFrames(opened)
        opening = [parsed(frame) for frame in frames.opening()]
        page_reading = PageReading(joined.mailbox, frames, joined.leave, opening)
        page_reading.opened = opened
        return page_reading

    def dropped(self, stream: OpenedStream, at: float | None = None) -> None:
        """A stream ends without a word, and that is recorded, as the sweep does."""
        self.bridge.services.visits.dropped(stream, self.at(at))
        self.bridge.services.visits.settle_drops(moment(self.now))

    def sync(
        self,
        at: float | None = None,
        page: str = "p",
        after: int | None = None,
        visitor: str = "v",
        key: ConversationKey = A,
    ) -> Synced:
        """A page asks instead of streaming."""
        return self.bridge.services.visits.sync(key, visitor, page, after, self.at(at))

    def deliver(self, message: str, at: float | None = None, page: str = "p") -> str:
        """A page confirms that it showed a message."""
        self.at(at)
        event = self.event("message_delivered", self.now, page)
        return self.tell(replace(event, message=IncomingMessage(message)))

    def say(self, text: str, at: float, **other: Any) -> str:
        """The visitor writes these very words."""
        event = self.event("message", at, other.pop("page", "p"), other.pop("seq", None), **other)
        assert event.message is not None
        return self.tell(replace(event, message=replace(event.message, text=text)))

    def tell_together(self, *events: Incoming) -> list[str]:
        """A page's events in one request; what became of them."""
        now = self.at(seconds(events[-1].at))
        answer = self.bridge.services.ingest.from_visitor(SITE, events, now, sender(events[-1]))
        return [result.code or result.status for result in answer.results]

    # ------------------------------------------------------------------- what is seen

    def told_to_store(self) -> list[dict[str, Any]]:
        """All that the store is to be told, in order."""
        encryption = Encryption(self.settings.secret_key)
        with self.bridge.database.reading() as connection:
            rows = connection.execute(sa.select(store_calls).order_by(store_calls.c.place)).all()
        return [msgspec.json.decode(encryption.decrypt(row.body)) for row in rows]

    def kinds_told(self) -> list[str]:
        return [call["type"] for call in self.told_to_store()]

    def transcript(self, conversation: str = "A") -> list[MessageRecord]:
        """All messages in the order in which they came."""
        found = self.bridge.records.list_messages(SITE, conversation, None, None, 500)
        return sorted(found or [], key=lambda message: message.place)

    def said_by_system(self, conversation: str = "A") -> list[tuple[str, float | None]]:
        """What the bridge itself wrote, and when."""
        said = self.transcript(conversation)
        return [(each.text, seconds(each.at)) for each in said if each.author == "system"]

    def owner(self, at: float | None = None, conversation: str = "A") -> str | None:
        """Who has taken the conversation over, as a reader sees it."""
        now = self.at(at)
        view = self.bridge.services.conversations.one(SITE, "reader", conversation, now)
        owned = view.summary.record.demand.takeover
        return None if owned is None else owned.owner.id

    def watchers(self, at: float | None = None, conversation: str = "A") -> list[str]:
        """Who watches, as a reader sees it."""
        now = self.at(at)
        view = self.bridge.services.conversations.one(SITE, "reader", conversation, now)
        return [each.id for each in view.summary.record.demand.watchers(now)]

    def beat(self, seq: int, at: float, page: str = "p") -> float:
        """A heartbeat; the interval that its answer tells the page, in seconds."""
        answer = self.answer(self.event("heartbeat", at, page, seq))
        return answer.conversations["A"].heartbeat_seconds

    @contextmanager
    def transactions(self) -> Iterator[list[str]]:
        """The transactions begun within that may write."""
        begun: list[str] = []

        def begin(_connection: sa.Connection) -> None:
            begun.append("BEGIN")

        writer = self.bridge.database.writer
        sa.event.listen(writer, "begin", begin)
        try:
            yield begun
        finally:
            sa.event.remove(writer, "begin", begin)

    def revision(self) -> int:
        return self.bridge.services.sync.revision(SITE)


def wire(at: float) -> str:
    """That time as the store is told it."""
    return rfc3339(moment(at))

"""From one reading of what changed to all streams of this process that want to know (S3, D3).

One thread waits for nudges. For each site that changed, it reads once what is new since the last
time, and puts it into the mailboxes of the site's streams: agents get everything, visitors what
concerns their conversation. Nobody is waited for: a mailbox that is full closes, and its reader
comes back and catches up by revision.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from datetime import datetime

from bridge.errors import UnavailableError
from bridge.live.admission import Admission
from bridge.live.streams import AgentStream, HeardNow, SiteStreams, VisitorStream
from bridge.ports import ConversationKey, Device, MessageRecord
from bridge.services.conversations import ConversationView
from bridge.services.sync import SiteChanges, Sync
from bridge.services.visits import Visits

_log = logging.getLogger("bridge.live")

AT_ONCE = 200
"""Changes that are read at once."""

STREAMS_OF_VISITOR = 10
"""Streams that one visitor may hold in one process: a browser opens four."""

STREAMS_OF_DEVICE = 8
"""Streams that one agent's device may hold in one process: of more, the oldest ends."""

STREAMS_OF_ADDRESS = 1_000
"""Streams from one address in one process: an office has fewer."""

BETWEEN_FEEDS = 0.01
"""Seconds between two readings of what changed; the first after a pause is at once."""

_AFTER_FAILURE = 1.0


class FanOut:
    """All streams of this process."""

    def __init__(
        self, sync: Sync, visits: Visits, admission: Admission, clock: Callable[[], datetime]
    ) -> None:
        self._sync = sync
        self._visits = visits
        self._admission = admission
        self._clock = clock
        self._sites: dict[str, SiteStreams] = {}
        self._changed: set[str] = set()
        self._wake = threading.Event()

    # -------------------------------------------------------------- nudges: these never wait

    def changed(self, site: str) -> None:
        """Something was recorded in ``site``."""
        if site in self._sites:
            self._changed.add(site)
            self._wake.set()

    def heard(self, key: ConversationKey, at: datetime) -> None:
        """A visitor was heard: agents who watch are told."""
        site = self._sites.get(key.site)
        for stream in site.agents if site else ():
            if key.conversation in stream.watching:
                stream.mailbox.put(HeardNow(key.conversation, at))

    def signed_out(self, device: str) -> None:
        """The device's streams end."""
        for site in self._sites.values():
            for stream in site.agents:
                if stream.device.id == device:
                    stream.mailbox.close()

    def superseded(self, site: str, visitor: str) -> None:
        """The visitor's tokens have ended (C3): so do the streams that they opened."""
        known = self._sites.get(site)
        for streams in known.visitors.values() if known else ():
            for stream in streams:
                if stream.visitor == visitor:
                    stream.mailbox.close()

    def holds(self, key: ConversationKey, visitor: str, page: str) -> bool:
        """Whether the page holds a stream of this process."""
        site = self._sites.get(key.site)
        streams = site.visitors.get(key.conversation, ()) if site else ()
        return any((each.visitor, each.page) == (visitor, page) for each in streams)

    def drain(self) -> None:
        """All streams end, and no more are taken: the process is about to end."""
        self._admission.closed = True
        for site in self._sites.values():
            for mailbox in site.mailboxes():
                mailbox.close()

    # ------------------------------------------------------------------------------ streams

    def join_agent(self, device: Device, address: str) -> AgentStream:
        """A stream for an agent's device: what is recorded after its ``rev`` is put into it, and
        what is heard in the conversations that the agent watches. Call ``leave`` when it has ended.

        Raises :class:`bridge.errors.TooManyRequestsError`, and :class:`UnavailableError`.
        """
        site, give_back = self._admitted(device.site, [(f"address {address}", STREAMS_OF_ADDRESS)])
        own = [stream for stream in site.agents if stream.device.id == device.id]
        for oldest in own[: max(0, len(own) + 1 - STREAMS_OF_DEVICE)]:
            oldest.mailbox.close()

        def leave() -> None:
            give_back()
            site.agents.remove(stream)
            self._forget(device.site, site)

        stream = AgentStream(device, site.rev, set(), leave)
        site.agents.append(stream)
        try:
            # Asked last: a watch that begins meanwhile is told to the stream.
            stream.watching |= self._sync.watched_by(device.site, device.agent.id)
        except UnavailableError:
            leave()
            raise
        return stream

    def join_visitor(
        self, key: ConversationKey, visitor: str, page: str, address: str
    ) -> VisitorStream:
        """A stream for a visitor's page: what concerns it is put into it. An older one of the same
        page ends. Call ``leave`` when it has ended. Raises as :meth:`join_agent` does."""
        of_visitor = (f"visitor {key.site} {visitor}", STREAMS_OF_VISITOR)
        of_address = (f"address {address}", STREAMS_OF_ADDRESS)
        site, give_back = self._admitted(key.site, [of_visitor, of_address])
        streams = site.visitors.setdefault(key.conversation, [])

        def leave() -> None:
            give_back()
            streams.remove(stream)
            if not streams and site.visitors.get(key.conversation) is streams:
                del site.visitors[key.conversation]
                self._forget(key.site, site)

        for older in streams:
            if (older.page, older.visitor) == (page, visitor):
                older.mailbox.close()
        stream = VisitorStream(visitor, page, leave)
        streams.append(stream)
        return stream

    def _admitted(
        self, name: str, limits: list[tuple[str, int]]
    ) -> tuple[SiteStreams, Callable[[], None]]:
        """The site for one more stream, and what gives its place back."""
        give_back = self._admission.admit(limits)
        try:
            return self._site(name), give_back
        except UnavailableError:
            give_back()
            raise

    def _site(self, name: str) -> SiteStreams:
        known = self._sites.get(name)
        if known is None:
            rev = self._sync.revision(name)
            known = self._sites.setdefault(name, SiteStreams(rev))
            # A change since the revision was read found nobody to tell.
            self.changed(name)
        return known

    def _forget(self, name: str, site: SiteStreams) -> None:
        if not site.agents and not site.visitors and self._sites.get(name) is site:
            del self._sites[name]

    # --------------------------------------------------------------------------- the thread

    def start(self) -> threading.Thread:
        """Feed the streams until the process ends."""
        thread = threading.Thread(target=self._run, name="fan-out", daemon=True)
        thread.start()
        return thread

    def _run(self) -> None:
        pause, fed_at = threading.Event(), 0.0
        while True:
            self._wake.wait()
            # One after another, with so much between them that a busy site's changes come together.
            pause.wait(max(0.0, fed_at + BETWEEN_FEEDS - time.monotonic()))
            self._wake.clear()
            told = self.feed()
            fed_at = time.monotonic()
            if not told:
                self._wake.set()
                pause.wait(_AFTER_FAILURE)

    def feed(self) -> bool:
        """Tell all streams what changed in their sites; ``False`` if some could not be told, and
        still are to be."""
        failed = set[str]()
        while self._changed:
            name = self._changed.pop()
            site = self._sites.get(name)
            try:
                while site is not None and self._feed(name, site):
                    pass
            except UnavailableError:
                # Told by the sweep, which meets the same trouble.
                failed.add(name)
            except Exception:  # noqa: BLE001 - whatever failed, other sites must not wait for it
                _log.exception("streams could not be told of a change")
                failed.add(name)
        self._changed |= failed
        return not failed

    def _feed(self, name: str, site: SiteStreams) -> bool:
        """Tell a site's streams of the next changes; whether there are more."""
        now = self._clock()
        agents = {stream.device.agent.id for stream in site.agents}
        before = site.rev
        changes = self._sync.read(name, agents, before, AT_ONCE)
        if not agents.issuperset(stream.device.agent.id for stream in site.agents):
            # Somebody joined meanwhile, and what they have read was not asked: once more.
            return True
        site.rev = changes.rev
        for stream in site.agents:
            self._tell_agent(stream, changes, now)
        # A clear first: what was said to the visitor since then waits for them (P7).
        self._tell_visitors(changes.views, site, now)
        self._pass_on([each for each in changes.messages if each.place > before], site)
        return changes.more

    def _tell_agent(self, stream: AgentStream, changes: SiteChanges, now: datetime) -> None:
        agent = stream.device.agent.id
        for item in changes.in_order(agent):
            stream.mailbox.put(item)
        for view in changes.views:
            record = view.summary.record
            if any(watcher.id == agent for watcher in record.demand.watchers(now)):
                stream.watching.add(record.id)
            else:
                stream.watching.discard(record.id)

    def _pass_on(self, messages: list[MessageRecord], site: SiteStreams) -> None:
        """Agents' and system's new messages go to the visitor's pages (M2)."""
        for message in messages:
            if message.author in ("agent", "system"):
                for stream in site.visitors.get(message.conversation, ()):
                    stream.mailbox.put(message)

    def _tell_visitors(
        self, views: list[ConversationView], site: SiteStreams, now: datetime
    ) -> None:
        """Tell the pages of these conversations what became of them; the streams of one that is
        cleared, of a page that is gone (P3, P7), or of whom the store gave it away from, end."""
        for record in (view.summary.record for view in views):
            for stream in site.visitors.get(record.id, ()):
                page = record.presence.pages.get(stream.page)
                foreign = not record.deleted and stream.visitor != record.visitor
                if foreign or (page is not None and page.gone):
                    stream.mailbox.close()
                    continue
                told = self._visits.told(record, stream.page, now)
                stream.mailbox.put(told)
                if told.cleared:
                    stream.mailbox.close()

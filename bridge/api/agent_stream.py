"""What changes, as the agent's app follows it: by a stream, or by asking again (S2, S3)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

from flask import Blueprint, Response, g, request

from bridge.api import body, limits, parameters, presentation
from bridge.api.auth import by_device
from bridge.api.schemas import StreamHeard, StreamReady, SyncBody, to_json
from bridge.api.services import services
from bridge.api.streaming import after_revision, stream, stream_lasts
from bridge.errors import UnavailableError
from bridge.live.sse import frame
from bridge.live.streams import AgentItem, AgentStream, CatchUp, HeardNow
from bridge.ports import Device, MessageRecord
from bridge.services.conversations import ConversationView
from bridge.services.sites import Sites
from bridge.services.sync import Sync
from bridge.times import rfc3339

blueprint = Blueprint("agent_stream", __name__)

CHANGES, MOST_CHANGES = 200, 500
"""How many changes are answered at once, unless more or fewer are wanted, and at most."""
NEXT_SYNC = 5.0
"""Seconds between the requests of an app that cannot stream."""


@blueprint.get("/v1/sync")
@by_device("conversations:read")
def sync(device: Device, rev: int) -> Response:  # noqa: ARG001 - what is read says how far it goes
    """What changed since a revision."""
    after = after_revision() or 0
    limit = parameters.limit(CHANGES, MOST_CHANGES)
    agent = device.agent.id
    changes = services().sync.since(device.site, [agent], after, limit, g.now)
    site = services().sites.find(device.site, g.now)
    answer = SyncBody(
        changes.rev,
        [presentation.changed(view, site, g.now) for view in changes.of(agent)],
        [presentation.message(each) for each in changes.messages],
        changes.more,
        NEXT_SYNC,
    )
    return Response(to_json(answer), content_type=body.JSON)


@blueprint.get("/v1/stream")
@by_device("conversations:read")
def agent_stream(device: Device, rev: int) -> Response:  # noqa: ARG001 - the stream has its own
    """What changes, as it changes."""
    app = services()
    after = after_revision()
    if after is not None and after > app.sync.revision(device.site):
        # The app has it from another database: everything is new to it.
        after = 0
    joined = app.fan_out.join_agent(device, limits.address_key(request.remote_addr))
    frames = AgentFrames(joined, app.sync, app.sites, app.clock, after)
    return stream(
        joined.mailbox, [frames.ready()], frames, lambda _: joined.leave(), stream_lasts()
    )


class AgentFrames:
    """Turns what comes into an agent's stream into frames, in the order of revisions and each once.

    One that resumes ``after`` a revision first reads what it missed, page by page; what comes in
    meanwhile is among that.
    """

    def __init__(
        self,
        joined: AgentStream,
        sync: Sync,
        sites: Sites,
        clock: Callable[[], datetime],
        after: int | None,
    ) -> None:
        self._joined = joined
        self._sync = sync
        self._sites = sites
        self._clock = clock
        self._rev = joined.rev if after is None else after
        self._catching_up = after is not None
        if after is not None:
            joined.mailbox.put(CatchUp())

    def ready(self) -> bytes:
        """What the stream begins with: the revision from which it goes on."""
        return frame("ready", to_json(StreamReady(self._rev)), self._rev)

    def __call__(self, item: AgentItem) -> Iterator[bytes]:
        """The frames of one item."""
        if isinstance(item, CatchUp):
            yield from self._catch_up()
        elif isinstance(item, HeardNow):
            yield frame("heard", to_json(StreamHeard(item.conversation, rfc3339(item.at))))
        elif not self._catching_up and item[0] > self._rev:
            self._rev, changed = item
            yield self._frame(self._rev, changed)

    def _catch_up(self) -> Iterator[bytes]:
        device = self._joined.device
        try:
            changes = self._sync.since(
                device.site, [device.agent.id], self._rev, MOST_CHANGES, self._clock()
            )
        except UnavailableError:
            # The reader comes back, with the same revision.
            self._joined.mailbox.close()
            return
        for rev, changed in changes.in_order(device.agent.id):
            yield self._frame(rev, changed)
        self._rev = changes.rev
        self._catching_up = changes.more
        if changes.more:
            self._joined.mailbox.put(CatchUp())

    def _frame(self, rev: int, changed: ConversationView | MessageRecord) -> bytes:
        if isinstance(changed, MessageRecord):
            return frame("message", to_json(presentation.message(changed)), rev)
        now = self._clock()
        shown = presentation.changed(changed, self._sites.find(self._joined.device.site, now), now)
        return frame("conversation", to_json(shown), rev)

"""What the visitor's page is told: by a stream, or by asking again and again (P2, D2, D3, M2)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from flask import Blueprint, Response, g, request

from bridge.api import body, cors, limits, presentation
from bridge.api.auth import VisitorTokens, bearer, visitor_of
from bridge.api.schemas import VisitorCleared, VisitorDemand, VisitorReady, VisitorSync, to_json
from bridge.api.services import services
from bridge.api.streaming import End, after_revision, stream, stream_lasts
from bridge.errors import InvalidError, NotFoundError
from bridge.live.sse import frame
from bridge.live.streams import VisitorItem, VisitorStream
from bridge.ports import ConversationKey, MessageRecord
from bridge.services.visits import MOST_MESSAGES, OpenedStream, ToldPage, Visits


def add_to(blueprint: Blueprint, tokens: VisitorTokens) -> None:
    """Add the two endpoints to the visitor's blueprint."""
    cors.add_preflight(blueprint, "/v1/visitor/stream")
    cors.add_preflight(blueprint, "/v1/visitor/sync")

    @blueprint.route("/v1/visitor/stream", methods=["GET"], provide_automatic_options=False)
    def visitor_stream() -> Response:
        """What concerns a page, as it happens."""
        app, asked = services(), _asked(tokens)
        if request.method == "HEAD":
            # No stream is held: none may be recorded as opened, nor as dropped (P2).
            app.visits.require_own(asked.key, asked.visitor)
            return Response(content_type="text/event-stream; charset=utf-8")
        # Joined first: what happens while the stream is opened is in its mailbox.
        joined = app.fan_out.join_visitor(
            asked.key, asked.visitor, asked.page, limits.address_key(request.remote_addr)
        )
        try:
            opened = app.visits.open_stream(
                asked.key, asked.visitor, asked.page, asked.after, g.now
            )
        except BaseException:
            joined.leave()
            raise
        if opened.told.cleared or len(opened.messages) == MOST_MESSAGES:
            # The page comes back for what is left.
            joined.mailbox.close()
        frames = VisitorFrames(opened)
        ended = _ended(joined, frames, app.visits, app.clock)
        return stream(joined.mailbox, frames.opening(), frames, ended, stream_lasts())

    @blueprint.route("/v1/visitor/sync", methods=["GET"], provide_automatic_options=False)
    def visitor_sync() -> Response:
        """The same for a page that cannot stream."""
        app, asked = services(), _asked(tokens)
        streams = app.fan_out.holds(asked.key, asked.visitor, asked.page)
        synced = app.visits.sync(
            asked.key, asked.visitor, asked.page, asked.after, g.now, streams=streams
        )
        answer = VisitorSync(
            synced.rev,
            [presentation.for_visitor(each) for each in synced.messages],
            presentation.visitor_takeover(synced.told.owner),
            synced.told.heartbeat_seconds,
            synced.next_sync_seconds,
            synced.state.value,
        )
        return Response(to_json(answer), content_type=body.JSON)


class VisitorFrames:
    """Turns what comes into a visitor's stream into frames: what was told already is left out."""

    def __init__(self, opened: OpenedStream) -> None:
        # Without the messages: they would be kept for as long as the stream.
        self.opened = replace(opened, messages=())
        self._told = opened.told
        self._first = opened.messages
        self._shown = opened.shown

    @property
    def cleared(self) -> bool:
        """Whether the page was told that the chat is cleared."""
        return self._told.cleared

    def opening(self) -> Iterator[bytes]:
        """What the stream begins with."""
        told = self._told
        takeover = presentation.visitor_takeover(told.owner)
        yield frame(
            "ready", to_json(VisitorReady(told.heartbeat_seconds, takeover, self.opened.live))
        )
        for message in self._first:
            yield _message(message)
        self._first = []
        if told.cleared:
            yield _CLEARED

    def __call__(self, item: VisitorItem) -> Iterator[bytes]:
        """The frames of one item."""
        if isinstance(item, ToldPage):
            yield from self._tell(item)
        elif item.place > self._shown:
            self._shown = item.place
            yield _message(item)

    def _tell(self, told: ToldPage) -> Iterator[bytes]:
        before, self._told = self._told, told
        if told.cleared:
            if not before.cleared:
                yield _CLEARED
            return
        if told.heartbeat_seconds != before.heartbeat_seconds:
            yield frame("demand", to_json(VisitorDemand(told.heartbeat_seconds)))
        if told.owner != before.owner:
            yield frame("takeover", to_json(presentation.visitor_takeover(told.owner)))


_CLEARED = frame("cleared", to_json(VisitorCleared()))


def _message(message: MessageRecord) -> bytes:
    return frame("message", to_json(presentation.for_visitor(message)), message.place)


@dataclass(frozen=True, slots=True)
class _Asked:
    """Which page of which visitor asks, and what it was shown last."""

    key: ConversationKey
    visitor: str
    page: str
    after: int | None


def _asked(tokens: VisitorTokens) -> _Asked:
    """Raises as :func:`visitor_of` does, and :class:`InvalidError`."""
    token, site = visitor_of(services(), tokens, bearer(request), g.now, 1)
    conversation, page = _id("conversation"), _id("page")
    return _Asked(ConversationKey(site.id, conversation), token.visitor, page, after_revision())


def _id(name: str) -> str:
    given = request.args.get(name, "")
    if not given:
        raise InvalidError(f"{name} is needed.", errors=((f"/{name}", "missing"),))
    if len(given) > 128 or not given.isprintable():
        raise NotFoundError("There is no such conversation.")
    return given


def _ended(
    joined: VisitorStream, frames: VisitorFrames, visits: Visits, clock: Callable[[], datetime]
) -> Callable[[End], None]:
    def ended(why: End) -> None:
        joined.leave()
        # What the bridge itself ended says nothing of the page (P2); after a clear it is over (P7).
        if why is End.DROPPED or frames.cleared:
            visits.dropped(frames.opened, clock())

    return ended

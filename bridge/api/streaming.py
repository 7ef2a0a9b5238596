"""A stream of server-sent events as a response."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable, Iterable
from enum import Enum
from typing import Generic, TypeVar
from wsgiref.types import WSGIEnvironment

from flask import Response, request

from bridge.errors import InvalidError
from bridge.live.connection import hang_up, watch_for_close
from bridge.live.mailbox import Mailbox
from bridge.live.sse import COMMENT

Item = TypeVar("Item")

_REVISION = re.compile(r"[0-9]{1,18}")

STREAM_LASTS = (240.0, 300.0)
"""Seconds after which a stream ends by itself (P2); its reader comes back at once, and is heard."""


class End(Enum):
    """Why a stream ended."""

    PLANNED = "its time was over"
    DROPPED = "the peer is gone, or writing to it failed"
    CLOSED = "the mailbox was closed on our side"


def stream(
    mailbox: Mailbox[Item],
    opening: Iterable[bytes],
    frames: Callable[[Item], Iterable[bytes]],
    ended: Callable[[End], None],
    lasts: float,
    comment_every: float = 15.0,
) -> Response:
    """A response that writes ``opening`` at once, then what comes into ``mailbox`` as it comes.

    Call it in a view. What it is given is used after the request's context is gone, and must not
    need it: the context would be kept for as long as the stream.

    Args:
        mailbox: what to write; closed when the stream ends, and ends the stream when closed.
        opening: frames that go out with the head, in one piece.
        frames: turns an item into frames; none is allowed.
        ended: called exactly once, however it ends, by whoever notices: outside of any request, and
            in the worst case by the garbage collector.
        lasts: seconds after which it ends by itself.
        comment_every: seconds without a write after which a comment is written.
    """
    response = Response(
        _Body(mailbox, opening, frames, ended, lasts, comment_every, request.environ),
        content_type="text/event-stream; charset=utf-8",
        # Else the response, with its headers, would be kept for as long as the stream.
        direct_passthrough=True,
    )
    response.headers["Cache-Control"] = "no-store"
    # nginx would keep what is written until its buffer is full.
    response.headers["X-Accel-Buffering"] = "no"
    return response


class _Body(Generic[Item]):
    """What the server iterates over, one write at a time.

    Not a generator: one that was never begun would be closed without being told.
    """

    __slots__ = (
        "_comment_every",
        "_ended",
        "_environ",
        "_frames",
        "_mailbox",
        "_opening",
        "_peer_is_gone",
        "_stop_watching",
        "_until",
    )

    def __init__(
        self,
        mailbox: Mailbox[Item],
        opening: Iterable[bytes],
        frames: Callable[[Item], Iterable[bytes]],
        ended: Callable[[End], None],
        lasts: float,
        comment_every: float,
        environ: WSGIEnvironment,
    ) -> None:
        self._mailbox = mailbox
        self._opening: Iterable[bytes] | None = opening
        self._frames = frames
        self._ended: Callable[[End], None] | None = ended
        self._until = time.monotonic() + lasts
        self._comment_every = comment_every
        self._environ = environ
        self._peer_is_gone = False
        self._stop_watching: Callable[[], None] | None = None

    def __iter__(self) -> _Body[Item]:
        return self

    def __next__(self) -> bytes:
        if self._ended is None:
            raise StopIteration
        if self._opening is not None:
            return self._begin(self._opening)
        comment_at = time.monotonic() + self._comment_every
        while True:
            now = time.monotonic()
            if now >= self._until:
                raise self._end(End.PLANNED)
            if now >= comment_at:
                return COMMENT
            items = self._mailbox.take(min(comment_at, self._until) - now)
            if items is None:
                # Kept alive, the connection would hold up the end of the process.
                hang_up(self._environ)
                raise self._end(End.CLOSED)
            if written := b"".join(frame for item in items for frame in self._frames(item)):
                return written

    def _begin(self, opening: Iterable[bytes]) -> bytes:
        self._opening = None
        # Not before the server iterates: from here on it is certain to call `close`.
        self._stop_watching = watch_for_close(self._environ, self._close_was_seen)
        return b"".join(opening) or COMMENT

    def _close_was_seen(self) -> None:
        self._peer_is_gone = True
        self._mailbox.close()

    def _end(self, why: End) -> StopIteration:
        ended, self._ended = self._ended, None
        if ended is not None:
            if self._stop_watching is not None:
                self._stop_watching()
            self._mailbox.close()
            # Whatever else is true by now, that the peer went is why nobody reads this any more.
            ended(End.DROPPED if self._peer_is_gone else why)
        return StopIteration()

    def close(self) -> None:
        """Called by the server when it is done, or cannot write; nothing if the end was told."""
        self._end(End.DROPPED)

    __del__ = close


def stream_lasts() -> float:
    """Seconds that a stream lasts: not all end at once."""
    return random.uniform(*STREAM_LASTS)  # noqa: S311 - nothing depends on its being hard to guess


def after_revision() -> int | None:
    """The revision that the reader has, as it says in ``Last-Event-ID`` or ``after``, if it does.

    Raises :class:`InvalidError` for one that is no whole number.
    """
    given = request.headers.get("Last-Event-ID") or request.args.get("after")
    if given is None:
        return None
    if not _REVISION.fullmatch(given):
        raise InvalidError("after is a revision.", errors=(("/after", "not a whole number"),))
    return int(given)

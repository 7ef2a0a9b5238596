"""However a stream's body ends, that is told once, and why. With a real server: test_streams.py."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Iterator
from wsgiref.types import WSGIEnvironment

import pytest
from flask import Flask, Response

from bridge.api import streaming
from bridge.api.streaming import End, stream
from bridge.live.mailbox import Mailbox

FOREVER = 300.0


class Stream:
    """A stream made in a request that is over."""

    def __init__(
        self,
        lasts: float = FOREVER,
        comment_every: float = FOREVER,
        frames: Callable[[bytes], Iterable[bytes]] = lambda item: [item],
        opening: Iterable[bytes] = (b"opening",),
        *,
        end_fails: bool = False,
    ) -> None:
        self.ends: list[End] = []
        self._end_fails = end_fails
        self.mailbox = Mailbox[bytes](10)
        with Flask("probe").test_request_context():
            response = stream(self.mailbox, opening, frames, self._ended, lasts, comment_every)
            self.headers = response.headers
            self.body: Iterator[bytes] | None = response.response  # type: ignore[assignment]  # ours

    def _ended(self, why: End) -> None:
        self.ends.append(why)
        if self._end_fails:
            raise ValueError(why)

    def read(self) -> bytes:
        assert self.body is not None
        return next(self.body)

    def close(self) -> None:
        self.body.close()  # type: ignore[union-attr]  # what a WSGI server calls


def test_its_head() -> None:
    headers = Stream().headers
    assert headers["Content-Type"] == "text/event-stream; charset=utf-8"
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Accel-Buffering"] == "no"
    assert "Content-Length" not in headers


def test_the_opening_goes_out_in_one_piece() -> None:
    assert Stream(opening=iter([b"a", b"b"])).read() == b"ab"


def test_without_an_opening_something_goes_out_all_the_same() -> None:
    assert Stream(opening=()).read() == b":\n\n"


def test_all_that_waits_goes_out_in_one_write() -> None:
    told = Stream(frames=lambda item: [item, b";"])
    told.read()
    told.mailbox.put(b"1")
    told.mailbox.put(b"2")
    assert told.read() == b"1;2;"


def test_an_item_without_frames_writes_nothing() -> None:
    told = Stream(frames=lambda item: [] if item == b"1" else [item])
    told.read()
    told.mailbox.put(b"1")
    told.mailbox.put(b"2")
    assert told.read() == b"2"


def test_a_comment_when_nothing_comes() -> None:
    told = Stream(comment_every=0.01)
    told.read()
    assert told.read() == b":\n\n"
    assert told.read() == b":\n\n"


def test_it_ends_by_itself_and_takes_no_more() -> None:
    told = Stream(lasts=0.01)
    told.read()
    with pytest.raises(StopIteration):
        told.read()
    assert told.ends == [End.PLANNED]
    assert told.mailbox.closed


def test_a_closed_mailbox_ends_it_after_what_waits() -> None:
    told = Stream()
    told.read()
    told.mailbox.put(b"1")
    told.mailbox.close()
    assert told.read() == b"1"
    with pytest.raises(StopIteration):
        told.read()
    assert told.ends == [End.CLOSED]


def test_a_mailbox_closed_before_the_first_byte_ends_it_after_the_opening() -> None:
    told = Stream()
    told.mailbox.close()
    assert told.read() == b"opening"
    with pytest.raises(StopIteration):
        told.read()
    assert told.ends == [End.CLOSED]


def test_a_peer_that_went_is_why_it_ended_whatever_else_is_true(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def gone_at_once(environ: WSGIEnvironment, closed: Callable[[], None]) -> Callable[[], None]:
        closed()
        return lambda: None

    monkeypatch.setattr(streaming, "watch_for_close", gone_at_once)
    for told in (Stream(), Stream(lasts=0.0)):
        told.read()
        with pytest.raises(StopIteration):
            told.read()
        assert told.ends == [End.DROPPED]


def test_an_end_is_told_once() -> None:
    told = Stream(lasts=0.0)
    told.read()
    for _ in range(2):
        with pytest.raises(StopIteration):
            told.read()
    told.close()
    told.close()
    told.body = None
    gc.collect()
    assert told.ends == [End.PLANNED]


def test_closed_by_the_server_after_a_failed_write() -> None:
    told = Stream()
    told.read()
    told.close()
    assert told.ends == [End.DROPPED]
    assert told.mailbox.closed


def test_closed_by_the_server_before_the_first_byte() -> None:
    told = Stream()
    told.close()
    assert told.ends == [End.DROPPED]


def test_forgotten_by_the_server() -> None:
    told = Stream()
    told.body = None
    gc.collect()
    assert told.ends == [End.DROPPED]


def test_frames_that_fail() -> None:
    def fail(item: bytes) -> Iterable[bytes]:
        raise ValueError(item)

    told = Stream(frames=fail)
    told.read()
    told.mailbox.put(b"1")
    with pytest.raises(ValueError, match="1"):
        told.read()
    told.close()
    assert told.ends == [End.DROPPED]


def test_an_end_that_fails_is_not_told_again() -> None:
    told = Stream(end_fails=True)
    with pytest.raises(ValueError, match="DROPPED"):
        told.close()
    told.close()
    assert told.ends == [End.DROPPED]


def test_head_asks_for_no_stream() -> None:
    app, ends = Flask("probe"), list[End]()

    @app.get("/")
    def view() -> Response:
        return stream(Mailbox[bytes](1), (b"opening",), lambda item: [item], ends.append, FOREVER)

    with app.test_client() as client:
        answer = client.head("/")
        assert answer.mimetype == "text/event-stream"
        assert answer.data == b""
        answer.close()
    assert ends == [End.DROPPED]

"""A Flask application whose streams are told by requests what to do; for tests and the bench."""

from itertools import count

from flask import Flask, Response, jsonify, request

from bridge.api.streaming import End, stream
from bridge.live import connection
from bridge.live.mailbox import Mailbox
from bridge.live.sse import frame

app = Flask(__name__)
_open: dict[int, tuple[str, Mailbox[bytes]]] = {}
_ends: list[tuple[str, str]] = []
_numbers = count()


@app.get("/streams/<name>")
def open_stream(name: str) -> Response:
    """A stream of the items put to ``name``; `size`, `lasts` and `comment_every` as asked for."""
    number, mailbox = next(_numbers), Mailbox[bytes](request.args.get("size", 100, int))
    _open[number] = (name, mailbox)

    def ended(why: End) -> None:
        del _open[number]
        _ends.append((name, why.name))

    return stream(
        mailbox,
        (frame("ready", b'{"first":true}'), frame("ready", b'{"first":false}')),
        lambda item: (frame("item", item, id=len(item)),),
        ended,
        lasts=request.args.get("lasts", 300.0, float),
        comment_every=request.args.get("comment_every", 15.0, float),
    )


@app.post("/streams/<name>")
def put(name: str) -> Response:
    """Put the body to every stream of that name."""
    to = [mailbox for each, mailbox in _open.values() if each == name]
    for mailbox in to:
        mailbox.put(request.get_data())
    return jsonify(len(to))


@app.delete("/streams/<name>")
def close(name: str) -> Response:
    """Close every mailbox of that name."""
    to = [mailbox for each, mailbox in _open.values() if each == name]
    for mailbox in to:
        mailbox.close()
    return jsonify(len(to))


@app.get("/streams")
def streams() -> Response:
    """Who is open, and how each of the others ended."""
    return jsonify(open=[name for name, _ in _open.values()], ends=_ends)


@app.put("/send-timeout")
def shorten_send_timeout() -> Response:
    """From now on, cut off a peer that reads nothing after so many seconds, not half a minute."""
    connection.SEND_TIMEOUT = float(request.get_data())  # type: ignore[misc]  # else a constant
    return jsonify(connection.SEND_TIMEOUT)


def _drain() -> None:
    for _, mailbox in _open.values():
        mailbox.close()


app.extensions["drain"] = _drain

"""Peers that are gone without a word, read nothing, or ask for too much: they harm nobody else."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from bridge.live.fan_out import STREAMS_OF_ADDRESS, STREAMS_OF_VISITOR
from tests.processes.client import Store, Visitor
from tests.processes.many_streams import ManyStreams
from tests.processes.streams import PATIENCE
from tests.servers.bridge import BridgeProcess
from tests.servers.waiting import wait_until

TARGET = "/v1/visitor/stream?conversation={}&page={}"
READER = """
import socket, sys
connection = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
connection.sendall(sys.argv[2].encode())
while received := connection.recv(65536):
    sys.stdout.buffer.write(received)
    sys.stdout.flush()
"""


def request_of(visitor: Visitor, conversation: str, page: str) -> str:
    return (
        f"GET {TARGET.format(conversation, page)} HTTP/1.1\r\nHost: localhost\r\n"
        f"Authorization: Bearer {visitor.token}\r\n\r\n"
    )


@contextmanager
def frozen_reader(bridge: BridgeProcess, request: str) -> Iterator[None]:
    """A process that holds a stream and stands still, as a phone does that was put away: its
    kernel goes on to acknowledge what is sent to it."""
    arguments = [sys.executable, "-c", READER, str(bridge.port), request]
    process = subprocess.Popen(arguments, stdout=subprocess.PIPE)
    assert process.stdout is not None
    try:
        while b"event: ready" not in process.stdout.readline():
            assert process.poll() is None
        os.kill(process.pid, signal.SIGSTOP)
        yield
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def test_p2_a_stream_whose_peer_stands_still_does_not_keep_its_page_online(
    bridge: BridgeProcess, store: Store
) -> None:
    """Whoever watches knows within 10 s, and is told that the others are there."""
    frozen, lively, agent = store.visitor("frozen"), store.visitor("lively"), store.agent()
    for each in (frozen, lively):
        each.tell("page_view", each.id, page=each.id, seq=1)
    with (
        frozen_reader(bridge, request_of(frozen, "frozen", "frozen")),
        lively.stream("lively", "lively") as page,
        agent.stream() as app,
    ):
        app.wait_for("ready")
        for each in (frozen, lively):
            agent.do("PUT", each.id, "watch")
        page.wait_for("demand")
        lively.tell("heartbeat", "lively", page="lively", seq=2)
        heard = app.wait_for("heard")
        assert heard["conversation"] == "lively"
        gone = app.wait_for("conversation", lambda it: it["presence"]["state"] == "offline")
        assert (gone["id"], gone["presence"]["reason"]) == ("frozen", "timed_out")
        assert gone["watchers"], "it did not wait for the watch to end"
        assert agent.presence("lively")["state"] == "online"


def test_one_that_reads_nothing_holds_up_nobody(bridge: BridgeProcess, store: Store) -> None:
    """Much more is written to it than the kernel keeps for it."""
    visitor, agent = store.visitor("v"), store.agent()
    for name in ("deaf", "p"):
        visitor.tell("page_view", "A", page=name, seq=1)
    texts = [f"{number} " + "x" * 15_000 for number in range(60)]
    with socket.socket() as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.settimeout(PATIENCE)
        deaf.connect(("127.0.0.1", bridge.port))
        deaf.sendall(request_of(visitor, "A", "deaf").encode())
        assert deaf.recv(12) == b"HTTP/1.1 200"
        with visitor.stream("A", "p") as page, agent.stream() as app:
            page.wait_for("ready")
            agent.do("PUT", "A", "takeover")
            for text in texts:
                assert agent.write("A", text).status_code == 201
            page.wait_for("message", lambda it: it["text"] == texts[-1])
            app.wait_for("message", lambda it: it["text"] == texts[-1])
            shown = [each["text"] for each in page.named("message") if each["author"] == "agent"]
            assert shown == texts
        assert bridge.terminate() < 9, "nor the end of the process"


def test_5000_streams_from_one_address_are_refused_beyond_the_limit(
    bridge: BridgeProcess, store: Store
) -> None:
    asked, session = 5_000, store.session()
    visitors = [
        store.visitor(f"{number}", session) for number in range(asked // STREAMS_OF_VISITOR)
    ]
    for each in visitors:
        each.tell("page_view", each.id, page="p", seq=1)
    agent, other = store.agent(), store.visitor("other")
    other.tell("page_view", "other", page="p", seq=1)
    with ManyStreams(bridge.port) as streams, agent.stream(source="127.0.2.1") as app:
        streams.open(
            {
                f"{each.id} {number}": (TARGET.format(each.id, f"p{number}"), each.token)
                for each in visitors
                for number in range(STREAMS_OF_VISITOR)
            },
            source="127.0.0.1",
        )
        assert streams.statuses() == {200: STREAMS_OF_ADDRESS, 429: asked - STREAMS_OF_ADDRESS}
        assert all("\r\nRetry-After: " in head for head in streams.heads(429))
        with other.stream("other", "p", source="127.0.2.2") as page:
            assert page.status == 200
            agent.do("PUT", "other", "watch")
            page.wait_for("demand")
            other.tell("heartbeat", "other", page="p", seq=2)
            app.wait_for("heard")
        refused = other.stream("other", "p", source="127.0.0.1")
        assert refused.status == 429
        refused.close()

    def is_let_in() -> bool:
        with other.stream("other", "p", source="127.0.0.1") as page:
            return page.status == 200

    wait_until(is_let_in, "the places of those who went are free")

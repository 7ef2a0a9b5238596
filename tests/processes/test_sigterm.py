"""SIGTERM: what is in flight is answered, nothing accepted is lost, and it is over well in time."""

from __future__ import annotations

import json
import os
import signal
import socket
from contextlib import closing
from http.client import HTTPResponse
from pathlib import Path

from tests.processes.client import Store
from tests.processes.load import Load
from tests.servers.bridge import BridgeProcess
from tests.servers.ports import is_listening
from tests.servers.waiting import wait_until

WELL_WITHIN = 9.0
"""Seconds; platforms kill 10 s after SIGTERM."""


def is_accepted(connection: socket.socket) -> bool:
    """Whether the peer, on this machine, has taken the connection out of its backlog."""
    ours, theirs = (
        f"{port:04X}" for _, port in (connection.getsockname(), connection.getpeername())
    )
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[1].endswith(f":{theirs}") and fields[2].endswith(f":{ours}"):
            return fields[9] != "0"
    return False


def test_nothing_accepted_is_lost(bridge: BridgeProcess, store: Store) -> None:
    load, took = Load(store), list[float]()
    load.until_gone(lambda: took.append(bridge.terminate()))
    assert took[0] < WELL_WITHIN
    # Whoever was cut off got no answer at all: half of one, or a refusal, would be here.
    assert load.failures == []
    bridge.start()
    agent = store.agent()
    for conversation, said in load.accepted("message").items():
        ids = [each.event["message"]["id"] for each in said]
        assert [id for id in agent.messages(conversation) if id in ids] == ids
    for conversation in load.accepted("chat_cleared"):
        assert agent.presence(conversation)["state"] == "chat_cleared"


def test_a_request_that_is_still_coming_is_answered(bridge: BridgeProcess, store: Store) -> None:
    visitor = store.visitor("v")
    request = visitor.request(visitor.event("page_view", "A", page="p", seq=1))
    body = request.body
    assert isinstance(body, bytes)
    head = f"POST {request.path_url} HTTP/1.1\r\nHost: localhost\r\n" + "".join(
        f"{name}: {value}\r\n" for name, value in request.headers.items()
    )
    with closing(socket.create_connection(("127.0.0.1", bridge.port), timeout=30)) as connection:
        connection.sendall(f"{head}\r\n".encode() + body[:10])
        wait_until(lambda: is_accepted(connection), "the worker has the connection")
        os.kill(bridge.pid, signal.SIGTERM)
        wait_until(lambda: not is_listening(bridge.port), "nobody new is let in")
        connection.sendall(body[10:])
        with HTTPResponse(connection) as response:
            response.begin()
            assert response.status == 200
            assert json.load(response)["results"][0]["status"] == "accepted"
    bridge.terminate()
    bridge.start()
    assert store.agent().presence("A")["state"] == "online"

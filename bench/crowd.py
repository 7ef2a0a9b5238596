"""Many open streams on one worker: their memory (B7), and one message that reaches all agents."""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path

from bench.figure import Figure, at_most
from bench.streams import AT_ONCE, OpenStreams, measured, request_of
from bridge.capacity import raise_open_files
from bridge.live.fan_out import STREAMS_OF_DEVICE
from tests.processes.client import Store
from tests.servers.bridge import BridgeProcess

VISITORS = 10_000
AGENTS = 500
A_BATCH = 100


def crowd() -> list[Figure]:
    """10,000 visitors' streams in one worker, and 500 agents' (B7)"""
    raise_open_files()
    with (
        tempfile.TemporaryDirectory() as folder,
        BridgeProcess(Path(folder)) as bridge,
        Store(bridge) as store,
    ):
        requests = _visit(store, VISITORS + AT_ONCE)
        with measured(bridge.port, _worker(bridge), requests.__getitem__, VISITORS) as (
            _,
            each,
            total,
        ):
            told = _tell_all_agents(bridge, store)
    return [
        at_most("B7", "KiB of memory per visitor's stream, 10,000 open", each / 1024, 32),
        at_most("B7", "MiB of memory of their worker", total / 2**20, 512, 0),
        Figure("-", "ms, one message to the last of 500 agents' streams", round(told), "", True),
    ]


def _visit(store: Store, count: int) -> list[bytes]:
    """Visitors on a page of their own; the request of the stream of each."""
    session, requests = store.session(), list[bytes]()
    for begin in range(0, count, A_BATCH):
        events = []
        for number in range(begin, min(count, begin + A_BATCH)):
            visitor = store.visitor(f"v{number}", session)
            view = visitor.event("page_view", f"A{number}", page=f"p{number}", seq=1)
            events.append({**view, "visitor": visitor.id})
            path = f"/v1/visitor/stream?conversation=A{number}&page=p{number}"
            requests.append(request_of(path, visitor.token).replace(_ORIGIN, b""))
        answered = store.post("/v1/store/events", json.dumps({"events": events}).encode())
        if {each["status"] for each in answered.json()["results"]} != {"accepted"}:
            raise SystemExit(f"the pages were not viewed: {answered.text}")
    return requests


_ORIGIN = b"Origin: http://shop.test\r\n"
"""Not one of the store's."""


def _tell_all_agents(bridge: BridgeProcess, store: Store) -> float:
    """Milliseconds from a visitor's message to the last of the agents' streams that shows it."""
    devices = [store.agent(f"{number}") for number in range(AGENTS // STREAMS_OF_DEVICE)]
    requests = [
        request_of("/v1/stream", device.token)
        for device in devices
        for _ in range(STREAMS_OF_DEVICE)
    ]
    visitor = store.visitor("v0")
    with OpenStreams(bridge.port, requests) as streams:
        began = time.perf_counter()
        said = {"id": "to all", "author": "visitor", "text": "Hello"}
        visitor.tell("message", "A0", page="p0", message=said)
        streams.wait_for(b"event: message", len(streams))
        return 1_000 * (time.perf_counter() - began)


def _worker(bridge: BridgeProcess) -> int:
    """The process id of the bridge's one worker."""
    children = Path(f"/proc/{bridge.pid}/task/{bridge.pid}/children").read_text().split()
    if len(children) != 1:
        raise SystemExit(f"there is not one worker: {children}")
    return int(children[0])

"""How long it takes from a visitor's page to an agent's app and back: budgets B5 and B6."""

from __future__ import annotations

import json
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from bench.figure import Figure, at_most, percentile
from bench.load import Connection
from tests.processes.client import Store, Visitor
from tests.processes.streams import Stream
from tests.servers.bridge import BridgeProcess
from tests.servers.waiting import wait_until

EVENTS_A_SECOND = 200
EVENTS = 2_000
SENDERS = 16
WATCHED = 200
FROZEN = 20
PATH = "/v1/visitor/events"


def live() -> list[Figure]:
    """from a page to the agent's app, and from the agent's app to a page (B5, B6)"""
    with _bridge() as (bridge, store), store.agent().stream() as app:
        app.wait_for("ready")
        return [*_leaving(bridge, store, app), *_watching(store), *_gone(store, app)]


@contextmanager
def _bridge() -> Iterator[tuple[BridgeProcess, Store]]:
    with (
        tempfile.TemporaryDirectory() as folder,
        BridgeProcess(Path(folder)) as bridge,
        Store(bridge) as store,
    ):
        yield bridge, store


# ------------------------------------------------------------------------------------ B5


def _leaving(bridge: BridgeProcess, store: Store, app: Stream) -> list[Figure]:
    """At a steady rate, whatever the answers take: pages that beat, and pages that do not."""
    mixed = _took(bridge, store, app, "m", beats=8)
    alone = _took(bridge, store, app, "a", beats=0)
    worst = percentile(mixed, 0.99)
    return [
        at_most("B5", "ms, leaving to agent's stream, p99, 200 events/s, 8 of 10 beats", worst, 50),
        Figure("-", "the same, p50", round(percentile(mixed, 0.5), 1), "", True),
        Figure("-", "the same, p99, none of them beats", round(percentile(alone, 0.99)), "", True),
    ]


def _took(bridge: BridgeProcess, store: Store, app: Stream, prefix: str, beats: int) -> list[float]:
    """Milliseconds from each beacon of leaving to the agent's stream. Each page is viewed, beats
    so often, one event a second, and is left."""
    session = store.session()
    stay = ["page_view", *["heartbeat"] * beats, "page_unload"]
    count, apart = EVENTS // len(stay), EVENTS_A_SECOND // len(stay)
    visitors = [store.visitor(f"{prefix}{number}", session) for number in range(count)]
    steps = sorted(
        (number + place * apart, place, number)
        for number in range(count)
        for place in range(len(stay))
    )
    plan = [(visitors[number], stay[place], place + 1) for _, place, number in steps]
    sent = _send(bridge.port, plan)

    def seen() -> dict[str, float]:
        left = [
            each
            for each in app.sent
            if each.name == "conversation" and each.data["presence"]["state"] == "switching_pages"
        ]
        return {each.data["id"]: each.at for each in reversed(left) if each.data["id"] in sent}

    wait_until(lambda: len(seen()) == count, "every leaving was seen", seconds=120)
    return [1_000 * (at - sent[conversation]) for conversation, at in seen().items()]


def _send(port: int, plan: list[tuple[Visitor, str, int]]) -> dict[str, float]:
    """Send everything that is planned at its time; when each beacon of leaving was sent."""
    sent: dict[str, float] = {}
    failed: list[bytes] = []
    steps = list(enumerate(plan))
    began = time.perf_counter() + 0.5

    def run(mine: list[tuple[int, tuple[Visitor, str, int]]]) -> None:
        with Connection(port) as connection:
            for place, (visitor, kind, seq) in mine:
                conversation = f"A-{visitor.id}"
                happened = visitor.event(kind, conversation, page=visitor.id, seq=seq)
                body = json.dumps({"token": visitor.token, "events": [happened]}).encode()
                time.sleep(max(0.0, began + place / EVENTS_A_SECOND - time.perf_counter()))
                if kind == "page_unload":
                    sent[conversation] = time.perf_counter()
                answer = connection.post(PATH, body)
                # One that was overtaken is a duplicate.
                if not answer.startswith(b"HTTP/1.1 200") or b'"rejected"' in answer:
                    failed.append(answer)

    threads = [threading.Thread(target=run, args=(steps[n::SENDERS],)) for n in range(SENDERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise SystemExit(f"{len(failed)} events were refused, the first: {failed[0]!r}")
    return sent


# ------------------------------------------------------------------------------------ B6


def _watching(store: Store) -> list[Figure]:
    """One conversation after the other is opened, whose page beats as soon as it is told."""
    agent, session, told, heard = store.agent(), store.session(), list[float](), list[float]()
    with agent.stream() as app:
        app.wait_for("ready")
        for number in range(WATCHED):
            id = f"w{number}"
            visitor = store.visitor(id, session)
            visitor.tell("page_view", id, page=id, seq=1)
            with visitor.stream(id, id) as page:
                page.wait_for("ready")
                began = time.perf_counter()
                agent.do("PUT", id, "watch")
                told.append(_when(page, "demand", lambda _: True) - began)
                visitor.tell("heartbeat", id, page=id, seq=2)
                heard.append(_when(app, "heard", _of(id)) - began)
            agent.do("DELETE", id, "watch")
            visitor.tell("page_unload", id, page=id, seq=3)
    told_after, heard_after = percentile(told, 0.99), percentile(heard, 0.99)
    return [
        at_most("B6", "ms, watch to the page's `demand`, p99", 1_000 * told_after, 200),
        at_most("B6", "s, watch to `heard` of one who is there, p99", heard_after, 1, 3),
    ]


def _of(conversation: str) -> Callable[[Any], bool]:
    return lambda told: bool(told["conversation"] == conversation)


def _gone(store: Store, app: Stream) -> list[Figure]:
    """Pages whose stream stays open and who do not answer."""
    agent, took = store.agent(), list[float]()
    with ExitStack() as streams:
        for number in range(FROZEN):
            each = store.visitor(f"frozen{number}")
            each.tell("page_view", f"F{number}", page=f"f{number}", seq=1)
            streams.enter_context(each.stream(f"F{number}", f"f{number}")).wait_for("ready")
        began: dict[str, float] = {}
        for number in range(FROZEN):
            began[f"F{number}"] = time.perf_counter()
            agent.do("PUT", f"F{number}", "watch")
        for conversation, at in began.items():
            took.append(_when(app, "conversation", _timed_out(conversation)) - at)
    return [
        at_most("B6", "s, watch to `timed_out` of one who is gone, longest", max(took), 10.5, 2)
    ]


def _timed_out(conversation: str) -> Callable[[Any], bool]:
    def found(told: Any) -> bool:
        return bool(told["id"] == conversation and told["presence"].get("reason") == "timed_out")

    return found


def _when(stream: Stream, name: str, found: Callable[[Any], bool]) -> float:
    """When the first such event came."""

    def first() -> float | None:
        events = (each for each in stream.sent if each.name == name and found(each.data))
        return next((each.at for each in events), None)

    while (at := first()) is None:
        if stream.ended.is_set():
            raise SystemExit(f"a stream ended before `{name}` came")
        # Short: what the page does next would otherwise be measured late.
        time.sleep(0.001)
    return at

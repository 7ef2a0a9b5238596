"""A restart with streams open: all come back, nothing is doubled, nothing is missing (S2, S3)."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
import requests

from tests.processes.client import Agent, Store, Visitor
from tests.processes.many_streams import ManyStreams
from tests.processes.streams import Stream
from tests.servers.bridge import BridgeProcess
from tests.servers.waiting import wait_until

STREAMS = 1_000
WRITTEN_IN = 10
"""So many of their conversations are written in."""
WRITERS = 4
ENOUGH = 60
"""Messages that were answered make a load."""


@pytest.fixture
def bridge(tmp_path: Path) -> Iterator[BridgeProcess]:
    """One with the usual grace time: it takes a while until all have come back."""
    with BridgeProcess(tmp_path) as bridge:
        yield bridge


def view_all(store: Store, visitors: Sequence[Visitor]) -> None:
    """The page ``p-…`` of each views the conversation ``A-…``."""
    for begin in range(0, len(visitors), 100):
        events = [
            {
                **each.event("page_view", f"A-{each.id}", page=f"p-{each.id}", seq=1),
                "visitor": each.id,
            }
            for each in visitors[begin : begin + 100]
        ]
        answered = store.post("/v1/store/events", json.dumps({"events": events}).encode())
        assert answered.status_code == 200, answered.text
        assert {each["status"] for each in answered.json()["results"]} == {"accepted"}


def asked(visitors: Sequence[Visitor], after: dict[str, int]) -> dict[str, tuple[str, str]]:
    """The stream of each one's page, resumed after what it was shown."""
    return {
        each.id: (
            f"/v1/visitor/stream?conversation=A-{each.id}&page=p-{each.id}"
            + (f"&after={after[each.id]}" if each.id in after else ""),
            each.token,
        )
        for each in visitors
    }


@pytest.mark.parametrize("ends", ["SIGTERM", "SIGKILL"])
def test_all_come_back_and_see_everything_once(
    bridge: BridgeProcess, store: Store, ends: str
) -> None:
    session = store.session()
    visitors = [store.visitor(f"{number}", session) for number in range(STREAMS)]
    view_all(store, visitors)
    agent, shown = store.agent(), dict[str, list[tuple[int, str]]]()
    written_in = visitors[:WRITTEN_IN]

    def write(text: str) -> None:
        for each in written_in:
            response = agent.write(f"A-{each.id}", text)
            assert response.status_code == 201, response.text

    def all_shown(streams: ManyStreams, count: int) -> bool:
        return all(len(streams.messages(each.id)) >= count for each in written_in)

    def confirm(streams: ManyStreams) -> None:
        """As a page does: it keeps the revision that it was shown, and confirms."""
        for each in written_in:
            for rev, message in streams.messages(each.id):
                shown.setdefault(each.id, []).append((rev, message["text"]))
                if message["author"] == "agent":
                    said = {"id": message["id"]}
                    each.tell("message_delivered", f"A-{each.id}", message=said)

    with ManyStreams(bridge.port) as streams, agent.stream() as app:
        app.wait_for("ready")
        streams.open(asked(visitors, {}))
        assert streams.statuses() == {200: STREAMS}
        for each in written_in:
            agent.do("PUT", f"A-{each.id}", "takeover")
        write("before")
        streams.wait_until(lambda: all_shown(streams, 2), "both messages have come")
        confirm(streams)
        rev = agent.read("/v1/conversations", limit=1)["rev"]
        wait_until(lambda: (app.last_id or 0) >= rev, "the agent's stream has caught up")
        if ends == "SIGTERM":
            assert bridge.terminate() < 9
        else:
            bridge.kill()
        streams.wait_until(streams.all_ended, "all have ended")
        app.wait_for_end()
        first = app

    bridge.start()
    write("meanwhile")
    resumed = {name: messages[-1][0] for name, messages in shown.items()}
    with ManyStreams(bridge.port) as streams, agent.stream(first.last_id) as app:
        streams.open(asked(visitors, resumed))
        assert streams.statuses() == {200: STREAMS}
        write("after")
        streams.wait_until(lambda: all_shown(streams, 2), "both messages have come")
        confirm(streams)
        rev = agent.read("/v1/conversations", limit=1)["rev"]
        wait_until(lambda: (app.last_id or 0) >= rev, "the agent's stream has caught up")
        everything_came_once(agent, [first, app])
        quiet = [each.id for each in visitors[WRITTEN_IN:]]
        assert not any(streams.messages(name) for name in quiet)
    for each in written_in:
        revisions = [rev for rev, _ in shown[each.id]]
        assert revisions == sorted(set(revisions))
        texts = [text for _, text in shown[each.id]]
        assert texts == ["Sam has joined the chat.", "before", "meanwhile", "after"]


def everything_came_once(agent: Agent, streams: Sequence[Stream]) -> None:
    """To the agent: in order across the restart, nobody shown as gone, in the end as in sync."""
    sent = [each for stream in streams for each in stream.sent if each.name != "ready"]
    ids = [each.id for each in sent]
    assert ids == sorted(set(ids), key=lambda id: id or 0)
    assert {each.data["presence"]["state"] for each in sent if each.name == "conversation"} == {
        "online"
    }
    told = {(each.name, each.data["id"]): each.data["rev"] for each in sent}
    after, more = streams[0].sent[0].data["rev"], True
    while more:
        found = agent.read("/v1/sync", after=after, limit=500)
        for kind in ("conversation", "message"):
            for each in found[f"{kind}s"]:
                assert told.pop((kind, each["id"])) == each["rev"]
        after, more = found["rev"], found["more"]
    assert not told


# ------------------------------------------------------------------------- under load


class Writer:
    """An agent who writes in a conversation until the bridge is gone."""

    def __init__(self, store: Store, number: int) -> None:
        self.conversation = f"W{number}"
        self.answered: list[str] = []
        self.unanswered: str | None = None
        self.failures: list[object] = []
        visitor = store.visitor(f"w{number}")
        visitor.tell("page_view", self.conversation, page=f"w{number}", seq=1)
        self._agent = store.agent(f"{number}", f"Agent {number}")
        self._agent.do("PUT", self.conversation, "takeover")

    def run(self) -> None:
        number = 0
        try:
            while True:
                number += 1
                self.unanswered = f"text {number}"
                response = self._agent.write(self.conversation, self.unanswered)
                if response.status_code != 201:
                    self.failures.append(response.text)
                self.answered.append(self.unanswered)
                self.unanswered = None
        except requests.ConnectionError:
            return
        except Exception as failure:  # noqa: BLE001 - a thread's failure is the test's to report
            self.failures.append(failure)

    def try_again(self) -> None:
        """Send what was not answered as an app does: by the same ``client_id``."""
        if self.unanswered is not None:
            response = self._agent.write(self.conversation, self.unanswered)
            assert response.status_code == 201, response.text
            self.answered.append(self.unanswered)

    def written(self) -> list[str]:
        """What is there."""
        said = self._agent.transcript(self.conversation)
        return [each["text"] for each in said if each["author"] == "agent"]


def test_m1_what_agents_wrote_before_a_kill_is_there_once(
    bridge: BridgeProcess, store: Store
) -> None:
    writers = [Writer(store, number) for number in range(WRITERS)]
    threads = [threading.Thread(target=each.run) for each in writers]
    for thread in threads:
        thread.start()
    try:
        wait_until(lambda: sum(len(each.answered) for each in writers) >= ENOUGH, "there is load")
    finally:
        bridge.kill()
        for thread in threads:
            thread.join()
    bridge.start()
    for each in writers:
        assert each.failures == []
        before = each.written()
        assert before[: len(each.answered)] == each.answered
        assert before[len(each.answered) :] in ([], [each.unanswered])
        each.try_again()
        assert each.written() == each.answered

"""The whole way, as it is deployed: agent to page and page to agent, over real connections."""

from __future__ import annotations

import os
import signal
import threading
from datetime import datetime
from typing import Any

import requests

from tests.processes.client import Agent, Store, Visitor
from tests.servers.bridge import BridgeProcess
from tests.servers.waiting import wait_until

AT_ONCE = 24
WELL_WITHIN = 9.0
"""Seconds; platforms kill 10 s after SIGTERM."""


def begin(visitor: Visitor, conversation: str, page: str) -> None:
    assert visitor.tell("page_view", conversation, page=page, seq=1) == "accepted"


def delivered(visitor: Visitor, conversation: str, message: str) -> None:
    told = visitor.tell("message_delivered", conversation, message={"id": message})
    assert told == "accepted"


def test_the_first_bytes_come_at_once(store: Store) -> None:
    """Before anything has happened: a proxy that waits for them would time out."""
    visitor, agent = store.visitor("v"), store.agent()
    begin(visitor, "A", "p")
    with visitor.stream("A", "p") as page, agent.stream() as app:
        for stream in (page, app):
            assert stream.status == 200
            stream.wait_for("ready")


def test_d3_from_watching_to_being_heard(store: Store) -> None:
    visitor, agent = store.visitor("v"), store.agent()
    begin(visitor, "A", "p")
    with visitor.stream("A", "p") as page, agent.stream() as app:
        assert page.wait_for("ready")["heartbeat_seconds"] == 0
        agent.do("PUT", "A", "watch")
        assert page.wait_for("demand")["heartbeat_seconds"] == 10
        watched = app.wait_for("conversation", lambda it: len(it["watchers"]) == 1)
        visitor.tell("heartbeat", "A", page="p", seq=2)
        heard = app.wait_for("heard")
        assert heard["conversation"] == "A"
        assert heard["heard_at"] > watched["presence"]["heard_at"]
        agent.do("DELETE", "A", "watch")
        page.wait_for("demand", lambda it: it["heartbeat_seconds"] == 0)
        app.wait_for("conversation", lambda it: it["watchers"] == [])


def test_m2_from_the_agents_word_to_its_delivery(store: Store) -> None:
    visitor, agent = store.visitor("v"), store.agent()
    begin(visitor, "A", "p")
    with visitor.stream("A", "p") as page, agent.stream() as app:
        agent.do("PUT", "A", "takeover")
        page.wait_for("takeover", lambda it: it["active"] and it["agent"]["name"] == "Sam")
        sent = agent.write("A", "Hello").json()
        shown = page.wait_for("message", lambda it: it["author"] == "agent")
        assert (shown["id"], shown["text"]) == (sent["id"], "Hello")
        delivered(visitor, "A", shown["id"])
        told = app.wait_for("message", lambda it: it["delivery"] == "delivered")
        assert told["id"] == sent["id"]
        agent.do("DELETE", "A", "takeover")
        page.wait_for("takeover", lambda it: not it["active"])


def test_p7_a_clear_is_told_and_ends_every_stream(store: Store) -> None:
    visitor, agent = store.visitor("v"), store.agent()
    for page in ("p", "q"):
        begin(visitor, "A", page)
    with visitor.stream("A", "p") as first, visitor.stream("A", "q") as second:
        for stream in (first, second):
            stream.wait_for("ready")
        visitor.tell("chat_cleared", "A", page="p", seq=2)
        for stream in (first, second):
            stream.wait_for_end()
            assert stream.named("cleared") == [{}]
    assert agent.presence("A")["state"] == "chat_cleared"


def test_p3_an_unload_ends_its_own_stream_only(store: Store) -> None:
    visitor, agent = store.visitor("v"), store.agent()
    for page in ("p", "q"):
        begin(visitor, "A", page)
    with visitor.stream("A", "p") as left, visitor.stream("A", "q") as stays:
        visitor.tell("page_unload", "A", page="p", seq=2)
        left.wait_for_end()
        agent.do("PUT", "A", "watch")
        stays.wait_for("demand")
        assert not stays.ended.is_set()


def test_p2_a_stream_that_drops_is_noticed(store: Store) -> None:
    """The grace time of these bridges is half a second."""
    visitor, agent = store.visitor("v"), store.agent()
    begin(visitor, "A", "p")
    with agent.stream() as app:
        with visitor.stream("A", "p") as page:
            page.wait_for("ready")
        gone = app.wait_for("conversation", lambda it: it["presence"]["state"] == "offline")
    assert gone["presence"]["reason"] == "timed_out"


def test_t1_of_many_agents_at_once_one_wins(store: Store) -> None:
    visitor = store.visitor("v")
    agents = [store.agent(f"{number}", f"Agent {number}") for number in range(8)]
    for number in range(5):
        conversation = f"A{number}"
        begin(visitor, conversation, f"p{number}")
        answers = _at_the_same_moment(agents, conversation)
        assert sorted(each.status_code for each in answers) == [200] + [409] * 7
        [won] = [each.json() for each in answers if each.status_code == 200]
        owner = won["takeover"]["agent"]
        for each in answers:
            if each.status_code == 409:
                assert (each.json()["code"], each.json()["owner"]) == ("takeover-owned", owner)
        said = agents[0].transcript(conversation)
        assert [each["text"] for each in said] == [f"{owner['name']} has joined the chat."]


def _at_the_same_moment(agents: list[Agent], conversation: str) -> list[requests.Response]:
    start, answers = threading.Barrier(len(agents)), list[requests.Response]()

    def take_over(agent: Agent) -> None:
        start.wait()
        answers.append(agent.request("PUT", conversation, "takeover"))

    threads = [threading.Thread(target=take_over, args=(agent,)) for agent in agents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def test_m1_the_same_message_sent_many_times_at_once_is_there_once(store: Store) -> None:
    visitor, agent = store.visitor("v"), store.agent()
    begin(visitor, "A", "p")
    agent.do("PUT", "A", "takeover")
    devices = [store.agent() for _ in range(8)]
    start, ids = threading.Barrier(len(devices)), list[str]()

    def write(device: Agent) -> None:
        start.wait()
        for number in range(3):
            ids.append(device.write("A", f"text {number}").json()["id"])

    with visitor.stream("A", "p") as page:
        page.wait_for("ready")
        threads = [threading.Thread(target=write, args=(device,)) for device in devices]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        agent.write("A", "the last")
        page.wait_for("message", lambda it: it["text"] == "the last")
        shown = [each["text"] for each in page.named("message")]
    assert len(ids) == AT_ONCE
    assert len(set(ids)) == 3
    assert shown == ["text 0", "text 1", "text 2", "the last"]
    said = [each for each in agent.transcript("A") if each["author"] == "agent"]
    assert [each["text"] for each in said] == shown


def test_s1_a_stream_misses_nothing_while_many_write(store: Store) -> None:
    """What is told by the stream in the end is what sync tells."""
    agent, count = store.agent(), 60
    with agent.stream(0) as app:
        app.wait_for("ready")

        def visit(number: int) -> None:
            visitor = store.visitor(f"v{number}")
            for each in range(number, count, 4):
                begin(visitor, f"A{each}", f"p{each}")
                said = {"id": f"m{each}", "author": "visitor", "text": "Hello"}
                visitor.tell("message", f"A{each}", page=f"p{each}", message=said)

        threads = [threading.Thread(target=visit, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        rev = agent.read("/v1/sync", limit=500)["rev"]
        wait_until(lambda: (app.last_id or 0) >= rev, "the stream has caught up")
        ids = [each.id or 0 for each in app.sent if each.name != "ready"]
        assert ids == sorted(ids)
        told = _latest(app.named("conversation"), app.named("message"))
    found = agent.read("/v1/sync", limit=500)
    assert told == _latest(found["conversations"], found["messages"])


def _latest(conversations: list[Any], messages: list[Any]) -> dict[str, int]:
    return {each["id"]: each["rev"] for each in conversations + messages}


def test_times_are_in_the_order_of_what_happened(store: Store) -> None:
    visitor, agent = store.visitor("v"), store.agent()
    begin(visitor, "A", "p")
    agent.do("PUT", "A", "takeover")
    sent = agent.write("A", "Hello").json()
    begun, said = agent.transcript("A")[-2:]
    assert datetime.fromisoformat(begun["at"]) <= datetime.fromisoformat(said["at"])
    assert said["at"] == sent["at"]


def exit_code_after_sigterm(bridge: BridgeProcess) -> int:
    os.kill(bridge.pid, signal.SIGTERM)
    # Left to be reaped by whoever started it.
    ended = os.waitid(os.P_PID, bridge.pid, os.WEXITED | os.WNOWAIT)
    assert ended is not None
    assert ended.si_code == os.CLD_EXITED
    assert bridge.terminate() < WELL_WITHIN
    return ended.si_status


def test_the_bridge_ends_by_itself_with_streams_open(bridge: BridgeProcess, store: Store) -> None:
    visitor, agent = store.visitor("v"), store.agent()
    begin(visitor, "A", "p")
    with visitor.stream("A", "p") as page, agent.stream() as app:
        for stream in (page, app):
            stream.wait_for("ready")
        assert exit_code_after_sigterm(bridge) == 0
        for stream in (page, app):
            stream.wait_for_end()
    bridge.start()
    assert agent.presence("A")["state"] == "online", "its end said nothing of the page"

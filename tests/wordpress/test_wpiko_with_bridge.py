"""The store and the real bridge: an agent answers a WPiko chat, and the AI knows when to be quiet.

Without a browser: what is proved is what the two servers tell each other.
"""

import json
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.servers.bridge import BridgeProcess
from tests.servers.waiting import wait_until
from tests.servers.wordpress import WordPress
from tests.wordpress.store_calls import is_taken_over
from tests.wordpress.test_wpiko import Chat, transcript

pytestmark = pytest.mark.usefixtures("wpiko")


class Agent:
    """A paired device of one agent."""

    def __init__(self, bridge: BridgeProcess, site: str) -> None:
        code = json.loads(bridge.run("pair", site, "--name", "Sam", "--json"))["code"]
        device = {"label": "Test", "platform": "linux"}
        self._url = bridge.url
        self._headers: dict[str, str] = {}
        token = self.ask("POST", "/v1/pair", {"code": code, "device": device})["token"]
        self._headers = {"Authorization": f"Bearer {token}"}

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        answer = requests.request(
            method, self._url + path, json=body, headers=self._headers, timeout=30
        )
        assert answer.status_code < 300, answer.text
        return answer.json() if answer.content else None

    def write(self, conversation: str, text: str) -> None:
        body = {"client_id": secrets.token_hex(8), "text": text}
        self.ask("POST", f"/v1/conversations/{conversation}/messages", body)

    def said(self, conversation: str) -> list[tuple[str, str]]:
        """Author and text of each message."""
        found = self.ask("GET", f"/v1/conversations/{conversation}/messages")["messages"]
        return [(each["author"], each["text"]) for each in found]


@pytest.fixture
def bridge(wordpress: WordPress, tmp_path: Path) -> Iterator[BridgeProcess]:
    with BridgeProcess(tmp_path) as process:
        yield process
    wordpress.disconnect()


@pytest.fixture
def agent(wordpress: WordPress, bridge: BridgeProcess) -> Agent:
    site = bridge.site_add("Plain Store", wordpress.url)
    wordpress.connect(site["connection_string"])
    return Agent(bridge, site["site"])


def test_a_person_answers_for_a_while(wordpress: WordPress, agent: Agent) -> None:
    chat = Chat(wordpress)
    assert chat.say("Hi") == "You said: Hi"
    conversation = f"/v1/conversations/{chat.thread}"
    known = agent.ask("GET", conversation)
    assert known["visitor"]["id"] == chat.browser.cookies["cpb_visitor"].split(".")[0]
    assert known["presence"]["state"] == "online"

    agent.ask("PUT", f"{conversation}/takeover", {})
    # The answer to this very message says so, whether or not the store has been told already.
    assert chat.say("Is anybody there?") is None
    agent.write(chat.thread, "I am. <b>Ferns</b>?")
    words = ["admin", "I am. <b>Ferns</b>?"]
    wait_until(lambda: words in transcript(wordpress, chat), "the agent's words are kept")
    assert is_taken_over(wordpress, chat.thread)
    assert chat.say("Yes, ferns.") is None

    agent.ask("DELETE", f"{conversation}/takeover")
    wait_until(lambda: not is_taken_over(wordpress, chat.thread), "the store knows of the release")
    assert chat.say("And water?") == "You said: And water?"
    instructions = wordpress.option("standin_instructions")
    assert "I am. <b>Ferns</b>?" in instructions
    assert "Yes, ferns." in instructions
    assert transcript(wordpress, chat).count(words) == 1

    chat.post("send_message", message="fail please")
    failure = ("system", "The AI did not answer.")
    wait_until(lambda: failure in agent.said(chat.thread), "the agents hear of the failure")
    spoken = [text for author, text in agent.said(chat.thread) if author != "system"]
    assert spoken == [
        "Hi",
        "You said: Hi",
        "Is anybody there?",
        "I am. <b>Ferns</b>?",
        "Yes, ferns.",
        "And water?",
        "You said: And water?",
        "fail please",
    ]


def test_the_bridge_goes_away_during_a_takeover(
    wordpress: WordPress, bridge: BridgeProcess, agent: Agent
) -> None:
    chat = Chat(wordpress)
    chat.say("Hi")
    agent.ask("PUT", f"/v1/conversations/{chat.thread}/takeover", {})
    wait_until(lambda: is_taken_over(wordpress, chat.thread), "the store is told")
    bridge.kill()
    assert chat.say("Is anybody there?") is None
    other = Chat(wordpress)
    assert other.say("Hello") == "You said: Hello"

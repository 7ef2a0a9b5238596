"""An agent's device: what the app would read from the bridge's API."""

import json
import secrets
import sqlite3
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import requests

from tests.servers.bridge import BridgeProcess
from tests.servers.waiting import wait_until

# The bridge lets a device ask 600 times a minute.
_PACE_SECONDS: Final = 0.125


class Agent:
    """A paired device of one agent, which asks no more often than the bridge allows."""

    def __init__(self, bridge: BridgeProcess, site: str) -> None:
        code = json.loads(bridge.run("pair", site, "--name", "Sam", "--json"))["code"]
        answer = requests.post(
            f"{bridge.url}/v1/pair",
            json={"code": code, "device": {"label": "Test", "platform": "linux"}},
            timeout=30,
        )
        answer.raise_for_status()
        self._url = bridge.url
        self._one_at_a_time = threading.Lock()
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"Bearer {answer.json()['token']}"

    def get(self, path: str) -> Any:
        return self._ask("GET", path)

    def watch(self, conversation: str) -> datetime:
        """Open the conversation; return a moment just before that."""
        before = datetime.now(UTC)
        self._ask("PUT", f"/v1/conversations/{conversation}/watch")
        return before

    def leave(self, conversation: str) -> None:
        self._ask("DELETE", f"/v1/conversations/{conversation}/watch")

    def take_over(self, conversation: str, acknowledge: str | None = None) -> None:
        body = {"acknowledge": acknowledge} if acknowledge else {}
        self._ask("PUT", f"/v1/conversations/{conversation}/takeover", body)

    def release(self, conversation: str) -> None:
        self._ask("DELETE", f"/v1/conversations/{conversation}/takeover")

    def write(self, conversation: str, text: str) -> str:
        """Write to the visitor; return the message's id."""
        body = {"client_id": secrets.token_hex(8), "text": text}
        sent: str = self._ask("POST", f"/v1/conversations/{conversation}/messages", body)["id"]
        return sent

    def conversations(self) -> dict[str, dict[str, Any]]:
        """The list, by id."""
        listed = self.get("/v1/conversations?limit=100")["conversations"]
        return {conversation["id"]: conversation for conversation in listed}

    def presence(self, conversation: str) -> dict[str, Any]:
        """What the list says of one conversation; empty when it is not there."""
        found: dict[str, Any] = self.conversations().get(conversation, {"presence": {}})
        presence: dict[str, Any] = found["presence"]
        return presence

    def wait_for_state(self, conversation: str, state: str) -> dict[str, Any]:
        """Return the presence once it is in this state."""
        seen: list[dict[str, Any]] = []

        def is_there() -> bool:
            seen.append(self.presence(conversation))
            return seen[-1].get("state") == state

        wait_until(is_there, f"{conversation} is {state}", seconds=60)
        return seen[-1]

    def messages(self, conversation: str) -> list[tuple[str, str]]:
        """Author and text of each message."""
        return [(message["author"], message["text"]) for message in self._read(conversation)]

    def said(self, conversation: str, author: str) -> list[str]:
        """What this one said."""
        return [text for by, text in self.messages(conversation) if by == author]

    def deliveries(self, conversation: str) -> list[str]:
        """How each of the agents' messages fared."""
        read = self._read(conversation)
        return [message["delivery"] for message in read if message["author"] == "agent"]

    def wait_until_heard(self, conversation: str, moment: datetime) -> None:
        """Return once the visitor was heard after this moment (N2)."""

        def is_heard() -> bool:
            heard_at = self.presence(conversation).get("heard_at")
            return heard_at is not None and datetime.fromisoformat(heard_at) > moment

        wait_until(is_heard, f"{conversation} is heard", seconds=60)

    def _read(self, conversation: str) -> list[dict[str, Any]]:
        read = self.get(f"/v1/conversations/{conversation}/messages?limit=100")["messages"]
        return sorted(read, key=lambda message: (message["at"], message["rev"]))

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        with self._one_at_a_time:
            time.sleep(_PACE_SECONDS)
            answer = self._session.request(method, self._url + path, json=body, timeout=30)
        answer.raise_for_status()
        return answer.json() if answer.content else None


class Onlooker:
    """Reads one conversation's presence over and over while the context lasts."""

    def __init__(self, agent: Agent, conversation: str) -> None:
        self._agent = agent
        self._conversation = conversation
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self._states: list[str] = []
        self._newest = datetime.min.replace(tzinfo=UTC)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._thread.join()

    def states_until(self, moment: datetime) -> list[str]:
        """All states seen, once there was a look that began after ``moment``."""
        wait_until(lambda: self._newest > moment, "the onlooker has looked again")
        return self._states

    def _look(self) -> None:
        while not self._ended.is_set():
            began = datetime.now(UTC)
            self._states.append(self._agent.presence(self._conversation)["state"])
            self._newest = began


def recorded_changes(database: Path, conversation: str) -> list[str]:
    """Every change of state that the bridge ever recorded of a conversation, in order."""
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    try:
        rows = connection.execute(
            "SELECT state FROM presence_changes WHERE conversation = ? ORDER BY rev",
            (conversation,),
        )
        return [state for (state,) in rows]
    finally:
        connection.close()

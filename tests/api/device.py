"""An agent's app, as the bridge sees it: a bearer token, got by pairing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from werkzeug.test import TestResponse

from tests.api.stream import Stream

if TYPE_CHECKING:
    from tests.api.installation import Installation

RIGHTS = ("conversations:read", "conversations:reply", "takeover", "takeover:force", "push")


class App:
    """One installation of the app, on one device of one agent."""

    def __init__(self, installation: Installation, token: str, device: str) -> None:
        self.installation = installation
        self.token = token
        self.device = device

    @classmethod
    def paired(cls, installation: Installation, code: str) -> App:
        """The app of somebody who has a pairing code."""
        said = {"code": code, "device": {"label": "Sam's phone", "platform": "Android"}}
        answered = installation.open("/v1/pair", "POST", json=said)
        assert answered.status_code == 200, answered.get_data(as_text=True)
        body: dict[str, Any] = answered.json or {}
        return cls(installation, body["token"], body["device"]["id"])

    def request(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, **request: Any
    ) -> TestResponse:
        """A request with the device's token."""
        with_token = {"Authorization": f"Bearer {self.token}", **(headers or {})}
        return self.installation.open(path, method, headers=with_token, **request)

    def get(self, path: str, **request: Any) -> TestResponse:
        """A GET with the device's token."""
        return self.request("GET", path, **request)

    def listing(self, **query: str | int) -> dict[str, Any]:
        """A page of conversations."""
        return self._answered(f"/v1/conversations?{urlencode(query)}")

    def listed(self, **query: str | int) -> list[str]:
        """The ids of a page of conversations."""
        return [each["id"] for each in self.listing(**query)["conversations"]]

    def pages(self, **query: str | int) -> list[list[str]]:
        """The ids of all pages of conversations."""
        found, cursor = [], ""
        while True:
            page = self.listing(**query, **({"cursor": cursor} if cursor else {}))
            found.append([each["id"] for each in page["conversations"]])
            if page["next_cursor"] is None:
                return found
            cursor = page["next_cursor"]

    def conversation(self, conversation: str) -> dict[str, Any]:
        """One conversation."""
        return self._answered(_path(conversation))

    def presence(self, conversation: str) -> dict[str, Any]:
        """The presence of one conversation."""
        presence: dict[str, Any] = self.conversation(conversation)["presence"]
        return presence

    def messages(self, conversation: str, **query: str | int) -> dict[str, Any]:
        """A page of messages."""
        return self._answered(f"{_path(conversation)}/messages?{urlencode(query)}")

    def texts(self, conversation: str, **query: str | int) -> list[str]:
        """The texts of a page of messages."""
        return [each["text"] for each in self.messages(conversation, **query)["messages"]]

    def read(self, conversation: str) -> TestResponse:
        """Mark a conversation read."""
        return self.request("POST", f"{_path(conversation)}/read")

    def watch(self, conversation: str) -> TestResponse:
        """Have a conversation on the screen."""
        return self.request("PUT", f"{_path(conversation)}/watch")

    def leave(self, conversation: str) -> TestResponse:
        """Have it on the screen no longer."""
        return self.request("DELETE", f"{_path(conversation)}/watch")

    def take_over(self, conversation: str, acknowledge: str | None = None) -> TestResponse:
        """Answer instead of the AI; without ``acknowledge`` there is no body."""
        body = {} if acknowledge is None else {"json": {"acknowledge": acknowledge}}
        return self.request("PUT", f"{_path(conversation)}/takeover", **body)

    def release(self, conversation: str, query: str = "") -> TestResponse:
        """Let the AI answer again."""
        return self.request("DELETE", f"{_path(conversation)}/takeover{query}")

    def send(self, conversation: str, body: Any, **request: Any) -> TestResponse:
        """Write, with a body as it is given."""
        return self.request("POST", f"{_path(conversation)}/messages", json=body, **request)

    def write(self, conversation: str, text: str, client_id: str | None = None) -> dict[str, Any]:
        """Write what is taken; the message. By default its text is its ``client_id`` too."""
        answered = self.send(conversation, {"client_id": client_id or text, "text": text})
        assert answered.status_code == 201, answered.get_data(as_text=True)
        body: dict[str, Any] = answered.json or {}
        return body

    def follow_up(self, conversation: str) -> TestResponse:
        """Note that the visitor was written to elsewhere."""
        return self.request("POST", f"{_path(conversation)}/followed-up")

    def sync(self, after: int = 0, **query: str | int) -> dict[str, Any]:
        """What changed since a revision."""
        return self._answered(f"/v1/sync?{urlencode({'after': after, **query})}")

    def stream(self, after: int | None = None, **request: Any) -> Stream:
        """A stream of what changes, from its ``ready`` on."""
        query = "" if after is None else f"?after={after}"
        return Stream(self.installation, "/v1/stream", self.get(f"/v1/stream{query}", **request))

    def _answered(self, path: str) -> dict[str, Any]:
        answered = self.get(path)
        assert answered.status_code == 200, answered.get_data(as_text=True)
        body: dict[str, Any] = answered.json or {}
        return body


def _path(conversation: str) -> str:
    return f"/v1/conversations/{quote(conversation, safe='')}"

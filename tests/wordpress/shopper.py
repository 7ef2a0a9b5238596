"""Somebody in the shop, with a browser of their own."""

import json
import re
from typing import Any

import requests

from tests.servers.waiting import wait_until
from tests.servers.wordpress import WordPress
from tests.wordpress.recording_bridge import RecordingBridge
from tests.wordpress.test_session_route import ask, sign_in


class Shopper:
    """A browser. Each request is over, what PHP does after the answer included, when it returns."""

    def __init__(self, wordpress: WordPress) -> None:
        self.wordpress = wordpress
        self.browser = requests.Session()
        self.browser.hooks["response"].append(lambda answer, **_: self._wait_for_end(answer))

    @property
    def visitor(self) -> str | None:
        """The visitor id in the browser's cookie."""
        cookie = self.browser.cookies.get("cpb_visitor")
        return cookie.partition(".")[0] if cookie else None

    def begin_chat(self) -> dict[str, Any]:
        """Begin a chat, or go on with one; the answer of ``session``."""
        answer = ask(self.wordpress, browser=self.browser)
        assert answer.status_code == 200
        session: dict[str, Any] = answer.json()
        return session

    def sign_in(self, login: str) -> None:
        """Sign in with a password that is the same as the login."""
        sign_in(self.wordpress, self.browser, login, login)

    def sign_out(self) -> None:
        """Sign out by the page that asks whether one is certain."""
        page = f"{self.wordpress.url}/wp-login.php?action=logout"
        nonce = re.search(r"_wpnonce=(\w+)", self.browser.get(page, timeout=30).text)
        assert nonce is not None
        done = self.browser.get(
            page, params={"_wpnonce": nonce[1]}, allow_redirects=False, timeout=30
        )
        assert done.status_code == 302

    def visit(self, path: str = "/first/") -> requests.Response:
        answer = self.browser.get(self.wordpress.url + path, timeout=30)
        assert answer.status_code == 200
        return answer

    def shop(self, action: str, **fields: str | int | float) -> dict[str, Any]:
        """Send a form of the shop; its answer."""
        answer = self.browser.post(
            f"{self.wordpress.url}/", params={"wc-ajax": action}, data=fields, timeout=30
        )
        assert answer.status_code == 200, answer.text
        said: dict[str, Any] = answer.json()
        return said

    def store_api(self, route: str, **fields: Any) -> dict[str, Any]:
        """Ask what the blocks of cart and checkout ask; the answer."""
        address = f"{self.wordpress.url}/wp-json/wc/store/v1/{route}"
        answer = self.browser.post(address, json=fields, timeout=30)
        assert answer.status_code == 200, answer.text
        said: dict[str, Any] = answer.json()
        return said

    def _wait_for_end(self, answer: requests.Response) -> None:
        ended = self.wordpress.folder / "notices.log.ended"
        request = answer.headers["X-Test-Request"]
        wait_until(
            lambda: ended.exists() and request in ended.read_text(), f"the end of {answer.url}"
        )


def events(bridge: RecordingBridge) -> list[dict[str, Any]]:
    """The events that the store has sent, which the bridge then forgets."""
    requests_made = bridge.requests.copy()
    bridge.requests.clear()
    assert all(request.is_signed() for request in requests_made)
    sent = [request for request in requests_made if request.target == "/v1/store/events"]
    return [event for request in sent for event in json.loads(request.body)["events"]]

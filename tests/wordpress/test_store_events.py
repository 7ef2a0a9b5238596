"""What the widget's PHP says reaches the bridge, and never keeps the visitor waiting."""

import json
import threading
import time

import requests

from tests.servers.waiting import wait_until
from tests.servers.wordpress import WordPress
from tests.wordpress.recording_bridge import Answer, Recorded, RecordingBridge, json_answer
from tests.wordpress.test_session_route import ask


def say(
    wordpress: WordPress, browser: requests.Session | None = None, **fields: str
) -> requests.Response:
    return (browser or requests.Session()).post(
        f"{wordpress.url}/wp-admin/admin-ajax.php",
        data={"action": "demo_chat", "conversation": "demo_1", **fields},
        timeout=30,
    )


def test_a_message_is_sent_signed(wordpress: WordPress, connected: RecordingBridge) -> None:
    assert say(wordpress, text="Hi").json()["data"]["reply"] == "You said: Hi"
    request = connected.wait_for(1)[0]
    assert (request.method, request.target) == ("POST", "/v1/store/events")
    assert request.is_signed()
    assert abs(int(request.headers["webhook-timestamp"]) - time.time()) < 300
    event = json.loads(request.body)["events"][0]
    assert event["type"] == "message"
    assert event["conversation"] == "demo_1"
    assert event["message"]["author"] == "bot"
    assert event["message"]["text"] == "You said: Hi"


def test_a_clear_is_sent(wordpress: WordPress, connected: RecordingBridge) -> None:
    say(wordpress, cleared="1")
    event = json.loads(connected.wait_for(1)[0].body)["events"][0]
    assert (event["type"], event["conversation"]) == ("chat_cleared", "demo_1")


def test_no_visitor_is_named(wordpress: WordPress, connected: RecordingBridge) -> None:
    """Or anybody could have the store give them a conversation whose id they know."""
    browser = requests.Session()
    ask(wordpress, browser=browser)
    assert "cpb_visitor" in browser.cookies
    say(wordpress, browser, text="Hi")
    assert "visitor" not in json.loads(connected.wait_for(1)[0].body)["events"][0]


def test_the_visitor_has_the_answer_first(wordpress: WordPress, connected: RecordingBridge) -> None:
    """The bridge answers only after the visitor was answered: PHP would give up waiting for it."""
    answered = threading.Event()
    finished = threading.Event()

    def answer_late(_: Recorded) -> Answer:
        was_answered = answered.wait(timeout=4)
        if was_answered:
            finished.set()
        return json_answer(200, {})

    connected.answer = answer_late
    assert say(wordpress, text="Hi").status_code == 200
    answered.set()
    wait_until(finished.is_set, "the bridge was asked, and answered after the visitor")
    assert wordpress.php("echo wp_json_encode( get_transient( 'cpb_circuit' ) );") == "false"


def test_the_chat_goes_on_without_the_bridge(
    wordpress: WordPress, connected: RecordingBridge
) -> None:
    connected.close()
    for text in ("one", "two"):
        assert say(wordpress, text=text).json()["data"]["reply"] == f"You said: {text}"


def test_not_connected_the_chat_goes_on(
    wordpress: WordPress, recording_bridge: RecordingBridge
) -> None:
    assert say(wordpress, text="Hi").json()["data"]["reply"] == "You said: Hi"
    assert recording_bridge.requests == []

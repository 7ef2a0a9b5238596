"""A chat through the stand-in for WPiko Chatbot, as a visitor's browser sends it."""

import json
import re
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.servers.wordpress import CHECKOUT, WordPress, php_text
from tests.wordpress.recording_bridge import Answer, Recorded, RecordingBridge, json_answer
from tests.wordpress.store_calls import call, in_seconds, message, released, started
from tests.wordpress.test_page import page

pytestmark = pytest.mark.usefixtures("wpiko")


class Chat:
    """One browser with the widget open."""

    def __init__(self, wordpress: WordPress) -> None:
        self.browser = requests.Session()
        self.thread = ""
        self._ajax = f"{wordpress.url}/wp-admin/admin-ajax.php"
        self._nonce = widget(page(wordpress))["nonce"]

    def post(self, action: str, **fields: str) -> dict[str, Any]:
        answer = self.browser.post(
            self._ajax,
            data={
                "action": f"wpiko_chatbot_{action}",
                "security": self._nonce,
                "thread_id": self.thread,
                **fields,
            },
            timeout=30,
        )
        read: dict[str, Any] = answer.json()
        self.thread = read["data"].get("thread_id", self.thread)
        return read

    def say(self, text: str) -> Any:
        """Say something, and return what the AI answers; None while a person does."""
        answer = self.post("send_message", message=text)
        assert answer["success"]
        assert answer["data"]["human_takeover"] == (answer["data"]["response"] is None)
        return answer["data"]["response"]


def widget(html: str) -> dict[str, Any]:
    """What the widget's script is told."""
    found = re.search(r"var wpikoChatbot = (\{.*\});", html)
    assert found is not None
    read: dict[str, Any] = json.loads(found[1])
    return read


def told(chat: Chat, taken_over: bool) -> Answer:
    until = in_seconds(1800) if taken_over else None
    known = {"takeover": taken_over, "takeover_expires_at": until}
    return json_answer(200, {"results": [], "conversations": {chat.thread: known}})


def events(bridge: RecordingBridge) -> list[dict[str, Any]]:
    batches = [json.loads(request.body)["events"] for request in bridge.requests]
    return [event for batch in batches for event in batch]


def transcript(wordpress: WordPress, chat: Chat) -> list[list[str]]:
    rows: list[list[str]] = json.loads(
        wordpress.php(
            f"echo wp_json_encode( wpiko_standin_transcript( {php_text(chat.thread)} ) );"
        )
    )
    return rows


@pytest.fixture
def chat(wordpress: WordPress, connected: RecordingBridge) -> Chat:
    return Chat(wordpress)


@pytest.fixture
def pro(wordpress: WordPress) -> Iterator[None]:
    """WPiko Chatbot Pro, as far as others notice it, is active too."""
    pro_file = "wpiko-chatbot-pro/wpiko-chatbot-pro.php"
    folder = wordpress.root / "wp-content/plugins/wpiko-chatbot-pro"
    folder.mkdir()
    source = "<?php\n/* Plugin Name: Pro */\ndefine( 'WPIKO_CHATBOT_PRO_VERSION', '1.0' );\n"
    (folder / "wpiko-chatbot-pro.php").write_text(source)
    including = "require_once ABSPATH . 'wp-admin/includes/plugin.php';"
    wordpress.php(f"{including} activate_plugin( {php_text(pro_file)} );")
    yield
    wordpress.php(f"{including} deactivate_plugins( {php_text(pro_file)} );")
    (folder / "wpiko-chatbot-pro.php").unlink()
    folder.rmdir()


def test_the_page(wordpress: WordPress, connected: RecordingBridge) -> None:
    html = page(wordpress)
    assert widget(html)["pro_takeover_frontend"] == "1"
    assert "heartbeat_enabled" not in widget(html)
    assert html.index("js/wpiko-chatbot.js") < html.index("assets/adapters/wpiko.js")
    assert html.index("</head>") < html.index("js/wpiko-chatbot.js")
    assert html.count("assets/adapters/wpiko.js") == 1


def test_a_chat_without_a_bridge_is_left_alone(wordpress: WordPress) -> None:
    html = page(wordpress)
    assert "pro_takeover_frontend" not in widget(html)
    assert "assets/adapters/wpiko.js" not in html
    chat = Chat(wordpress)
    assert chat.say("Hi") == "You said: Hi"
    assert not chat.browser.cookies


def test_the_first_message(chat: Chat, connected: RecordingBridge) -> None:
    assert chat.say("Hi") == "You said: Hi"
    cookie = chat.browser.cookies["cpb_visitor"]
    connected.wait_for(2)
    assert all(request.is_signed() for request in connected.requests)
    visitors, bots = events(connected)
    assert visitors["conversation"] == bots["conversation"] == chat.thread
    assert visitors["visitor"] == cookie.split(".")[0]
    assert visitors["message"]["author"] == "visitor"
    assert "visitor" not in bots
    assert bots["message"] | {"id": ""} == {"id": "", "author": "bot", "text": "You said: Hi"}
    assert all(event["message"]["id"].startswith("wpiko_") for event in (visitors, bots))


def test_a_stranger_who_knows_the_thread_is_not_named(
    wordpress: WordPress, chat: Chat, connected: RecordingBridge
) -> None:
    chat.say("Hi")
    connected.wait_for(2)
    connected.requests.clear()
    stranger = Chat(wordpress)
    stranger.thread = chat.thread
    stranger.say("It is me!")
    connected.wait_for(2)
    assert ["visitor" in event for event in events(connected)] == [False, False]


def test_the_whole_story(wordpress: WordPress, chat: Chat, connected: RecordingBridge) -> None:
    chat.say("Hi")
    call(wordpress, started(chat.thread))
    connected.answer = told(chat, taken_over=True)
    assert chat.say("Is anybody there?") is None
    call(wordpress, message(chat.thread, "I am. <b>Ferns</b>?"))
    assert chat.say("Yes, ferns.") is None
    polled = chat.post("check_new_messages", last_message_id="0", heartbeat="1")["data"]
    assert polled["human_takeover"] is True
    assert polled["heartbeat_needed"] is False
    assert [row["message"] for row in polled["messages"]] == ["I am. <b>Ferns</b>?"]

    call(wordpress, released(chat.thread, "They spoke of ferns."))
    connected.answer = told(chat, taken_over=False)
    for text in ("And water?", "Thanks!"):
        assert chat.say(text) == f"You said: {text}"
        instructions = wordpress.option("standin_instructions")
        assert instructions.startswith("Be kind.")
        assert "They spoke of ferns." in instructions
    assert transcript(wordpress, chat) == [
        ["user", "Hi"],
        ["assistant", "You said: Hi"],
        ["user", "Is anybody there?"],
        ["admin", "I am. <b>Ferns</b>?"],
        ["user", "Yes, ferns."],
        ["user", "And water?"],
        ["assistant", "You said: And water?"],
        ["user", "Thanks!"],
        ["assistant", "You said: Thanks!"],
    ]


def test_the_answer_of_the_same_call_decides(chat: Chat, connected: RecordingBridge) -> None:
    """An agent took over a moment ago: the store has not been told yet."""
    chat.say("Hi")
    connected.answer = told(chat, taken_over=True)
    assert chat.say("Is anybody there?") is None


def test_a_failure_of_the_ai_is_told(chat: Chat, connected: RecordingBridge) -> None:
    assert chat.post("send_message", message="fail please")["success"] is False
    connected.wait_for(2)
    said = events(connected)[1]["message"]
    assert (said["author"], said["text"]) == ("system", "The AI did not answer.")


def test_limits_are_lifted_during_a_takeover(
    wordpress: WordPress, chat: Chat, connected: RecordingBridge
) -> None:
    wordpress.php("update_option( WPIKO_STANDIN_LIMIT, 1 );")
    chat.say("one")
    assert chat.post("send_message", message="two")["success"] is False
    call(wordpress, started(chat.thread))
    connected.answer = told(chat, taken_over=True)
    assert chat.say("two") is None


def test_a_bridge_that_never_answers(
    wordpress: WordPress, chat: Chat, connected: RecordingBridge
) -> None:
    """The visitor's message waits 1.5 s at most; then the circuit is open, the copy decides, and
    the chat goes on."""
    chat.say("Hi")
    connected.wait_for(2)
    connected.requests.clear()
    tested = threading.Event()

    def never(_: Recorded) -> Answer:
        tested.wait(timeout=60)
        return json_answer(200, {})

    connected.answer = never
    try:
        assert chat.say("Are you there?") == "You said: Are you there?"
        assert len(connected.requests) == 1
        assert int(wordpress.php("echo (int) get_transient( 'cpb_circuit' ) > time();")) == 1
        # However slow this machine is, it shall not close meanwhile.
        wordpress.php("set_transient( 'cpb_circuit', time() + 3600, 3600 );")
        assert chat.say("Hello?") == "You said: Hello?"
        call(wordpress, started(chat.thread))
        assert chat.say("Hello??") is None
        call(wordpress, started(chat.thread, expires_at=in_seconds(-1)))
        assert chat.say("Hello???") == "You said: Hello???"
        assert len(connected.requests) == 1
    finally:
        tested.set()


def test_a_bridge_that_is_away(
    wordpress: WordPress, chat: Chat, connected: RecordingBridge
) -> None:
    chat.say("Hi")
    call(wordpress, started(chat.thread))
    connected.wait_for(2)
    connected.close()
    assert chat.say("Is anybody there?") is None
    call(wordpress, released(chat.thread))
    assert chat.say("Hello?") == "You said: Hello?"


@pytest.mark.parametrize("status", ["chat_cleared", "page_left", "online"])
def test_a_stranger_clears_nobodys_chat(
    wordpress: WordPress, chat: Chat, connected: RecordingBridge, status: str
) -> None:
    chat.say("Hi")
    connected.wait_for(2)
    connected.requests.clear()
    stranger = Chat(wordpress)
    stranger.thread = chat.thread
    assert stranger.post("user_heartbeat", status=status)["data"] == {"ok": True}
    connected.wait_for(1)
    (event,) = events(connected)
    assert event["type"] in ("heartbeat", "page_unload")
    assert {"visitor", "page", "seq"}.isdisjoint(event)


@pytest.mark.usefixtures("pro")
def test_with_pro_we_stand_down(
    wordpress: WordPress, chat: Chat, connected: RecordingBridge
) -> None:
    html = page(wordpress)
    assert "pro_takeover_frontend" not in widget(html)
    assert "assets/adapters/wpiko.js" not in html
    chat.thread = "resp_aBcDeF123456"
    call(wordpress, started(chat.thread))
    assert chat.say("Hi") == "You said: Hi"
    call(wordpress, message(chat.thread, "Hello"))
    assert transcript(wordpress, chat) == [["user", "Hi"], ["assistant", "You said: Hi"]]
    assert connected.requests == []
    assert not chat.browser.cookies
    settings = wordpress.php(
        "wp_set_current_user( 1 ); require ABSPATH . 'wp-admin/includes/admin.php';"
        "do_action( 'admin_menu' );"
        "do_action( get_plugin_page_hookname( 'chat-presence-bridge', 'options-general.php' ) );"
    )
    assert "WPiko Chatbot Pro is active." in settings


def test_the_adapter_is_in_one_file_and_calls_nothing_of_the_widgets() -> None:
    adapter = "wp-plugin/includes/adapters/class-wpiko-adapter.php"
    for file in (CHECKOUT / "wp-plugin/includes").rglob("*.php"):
        source = file.read_text()
        assert "wpiko_chatbot_conversations" not in source or str(file).endswith(adapter)
        assert not re.search(r"\bwpiko_chatbot_\w+\(", source)
        assert not re.search(r"(option|transient)\( '\w*wpiko_chatbot_", source)

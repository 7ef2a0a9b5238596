"""The PHP that ``docs/adapters.md`` shows is carried out as it stands there."""

import json
import re
from typing import Any

import pytest

from tests.servers.wordpress import CHECKOUT, WordPress, php_text
from tests.wordpress.recording_bridge import RecordingBridge, json_answer
from tests.wordpress.store_calls import call, in_seconds, message, new_id, released

_CHAT = """
$GLOBALS['asked'] = array();
$GLOBALS['saved'] = array();
function my_chat_ask_ai( $instructions, $text ) {
	$GLOBALS['asked'][] = $instructions;
	return "You said: $text";
}
function my_chat_knows( $conversation ) {
	return 'another' !== $conversation;
}
function my_chat_save( ...$row ) {
	$GLOBALS['saved'][] = $row;
}
function my_chat_answer( $conversation, $text, $message_id, $email, $instructions ) {
	%s
}
"""


@pytest.fixture
def guide() -> str:
    found = re.search(r"```php\n(.*?)```", (CHECKOUT / "docs/adapters.md").read_text(), re.DOTALL)
    assert found is not None
    return _CHAT % found[1]


def answer(wordpress: WordPress, guide: str, conversation: str, then: str = "") -> dict[str, Any]:
    """Have the guide's code answer one message."""
    read: dict[str, Any] = json.loads(
        wordpress.php(
            f"{guide} my_chat_answer( {php_text(conversation)},"
            " 'Hi', 'm_1', 'a@b.example', 'Be kind.' );"
            f"{then} echo wp_json_encode( array( 'asked' => $asked, 'saved' => $saved ) );"
        )
    )
    return read


def test_the_ai_answers(wordpress: WordPress, connected: RecordingBridge, guide: str) -> None:
    chat = new_id("chat_")
    assert answer(wordpress, guide, chat)["asked"] == ["Be kind."]
    said = [
        event["message"]
        for request in connected.wait_for(2)
        for event in json.loads(request.body)["events"]
    ]
    assert [each["author"] for each in said] == ["visitor", "bot"]
    assert said[0] == {"id": "m_1", "author": "visitor", "text": "Hi", "email": "a@b.example"}
    assert said[1]["text"] == "You said: Hi"


def test_a_person_answers(wordpress: WordPress, connected: RecordingBridge, guide: str) -> None:
    chat = new_id("chat_")
    known = {"takeover": True, "takeover_expires_at": in_seconds(1800)}
    connected.answer = json_answer(200, {"results": [], "conversations": {chat: known}})
    assert answer(wordpress, guide, chat)["asked"] == []


def test_the_ai_is_told(wordpress: WordPress, connected: RecordingBridge, guide: str) -> None:
    chat = new_id("chat_")
    call(wordpress, released(chat, "They spoke of ferns."))
    assert answer(wordpress, guide, chat)["asked"] == ["Be kind.\n\nThey spoke of ferns."]


def test_what_a_person_writes_is_kept(
    wordpress: WordPress, connected: RecordingBridge, guide: str
) -> None:
    chat = new_id("chat_")
    hook, written = "chat_presence_bridge_agent_message", "array( 'text' => 'I am.', 'at' => 7 )"
    then = "".join(f"do_action( '{hook}', '{each}', {written} );" for each in (chat, "another"))
    assert answer(wordpress, guide, chat, then)["saved"] == [[chat, "human", "I am.", 7]]
    assert call(wordpress, message(chat, "I am.")).status_code == 200

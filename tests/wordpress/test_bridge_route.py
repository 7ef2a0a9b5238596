"""``POST bridge``: who may call, what comes twice, and what overtakes what."""

import json
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from tests.servers.wordpress import WordPress, php_text
from tests.wordpress.recording_bridge import (
    Answer,
    Recorded,
    RecordingBridge,
    json_answer,
    signed_headers,
)
from tests.wordpress.store_calls import (
    call,
    in_seconds,
    is_taken_over,
    message,
    new_id,
    released,
    started,
)
from tests.wordpress.test_session_route import route
from tests.wordpress.test_store_events import say

pytestmark = pytest.mark.usefixtures("connected")


def test_a_takeover_and_its_release(wordpress: WordPress) -> None:
    chat = new_id("resp_")
    answer = call(wordpress, started(chat))
    assert (answer.status_code, answer.json()) == (200, {"status": "stored"})
    assert "no-store" in answer.headers["Cache-Control"]
    assert is_taken_over(wordpress, chat)
    assert call(wordpress, released(chat)).json() == {"status": "stored"}
    assert not is_taken_over(wordpress, chat)


def test_a_replay_changes_nothing(wordpress: WordPress) -> None:
    chat, call_id = new_id("resp_"), new_id("b_")
    call(wordpress, started(chat), call_id=call_id)
    call(wordpress, released(chat))
    again = call(wordpress, started(chat), call_id=call_id)
    assert (again.status_code, again.json()) == (200, {"status": "duplicate"})
    assert not is_taken_over(wordpress, chat)


@pytest.mark.parametrize("seconds", [-310, 310, -86400])
def test_a_stale_call_is_refused(wordpress: WordPress, seconds: int) -> None:
    chat = new_id("resp_")
    body = json.dumps(started(chat)).encode()
    headers = signed_headers(body, new_id("b_"), int(time.time()) + seconds)
    assert call(wordpress, body, headers).status_code == 401
    assert not is_taken_over(wordpress, chat)


@pytest.mark.parametrize("seconds", [-240, 240])
def test_clocks_may_differ_a_little(wordpress: WordPress, seconds: int) -> None:
    body = json.dumps(started(new_id("resp_"))).encode()
    headers = signed_headers(body, new_id("b_"), int(time.time()) + seconds)
    assert call(wordpress, body, headers).status_code == 200


@pytest.mark.parametrize(
    "wrong",
    [
        {"webhook-id": None},
        {"webhook-timestamp": None},
        {"webhook-signature": None},
        {"webhook-signature": ""},
        {"webhook-signature": "v1,AAAA"},
        {"webhook-id": "b_another"},
        {"webhook-timestamp": "now"},
        {"Bridge-Site": "st_recording", "webhook-signature": None},
    ],
)
def test_a_forged_call_is_refused(wordpress: WordPress, wrong: dict[str, str | None]) -> None:
    chat = new_id("resp_")
    body = json.dumps(started(chat)).encode()
    headers = {**signed_headers(body, new_id("b_")), **wrong}
    answer = call(wordpress, body, {k: v for k, v in headers.items() if v is not None})
    assert answer.status_code == 401
    assert not is_taken_over(wordpress, chat)


def test_another_calls_signature_is_refused(wordpress: WordPress) -> None:
    chat, call_id = new_id("resp_"), new_id("b_")
    other = signed_headers(json.dumps(released(chat)).encode(), call_id)
    assert call(wordpress, started(chat), other).status_code == 401
    body = json.dumps(started(chat)).encode()
    assert call(wordpress, body + b" ", signed_headers(body, call_id)).status_code == 401
    assert not is_taken_over(wordpress, chat)


def test_another_sites_secret_is_refused(wordpress: WordPress) -> None:
    body = json.dumps(started(new_id("resp_"))).encode()
    headers = signed_headers(body, new_id("b_"), key=bytes(32))
    assert call(wordpress, body, headers).status_code == 401


def test_while_a_secret_is_rotated_one_of_several_signatures_will_do(wordpress: WordPress) -> None:
    body = json.dumps(started(new_id("resp_"))).encode()
    call_id = new_id("b_")
    right = signed_headers(body, call_id)
    other = signed_headers(body, call_id, key=bytes(32))["webhook-signature"]
    several = {**right, "webhook-signature": f"{other} {right['webhook-signature']}"}
    assert call(wordpress, body, several).status_code == 200


@pytest.mark.parametrize("call_id", ["msg_1", "B_1", "b", "b_", "b_" + "x" * 127, "xb_1"])
def test_ids_that_are_not_the_bridges_own(wordpress: WordPress, call_id: str) -> None:
    body = json.dumps(started(new_id("resp_"))).encode()
    assert call(wordpress, body, signed_headers(body, call_id)).status_code == 401


def test_what_the_store_signed_itself_cannot_be_sent_back(
    wordpress: WordPress, connected: RecordingBridge
) -> None:
    say(wordpress, text="Hi")
    sent = connected.wait_for(1)[0]
    assert sent.is_signed()
    names = ("Bridge-Site", "webhook-id", "webhook-timestamp", "webhook-signature", "Content-Type")
    headers = {name: sent.headers[name] for name in names}
    assert call(wordpress, sent.body, headers).status_code == 401


@pytest.mark.parametrize(
    "body", [b"", b"{", b"\xff\xfe", b"[]", b"null", b'{"type":"takeover.started"}', b"[" * 9999]
)
def test_garbage_that_is_signed(wordpress: WordPress, body: bytes) -> None:
    assert call(wordpress, body).status_code in (400, 422)


def test_what_a_newer_bridge_says_is_taken_and_ignored(wordpress: WordPress) -> None:
    answer = call(wordpress, {"type": "agent.waved", "conversation": ["?"]})
    assert (answer.status_code, answer.json()) == (200, {"status": "ignored"})


def test_1_mib_and_no_more(wordpress: WordPress) -> None:
    chat = new_id("resp_")
    room = 1048576 - len(json.dumps(released(chat, "")))
    assert call(wordpress, released(chat, "n" * room)).status_code == 200
    assert call(wordpress, released(chat, "n" * (room + 1))).status_code == 413


def test_the_longest_message_and_note_there_can_be(wordpress: WordPress) -> None:
    """A text of 16,000 characters, each escaped as a surrogate pair."""
    assert call(wordpress, message(new_id("resp_"), "👋" * 16000)).status_code == 200


def test_only_posted(wordpress: WordPress) -> None:
    assert requests.get(route(wordpress, "bridge"), timeout=30).status_code == 404


def test_not_connected_there_is_no_such_route(wordpress: WordPress) -> None:
    wordpress.disconnect()
    assert call(wordpress, started(new_id("resp_"))).status_code == 404


def test_an_answer_that_a_call_overtakes_does_not_undo_it(
    wordpress: WordPress, connected: RecordingBridge
) -> None:
    """The bridge reads "not taken over", the agent takes over and the store is told, and only
    then does the answer arrive."""
    chat = new_id("demo_")

    def answer_late(_: Recorded) -> Answer:
        assert call(wordpress, started(chat)).status_code == 200
        known = {"takeover": False, "takeover_expires_at": None}
        return json_answer(200, {"results": [], "conversations": {chat: known}})

    connected.answer = answer_late
    wordpress.php(
        f"do_action( 'chat_presence_bridge_message', {php_text(chat)}, 'visitor', 'Hi' );"
    )
    assert len(connected.requests) == 1
    assert is_taken_over(wordpress, chat)


def test_an_answer_after_a_call_counts(wordpress: WordPress, connected: RecordingBridge) -> None:
    chat = new_id("demo_")
    call(wordpress, started(chat))
    known = {"takeover": False, "takeover_expires_at": None}
    connected.answer = json_answer(200, {"results": [], "conversations": {chat: known}})
    wordpress.php(
        f"do_action( 'chat_presence_bridge_message', {php_text(chat)}, 'visitor', 'Hi' );"
    )
    assert not is_taken_over(wordpress, chat)


def test_a_takeover_ends_by_itself(wordpress: WordPress) -> None:
    chat = new_id("resp_")
    call(wordpress, started(chat, expires_at=in_seconds(-1)))
    assert not is_taken_over(wordpress, chat)


@pytest.mark.usefixtures("wpiko")
def test_the_same_message_many_times_at_once_is_one_row(wordpress: WordPress) -> None:
    """An impatient bridge: the first delivery is still being carried out."""
    chat, call_id = new_id("resp_"), new_id("b_")
    wordpress.php(f"wpiko_chatbot_save_message( 0, {php_text(chat)}, 'user', 'Hi' );")
    said = message(chat, "Hello!")
    ids = [call_id] * 6 + [new_id("b_") for _ in range(6)]
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda i: call(wordpress, said, call_id=i), ids))
    assert [answer.status_code for answer in answers] == [200] * 12
    assert sorted(answer.json()["status"] for answer in answers) == ["duplicate"] * 11 + ["stored"]
    rows = wordpress.php(f"echo wp_json_encode( wpiko_standin_transcript( {php_text(chat)} ) );")
    assert json.loads(rows) == [["user", "Hi"], ["admin", "Hello!"]]

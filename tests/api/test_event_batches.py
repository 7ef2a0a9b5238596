"""What holds for any batch of events: one bad event rejects itself, not its batch."""

from __future__ import annotations

import json

import pytest

from tests.api.batches import Post, batch, rejection, results, view
from tests.api.description import refused
from tests.api.device import App
from tests.api.visitor import event, message


def test_the_answer_has_a_result_for_each_event_in_their_order(post: Post) -> None:
    events = [view(f"p{number}", id=f"e{number}") for number in (3, 1, 2)]
    answered = post(batch(*events)).get_json()
    assert answered == {
        "results": [
            {"id": "e3", "status": "accepted"},
            {"id": "e1", "status": "accepted"},
            {"id": "e2", "status": "accepted"},
        ],
        "conversations": {
            "c": {
                "takeover": False,
                "takeover_expires_at": None,
                "heartbeat_seconds": 60,
                "state": "online",
            }
        },
    }


def test_100_events_are_taken(post: Post, app: App) -> None:
    answered = results(post(batch(*[message("c", f"{number}") for number in range(100)])))
    assert [result["status"] for result in answered] == ["accepted"] * 100
    assert len(app.texts("c", limit=100)) == 100


def test_101_events_are_not(post: Post, app: App) -> None:
    problem = refused(post(batch(*[message("c") for _ in range(101)])), 422, "too-many-events")
    assert problem["errors"][0]["pointer"] == "/events"
    assert app.listed() == []


def test_no_events_are_no_batch(post: Post) -> None:
    refused(post(batch()), 422, "invalid")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"no JSON",
        b"{",
        b'{"events": [}',
        b'{"events": []} trailing',
        b"{'events': []}",
        b'\xef\xbb\xbf{"events": []}',
        '{"events": []}'.encode("utf-16"),
        b'{"events": [' + b"[" * 30_000,
        b"NaN",
        b'{"events": [NaN]}',
    ],
)
def test_what_is_no_json_is_told_so(post: Post, body: bytes) -> None:
    refused(post(body), 400, "malformed-json")


@pytest.mark.parametrize(
    "body", [b"null", b"1", b'"x"', b"[]", b"{}", b'{"events": null}', b'{"events": {}}']
)
def test_json_that_is_no_batch_is_told_so(post: Post, body: bytes) -> None:
    problem = refused(post(body), 422, "invalid")
    assert problem["errors"]


def test_unknown_fields_are_ignored(post: Post, app: App) -> None:
    happened = {**view(), "unknown": {"deep": [1, 2, {"er": None}]}, "occurred": "never"}
    body = json.dumps({"events": [happened], "version": 7}).encode()
    assert rejection(post(body)) == ("accepted", "")
    assert app.presence("c")["online"]


def test_one_bad_event_rejects_itself_and_no_other(post: Post, app: App) -> None:
    bad = [
        {"id": "bad1"},
        {"id": "bad2", "type": "unheard_of", "conversation": "c"},
        view(id="bad3", seq="1"),
        event("heartbeat", "c", id="bad4", page="p"),
        message("c", "", id="bad5"),
        None,
    ]
    good = [message("c", "first"), message("c", "second"), view()]
    mixed = [good[0], *bad[:3], good[1], *bad[3:], good[2]]
    answered = results(post(batch(*mixed)))
    statuses = [result["status"] for result in answered]
    assert statuses == ["accepted", *["rejected"] * 3, "accepted", *["rejected"] * 3, "accepted"]
    assert [result["id"] for result in answered if result["status"] == "rejected"] == [
        "bad1",
        "bad2",
        "bad3",
        "bad4",
        "bad5",
        None,
    ]
    assert all(result["detail"] for result in answered if result["status"] == "rejected")
    assert sorted(app.texts("c")) == ["first", "second"]
    assert app.presence("c")["online"]


@pytest.mark.parametrize("bad", [1, None, "x", [], {}, True, 1.5])
def test_what_is_no_event_is_rejected_without_an_id(post: Post, bad: object) -> None:
    answered = results(post(batch(bad, view())))
    assert (answered[0]["id"], answered[0]["status"], answered[0]["code"]) == (
        None,
        "rejected",
        "invalid",
    )
    assert answered[1]["status"] == "accepted"


@pytest.mark.parametrize(
    "spoilt",
    [
        b'"text": "a\\u0000b"',
        b'"text": "a", "name": "\\u0000"',
        b'"text": "half a \\ud83d"',
        b'"text": "half a \\uDE00!"',
        b'"text": "two halves \\ud83d\\ud83d"',
        b'"text": "the wrong way \\ude00\\ud83d"',
    ],
)
def test_nul_and_lone_surrogates_are_refused_for_their_event_alone(
    post: Post, app: App, spoilt: bytes
) -> None:
    bad = b'{"id":"bad","type":"message","conversation":"c","message":{"id":"m1",%b}}' % spoilt
    good = json.dumps(message("c", "good")).encode()
    answered = results(post(b'{"events":[%b,%b,%b]}' % (bad, good, bad.replace(b"m1", b"m2"))))
    assert [result["status"] for result in answered] == ["rejected", "accepted", "rejected"]
    assert (answered[0]["id"], answered[0]["code"]) == ("bad", "character-not-allowed")
    assert app.texts("c") == ["good"]


@pytest.mark.parametrize("field", ["id", "conversation", "page", "type"])
@pytest.mark.parametrize("bad", [b"\\u0000", b"\\ud83d", b"\\udc00x"])
def test_ids_hold_no_nul_and_no_lone_surrogate(post: Post, field: str, bad: bytes) -> None:
    happened = {**view(), field: "%"}
    spoilt = json.dumps(happened).encode().replace(b"%", bad)
    answered = results(post(b'{"events":[%b,%b]}' % (spoilt, json.dumps(view()).encode())))
    assert [result["status"] for result in answered] == ["rejected", "accepted"]


def test_a_pair_of_surrogates_is_a_character(post: Post, app: App) -> None:
    said = b'{"id":"e","type":"message","conversation":"c","message":{"id":"m","text":%b}}'
    text = b'"\\ud83d\\ude00 \\\\ud83d \\\\u0000"'
    assert rejection(post(b'{"events":[%b]}' % (said % text))) == ("accepted", "")
    assert app.texts("c") == ["😀 \\ud83d \\u0000"]


def test_an_event_that_is_no_utf_8_rejects_itself(post: Post, app: App) -> None:
    good = json.dumps(message("c", "good")).encode()
    bad = good.replace(b"good", b"b\xe4d").replace(b"m_", b"n_")
    assert [result["status"] for result in results(post(b'{"events":[%b,%b]}' % (bad, good)))] == [
        "rejected",
        "accepted",
    ]
    assert app.texts("c") == ["good"]


def test_a_deep_event_is_not_taken_and_harms_nothing(post: Post, app: App) -> None:
    deep = b'{"id":"e","type":"page_view","x":' + b"[" * 5_000 + b"]" * 5_000 + b"}"
    assert post(b'{"events":[%b]}' % deep).status_code in (200, 400)
    assert app.listed() == []


def test_the_same_event_again_changes_nothing(post: Post, app: App) -> None:
    for happened in (
        view(),
        event("heartbeat", "c", page="p", seq=2),
        event("page_hidden", "c", page="p", seq=3),
        message("c", "Hello", page="p", seq=4),
        event("page_unload", "c", page="p", seq=5),
        event("chat_cleared", "c"),
    ):
        assert rejection(post(batch(happened))) == ("accepted", ""), happened
        before = app.get("/v1/conversations").data
        assert rejection(post(batch(happened))) == ("duplicate", ""), happened
        assert app.get("/v1/conversations").data == before
    assert app.texts("c") == ["Hello"]


def test_the_same_event_twice_in_a_batch(post: Post, app: App) -> None:
    said = message("c", "Hello")
    assert [result["status"] for result in results(post(batch(said, said)))] == [
        "accepted",
        "duplicate",
    ]
    assert app.texts("c") == ["Hello"]


def test_a_message_is_known_by_its_own_id(post: Post, app: App) -> None:
    """M1: the same id is the same message, whatever event brings it."""
    assert rejection(post(batch(message("c", "Hello", message="m")))) == ("accepted", "")
    assert rejection(post(batch(message("c", "Other", message="m")))) == ("duplicate", "")
    assert rejection(post(batch(message("d", "Elsewhere", message="m")))) == ("accepted", "")
    assert (app.texts("c"), app.texts("d")) == (["Hello"], ["Elsewhere"])

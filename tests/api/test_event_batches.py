"""What holds for any batch of events: one bad event rejects itself, not its batch."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.api.description import refused
from tests.api.device import App
from tests.api.store import Store
from tests.api.visitor import Visitor, event, message

Post = Callable[[bytes], TestResponse]


@pytest.fixture(params=["store", "visitor"])
def post(request: pytest.FixtureRequest, store: Store, visitor: Visitor) -> Post:
    """Sends a body as the store, and as the visitor."""
    if request.param == "visitor":
        return visitor.post
    return lambda body: store.request("POST", "/v1/store/events", body)


def batch(*events: object) -> bytes:
    return json.dumps({"events": list(events)}, ensure_ascii=False).encode()


def view(page: str = "p", **fields: Any) -> dict[str, Any]:
    return event("page_view", "c", page=page, **{"seq": 1, **fields})


def results(answered: TestResponse) -> list[Any]:
    assert answered.status_code == 200, answered.get_data(as_text=True)
    found: list[Any] = answered.get_json()["results"]
    return found


def rejection(answered: TestResponse) -> tuple[str, str]:
    """Status and code of the last event's result."""
    last = results(answered)[-1]
    return last["status"], last.get("code", "")


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


@pytest.mark.parametrize("field", ["id", "conversation", "page"])
@pytest.mark.parametrize("bad", ["", "x" * 129, "a\nb", "a\x7f", "\u200b", 7, True, [], {"a": 1}])
def test_ids_have_1_to_128_printable_characters(post: Post, field: str, bad: object) -> None:
    answered = results(post(batch({**view(), field: bad}, view())))
    assert (answered[0]["status"], answered[0]["code"]) == ("rejected", "invalid")
    assert answered[1]["status"] == "accepted"


@pytest.mark.parametrize(
    "good", ["x", "x" * 128, "😀" * 128, "a b", "ä/ö?ü#&=+%41", "b_1", "..", "null"]
)
def test_ids_are_opaque(post: Post, app: App, good: str) -> None:
    happened = event("page_view", good, id=good, page=good, seq=1)
    assert results(post(batch(happened))) == [{"id": good, "status": "accepted"}]
    assert app.listed() == [good]


def test_a_message_id_is_an_id_too(post: Post) -> None:
    for bad in ("", "m" * 129, "m\n"):
        assert rejection(post(batch(message("c", message=bad)))) == ("rejected", "invalid")


@pytest.mark.parametrize("seq", ["1", 1.0, 1.5, True, -1, 2**53 + 1, 2**63, 2**64, 10**30, [], {}])
def test_seq_is_a_whole_number_up_to_2_to_the_53(post: Post, seq: object) -> None:
    assert rejection(post(batch(view(seq=seq)))) == ("rejected", "invalid")


@pytest.mark.parametrize("seq", [0, 2**53])
def test_the_least_and_the_greatest_seq(post: Post, app: App, seq: int) -> None:
    assert rejection(post(batch(view(seq=seq)))) == ("accepted", "")
    assert app.presence("c")["online"]


@pytest.mark.parametrize("kind", ["page_view", "heartbeat", "page_hidden", "page_unload"])
def test_a_pages_lifecycle_event_needs_its_seq(post: Post, kind: str) -> None:
    assert rejection(post(batch(event(kind, "c", page="p")))) == ("rejected", "seq-required")
    assert rejection(post(batch(view(seq=None)))) == ("rejected", "seq-required")


@pytest.mark.parametrize(
    "kind",
    ["page_view", "heartbeat", "page_hidden", "page_unload", "chat_cleared", "message"],
)
def test_what_is_about_a_conversation_names_it(post: Post, kind: str) -> None:
    happened = event(kind, page="p", seq=1, message={"id": "m", "text": "Hello"})
    assert rejection(post(batch(happened))) == ("rejected", "conversation-required")


def test_a_message_needs_its_text(post: Post) -> None:
    for said in ({}, {"text": ""}, {"text": None}):
        happened = event("message", "c", message={"id": "m", **said})
        assert rejection(post(batch(happened))) == ("rejected", "message-required")
    assert rejection(post(batch(event("message", "c")))) == ("rejected", "message-required")


def test_a_message_has_16_000_characters_at_most(post: Post, app: App) -> None:
    assert rejection(post(batch(message("c", "ü" * 16_000)))) == ("accepted", "")
    assert rejection(post(batch(message("c", "ü" * 16_001)))) == ("rejected", "invalid")
    assert app.texts("c") == ["ü" * 16_000]


def test_a_message_may_be_of_anything_that_can_be_written(post: Post, app: App) -> None:
    text = 'Zoë 👩‍👩‍👧 東京\r\n\t<b>&amp;</b> \\ "quoted" \' \u2028 \ufeff \x1b \x7f'
    assert rejection(post(batch(message("c", text)))) == ("accepted", "")
    assert app.texts("c") == [text]


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


def test_conversation_ids_are_case_sensitive(post: Post, app: App) -> None:
    post(batch(message("Chat", "one"), message("chat", "two"), message("CHAT", "three")))
    assert app.texts("Chat") == ["one"]
    assert app.texts("chat") == ["two"]
    assert sorted(app.listed()) == ["CHAT", "Chat", "chat"]


def test_a_delivery_of_a_message_that_is_not_there(post: Post) -> None:
    post(batch(message("c", "Hello", message="m")))
    for happened in (
        event("message_delivered", "c", message={"id": "m"}),
        event("message_delivered", "c", message={"id": "other"}),
        event("message_delivered", "nowhere", message={"id": "m"}),
    ):
        assert rejection(post(batch(happened))) == ("rejected", "message-not-found")
    nameless = event("message_delivered", "c")
    assert rejection(post(batch(nameless))) == ("rejected", "message-required")


@pytest.mark.parametrize(
    ("address", "kept"),
    [
        ("https://shop.example/product/fern", "https://shop.example/product/fern"),
        ("https://shop.example", "https://shop.example/"),
        ("https://shop.example/a?email=jane@example.com#token", "https://shop.example/a"),
        ("HTTPS://Shop.Example:443/A", "https://shop.example/A"),
        ("https://jane:secret@shop.example/a", "https://shop.example/a"),
        ("https://shop.example/%C3%BC", "https://shop.example/%C3%BC"),
        ("http://shop.example/a", None),
        ("https://shop.example:8443/a", None),
        ("https://evil.example/a", None),
        ("https://shop.example.evil.example/a", None),
        ("https://shop.example@evil.example/a", None),
        ("javascript:alert(1)", None),
        ("JaVaScRiPt://shop.example/%0aalert(1)", None),
        ("data:text/html,x", None),
        ("file:///etc/passwd", None),
        ("ftp://shop.example/a", None),
        ("//shop.example/a", None),
        ("/a", None),
        ("https://", None),
        ("https://[::1", None),
        ("https://shop.example:99999/", None),
        ("", None),
        (None, None),
    ],
)
def test_of_a_pages_address_only_that_of_the_site_is_kept(
    post: Post, app: App, address: str | None, kept: str | None
) -> None:
    assert rejection(post(batch(view(url=address, title="Fern")))) == ("accepted", "")
    page = app.presence("c")["page"]
    assert page == (None if kept is None else {"url": kept, "title": "Fern"})

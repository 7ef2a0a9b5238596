"""What the fields of an event may hold, whoever sends it."""

from __future__ import annotations

import pytest

from tests.api.batches import Post, batch, rejection, results, view
from tests.api.device import App
from tests.api.visitor import event, message


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

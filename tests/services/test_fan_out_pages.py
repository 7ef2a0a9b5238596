"""What visitors' pages are told through their streams (D3, M2, P3, P7)."""

from __future__ import annotations

from tests.services.live import LiveScene
from tests.services.streams import names, texts


def test_d3_a_page_that_streams_is_told_when_demand_begins_and_ends(online: LiveScene) -> None:
    page = online.join_page(at=1)
    assert page.opening == [
        ("ready", {"heartbeat_seconds": 0, "takeover": {"active": False, "agent": None}})
    ]
    online.watch("sam-1", at=2)
    online.feed()
    assert page.read() == [("demand", {"heartbeat_seconds": 10})]
    online.beat(2, at=3)
    online.watch("kim-1", at=4)
    online.leave("sam-1", at=5)
    online.feed()
    assert page.read() == [], "still in demand"
    online.leave("kim-1", at=6)
    online.feed()
    assert page.read() == [("demand", {"heartbeat_seconds": 0})]


def test_m2_a_page_is_told_of_takeover_and_messages(online: LiveScene) -> None:
    page, other = online.join_page(at=1), online.join_page(at=1.5, page="q")
    online.take_over("sam-1", at=2)
    sent = online.write("sam-1", at=3, text="<b>Yes</b>")
    online.say("Thank you", at=4)
    online.feed()
    agent = {"id": "sam", "name": "Sam", "avatar_url": None}
    for stream in (page, other):
        got = stream.read() or []
        assert texts(got) == ["Sam has joined the chat.", "<b>Yes</b>"]
        assert ("takeover", {"active": True, "agent": agent}) in got
        last = [said for name, said in got if name == "message"][-1]
        assert last["id:"] == last["rev"] == sent.place
    online.deliver(sent.id, at=5)
    online.release("sam-1", at=6)
    online.feed()
    got = page.read() or []
    assert sorted(names(got) or []) == ["demand", "message", "takeover"], "a delivery is none"


def test_p7_every_stream_of_a_cleared_chat_is_told_and_ends(online: LiveScene) -> None:
    pages = [online.join_page(at=1), online.join_page(at=1.5, page="q")]
    online.take_over("sam-1", at=2)
    online.write("sam-1", at=3, text="before the clear")
    online.clear(at=4, seq=2)
    online.feed()
    for page in pages:
        got = page.read() or []
        assert names(got) == ["cleared"], "what was not shown yet waits (P7)"
        assert page.read() is None
    late = online.join_page(at=5)
    assert names(late.opening) == ["ready", "cleared"]
    assert late.read() is None


def test_p3_an_unload_ends_its_own_pages_stream_only(online: LiveScene) -> None:
    online.view(1, at=0.5, page="q")
    page, other = online.join_page(at=1), online.join_page(at=1, page="q")
    online.unload(2, at=2)
    online.feed()
    page.read_all()
    assert (page.read(), other.read()) == (None, [])


def test_an_older_stream_of_the_same_page_ends(online: LiveScene) -> None:
    first, other = online.join_page(at=1), online.join_page(at=1, page="q")
    second = online.join_page(at=2)
    assert (first.read(), other.read(), second.read()) == (None, [], [])


def test_a_strangers_stream_of_the_same_page_id_ends_none(online: LiveScene) -> None:
    own = online.join_page(at=1)
    fan_out = online.fan_out
    stranger = fan_out.join_visitor(own.opened.key, "stranger", "p", "192.0.2.9")
    assert own.read() == []
    stranger.leave()


def test_streams_hear_of_their_own_conversation_alone(online: LiveScene) -> None:
    online.view(1, at=0.5, page="r", conversation="B", visitor="w")
    page = online.join_page(at=1)
    online.take_over("sam-1", at=2, conversation="B")
    online.write("sam-1", at=3, conversation="B")
    online.feed()
    assert page.read() == []

"""How many streams there may be, of whom, and that every place is given back."""

from __future__ import annotations

import pytest
from werkzeug.test import TestResponse

from bridge.live import fan_out
from tests.api.description import refused
from tests.api.device import App
from tests.api.installation import Installation
from tests.api.store import Store
from tests.api.stream import Stream
from tests.api.visitor import Page, Visitor

HERE, THERE = ({"REMOTE_ADDR": address} for address in ("192.0.2.1", "192.0.2.2"))


@pytest.fixture
def pages(visitor: Visitor) -> list[Page]:
    """Many tabs of one visitor."""
    pages = [visitor.page("c", f"p_{number}") for number in range(15)]
    for page in pages:
        page.view()
    return pages


def too_many(answered: TestResponse) -> None:
    refused(answered, 429, "too-many-streams")
    assert int(answered.headers["Retry-After"]) >= 1


def page_of(store: Store, number: int) -> Page:
    page = store.visitor(f"v_{number}").page(f"c_{number}")
    page.view()
    return page


def test_the_limits_leave_room_for_ordinary_use() -> None:
    assert fan_out.STREAMS_OF_VISITOR >= 2 * 4, "four tabs of a browser stream, and reload"
    assert fan_out.STREAMS_OF_ADDRESS >= 1_000, "an office, or a phone network"
    assert fan_out.STREAMS_OF_DEVICE >= 2


def test_of_one_visitor(pages: list[Page], store: Store) -> None:
    most = fan_out.STREAMS_OF_VISITOR
    streams = [page.stream() for page in pages[:most]]
    answered = pages[most].visitor.get(pages[most].address("stream"))
    too_many(answered)
    assert answered.headers["Access-Control-Allow-Origin"] == store.origin
    assert pages[most].sync()["state"] == "online", "it may ask without a stream"
    assert page_of(store, 1).stream().ready.name == "ready"
    streams[3].drop()
    assert pages[most].stream().ready.name == "ready"


def test_one_who_is_refused_keeps_what_they_have(pages: list[Page], app: App) -> None:
    most = fan_out.STREAMS_OF_VISITOR
    streams = [page.stream() for page in pages[:most]]
    for page in pages[most:]:
        too_many(page.visitor.get(page.address("stream")))
    app.watch("c")
    for stream in streams:
        assert [each.name for each in stream.read()] == ["demand"]


def test_of_one_address(monkeypatch: pytest.MonkeyPatch, store: Store, app: App) -> None:
    monkeypatch.setattr(fan_out, "STREAMS_OF_ADDRESS", 3)
    streams = [page_of(store, number).stream(environ_overrides=HERE) for number in range(2)]
    agents = app.stream(environ_overrides=HERE)
    refused_page = page_of(store, 3)
    address = refused_page.address("stream")
    too_many(refused_page.visitor.get(address, environ_overrides=HERE))
    too_many(app.get("/v1/stream", environ_overrides=HERE))
    assert refused_page.stream(environ_overrides=THERE).ready.name == "ready"
    agents.drop()
    assert refused_page.stream(environ_overrides=HERE).ready.name == "ready"
    assert len(streams) == 2


def test_an_ipv6_network_is_one_address(monkeypatch: pytest.MonkeyPatch, store: Store) -> None:
    monkeypatch.setattr(fan_out, "STREAMS_OF_ADDRESS", 2)
    pages = [page_of(store, number) for number in range(4)]
    inside = [{"REMOTE_ADDR": f"2001:db8:1:2::{number}"} for number in range(3)]
    held = [pages[n].stream(environ_overrides=inside[n]) for n in range(2)]
    too_many(pages[2].visitor.get(pages[2].address("stream"), environ_overrides=inside[2]))
    assert (
        pages[3].stream(environ_overrides={"REMOTE_ADDR": "2001:db8:1:3::1"}).ready.name == "ready"
    )
    assert len(held) == 2


def test_of_one_device_the_oldest_ends(app: App, page_c: Page) -> None:
    most = fan_out.STREAMS_OF_DEVICE
    streams = [app.stream() for _ in range(most)]
    newest = app.stream()
    assert streams[0].rest() == []
    page_c.write("Hello")
    for stream in [*streams[1:], newest]:
        assert {each.name for each in stream.read(2)} == {"conversation", "message"}


@pytest.fixture
def page_c(visitor: Visitor) -> Page:
    """A page on which somebody is."""
    page = visitor.page("c")
    page.view()
    return page


def test_two_devices_of_one_agent_do_not_end_each_others(store: Store, page_c: Page) -> None:
    phone, tablet = store.app(), store.app()
    first = phone.stream()
    others = [tablet.stream() for _ in range(fan_out.STREAMS_OF_DEVICE + 1)]
    page_c.write("Hello")
    assert len(first.read(2)) == 2
    assert len(others[-1].read(2)) == 2


def test_every_place_is_given_back(page_c: Page, app: App, visitor: Visitor) -> None:
    """However a stream ends: else a visitor who reloads often would be turned away for good."""
    held: list[Stream] = []
    for number in range(3 * fan_out.STREAMS_OF_VISITOR):
        stream = page_c.stream()
        if number % 3 == 0:
            stream.drop()
        else:
            held.append(stream)
        for ended in held[:-1]:
            assert ended.rest() == []
    for number in range(3 * fan_out.STREAMS_OF_VISITOR):
        page = visitor.page(f"d_{number}")
        page.view()
        stream = page.stream()
        page.clear()
        assert [each.name for each in stream.rest()] == ["cleared"]
    for _ in range(3 * fan_out.STREAMS_OF_DEVICE):
        app.stream().drop()


def test_who_is_refused_for_another_reason_takes_no_place(visitor: Visitor, page_c: Page) -> None:
    nowhere = visitor.page("nowhere").address("stream")
    for _ in range(3 * fan_out.STREAMS_OF_VISITOR):
        refused(visitor.get(nowhere), 404, "not-found")
    assert page_c.stream().ready.name == "ready"


def test_a_bridge_that_is_about_to_end_takes_no_more(
    installation: Installation, page_c: Page, app: App
) -> None:
    installation.bridge.drain()
    too_many(page_c.visitor.get(page_c.address("stream")))
    too_many(app.get("/v1/stream"))
    assert page_c.sync()["state"] == "online"
    assert app.sync()["rev"] > 0

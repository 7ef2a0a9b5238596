"""Limits on the rate: 429 with Retry-After, and nobody pays for another."""

from __future__ import annotations

from dataclasses import replace

import pytest
from werkzeug.test import TestResponse

from bridge.api import limits
from tests.api.description import refused
from tests.api.device import App
from tests.api.installation import SHOP, Clock, Installation, SetUp
from tests.api.store import Store
from tests.api.visitor import Visitor, event, message


def lower(monkeypatch: pytest.MonkeyPatch, name: str, amount: int) -> None:
    """Make a limit smaller: reaching the real ones takes thousands of requests."""
    monkeypatch.setattr(limits, name, replace(getattr(limits, name), amount=amount))


def limited(answered: TestResponse) -> int:
    """The seconds to wait that a 429 names."""
    refused(answered, 429, "too-many-requests")
    return int(answered.headers["Retry-After"])


def test_the_limits_leave_room_for_ordinary_use() -> None:
    assert limits.VISITOR.amount == 600, "twenty times what five tabs need that beat every 10 s"
    assert limits.DEVICE.amount >= 10 * 20, "ten times what an app needs that asks every 3 s"
    assert limits.WRONG_CODES.amount == 10


def test_one_visitor(
    monkeypatch: pytest.MonkeyPatch, visitor: Visitor, store: Store, clock: Clock
) -> None:
    lower(monkeypatch, "VISITOR", 5)
    page = visitor.page("c")
    for _ in range(5):
        page.view()
    answered = visitor.send(message("c"))
    wait = limited(answered)
    assert 1 <= wait <= 60
    assert answered.headers["Access-Control-Allow-Origin"] == SHOP
    assert store.visitor("v_other").send(message("d")).status_code == 200
    clock.advance(seconds=wait)
    assert visitor.send(message("c")).status_code == 200


def test_heartbeats_count_too(monkeypatch: pytest.MonkeyPatch, visitor: Visitor) -> None:
    lower(monkeypatch, "VISITOR", 3)
    page = visitor.page("c")
    page.view()
    page.beat()
    page.beat()
    limited(visitor.send(page.event("heartbeat")))


def test_streams_and_syncs_count_too(monkeypatch: pytest.MonkeyPatch, visitor: Visitor) -> None:
    page = visitor.page("c")
    page.view()
    lower(monkeypatch, "VISITOR", 2)
    page.sync()
    page.stream()
    for endpoint in ("stream", "sync"):
        answered = visitor.get(page.address(endpoint))
        limited(answered)
        assert answered.headers["Access-Control-Allow-Origin"] == SHOP


def test_events_count_and_not_requests(
    monkeypatch: pytest.MonkeyPatch, visitor: Visitor, app: App, clock: Clock
) -> None:
    lower(monkeypatch, "VISITOR", 10)
    assert visitor.send(*[message("c") for _ in range(8)]).status_code == 200
    wait = limited(visitor.send(*[message("c") for _ in range(3)]))
    assert visitor.send(message("c"), message("c")).status_code == 200
    limited(visitor.send(message("c")))
    assert len(app.texts("c")) == 10
    clock.advance(seconds=wait)
    assert visitor.send(*[message("c") for _ in range(10)]).status_code == 200


def test_the_same_visitor_of_another_site_is_another(
    monkeypatch: pytest.MonkeyPatch, store: Store, other_store: Store
) -> None:
    lower(monkeypatch, "VISITOR", 1)
    assert store.visitor("v").send(message("c")).status_code == 200
    limited(store.visitor("v").send(message("c")))
    assert other_store.visitor("v").send(message("c")).status_code == 200


def test_all_visitors_of_a_site(
    monkeypatch: pytest.MonkeyPatch, store: Store, other_store: Store
) -> None:
    lower(monkeypatch, "SITE_VISITORS", 2)
    for name in ("v1", "v2"):
        assert store.visitor(name).send(message(name)).status_code == 200
    limited(store.visitor("v3").send(message("v3")))
    assert other_store.visitor("v3").send(message("v3")).status_code == 200
    assert store.get("/v1/store/status").status_code == 200


def test_a_stores_requests(
    monkeypatch: pytest.MonkeyPatch, store: Store, other_store: Store, clock: Clock
) -> None:
    lower(monkeypatch, "SITE", 2)
    for _ in range(2):
        assert store.get("/v1/store/status").status_code == 200
    wait = limited(store.get("/v1/store/status"))
    assert other_store.get("/v1/store/status").status_code == 200
    assert store.visitor().send(message("c")).status_code == 200
    clock.advance(seconds=wait)
    assert store.get("/v1/store/status").status_code == 200


def test_a_request_that_was_limited_was_not_seen(
    monkeypatch: pytest.MonkeyPatch, store: Store, clock: Clock
) -> None:
    lower(monkeypatch, "SITE", 1)
    store.get("/v1/store/status")
    wait = limited(store.send(message("c"), webhook_id="msg_1"))
    clock.advance(seconds=wait)
    assert store.results(message("c"), webhook_id="msg_1")[0]["status"] == "accepted"


def test_a_device(monkeypatch: pytest.MonkeyPatch, store: Store, clock: Clock) -> None:
    phone, tablet = store.app(), store.app()
    lower(monkeypatch, "DEVICE", 2)
    for _ in range(2):
        assert phone.get("/v1/me").status_code == 200
    wait = limited(phone.get("/v1/me"))
    assert tablet.get("/v1/me").status_code == 200
    clock.advance(seconds=wait)
    assert phone.get("/v1/me").status_code == 200


def test_wrong_signatures_from_one_address(
    monkeypatch: pytest.MonkeyPatch, store: Store, clock: Clock
) -> None:
    lower(monkeypatch, "ADDRESS_FAILURES", 3)
    store.secret = "A" * 43
    here, there = ({"REMOTE_ADDR": address} for address in ("192.0.2.1", "192.0.2.2"))
    for _ in range(3):
        answered = store.get("/v1/store/status", environ_overrides=here)
        refused(answered, 401, "signature-invalid")
    wait = limited(store.get("/v1/store/status", environ_overrides=here))
    refused(store.get("/v1/store/status", environ_overrides=there), 401, "signature-invalid")
    clock.advance(seconds=wait)
    answered = store.get("/v1/store/status", environ_overrides=here)
    refused(answered, 401, "signature-invalid")


def test_unknown_devices_from_one_address(
    monkeypatch: pytest.MonkeyPatch, app: App, installation: Installation
) -> None:
    lower(monkeypatch, "ADDRESS_FAILURES", 3)
    guess = App(installation, "guess", "")
    for _ in range(3):
        refused(guess.get("/v1/me"), 401, "device-unknown")
    limited(guess.get("/v1/me"))


def test_bad_tokens_from_one_address(monkeypatch: pytest.MonkeyPatch, visitor: Visitor) -> None:
    lower(monkeypatch, "BAD_TOKENS", 3)
    for token in ("a.b.c", "", "x"):
        assert visitor.send(message("c"), token=token).status_code == 401
    limited(visitor.send(message("c"), token="a.b.c"))
    assert visitor.send(message("c")).status_code == 200


def test_failures_lock_nobody_out_who_shares_the_address(
    monkeypatch: pytest.MonkeyPatch,
    installation: Installation,
    visitor: Visitor,
    store: Store,
    app: App,
) -> None:
    """An office has one, and so have all whom a proxy that is not trusted stands before."""
    for name in ("BAD_TOKENS", "ADDRESS_FAILURES"):
        lower(monkeypatch, name, 3)
    signed_out, forger = (
        App(installation, "x" * 43, ""),
        Store(installation, store.site, "A" * 43, SHOP),
    )
    for _ in range(10):
        visitor.send(message("c"), token="a.b.c")
        signed_out.get("/v1/me")
        forger.get("/v1/store/status")
    limited(visitor.send(message("c"), token="a.b.c"))
    limited(signed_out.get("/v1/me"))
    limited(forger.get("/v1/store/status"))
    assert store.send(message("c")).status_code == 200
    assert app.get("/v1/me").status_code == 200
    assert visitor.send(message("c")).status_code == 200


def test_an_ipv6_network_is_one_address(monkeypatch: pytest.MonkeyPatch, store: Store) -> None:
    lower(monkeypatch, "ADDRESS_FAILURES", 3)
    store.secret = "A" * 43

    def status(address: str) -> int:
        environ = {"REMOTE_ADDR": address}
        return store.get("/v1/store/status", environ_overrides=environ).status_code

    assert [status(f"2001:db8:1:2::{number}") for number in range(4)] == [401, 401, 401, 429]
    assert status("2001:db8:1:3::1") == 401
    assert [status("::ffff:192.0.2.1") for _ in range(3)] == [401] * 3
    assert status("192.0.2.1") == 429
    assert status("not an address") == 401


def test_forwarding_headers_are_not_believed_without_a_proxy(
    monkeypatch: pytest.MonkeyPatch, store: Store
) -> None:
    lower(monkeypatch, "ADDRESS_FAILURES", 2)
    store.secret = "A" * 43
    statuses = [
        store.get("/v1/store/status", headers={"X-Forwarded-For": f"192.0.2.{number}"}).status_code
        for number in range(3)
    ]
    assert statuses == [401, 401, 429]


def test_behind_a_proxy_the_visitors_address_counts(
    monkeypatch: pytest.MonkeyPatch, set_up: SetUp
) -> None:
    lower(monkeypatch, "ADDRESS_FAILURES", 2)
    store = set_up(trusted_proxy_hops=1).add_store()
    store.secret = "A" * 43

    def status(forwarded: str) -> int:
        return store.get("/v1/store/status", headers={"X-Forwarded-For": forwarded}).status_code

    assert [status("192.0.2.1") for _ in range(3)] == [401, 401, 429]
    assert status("192.0.2.2") == 401
    assert status("192.0.2.9, 192.0.2.1") == 429


def test_memory_of_those_who_were_counted_is_bounded(
    monkeypatch: pytest.MonkeyPatch, store: Store, clock: Clock
) -> None:
    """However many there are: who is over a limit is soon counted anew, and no request fails."""
    monkeypatch.setattr(limits, "_MOST_COUNTED", 50)
    for number in range(200):
        clock.advance(seconds=1)
        happened = event("page_view", f"c{number}", page="p", seq=1)
        assert store.visitor(f"v{number}").send(happened).status_code == 200

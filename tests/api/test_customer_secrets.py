"""Keys, the webhooks' secret and what is known of customers are in no log, no error, no address and
no ``repr``."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import msgspec
import pytest
import structlog

from bridge.api import schemas
from bridge.api.signed_requests import SignedRequest
from bridge.logs import configure_logging
from bridge.ports import ClaimedLookUp, LookUpError
from tests.api.installation import Clock
from tests.api.shop import WEBHOOKS, Shop
from tests.api.visitor import event
from tests.servers.woocommerce import faults

EMAIL = "jane@example.test"
PERSON = (EMAIL, "jane%40", "Jane Doe", "184.50")


@pytest.fixture
def logged(capsys: pytest.CaptureFixture[str]) -> Iterator[pytest.CaptureFixture[str]]:
    """Logging as a running bridge sets it up."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    configure_logging()
    yield capsys
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()


@pytest.fixture
def keys(shop: Shop) -> list[str]:
    """The secrets of a connected store's WooCommerce, where a customer's email was typed, too."""
    shop.connect()
    shop.woocommerce.add_customer(EMAIL, "Jane", "Doe", id=7)
    shop.woocommerce.add_order(EMAIL, "184.50", customer_id=7)
    shop.store.visitor("v_jane").page("c").write("Hello", name="Jane Doe", email=EMAIL)
    behind = shop.woocommerce
    return [behind.consumer_key, behind.consumer_secret, behind.webhook_secret]


def sign_in(shop: Shop) -> None:
    customer = {"id": "7", "email": EMAIL, "name": "Jane Doe"}
    shop.store.results(event("customer", visitor="v_jane", customer=customer))


def test_whatever_becomes_of_a_look_up_no_log_line_tells_whose(
    shop: Shop, keys: list[str], logged: pytest.CaptureFixture[str], clock: Clock
) -> None:
    app = shop.store.app()
    everything = [
        faults.wordpress_error(401, "woocommerce_rest_cannot_view"),
        faults.wordpress_error(404, "rest_no_route"),
        faults.answer(500, f"<p>{' '.join(keys)} {EMAIL}".encode()),
        faults.answer(200, f'{{"id":7,"email":7,"x":"{EMAIL} {keys[1]}"'.encode()),
        faults.answer(200, f'{{"id":"{EMAIL}"}}'.encode()),
        faults.answer(429, headers={"Retry-After": EMAIL}),
        faults.redirect(f"http://127.0.0.1:1/{EMAIL}?secret={keys[1]}"),
        faults.breaks_off,
        faults.gzip_bomb,
    ]
    for proven in (False, True):
        if proven:
            sign_in(shop)
        shop.look_up()
        for fault in everything:
            shop.woocommerce.fail(fault)
            clock.advance(hours=1)
            app.watch("c")
            assert shop.look_up() == 1
            shop.woocommerce.recover()
            assert shop.look_up_again() == 1
    shop.connect(rest_url="http://127.0.0.1:1/wp-json/")
    clock.advance(hours=1)
    app.watch("c")
    assert shop.look_up() == 1
    captured = logged.readouterr()
    said = captured.out + captured.err
    assert said.count("a store cannot be asked for customers") == 2 * len(everything) + 1
    assert [secret for secret in (*keys, *PERSON) if secret in said] == []
    assert shop.woocommerce.url not in said


def test_a_fault_of_our_own_tells_nobody_either(
    shop: Shop,
    keys: list[str],
    logged: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError(f"a library that quotes {' '.join(keys)} {EMAIL}")

    monkeypatch.setattr("bridge.woocommerce.client.HttpCustomerReader.look_up", fail)
    assert shop.look_up() == 1
    monkeypatch.setattr("bridge.services.store_changes.StoreChanges.take", fail)
    headers, body = shop.woocommerce.webhook("customer.updated", 7)
    client = shop.store.installation.app.test_client()
    answered = client.post(f"{WEBHOOKS}/{shop.store.site}", data=body, headers=headers)
    assert answered.status_code == 500
    monkeypatch.setattr("bridge.services.privacy.Privacy.export", fail)
    asked = b'{"email":"%s"}' % EMAIL.encode()
    headers = shop.store.signed(asked, "msg_export")
    answered = client.post("/v1/store/privacy/export", data=asked, headers=headers)
    assert answered.status_code == 500
    captured = logged.readouterr()
    said = captured.out + captured.err + answered.get_data(as_text=True)
    assert said.count("RuntimeError") == 3
    assert [secret for secret in (*keys, *PERSON) if secret in said] == []


def test_no_error_holds_them(shop: Shop, keys: list[str]) -> None:
    headers, body = shop.woocommerce.webhook("customer.updated", 7)
    wrong = {**headers, "X-WC-Webhook-Signature": keys[2]}
    behind = {"consumer_key": keys[0], "consumer_secret": keys[1], "webhook_secret": keys[2]}
    connection = {"name": 7, "woocommerce": behind, "store_url": "x", "rest_url": "x"}
    answers = [
        shop.post(body, wrong),
        shop.post(body, headers, "st_unknown"),
        shop.store.request("POST", "/v1/store/connect", connection),
        shop.store.request(
            "POST",
            "/v1/store/connect",
            {**connection, "woocommerce": {**behind, "webhook_secret": 7}},
        ),
        shop.store.request("POST", "/v1/store/privacy/export", {"email": f"{EMAIL} {keys[0]}"}),
        shop.store.request("POST", "/v1/store/privacy/erase", {"visitor": [EMAIL]}),
        shop.store.get("/v1/store/status"),
    ]
    assert [answered.status_code for answered in answers] == [401, 401, 422, 422, 422, 422, 200]
    for answered in answers:
        text = answered.get_data(as_text=True)
        assert [secret for secret in (*keys, EMAIL) if secret in text] == []


def test_a_customers_data_is_in_no_address_of_ours_but_the_stores_own(
    shop: Shop, keys: list[str]
) -> None:
    """WooCommerce is asked by email or id, which its own address has to name; the secret never is
    in it, and over plain HTTP neither is anything but key and signature."""
    sign_in(shop)
    shop.look_up()
    for request in shop.woocommerce.requests:
        assert request.has_credentials
        told = f"{request.path} {request.query} {request.route}"
        assert [secret for secret in keys if secret in told] == []


def test_no_repr_holds_them(shop: Shop, keys: list[str], clock: Clock) -> None:
    bridge = shop.store.installation.bridge
    claimed = bridge.look_ups.claim(failing=False)
    assert isinstance(claimed, ClaimedLookUp)
    site = bridge.records.site(shop.store.site)
    assert site is not None
    assert site.webhook_secret == keys[2]
    behind = {"consumer_key": keys[0], "consumer_secret": keys[1], "webhook_secret": keys[2]}
    body = {"woocommerce": behind}
    holders: list[Any] = [
        claimed,
        claimed.store,
        site,
        bridge,
        schemas.WooCommerceKeys(**behind),
        schemas.PrivacyRequest(email=EMAIL),
        schemas.PrivacyExport([], [], [{"text": "Jane Doe"}], None),
        SignedRequest(site, "msg_1", clock.now + timedelta(), msgspec.json.encode(body)),
    ]
    for holder in holders:
        shown = f"{holder!r} {holder}"
        assert type(holder).__name__ in shown
        assert not [secret for secret in (*keys, "Jane Doe") if secret in shown], shown
    assert EMAIL not in f"{schemas.PrivacyRequest(email=EMAIL)!r}"
    shop.woocommerce.fail(faults.answer(500, " ".join(keys).encode()))
    with pytest.raises(LookUpError) as failed:
        bridge.look_ups._reader.look_up(claimed.store, claimed.subject, clock.now)  # type: ignore[arg-type]  # noqa: SLF001 - a look-up as the service makes it, whose error is looked at
    chain: BaseException | None = failed.value
    while chain is not None:
        shown = f"{chain!r} {chain} {chain.args}"
        assert not [secret for secret in (*keys, EMAIL, "jane%40") if secret in shown], shown
        chain = chain.__cause__ or chain.__context__


def test_they_are_not_kept_readable(shop: Shop, keys: list[str]) -> None:
    installation = shop.store.installation
    shop.look_up()
    installation.close()
    kept = installation.database.read_bytes()
    assert b"Pots & Plants" in kept
    assert [secret for secret in keys if secret.encode() in kept] == []

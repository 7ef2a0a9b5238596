"""``POST /v1/woocommerce/webhooks/{site}``: who is believed, and what is answered."""

from __future__ import annotations

import base64
import json

import pytest

from bridge.api.woocommerce import WEBHOOK_LIMIT
from bridge.services.store_changes import SETTLES_IN
from tests.api.description import refused
from tests.api.device import App
from tests.api.installation import Clock
from tests.api.recorded import DELIVERIES, app_that_knows_them, looked_up, recorded_shop, signed
from tests.api.shop import Shop
from tests.api.store import Store
from tests.woocommerce.recordings import delivery


@pytest.fixture
def shop(shop: Shop) -> Shop:
    return recorded_shop(shop)


@pytest.fixture
def app(shop: Shop, clock: Clock) -> App:
    return app_that_knows_them(shop, clock)


# ------------------------------------------------------------------------ as it was recorded


def test_the_recorded_ping_is_answered(shop: Shop) -> None:
    ping = delivery("webhook-ping")
    answered = shop.post(ping["raw_body"].encode(), ping["headers"])
    assert (answered.status_code, answered.get_data()) == (200, b"")


def test_a_ping_is_answered_before_the_store_has_connected(store: Store) -> None:
    """WooCommerce pings while the webhook is made, and so before its secret is sent here."""
    answered = store.installation.open(
        f"/v1/woocommerce/webhooks/{store.site}",
        "POST",
        data=b"webhook_id=7",
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    assert answered.status_code == 200


@pytest.mark.parametrize("body", [b"webhook_id=", b"webhook_id=3x", b"webhook_id=3&x=1", b""])
def test_what_is_not_quite_a_ping_is_unsigned(shop: Shop, body: bytes) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    refused(shop.post(body, headers), 401, "signature-invalid")


@pytest.mark.parametrize("name", DELIVERIES)
def test_a_recorded_delivery_is_answered_at_once(shop: Shop, app: App, name: str) -> None:
    said = delivery(name)
    answered = shop.post(said["raw_body"].encode(), said["headers"])
    assert (answered.status_code, answered.get_data()) == (200, b"")
    assert shop.asked() == [], "nobody waits for the store"


# ------------------------------------------------------------------------------ signatures


@pytest.mark.parametrize("name", DELIVERIES)
@pytest.mark.parametrize(
    "signature",
    ["", "x", "mwx9", "é" * 20, base64.b64encode(b"\0" * 32).decode(), None],
)
def test_a_wrong_signature_is_refused_and_changes_nothing(
    shop: Shop, app: App, clock: Clock, name: str, signature: str | None
) -> None:
    said = delivery(name)
    headers = {**said["headers"], "X-WC-Webhook-Signature": signature}
    if signature is None:
        del headers["X-WC-Webhook-Signature"]
    refused(shop.post(said["raw_body"].encode(), headers), 401, "signature-invalid")
    assert looked_up(shop, clock) == []


def test_one_byte_of_the_body_is_enough(shop: Shop, app: App, clock: Clock) -> None:
    said = delivery("webhook-order-created")
    body = said["raw_body"].encode().replace(b'"customer_id":2', b'"customer_id":3')
    refused(shop.post(body, said["headers"]), 401, "signature-invalid")
    refused(shop.post(said["raw_body"].encode() + b" ", said["headers"]), 401, "signature-invalid")
    assert looked_up(shop, clock) == []


def test_an_unknown_site_is_not_told_apart_from_a_wrong_signature(shop: Shop) -> None:
    body = b'{"id":2}'
    problems = []
    for site in (shop.store.site, "st_unknown"):
        problem = refused(shop.post(body, signed(body, "wrong"), site), 401, "signature-invalid")
        del problem["request_id"]
        problems.append(problem)
    assert problems[0] == problems[1]


def test_another_sites_secret_is_wrong_here(shop: Shop) -> None:
    other = Shop(shop.store.installation.add_store("https://other.example"), shop.woocommerce)
    keys = {"consumer_key": "ck_1", "consumer_secret": "cs_1", "webhook_secret": "another secret"}
    other.connect(woocommerce=keys)
    body = b'{"id":2}'
    assert other.post(body, signed(body, "another secret")).status_code == 200
    refused(shop.post(body, signed(body, "another secret")), 401, "signature-invalid")
    refused(other.post(body, signed(body)), 401, "signature-invalid")


@pytest.mark.parametrize("secret", ["", "None", "null"])
def test_a_store_that_gave_no_keys_is_signed_for_by_nobody(store: Store, secret: str) -> None:
    body = b'{"id":2}'
    path = f"/v1/woocommerce/webhooks/{store.site}"
    answered = store.installation.open(path, "POST", data=body, headers=signed(body, secret))
    refused(answered, 401, "signature-invalid")


def test_when_the_store_connects_anew_its_new_secret_is_the_one(shop: Shop, clock: Clock) -> None:
    body = b'{"id":2}'
    assert shop.post(body, signed(body)).status_code == 200
    shop.woocommerce.webhook_secret = "new secret"
    clock.advance(seconds=2)
    shop.connect()
    assert shop.post(body, signed(body, "new secret")).status_code == 200
    refused(shop.post(body, signed(body)), 401, "signature-invalid")
    clock.advance(seconds=2)
    shop.connect(woocommerce=None)
    refused(shop.post(body, signed(body, "new secret")), 401, "signature-invalid")


def test_another_process_knows_a_new_secret_at_once(shop: Shop, clock: Clock) -> None:
    body = b'{"id":2}'
    other = shop.store.installation.another_process()
    path = f"/v1/woocommerce/webhooks/{shop.store.site}"
    assert other.open(path, "POST", data=body, headers=signed(body)).status_code == 200
    shop.woocommerce.webhook_secret = "new secret"
    clock.advance(seconds=2)
    shop.connect()
    headers = signed(body, "new secret")
    assert other.open(path, "POST", data=body, headers=headers).status_code == 200
    other.close()


# --------------------------------------------------------------------- what is of no concern


@pytest.mark.parametrize(
    "body",
    [
        b"no JSON",
        b"",
        b"\xff",
        b"{",
        b"[]",
        b"7",
        b"null",
        b"{}",
        b'{"id":"x"}',
        b'{"id":null}',
        b'{"id":12,"billing":[]}',
        b'{"id":12,"billing":{"email":7}}',
        b'{"id":12,"customer_id":"2"}',
        b'{"id":1e400}',
        b"[" * 100_000,
        b'{"id":12,"customer_id":99999999999999999999999}',
        b'{"id":12,"customer_id":-2}',
        b'{"id":2,"email":"\\ud800"}',
        b'{"id":2,"email":"a\\u0000@b"}',
        b'{"id":2,"date_modified_gmt":"yesterday","email":""}',
        b'{"id":2,"date_modified_gmt":"0001-01-01T00:00:00"}',
        b'{"id":2,"date_modified_gmt":"9999-12-31T23:59:59"}',
    ],
    ids=range(22),
)
@pytest.mark.parametrize("topic", ["order.updated", "customer.deleted"])
def test_what_is_signed_well_is_taken_whatever_it_says(shop: Shop, body: bytes, topic: str) -> None:
    """After five failed deliveries in a row WooCommerce would send no more."""
    headers = {**signed(body), "X-WC-Webhook-Topic": topic}
    assert shop.post(body, headers).status_code == 200


@pytest.mark.parametrize(
    "topic",
    [
        "product.updated",
        "coupon.created",
        "action.woocommerce_add_to_cart",
        "order",
        "",
        "customers",
    ],
)
def test_other_topics_are_taken_and_mean_nothing(
    shop: Shop, app: App, clock: Clock, topic: str
) -> None:
    said = delivery("webhook-order-created")
    headers = {**said["headers"], "X-WC-Webhook-Topic": topic}
    assert shop.post(said["raw_body"].encode(), headers).status_code == 200
    assert looked_up(shop, clock) == (["jane"] if topic == "order" else [])


@pytest.mark.parametrize("status", ["checkout-draft", "auto-draft"])
def test_a_draft_of_the_block_checkout_is_no_order(
    shop: Shop, app: App, clock: Clock, status: str
) -> None:
    order = {**json.loads(delivery("webhook-order-created")["raw_body"]), "status": status}
    body = json.dumps(order).encode()
    assert shop.post(body, signed(body)).status_code == 200
    assert looked_up(shop, clock) == []


def test_a_customer_who_never_chatted_concerns_nobody(shop: Shop, app: App, clock: Clock) -> None:
    stranger = shop.woocommerce.add_customer("stranger@example.test", "Xaver")
    assert shop.deliver("customer.created", stranger).status_code == 200
    clock.advance(seconds=SETTLES_IN.total_seconds())
    assert shop.look_up() == 0
    shop.store.installation.close()
    assert b"stranger" not in shop.store.installation.database.read_bytes()


def test_an_answer_that_is_too_large_is_refused_unread(shop: Shop) -> None:
    body = b" " * (WEBHOOK_LIMIT + 1)
    refused(shop.post(body, signed(body)), 413, "body-too-large")
    body = json.dumps({"id": 12, "note": "x" * (WEBHOOK_LIMIT - 40)}).encode()
    assert len(body) <= WEBHOOK_LIMIT
    assert shop.post(body, signed(body)).status_code == 200


# ------------------------------------------------------------------------------------ limits


def test_wrong_signatures_are_counted_and_good_ones_never_pay_for_them(shop: Shop) -> None:
    body = b'{"id":2}'
    statuses = {shop.post(body, signed(body, "wrong")).status_code for _ in range(130)}
    assert statuses == {401, 429}
    assert shop.post(body, signed(body)).status_code == 200


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
def test_it_takes_nothing_but_post(shop: Shop, method: str) -> None:
    path = f"/v1/woocommerce/webhooks/{shop.store.site}"
    answered = shop.store.installation.open(path, method, described=False)
    refused(answered, 405, "method-not-allowed")

"""The simulated WooCommerce answers as the real one was recorded to, and lets nobody in who has not
the key."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode

import pytest
import requests

from tests.servers.woocommerce import WooCommerceStore, woocommerce_store
from tests.woocommerce.recordings import delivery, recorded

NOT_SIMULATED = {
    *("meta_data", "order_key", "line_items", "cart_hash", "created_via", "customer_note"),
    *("customer_ip_address", "customer_user_agent", "payment_method", "payment_method_title"),
    *("transaction_id", "tax_lines", "shipping_lines", "fee_lines", "coupon_lines", "refunds"),
    *("payment_url", "is_editable", "needs_payment", "needs_processing", "currency_symbol"),
    *("date_completed", "date_completed_gmt", "date_paid", "date_paid_gmt"),
    *("username", "country", "city", "state", "postcode", "avg_order_value"),
    *("date_registered", "date_registered_gmt", "date_last_active", "date_last_active_gmt"),
    "date_last_order",
}
"""What the bridge does not ask for."""

AT = datetime(2026, 11, 22, 15, 17, 45, tzinfo=UTC)


@pytest.fixture(scope="module")
def store() -> Iterator[WooCommerceStore]:
    with woocommerce_store(https=True) as store:
        store.add_customer("jane@example.test", "Jane", "Doe", created=AT)
        store.add_order("jane@example.test", "25.00", customer_id=2, status="completed", created=AT)
        store.add_order("guest@example.test", "12.50", first_name="Gus", created=AT)
        yield store


@pytest.mark.parametrize(
    "name",
    [
        "analytics-customers-by-email",
        "analytics-customers-by-email-guest",
        "analytics-customers-by-email-none",
        "analytics-customers-by-user",
        "customer-by-id",
        "customer-by-id-missing",
        "customers-by-email",
        "customers-by-email-none",
        "orders-by-customer",
        "orders-by-email-search-guest",
    ],
)
def test_it_answers_as_was_recorded(store: WooCommerceStore, name: str) -> None:
    recording = recorded(name)
    answer = requests.get(
        f"{store.rest_url}{recording.route}",
        params=recording.query,
        auth=(store.consumer_key, store.consumer_secret),
        verify=store.verify,
        timeout=30,
    )
    assert answer.status_code == recording.status
    for header in ("Content-Type", "X-WP-Total", "X-WP-TotalPages"):
        assert answer.headers.get(header) == recording.headers.get(header)
    assert simulated(answer.json()) == simulated(recording.body)


def simulated(body: Any) -> Any:
    if isinstance(body, list):
        return [simulated(each) for each in body]
    return {name: value for name, value in body.items() if name not in NOT_SIMULATED}


def test_fields_are_chosen_as_wordpress_does(store: WooCommerceStore) -> None:
    answer = requests.get(
        f"{store.rest_url}wc/v3/orders?customer=2&_fields=id,billing.email,nothing,billing.none",
        auth=(store.consumer_key, store.consumer_secret),
        verify=store.verify,
        timeout=30,
    )
    assert answer.json() == [{"id": 11, "billing": {"email": "jane@example.test"}}]


# -------------------------------------------------------------------------------------- key


def ask(
    store: WooCommerceStore,
    method: str = "GET",
    auth: tuple[str, str] | None = None,
    query: Mapping[str, str] | None = None,
) -> tuple[int, str | None, str | None]:
    answer = requests.request(
        method,
        f"{store.rest_url}wc/v3/customers",
        params=query,
        auth=auth,
        verify=store.verify,
        timeout=30,
    )
    said = answer.json()
    if answer.status_code == 200:
        return 200, None, None
    return answer.status_code, said["code"], said["message"]


CANNOT = (401, "woocommerce_rest_cannot_view", "Sorry, you cannot list resources.")
INVALID = "woocommerce_rest_authentication_error"


def test_basic_authentication(store: WooCommerceStore) -> None:
    key, secret = store.consumer_key, store.consumer_secret
    assert ask(store, auth=(key, secret))[0] == 200
    assert ask(store) == CANNOT
    assert ask(store, auth=("ck_unknown", secret)) == CANNOT
    assert ask(store, auth=(key, "wrong")) == (401, INVALID, "Consumer secret is invalid.")


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_the_key_may_only_read(store: WooCommerceStore, method: str) -> None:
    message = "The API key provided does not have write permissions."
    asked = ask(store, method, auth=(store.consumer_key, store.consumer_secret))
    assert asked == (401, INVALID, message)


def signed(
    store: WooCommerceStore, nonce: str, *, secret: str | None = None, **changes: str
) -> tuple[int, str | None, str | None]:
    """Signed by the words of RFC 5849, with nothing of the bridge's."""
    query = {
        "oauth_consumer_key": store.consumer_key,
        "oauth_nonce": nonce,
        "oauth_signature_method": "HMAC-SHA256",
        "oauth_timestamp": "1900000000",
        "search": "a b~/é+%",
        **changes,
    }
    encoded = urlencode(sorted(query.items()), quote_via=quote, safe="")
    url = f"{store.rest_url}wc/v3/customers"
    text = "&".join(("GET", quote(url, safe=""), quote(encoded, safe="")))
    key = f"{secret or store.consumer_secret}&".encode()
    mac = base64.b64encode(hmac.digest(key, text.encode(), hashlib.sha256)).decode()
    return ask(store, query={**query, "oauth_signature": mac})


def test_oauth() -> None:
    with woocommerce_store() as store:
        store.clock = lambda: 1_900_000_000.0
        assert signed(store, "a")[0] == 200
        assert signed(store, "b", oauth_timestamp="1900000899")[0] == 200
        assert ask(store) == CANNOT
        assert ask(store, auth=(store.consumer_key, store.consumer_secret)) == CANNOT
        missing = ask(store, query={"oauth_nonce": "c"})
        assert missing[1] == "woocommerce_rest_authentication_missing_parameter"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"secret": "cs_wrong"}, "Invalid signature - provided signature does not match."),
        ({"nonce": "a"}, "Invalid nonce - nonce has already been used."),
        ({"oauth_consumer_key": "ck_unknown"}, "Consumer key is invalid."),
        ({"oauth_timestamp": "1899999099"}, "Invalid timestamp."),
        ({"oauth_timestamp": "1900000901"}, "Invalid timestamp."),
        (
            {"oauth_signature_method": "PLAINTEXT"},
            "Invalid signature - signature method is invalid.",
        ),
    ],
)
def test_what_oauth_does_not_let_in(options: dict[str, str], message: str) -> None:
    with woocommerce_store() as store:
        store.clock = lambda: 1_900_000_000.0
        assert signed(store, "a")[0] == 200
        assert signed(store, **{"nonce": "b", **options}) == (401, INVALID, message)


def test_a_recorded_refusal() -> None:
    body = recorded("bad-key-401").body
    with woocommerce_store() as store:
        store.clock = lambda: 1_900_000_000.0
        refused = signed(store, "a", oauth_consumer_key="ck_unknown")
        assert refused == (body["data"]["status"], body["code"], body["message"])


# --------------------------------------------------------------------------------- webhooks


@pytest.mark.parametrize(
    ("name", "topic", "id"),
    [
        ("webhook-order-created", "order.created", 11),
        ("webhook-order-updated", "order.updated", 12),
        ("webhook-customer-updated", "customer.updated", 2),
    ],
)
def test_a_webhook_is_delivered_as_was_recorded(
    store: WooCommerceStore, name: str, topic: str, id: int
) -> None:
    sent = delivery(name)
    store.webhook_secret = "fixture-secret"
    headers, body = store.webhook(topic, id)
    signature = "X-WC-Webhook-Signature"
    assert sent["headers"][signature] == signature_of(sent["raw_body"].encode())
    assert headers[signature] == signature_of(body)
    assert headers.keys() <= sent["headers"].keys()
    for header in ("User-Agent", "Content-Type", "X-WC-Webhook-Resource", "X-WC-Webhook-Topic"):
        assert headers[header] == sent["headers"][header]
    payload = json.loads(sent["raw_body"])
    assert simulated(json.loads(body)).keys() == simulated(payload).keys()
    del payload["_links"]
    assert simulated(json.loads(body)).items() >= simulated(payload).items()


def test_what_is_deleted_is_told_by_its_id(store: WooCommerceStore) -> None:
    assert store.webhook("order.deleted", 12)[1] == b'{"id":12}'


def signature_of(body: bytes) -> str:
    return base64.b64encode(hmac.digest(b"fixture-secret", body, hashlib.sha256)).decode()


# ----------------------------------------------------------------------------------- itself


def test_waiting_for_requests() -> None:
    with woocommerce_store() as store:
        asking = threading.Thread(target=lambda: (ask(store), ask(store)))
        asking.start()
        assert [each.route for each in store.wait_for(2)] == ["wc/v3/customers"] * 2
        asking.join(30)
        with pytest.raises(TimeoutError, match="2 requests came, 3 were awaited"):
            store.wait_for(3, seconds=0)

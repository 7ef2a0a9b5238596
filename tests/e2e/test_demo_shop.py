"""The demo's shop alone, without a bridge: whom it answers, what it takes, and what it tells."""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
import responses
from flask import Flask
from flask.testing import FlaskClient
from woocommerce.oauth import OAuth  # type: ignore[import-untyped]  # it comes without types

from bridge.demo import DemoSite, bot, create_blueprint
from bridge.webhooks import sign, verify

SECRET = b"a key of thirty-two bytes, tests"
SITE = DemoSite("st_demo", SECRET)
OWN = {"Sec-Fetch-Site": "same-origin"}
BRIDGE = "http://127.0.0.1:80"


@pytest.fixture
def client() -> FlaskClient:
    """The shop alone, without a bridge."""
    app = Flask("shop")
    app.register_blueprint(create_blueprint(SITE))
    return app.test_client()


class ToldBridge:
    """What the shop sent to the bridge."""

    def __init__(self, mock: responses.RequestsMock) -> None:
        self._mock = mock
        for path in ("/v1/store/events", f"/v1/woocommerce/webhooks/{SITE.site_id}"):
            mock.add("POST", BRIDGE + path)

    def events(self) -> list[dict[str, Any]]:
        """The events, all of whose requests were signed by the store."""
        found = []
        for request in self._sent("/v1/store/events"):
            headers, body = request.headers, request.body
            signed = headers["webhook-id"], int(headers["webhook-timestamp"]), body
            assert verify([SECRET], *signed, headers["webhook-signature"])
            found += json.loads(body)["events"]
        return found

    def deliveries(self) -> list[tuple[str, dict[str, Any]]]:
        """Topic and resource of WooCommerce's webhooks, all of which it signed."""
        found = []
        for request in self._sent(f"/v1/woocommerce/webhooks/{SITE.site_id}"):
            key = SITE.woocommerce["webhook_secret"].encode()
            digest = hmac.digest(key, request.body, hashlib.sha256)
            assert request.headers["X-WC-Webhook-Signature"] == base64.b64encode(digest).decode()
            found.append((request.headers["X-WC-Webhook-Topic"], json.loads(request.body)))
        return found

    def _sent(self, path: str) -> list[Any]:
        return [call.request for call in self._mock.calls if call.request.url == BRIDGE + path]


@pytest.fixture
def told() -> Iterator[ToldBridge]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield ToldBridge(mock)


def submit(client: FlaskClient, path: str, **fields: str | int) -> int:
    """Submit a form of the shop's own; returns the status."""
    with client.post(f"/demo/{path}", data=fields, headers=OWN) as answer:
        return answer.status_code


def begin_session(client: FlaskClient) -> dict[str, Any]:
    """As presence.js does when a chat begins; returns the token's claims."""
    with client.post("/demo/session", headers=OWN) as answer:
        token = answer.get_json()["token"]
    claims: dict[str, Any] = jwt.decode(token, SECRET, algorithms=["HS256"], audience="visitor")
    return claims


def test_a_session_is_for_the_shops_own_pages(client: FlaskClient) -> None:
    assert client.post("/demo/session").status_code == 403
    foreign = {"Origin": "https://elsewhere.example", "Sec-Fetch-Site": "cross-site"}
    assert client.post("/demo/session", headers=foreign).status_code == 403
    first = client.post("/demo/session", headers=OWN)
    visitor = first.get_json()["visitor"]
    claims = jwt.decode(first.get_json()["token"], SECRET, algorithms=["HS256"], audience="visitor")
    assert claims["sub"] == visitor
    assert claims["exp"] - claims["iat"] == 24 * 3600
    assert jwt.get_unverified_header(first.get_json()["token"])["kid"] == "st_demo"
    assert "HttpOnly" in first.headers["Set-Cookie"]
    assert client.post("/demo/session", headers=OWN).get_json()["visitor"] == visitor
    client.set_cookie("cpb_visitor", "v_somebody-else.x")
    assert client.post("/demo/session", headers=OWN).get_json()["visitor"] != "v_somebody-else"


def told_by_bridge(
    client: FlaskClient, told: object, *, key: bytes = SECRET, id_: str = "b_1", age: int = 0
) -> int:
    """The status with which the shop answers what the bridge, or somebody else, tells it."""
    body, timestamp = json.dumps(told).encode(), int(datetime.now(UTC).timestamp()) - age
    headers = {
        "webhook-id": id_,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": sign(key, id_, timestamp, body),
        "Content-Type": "application/json",
    }
    url = "/demo/wp-json/chat-presence-bridge/v1/bridge"
    return client.post(url, data=body, headers=headers).status_code


def started(ends_in: timedelta) -> dict[str, str]:
    ends_at = (datetime.now(UTC) + ends_in).isoformat()
    return {"type": "takeover.started", "conversation": "c", "expires_at": ends_at}


def reply(client: FlaskClient) -> str | None:
    body = {"conversation": "c", "message": "m", "text": "Hello"}
    answer = client.post("/demo/chat", json=body, headers=OWN)
    said: str | None = answer.get_json()["reply"]
    return said


def test_t2_the_bot_is_silent_while_an_agent_answers(client: FlaskClient) -> None:
    assert told_by_bridge(client, started(timedelta(minutes=30))) == 200
    assert reply(client) is None
    assert told_by_bridge(client, {"type": "takeover.released", "conversation": "c"}) == 200
    assert reply(client) is not None


def test_t3_the_bot_is_never_silent_for_ever(client: FlaskClient) -> None:
    assert told_by_bridge(client, started(-timedelta(seconds=1))) == 200
    assert reply(client) is not None


@pytest.mark.parametrize(
    "wrong", [{"key": b"another key of thirty-two bytes."}, {"id_": "msg_1"}, {"age": 301}]
)
def test_only_the_bridge_silences_the_bot(client: FlaskClient, wrong: dict[str, Any]) -> None:
    assert told_by_bridge(client, started(timedelta(minutes=30)), **wrong) == 401
    assert reply(client) is not None


@pytest.mark.parametrize("told", [[], {}, {"type": "takeover.started", "conversation": 1}])
def test_what_the_bridge_says_and_the_shop_does_not_know(client: FlaskClient, told: object) -> None:
    assert told_by_bridge(client, told) == 200


@pytest.mark.parametrize(
    "body", [[], {}, {"conversation": "c", "message": "m"}, {"conversation": 1, "message": "m"}]
)
def test_a_chat_request_that_makes_no_sense(client: FlaskClient, body: object) -> None:
    answer = client.post("/demo/chat", json=body, headers=OWN)
    assert answer.status_code == 422


def test_a_basket_that_makes_no_sense_is_empty(client: FlaskClient) -> None:
    client.set_cookie("demo_basket", "bud-vase:-1,nothing:2,bud-vase:²,:::,bud-vase")
    assert "Nothing in it yet." in client.get("/demo/cart").text


def test_a_secret_never_shows_in_a_repr() -> None:
    assert "SECRET" not in repr(DemoSite("st_demo", b"SECRET", "SECRET"))


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("How long does delivery take?", bot.DELIVERY),
        ("WHERE IS MY ORDER", bot.ORDERS),
        ("can I return the thing", bot.RETURNS),
        ("I want to talk to a human", bot.PERSON),
        ("qwertz", bot.UNSURE),
        ("", bot.UNSURE),
    ],
)
def test_the_bot_answers(said: str, expected: str) -> None:
    assert bot.answer(said) == expected


def test_the_bot_knows_the_shelf() -> None:
    assert "€68.00" in bot.answer("What does the little teapot cost?")
    assert "Morning Mug" in bot.answer("do you have mugs")


JANE = {"id": "17", "email": "jane@example.com", "name": "Jane Doe"}


def test_c1_a_token_says_who_is_signed_in(client: FlaskClient, told: ToldBridge) -> None:
    assert "customer" not in begin_session(client)
    assert submit(client, "sign-in") == 303
    assert begin_session(client)["customer"] == JANE
    assert submit(client, "sign-out") == 303
    assert "customer" not in begin_session(client)


def test_c1_the_bridge_is_told_who_signs_in_and_out(client: FlaskClient, told: ToldBridge) -> None:
    visitor = begin_session(client)["sub"]
    submit(client, "sign-in")
    submit(client, "sign-out")
    assert [(event["type"], event["visitor"], event["customer"]) for event in told.events()] == [
        ("customer", visitor, JANE),
        ("customer", visitor, None),
    ]


def test_nobody_is_told_of_who_has_no_chat(client: FlaskClient, told: ToldBridge) -> None:
    submit(client, "sign-in")
    submit(client, "cart", product="bud-vase")
    submit(client, "order")
    submit(client, "sign-out")
    assert told.events() == []
    assert [topic for topic, _ in told.deliveries()] == ["order.created"]


def test_the_cart_is_told_as_it_changes(client: FlaskClient, told: ToldBridge) -> None:
    visitor = begin_session(client)["sub"]
    submit(client, "cart", product="bud-vase", quantity=2)
    submit(client, "cart", product="bud-vase", quantity=0)
    filled, emptied = told.events()
    item = {"product_id": "bud-vase", "name": "Bud Vase", "quantity": 2, "total": "68.00"}
    assert (filled["type"], filled["visitor"]) == ("cart", visitor)
    assert filled["cart"] == {"items": [item], "total": "68.00", "currency": "EUR"}
    assert emptied["cart"] == {"items": [], "total": "0.00", "currency": "EUR"}


def test_a_cart_from_before_the_chat_is_told_with_it(client: FlaskClient, told: ToldBridge) -> None:
    submit(client, "cart", product="bud-vase")
    begin_session(client)
    assert [event["type"] for event in told.events()] == ["cart"]


def test_c1_an_order_is_told_and_delivered(client: FlaskClient, told: ToldBridge) -> None:
    visitor = begin_session(client)["sub"]
    submit(client, "sign-in")
    submit(client, "cart", product="bud-vase")
    assert submit(client, "order", email="ignored@example.com") == 303
    placed, cart = told.events()[-2:]
    assert (placed["type"], placed["visitor"]) == ("order_placed", visitor)
    number = placed["order"]["number"]
    assert placed["order"] == {
        "id": number,
        "number": number,
        "total": "34.00",
        "currency": "EUR",
        "email": "jane@example.com",
        "customer_id": "17",
    }
    assert cart["cart"]["items"] == []
    [(topic, order)] = told.deliveries()
    assert topic == "order.created"
    assert (str(order["id"]), order["total"], order["customer_id"]) == (number, "34.00", 17)
    assert f"order {number} is placed" in client.get(f"/demo/cart?ordered={number}").text


def test_c1_a_guests_order_is_no_accounts(client: FlaskClient, told: ToldBridge) -> None:
    begin_session(client)
    submit(client, "cart", product="bud-vase")
    submit(client, "order", email="jane@example.com")
    [placed] = [event["order"] for event in told.events() if event["type"] == "order_placed"]
    assert (placed["email"], placed["customer_id"]) == ("jane@example.com", None)
    [(_, order)] = told.deliveries()
    assert order["customer_id"] == 0


def test_an_order_of_nothing_or_for_nobody_is_refused(
    client: FlaskClient, told: ToldBridge
) -> None:
    assert submit(client, "order", email="gus@example.com") == 422
    submit(client, "cart", product="bud-vase")
    assert submit(client, "order") == 422
    assert submit(client, "order", email="no email") == 422
    assert told.deliveries() == []


@pytest.mark.parametrize("path", ["sign-in", "sign-out", "cart", "order"])
def test_forms_are_for_the_shops_own_pages(client: FlaskClient, path: str) -> None:
    fields = {"product": "bud-vase", "email": "gus@example.com"}
    foreign = {"Origin": "https://elsewhere.example", "Sec-Fetch-Site": "cross-site"}
    assert client.post(f"/demo/{path}", data=fields, headers=foreign).status_code == 403


@pytest.mark.parametrize(
    ("page", "leads_to"),
    [("/demo/product/bud-vase?a=b", "/demo/product/bud-vase?a=b"), ("//evil.test", "/demo/")],
)
def test_signing_in_leads_back_to_the_shop(client: FlaskClient, page: str, leads_to: str) -> None:
    answer = client.post("/demo/sign-in", data={"page": page}, headers=OWN)
    assert answer.headers["Location"] == leads_to


def test_nobody_signs_in_by_another_cookie(client: FlaskClient) -> None:
    client.set_cookie("demo_customer", SITE.seal("cpb_visitor", "17"))
    assert "customer" not in begin_session(client)


ORDERS = "http://localhost/demo/wp-json/wc/v3/orders?customer=17&per_page=2"


def signed(url: str = ORDERS, *, method: str = "GET", age: int = 0, **other: str) -> str:
    """The address as WooCommerce's own package signs it, with the shop's key but for ``other``."""
    keys = {**SITE.woocommerce, **other}
    at = int(datetime.now(UTC).timestamp()) - age
    key, secret = keys["consumer_key"], keys["consumer_secret"]
    made = OAuth(url, key, secret, version="wc/v3", method=method, oauth_timestamp=at)
    address: str = made.get_oauth_url()
    return address


def test_the_rest_api_answers_the_key_alone(client: FlaskClient) -> None:
    answer = client.get(signed())
    assert [order["number"] for order in answer.get_json()] == ["1044", "1043"]
    assert answer.headers["X-WP-Total"] == "3"
    for refused in (
        ORDERS,
        signed(consumer_key="ck_another"),
        signed(consumer_secret="cs_another"),
        signed(age=16 * 60),
        signed(method="POST"),
        signed().replace("customer=17", "customer=0"),
    ):
        assert client.get(refused).status_code == 401
    assert client.post(signed(method="POST")).status_code == 405


def test_what_was_overheard_is_of_no_use(client: FlaskClient) -> None:
    heard = signed()
    assert client.get(heard).status_code == 200
    assert client.get(heard).status_code == 401


def test_over_https_the_key_is_user_and_password(client: FlaskClient) -> None:
    keys, url = SITE.woocommerce, ORDERS.replace("http:", "https:")
    good = (keys["consumer_key"], keys["consumer_secret"])
    assert client.get(url, auth=good).status_code == 200
    for wrong in ((good[0], "cs_another"), ("ck_another", good[1])):
        assert client.get(url, auth=wrong).status_code == 401
    assert client.get(signed(url)).status_code == 401


@pytest.mark.parametrize(
    ("query", "status", "answer"),
    [
        ("wc/v3/customers/18", 404, "woocommerce_rest_invalid_id"),
        ("wc/v3/orders?customer=17&per_page=0", 400, "rest_invalid_param"),
    ],
)
def test_errors_are_as_woocommerce_has_them(
    client: FlaskClient, query: str, status: int, answer: str
) -> None:
    got = client.get(signed(f"http://localhost/demo/wp-json/{query}"))
    assert (got.status_code, got.get_json()["code"]) == (status, answer)


def test_the_sites_keys_never_show_in_a_repr() -> None:
    shown = repr(SITE)
    assert not any(key in shown for key in SITE.woocommerce.values())

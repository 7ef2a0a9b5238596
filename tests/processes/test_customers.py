"""Who is behind the visitor, the whole way: gunicorn, a WooCommerce that checks its key, an agent
who watches."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from typing import Any, Self

import pytest
import requests

from tests.processes.client import Agent, Store
from tests.processes.streams import Stream
from tests.servers.bridge import BridgeProcess
from tests.servers.postgresql import PostgreSQL
from tests.servers.waiting import wait_until
from tests.servers.woocommerce import WooCommerceStore, faults, woocommerce_store

EMAIL = "jane@example.test"
WELL_WITHIN = 9.0
"""Seconds; platforms kill 10 s after SIGTERM."""
AFTER_THE_LEASE = 120.0
"""Seconds in which a dead process's claim of a customer has ended, on a busy machine too."""
SILENT = 8
"""More stores than are asked at a time. One after the other, they would take all the time there
is: each is waited for 5 s."""

_ids = count()


class Shop:
    """A site of a running bridge and its WooCommerce, which its plugin connects."""

    def __init__(self, bridge: BridgeProcess, woocommerce: WooCommerceStore) -> None:
        self.woocommerce = woocommerce
        self.store = Store(bridge)
        self._url = bridge.url

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.store.__exit__()

    def connect(self, **changes: Any) -> None:
        behind = self.woocommerce
        said = {
            "store_url": behind.url,
            "rest_url": behind.rest_url,
            "admin_url": f"{behind.url}/wp-admin/",
            "name": "Pots",
            "origins": ["https://shop.example"],
            "plugin_version": "1",
            "wordpress_version": "6.7",
            "woocommerce_version": "9.5.1",
            "woocommerce": {
                "consumer_key": behind.consumer_key,
                "consumer_secret": behind.consumer_secret,
                "webhook_secret": behind.webhook_secret,
            },
        }
        self._post("/v1/store/connect", {**said, **changes})

    def tell(self, kind: str, visitor: str, **details: Any) -> None:
        """Something that only the store knows of a visitor."""
        event = {"id": f"store-{next(_ids)}", "type": kind, "visitor": visitor, **details}
        answer = self._post("/v1/store/events", {"events": [event]})
        assert answer["results"][0]["status"] == "accepted"

    def sign_in(self, customer: int, conversation: str = "c") -> None:
        """The customer signs in on a browser of their own, in which they have written something."""
        visitor, said = f"v_{conversation}", {"id": "m1", "author": "visitor", "text": "Hello"}
        browser = self.store.visitor(visitor)
        assert browser.tell("message", conversation, message=said, page="p", seq=1) == "accepted"
        self.tell("customer", visitor, customer={"id": str(customer), "email": EMAIL})

    def deliver(self, topic: str, id: int) -> None:
        """WooCommerce says that something changed."""
        headers, body = self.woocommerce.webhook(topic, id)
        path = f"{self._url}/v1/woocommerce/webhooks/{self.store.site}"
        answered = requests.post(path, data=body, headers=headers, timeout=30)
        assert answered.status_code == 200, answered.text

    def status(self) -> dict[str, Any]:
        """What the plugin is told of WooCommerce."""
        answered = self.store.get("/v1/store/status")
        assert answered.status_code == 200, answered.text
        status: dict[str, Any] = answered.json()["woocommerce"]
        return status

    def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        answered = self.store.post(path, json.dumps(body).encode())
        assert answered.status_code == 200, answered.text
        answer: dict[str, Any] = answered.json()
        return answer


@pytest.fixture
def woocommerce() -> Iterator[WooCommerceStore]:
    with woocommerce_store() as woocommerce:
        yield woocommerce


@pytest.fixture
def shop(bridge: BridgeProcess, woocommerce: WooCommerceStore) -> Iterator[Shop]:
    with Shop(bridge, woocommerce) as shop:
        yield shop


@pytest.fixture
def jane(woocommerce: WooCommerceStore) -> int:
    """An account with one order."""
    jane = woocommerce.add_customer(EMAIL, "Jane", "Doe")
    woocommerce.add_order(EMAIL, "25.00", customer_id=jane)
    return jane


def customer_of(agent: Agent) -> dict[str, Any]:
    """The customer in the conversation."""
    customer: dict[str, Any] = agent.read("/v1/conversations/c")["customer"]
    return customer


def shown(stream: Stream, conversation: str = "c", **fields: Any) -> dict[str, Any]:
    """The customer in a conversation, once it is shown with these ``fields``."""

    def has_them(data: dict[str, Any]) -> bool:
        customer = data.get("customer") or {}
        return data["id"] == conversation and all(
            name in customer and customer[name] == value for name, value in fields.items()
        )

    customer: dict[str, Any] = stream.wait_for("conversation", has_them)["customer"]
    return customer


def problem(stream: Stream, code: str, conversation: str = "c") -> dict[str, Any]:
    """The customer in a conversation, once that problem is shown with it."""

    def has_it(data: dict[str, Any]) -> bool:
        found = (data.get("customer") or {}).get("problem") or {}
        return data["id"] == conversation and found.get("code") == code

    customer: dict[str, Any] = stream.wait_for("conversation", has_it)["customer"]
    return customer


# ------------------------------------------------------------------------------- as it should be


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_from_signing_in_to_the_last_order_to_the_follow_up(
    tmp_path: Path,
    request: pytest.FixtureRequest,
    woocommerce: WooCommerceStore,
    jane: int,
    database: str,
) -> None:
    environment = {"PRESENCE_GRACE_SECONDS": "0.5"}
    if database == "postgresql":
        server: PostgreSQL = request.getfixturevalue("postgresql_server")
        environment["DATABASE_URL"] = server.new_database()
    with BridgeProcess(tmp_path, environment) as bridge, Shop(bridge, woocommerce) as shop:
        shop.connect()
        agent = shop.store.agent()
        with agent.stream() as stream:
            shop.sign_in(jane)
            customer = shown(stream, known=True)
            assert customer["id"] == str(jane)
            assert (customer["name"], customer["proof"]) == ("Jane Doe", "signed_in")
            assert (customer["orders_count"], customer["total_spent"]) == (1, "25.00")
            assert customer["last_order"]["total"] == "25.00"
            assert customer["problem"] is None
            listed = agent.read("/v1/conversations", q="jane doe")["conversations"]
            assert [each["id"] for each in listed] == ["c"]
            order = woocommerce.add_order(EMAIL, "10.00", customer_id=jane)
            shop.deliver("order.created", order)
            customer = shown(stream, total_spent="35.00")
            assert customer["last_order"]["number"] == str(order)
            woocommerce.change_order(order, status="cancelled")
            shop.deliver("order.updated", order)
            shown(stream, total_spent="25.00", orders_count=1)
            followed_up(shop, agent, stream)
        assert shop.status()["reachable"] is True
        assert bridge.terminate() < WELL_WITHIN
        assert "Traceback" not in bridge.log.read_text("utf-8")


def followed_up(shop: Shop, agent: Agent, stream: Stream) -> None:
    """The visitor goes, and is written to elsewhere."""
    visitor = shop.store.visitor("v_c")
    assert visitor.tell("page_unload", "c", page="p", seq=2) == "accepted"
    gone = stream.wait_for("conversation", lambda data: data["follow_up"]["needed"])
    assert gone["follow_up"]["mailto"].startswith(f"mailto:{EMAIL}?subject=")
    waiting = agent.read("/v1/conversations", follow_up="true")["conversations"]
    assert [each["id"] for each in waiting] == ["c"]
    agent.do("POST", "c", "followed-up")
    done = stream.wait_for("conversation", lambda data: data["follow_up"]["done"] is not None)
    assert not done["follow_up"]["needed"]
    assert done["follow_up"]["done"]["agent"]["name"] == "Sam"
    assert agent.read("/v1/conversations", follow_up="true")["conversations"] == []


def test_plain_permalinks_in_a_subfolder(bridge: BridgeProcess) -> None:
    with (
        woocommerce_store(subfolder="/shop", plain_permalinks=True) as woocommerce,
        Shop(bridge, woocommerce) as shop,
    ):
        kim = woocommerce.add_customer("kim@example.test", "Kim")
        shop.connect()
        with shop.store.agent().stream() as stream:
            shop.sign_in(kim)
            shown(stream, known=True, name="Kim")


def test_while_nobody_looks_and_nothing_changes_the_store_is_left_alone(
    bridge: BridgeProcess, shop: Shop, jane: int
) -> None:
    """That another customer was looked up after all this shows that this one would have been."""
    shop.connect()
    agent = shop.store.agent()
    with agent.stream() as stream:
        shop.sign_in(jane)
        shown(stream, known=True)
        asked = len(shop.woocommerce.requests)
        visitor = shop.store.visitor("v_c")
        for seq in range(2, 30):
            assert visitor.tell("heartbeat", "c", page="p", seq=seq) == "accepted"
            agent.read("/v1/conversations")
            agent.read("/v1/conversations/c")
            agent.read("/v1/sync", after=0)
            agent.do("PUT", "c", "watch")
            shop.status()
        stranger = shop.woocommerce.add_customer("stranger@example.test", "Xaver")
        shop.deliver("customer.created", stranger)
        kim = shop.woocommerce.add_customer("kim@example.test", "Kim")
        shop.sign_in(kim, "kim")
        shown(stream, "kim", known=True)
        routes = [each.route for each in shop.woocommerce.requests[asked:]]
        queries = [each.query for each in shop.woocommerce.requests[asked:]]
        assert f"wc/v3/customers/{kim}" in routes
        assert len(routes) == asked, "as many for the one as for the other, and no more"
        assert str(jane) not in {query.get("users", query.get("customer")) for query in queries}


# ------------------------------------------------------------------------------------- bad days


def test_a_store_that_goes_away_and_comes_back(shop: Shop, jane: int) -> None:
    shop.connect()
    with shop.store.agent().stream() as stream:
        shop.sign_in(jane)
        known = shown(stream, known=True)
        shop.woocommerce.fail(faults.says_nothing)
        order = shop.woocommerce.add_order(EMAIL, "10.00", customer_id=jane)
        shop.deliver("order.created", order)
        away = problem(stream, "unreachable")
        since = away["problem"]["since"]
        assert since > known["fetched_at"]
        assert away == known | {"problem": away["problem"]}, "what was known stays"
        status = shop.status()
        assert (status["reachable"], status["code"]) == (False, "unreachable")
        assert status["since"] <= since
        shop.woocommerce.recover()
        back = shown(stream, total_spent="35.00")
        assert back["problem"] is None
        assert back["fetched_at"] > since
        assert shop.status()["code"] is None


def test_a_key_that_is_refused_until_the_owner_connects_again(shop: Shop, jane: int) -> None:
    keys = {"consumer_key": "ck_x", "consumer_secret": "cs_x", "webhook_secret": "x"}
    shop.connect(woocommerce=keys)
    with shop.store.agent().stream() as stream:
        shop.sign_in(jane)
        refused = problem(stream, "key-refused")
        assert (refused["known"], refused["email"]) == (None, EMAIL)
        assert shop.status()["code"] == "key-refused"
        shop.connect()
        assert shown(stream, known=True)["problem"] is None
        assert shop.status()["reachable"] is True


def test_a_redirect_to_another_host_is_not_followed(shop: Shop, jane: int) -> None:
    with woocommerce_store() as elsewhere:
        shop.connect()
        shop.woocommerce.fail(faults.redirect(f"{elsewhere.rest_url}wc/v3/customers/{jane}"))
        with shop.store.agent().stream() as stream:
            shop.sign_in(jane)
            problem(stream, "broken")
        assert elsewhere.requests == []


def test_a_certificate_that_nobody_vouches_for_gets_no_credentials(bridge: BridgeProcess) -> None:
    with woocommerce_store(https=True) as woocommerce, Shop(bridge, woocommerce) as shop:
        shop.connect()
        with shop.store.agent().stream() as stream:
            shop.sign_in(woocommerce.add_customer(EMAIL, "Jane"))
            problem(stream, "unreachable")
        assert woocommerce.requests == []


def test_stores_that_never_answer_hold_up_no_other_and_no_request(
    bridge: BridgeProcess, shop: Shop, jane: int
) -> None:
    shop.connect()
    agent = shop.store.agent()
    with ExitStack() as stack, agent.stream() as stream:
        silent = [
            stack.enter_context(Shop(bridge, stack.enter_context(woocommerce_store())))
            for _ in range(SILENT)
        ]
        for number, each in enumerate(silent):
            each.woocommerce.fail(faults.says_nothing)
            each.connect()
            each.sign_in(number + 2)
        silent[0].woocommerce.wait_for(1)
        shop.sign_in(jane)
        for each in silent:
            # Not one of these waits for a store: nobody's time-out is as long as the test's.
            each.status()
            agent.read("/v1/conversations")
        shown(stream, known=True)


def test_a_bridge_killed_in_the_middle_of_a_look_up_does_it_afterwards(
    bridge: BridgeProcess, shop: Shop, jane: int
) -> None:
    shop.connect()
    agent = shop.store.agent()
    shop.woocommerce.fail(faults.says_nothing)
    shop.sign_in(jane)
    shop.woocommerce.wait_for(1)
    bridge.kill()
    shop.woocommerce.recover()
    bridge.start()
    assert customer_of(agent)["known"] is None
    with agent.stream() as stream:

        def known() -> bool:
            return any(each["customer"]["known"] for each in stream.named("conversation"))

        wait_until(known, "the dead process's claim has ended", seconds=AFTER_THE_LEASE)
    customer = customer_of(agent)
    assert (customer["total_spent"], customer["problem"]) == ("25.00", None)


def test_sigterm_in_the_middle_of_a_look_up_ends_cleanly(
    bridge: BridgeProcess, shop: Shop, jane: int
) -> None:
    shop.connect()
    agent = shop.store.agent()
    shop.woocommerce.fail(faults.says_nothing)
    shop.sign_in(jane)
    shop.woocommerce.wait_for(1)
    assert bridge.terminate() < WELL_WITHIN
    log = bridge.log.read_text("utf-8")
    assert '"level": "error"' not in log
    assert "Traceback" not in log
    bridge.start()
    customer = customer_of(agent)
    assert (customer["known"], customer["email"]) == (None, EMAIL)

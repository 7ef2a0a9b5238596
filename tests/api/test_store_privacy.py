"""``POST /v1/store/privacy/export`` and ``/erase``: all that is kept of a person, told or gone."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest
import sqlalchemy as sa
from werkzeug.test import TestResponse

from bridge.encryption import Encryption
from bridge.records.encrypted import ENCRYPTED
from bridge.records.tables import metadata
from bridge.services import privacy
from tests.api.description import refused
from tests.api.device import App
from tests.api.installation import Clock
from tests.api.shop import Shop
from tests.api.store import Store
from tests.api.visitor import event, message

EXPORT, ERASE = "/v1/store/privacy/export", "/v1/store/privacy/erase"
EMAIL = "jane@example.test"
NOTHING: dict[str, Any] = {
    "visitors": 0,
    "conversations": 0,
    "customers": 0,
    "claims": 0,
    "more": False,
}
BOTH = pytest.mark.parametrize("path", [EXPORT, ERASE])

PERSON = [
    "Jane Doe",
    "jane@example.test",
    "My shoe size is 47",
    "Dear Jane, it is no secret",
    "v_jane",
    "fern-of-jane",
    "ORDER-4711",
    "Golden cactus",
    "184.50",
]
"""What tells of the person, wherever it is kept."""


@dataclass
class People:
    """Jane, who signed in and ordered, and Mallory, who typed her address."""

    shop: Shop
    app: App

    def ask(self, path: str, **person: Any) -> dict[str, Any]:
        """What is answered when such a person is named."""
        answered = self.shop.store.request("POST", path, person)
        assert answered.status_code == 200, answered.get_data(as_text=True)
        told: dict[str, Any] = answered.json or {}
        return told

    def erase(self, **person: Any) -> dict[str, Any]:
        """What was erased, and nothing is left to erase."""
        erased = self.ask(ERASE, **person)
        assert not erased["more"]
        assert self.ask(ERASE, **person) == NOTHING
        return erased


@pytest.fixture
def people(shop: Shop, clock: Clock) -> People:
    store, woocommerce = shop.store, shop.woocommerce
    shop.connect()
    woocommerce.add_customer(EMAIL, "Jane", "Doe", id=7)
    woocommerce.add_order(EMAIL, "184.50", customer_id=7, number="ORDER-4711")
    people = People(shop, store.app())
    jane = store.visitor("v_jane")
    page = jane.page("jane")
    page.view(url="https://shop.example/fern-of-jane", title="Fern of Jane Doe")
    page.write("My shoe size is 47", name="Jane Doe", email=EMAIL)
    jane.page("jane earlier", "p_2").write("Hello")
    mallory = store.visitor("v_mallory")
    mallory.page("mallory").write("I am Jane", name="Jane Mallory", email=EMAIL)
    store.visitor("v_kim").page("kim").write("Hello", email="kim@example.test")
    cart = {
        "items": [{"product_id": "7", "name": "Golden cactus", "quantity": 1, "total": "9.00"}],
        "total": "9.00",
        "currency": "USD",
    }
    order = {"id": "11", "number": "ORDER-4711", "total": "184.50", "currency": "USD"}
    store.results(
        event(
            "customer", visitor="v_jane", customer={"id": "7", "email": EMAIL, "name": "Jane Doe"}
        ),
        event(
            "order_placed", visitor="v_jane", order={**order, "email": EMAIL, "customer_id": "7"}
        ),
        event("cart", visitor="v_jane", cart=cart),
    )
    shop.look_up()
    people.app.take_over("jane")
    people.app.write("jane", "Dear Jane, it is no secret")
    return people


def left(people: People) -> list[str]:
    """What still tells of the person in any row of any table, by whoever has the key."""
    installation = people.shop.store.installation
    encryption, values = Encryption(installation.settings.secret_key), list[str]()
    with installation.bridge.database.reading() as connection:
        for table in metadata.sorted_tables:
            for row in connection.execute(sa.select(table)).mappings():
                for column in table.columns:
                    value = row[column.name]
                    if column in ENCRYPTED and value is not None:
                        value = encryption.decrypt(value).decode("utf-8", "replace")
                    values.append(f"{value}")
    kept = "\n".join(values).casefold()
    return [text for text in PERSON if text.casefold() in kept]


# ------------------------------------------------------------------------------------ what is asked


@BOTH
@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, None),
        ({"email": None}, None),
        ({"cursor": "c"}, None),
        ({"email": ""}, None),
        ({"email": "no address"}, "/email"),
        ({"email": "a@" + "x" * 320}, "/email"),
        ({"email": 7}, "/email"),
        ({"email": ["a@b"]}, "/email"),
        ({"customer_id": ""}, "/customer_id"),
        ({"customer_id": 7}, "/customer_id"),
        ({"customer_id": "x" * 129}, "/customer_id"),
        ({"visitor": ""}, "/visitor"),
        ({"visitor": "v" * 129}, "/visitor"),
        ({"visitor": "v", "cursor": "x" * 129}, "/cursor"),
        ([], ""),
        ("jane@example.test", ""),
    ],
)
def test_what_names_nobody_is_refused(
    store: Store, path: str, body: object, pointer: str | None
) -> None:
    problem = refused(store.request("POST", path, body), 422, "invalid")
    if pointer is not None:
        assert problem["errors"][0]["pointer"] == pointer
    assert "example.test" not in json.dumps(problem)


@BOTH
def test_what_is_no_json_is_refused(store: Store, path: str) -> None:
    refused(store.request("POST", path, b"jane@example.test"), 400, "malformed-json")
    body = {"email": "\0@example.test"}
    refused(store.request("POST", path, body), 422, "character-not-allowed")


@BOTH
def test_only_the_store_may_ask(store: Store, app: App, path: str) -> None:
    body = {"visitor": "v_jane"}
    visitor = store.visitor()
    refused(store.installation.open(path, "POST", json=body), 401, "signature-missing")
    refused(app.request("POST", path, json=body), 401, "signature-missing")
    headers = {"Authorization": f"Bearer {visitor.token()}"}
    answered = store.installation.open(path, "POST", json=body, headers=headers)
    refused(answered, 401, "signature-missing")


@BOTH
def test_of_nobody_there_is_nothing(store: Store, path: str) -> None:
    nothing_told: dict[str, Any] = {
        "visitors": [],
        "customers": [],
        "conversations": [],
        "next_cursor": None,
    }
    for person in ({"email": EMAIL}, {"customer_id": "7"}, {"visitor": "v"}):
        answered = store.request("POST", path, person).get_json()
        assert answered == (nothing_told if path == EXPORT else NOTHING)


# ---------------------------------------------------------------------------------------- export


@pytest.mark.parametrize(
    "person", [{"email": "JANE@Example.test "}, {"customer_id": "7"}, {"visitor": "v_jane"}]
)
def test_all_that_is_kept_is_told(people: People, person: dict[str, str]) -> None:
    told = people.ask(EXPORT, **person)
    assert told["next_cursor"] is None
    assert [each["id"] for each in told["visitors"]] == ["v_jane"]
    assert {each["id"] for each in told["conversations"]} == {"jane", "jane earlier"}
    text = json.dumps(told)
    assert [each for each in PERSON if each not in text] == []
    for foreign in ("mallory", "Mallory", "kim"):
        assert foreign not in text
    [customer] = [each for each in told["customers"] if each["key"] == "customer:7"]
    assert customer["profile"]["total_spent"] == "184.50"
    assert customer["fetched_at"] == "2026-03-02T09:30:00.123Z"


def test_a_conversation_is_told_whole(people: People) -> None:
    told = people.ask(EXPORT, visitor="v_jane")
    [jane] = [each for each in told["conversations"] if each["id"] == "jane"]
    assert [(each["author"], each["text"]) for each in jane["messages"]] == [
        ("visitor", "My shoe size is 47"),
        ("system", jane["messages"][1]["text"]),
        ("agent", "Dear Jane, it is no secret"),
    ]
    assert jane["page"]["url"] == "https://shop.example/fern-of-jane"
    assert "Dear Jane, it is no secret" in json.dumps(jane["queued_for_store"])
    assert jane["started_at"] == "2026-03-02T09:30:00.123Z"


def test_c2_whoever_typed_the_address_is_not_told(people: People) -> None:
    """Anyone can type anyone's address, and would be sent what others wrote."""
    told = people.ask(EXPORT, email="kim@example.test")
    assert told["visitors"] == told["conversations"] == []
    told = people.ask(EXPORT, visitor="v_kim")
    assert [each["id"] for each in told["conversations"]] == ["kim"], "by their browser they are"


def test_an_export_holds_no_secret(people: People) -> None:
    shop = people.shop
    text = json.dumps(people.ask(EXPORT, email=EMAIL, customer_id="7", visitor="v_jane"))
    keys = (shop.woocommerce.consumer_key, shop.woocommerce.consumer_secret)
    for secret in (*keys, shop.woocommerce.webhook_secret, shop.store.secret, people.app.token):
        assert secret not in text


def test_what_is_told_changes_nothing_and_is_not_remembered(people: People) -> None:
    store = people.shop.store
    rev = people.app.sync()["rev"]
    body = {"visitor": "v_jane"}
    first = store.request("POST", EXPORT, body, webhook_id="export").get_json()
    assert people.app.sync()["rev"] == rev
    store.results(message("jane", "One more thing", visitor="v_jane"))
    again = store.request("POST", EXPORT, body, webhook_id="export").get_json()
    assert again != first
    assert "One more thing" in json.dumps(again)


@pytest.fixture
def few_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(privacy, "MOST_MESSAGES", 10)
    monkeypatch.setattr(privacy, "MOST_ERASED", 3)
    monkeypatch.setattr(privacy, "_LOOKED_THROUGH", 4)


def _many(store: Store) -> list[str]:
    """Ids of conversations of one visitor, with three messages each."""
    visitor = store.visitor("v_many")
    ids = [f"many {number:02}" for number in range(11)]
    for conversation in ids:
        page = visitor.page(conversation, f"page of {conversation}")
        for _ in range(3):
            page.write("Hello")
    return ids


@pytest.mark.usefixtures("few_at_once")
def test_much_is_told_in_parts(store: Store) -> None:
    ids, told = _many(store), list[str]()
    person: dict[str, str] = {"visitor": "v_many"}
    parts = 0
    while True:
        part = store.request("POST", EXPORT, person).get_json()
        assert len(part["visitors"]) == (1 if parts == 0 else 0)
        assert all(len(each["messages"]) == 3 for each in part["conversations"])
        told += [each["id"] for each in part["conversations"]]
        parts += 1
        if part["next_cursor"] is None:
            break
        person["cursor"] = part["next_cursor"]
    assert told == ids
    assert parts > 2


# ----------------------------------------------------------------------------------------- erase


@pytest.mark.parametrize(
    "person", [{"email": "JANE@Example.test "}, {"customer_id": "7"}, {"visitor": "v_jane"}]
)
def test_what_is_erased_is_gone(people: People, person: dict[str, str]) -> None:
    if "email" not in person:
        people.ask(ERASE, visitor="v_mallory")
    assert set(left(people)) == set(PERSON)
    erased = people.erase(**person)
    assert (erased["visitors"], erased["conversations"]) == (1, 2)
    assert left(people) == []
    for conversation in ("jane", "jane earlier"):
        assert people.app.get(f"/v1/conversations/{conversation}").status_code == 404
    assert people.ask(EXPORT, **person)["conversations"] == []
    assert people.app.listed(q="jane@") == people.app.listed(q="order-4711") == []


def test_readers_are_told_that_it_is_gone(people: People) -> None:
    rev = people.app.sync()["rev"]
    stream = people.app.stream(after=rev)
    people.ask(ERASE, customer_id="7")
    changed = people.app.sync(rev)["conversations"]
    assert {each["id"]: each["deleted"] for each in changed if "deleted" in each} == {
        "jane": True,
        "jane earlier": True,
    }
    for each in changed:
        if "deleted" in each:
            assert set(each) == {"id", "rev", "deleted"}
    streamed = [sent.data for sent in stream.until_now() if sent.data.get("deleted")]
    assert {each["id"] for each in streamed} == {"jane", "jane earlier"}


def test_c2_by_email_of_a_claim_the_claim_alone_is_erased(people: People) -> None:
    """Whoever merely typed the address keeps their conversation."""
    erased = people.ask(ERASE, email=EMAIL)
    assert erased["claims"] == 1
    shown = people.app.conversation("mallory")
    assert shown["customer"] is None
    assert shown["visitor"]["name"] is None
    assert people.app.texts("mallory") == ["I am Jane"]
    assert people.app.listed(q="jane") == []
    assert people.app.listed(q="mallory") == ["mallory"], "by its id"


def test_a_claim_that_was_erased_is_shown_so(people: People) -> None:
    rev = people.app.sync()["rev"]
    people.ask(ERASE, email="kim@example.test")
    [changed] = people.app.sync(rev)["conversations"]
    assert (changed["id"], changed["customer"]) == ("kim", None)
    assert people.app.texts("kim") == ["Hello"]


def test_an_order_that_somebody_else_placed_with_the_address_is_parted_from_them(
    people: People,
) -> None:
    """Whoever is shown to be another customer is not erased for having paid with that address."""
    store, order = people.shop.store, {"id": "12", "number": "ORDER-4712", "total": "5.00"}
    ann = {"id": "9", "email": "ann@example.test", "name": "Ann"}
    gift = {**order, "currency": "USD", "email": EMAIL, "customer_id": "9"}
    store.visitor("v_ann").page("ann").write("A gift")
    store.results(
        event("customer", visitor="v_ann", customer=ann),
        event("order_placed", visitor="v_ann", order=gift),
    )
    assert "ann" not in {each["id"] for each in people.ask(EXPORT, email=EMAIL)["conversations"]}
    people.ask(ERASE, email=EMAIL)
    assert left(people) == []
    assert people.app.texts("ann") == ["A gift"]
    assert people.app.conversation("ann")["customer"]["email"] == "ann@example.test"


def test_others_keep_what_is_theirs(people: People) -> None:
    before = people.app.conversation("kim")
    people.ask(ERASE, email=EMAIL, customer_id="7", visitor="v_jane")
    after = people.app.conversation("kim")
    assert after == before
    assert people.app.texts("kim") == ["Hello"]


def test_one_who_waits_to_be_looked_up_is_not_looked_up(people: People, clock: Clock) -> None:
    shop = people.shop
    clock.advance(hours=1)
    people.app.watch("jane")
    shop.asked()
    people.ask(ERASE, customer_id="7")
    assert shop.look_up() == 0
    assert shop.asked() == []


def test_one_who_is_being_looked_up_stays_erased(people: People, clock: Clock) -> None:
    """The answer comes when the person is gone already."""
    look_ups = people.shop.store.installation.bridge.look_ups
    clock.advance(hours=1)
    people.app.watch("jane")
    claimed = look_ups.claim(failing=False)
    assert claimed is not None
    people.ask(ERASE, email=EMAIL, customer_id="7")
    look_ups.carry_out(claimed)
    assert left(people) == []
    assert people.ask(EXPORT, customer_id="7")["customers"] == []


def test_what_the_store_was_to_be_told_is_told_no_more(people: People) -> None:
    outbox = people.shop.store.installation.bridge.outbox
    people.ask(ERASE, visitor="v_jane")
    assert outbox.claim(failing=False) is None


def test_one_who_comes_back_is_somebody_new(people: People) -> None:
    people.ask(ERASE, visitor="v_jane")
    page = people.shop.store.visitor("v_jane").page("again", "p_9")
    page.write("Hello")
    shown = people.app.conversation("again")
    assert (shown["customer"], shown["visitor"]["name"]) == (None, None)
    refused_event = people.shop.store.visitor("v_jane").results(message("jane"))
    assert refused_event[0]["code"] == "conversation-not-found"


def test_a_replay_is_answered_as_the_first_time_and_erases_nothing_more(people: People) -> None:
    store = people.shop.store
    body = {"visitor": "v_jane"}
    first = store.request("POST", ERASE, body, webhook_id="erase").get_json()
    store.visitor("v_jane").page("again", "p_9").write("Hello")
    again = store.request("POST", ERASE, body, webhook_id="erase").get_json()
    assert again == first
    assert people.app.texts("again") == ["Hello"]


@pytest.mark.usefixtures("few_at_once")
def test_much_is_erased_in_parts(store: Store, app: App) -> None:
    ids = _many(store)
    assert sorted(app.listed()) == ids
    parts = [store.request("POST", ERASE, {"visitor": "v_many"}).get_json() for _ in range(4)]
    assert [part["conversations"] for part in parts] == [3, 3, 3, 2]
    assert [part["more"] for part in parts] == [True, True, True, False]
    assert [part["visitors"] for part in parts] == [0, 0, 0, 1]
    assert app.listed() == []


@BOTH
@pytest.mark.parametrize("person", [{"email": EMAIL}, {"customer_id": "7"}, {"visitor": "v_jane"}])
def test_another_site_neither_tells_nor_erases_it(
    people: People, path: str, person: dict[str, str]
) -> None:
    other = people.shop.store.installation.add_store("https://other.example")
    answered: TestResponse = other.request("POST", path, person)
    assert answered.status_code == 200
    text = answered.get_data(as_text=True)
    assert [each for each in PERSON if each in text and each != person.get("visitor")] == []
    assert set(left(people)) == set(PERSON)
    assert len(people.ask(EXPORT, visitor="v_jane")["conversations"]) == 2


# ----------------------------------------------------------------------------------------- purge


def test_purge_removes_who_is_left_without_a_conversation(people: People, clock: Clock) -> None:
    installation = people.shop.store.installation
    clock.advance(days=364)
    assert installation.bridge.retention.purge(365, clock.now) == 0
    assert set(left(people)) == set(PERSON)
    clock.advance(days=2)
    people.shop.store.visitor("v_kim").page("kim", "p_2").write("Still here")
    assert installation.bridge.retention.purge(365, clock.now) == 3
    assert left(people) == []
    assert people.app.listed() == ["kim"]
    assert people.app.conversation("kim")["customer"]["email"] == "kim@example.test"

"""What an agent sees of a customer: never more than the proof allows, and that at once (C1, C2)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.domain.customer import Proof, Subject, SubjectKind
from bridge.ports import Order, Profile
from bridge.services.privacy import Person
from tests.services.fake_store import BOUGHT, EMAIL, JANE
from tests.services.scene import SITE, moment
from tests.services.shop import ADMIN, ShopScene

CLAIM = Subject(SubjectKind.CLAIMED, EMAIL)
GUEST = Subject(SubjectKind.GUEST, EMAIL)
LAST = Order("9001", "ORDER-4711", "processing", "61.00", "EUR", "2029-12-31T23:00:00.000Z")
SECRET = "secret"
"""Stands in all that a store knows and a claim may not show."""


@pytest.fixture
def shop(tmp_path: Path, prepared: Path) -> Iterator[ShopScene]:
    """A visitor without a link."""
    with ShopScene.opened(tmp_path, prepared) as shop:
        shop.view(1, at=1)
        yield shop


def everything_shown(shop: ShopScene) -> dict[str, str]:
    """Each way by which an agent, or whoever uses that browser, is told of customers."""
    stream = shop.join_agent("kim-1", after=0)
    shop.feed()
    synced = shop.bridge.services.sync.since(SITE, ["sam"], 0, 100, moment(shop.now))
    with shop.bridge.records.begin(SITE) as work:
        told = shop.bridge.services.privacy.export(work, Person(visitor="v"), None)
    shown: dict[str, Any] = {
        "conversation": shop.body(),
        "list": shop.list_bodies(),
        "sync": [shop.body_of(view) for view in synced.views],
        "stream": stream.opening + stream.read_all(),
        "export": [told.customers, told.visitors, told.conversations],
    }
    stream.leave()
    return {where: json.dumps(what, default=str) for where, what in shown.items()}


# ------------------------------------------------------------------------------------------- C2

_SECRETS = st.text("ab12@.", max_size=4).map(lambda text: f"{SECRET}{text}")
_MAYBE = st.none() | _SECRETS
_PROFILES = st.builds(
    Profile,
    known=st.booleans(),
    name=_MAYBE,
    email=_MAYBE.map(lambda text: text and f"{text}@shop.example"),
    orders_count=st.none() | st.integers(0, 10_000),
    total_spent=_MAYBE,
    currency=_MAYBE,
    last_order=st.none() | st.builds(Order, _SECRETS, _SECRETS, _MAYBE, _SECRETS, _SECRETS, _MAYBE),
)


def test_c2_of_a_claim_nothing_is_shown_but_what_helps_to_ask(
    tmp_path_factory: pytest.TempPathFactory, prepared: Path
) -> None:
    """Whatever the store was made to say of whoever has that address."""

    @settings(
        max_examples=25,
        deadline=None,
        derandomize=True,
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(profile=_PROFILES)
    def nothing_slips_out(profile: Profile) -> None:
        folder = tmp_path_factory.mktemp("scene")
        with ShopScene.opened(folder, prepared) as shop:
            shop.store_behind.usual = profile
            shop.view(1, at=1)
            shop.introduce(at=2, name="Mallory")
            shop.cart(at=3, total=SECRET, currency=SECRET)
            assert shop.look_up(at=4) == [CLAIM]
            shown = everything_shown(shop)
            # The visitor's own cart is theirs to have told.
            shown["export"] = shown["export"].replace(f'"total": "{SECRET}"', "")
            shown["export"] = shown["export"].replace(f'"currency": "{SECRET}"', "")
            assert [where for where, what in shown.items() if SECRET in what] == []
            assert [where for where, what in shown.items() if "user-edit" in what] == []
            assert shop.listed(text=SECRET) == [], "nor is it found by what is not shown"
            seen = shop.must_see()
            assert (seen.known, seen.orders_count) == (profile.known, profile.orders_count)
            assert (seen.name, seen.email, seen.id) == ("Mallory", EMAIL, None)

    nothing_slips_out()


@pytest.mark.parametrize("known", [True, False])
def test_c2_a_claim_before_and_after_it_was_asked_for(shop: ShopScene, known: bool) -> None:
    shop.store_behind.usual = Profile(known=known, orders_count=2 if known else 0)
    shop.introduce(at=2)
    before = shop.must_see()
    assert (before.known, before.orders_count, before.fetched_at) == (None, None, None)
    shop.look_up(at=3)
    after = shop.must_see()
    assert (after.known, after.orders_count) == (known, 2 if known else 0)
    assert after.fetched_at == moment(3)


def test_c2_a_claim_shows_nothing_of_the_account_that_was_looked_up(shop: ShopScene) -> None:
    """Another browser is signed in with the very address, and all of it is known."""
    shop.store_behind.answers = {JANE: replace(BOUGHT, last_order=LAST)}
    shop.store_behind.usual = Profile(known=True, orders_count=3)
    shop.view(1, at=2, page="q", visitor="w", conversation="B")
    shop.sign_in(at=3, visitor="w")
    shop.introduce(at=4)
    shop.look_up()
    assert shop.must_see("B").total_spent == "184.50"
    text = json.dumps(shop.body("A"))
    for theirs in ("Jane Doe", "184.50", "ORDER-4711", "9001", "user-edit", "17"):
        assert theirs not in text


def test_c2_a_guest_with_an_accounts_email_shows_nothing_of_the_account(shop: ShopScene) -> None:
    shop.store_behind.answers = {JANE: replace(BOUGHT, last_order=LAST)}
    shop.store_behind.usual = Profile(known=True, name="J", orders_count=1, total_spent="9.00")
    shop.view(1, at=2, page="q", visitor="w", conversation="B")
    shop.sign_in(at=3, visitor="w")
    shop.order(at=4, total="9.00")
    assert set(shop.look_up(at=5)) == {JANE, GUEST}
    seen = shop.must_see("A")
    assert (seen.proof, seen.id, seen.total_spent) == (Proof.ORDER, None, "9.00")
    text = json.dumps(shop.body("A"))
    for theirs in ("Jane Doe", "184.50", "ORDER-4711", "9001", "user_id"):
        assert theirs not in text


def test_c2_a_proof_ends_what_only_a_claim_showed(shop: ShopScene) -> None:
    shop.store_behind.answers = {CLAIM: Profile(known=True, orders_count=41)}
    shop.introduce(at=2)
    shop.look_up()
    shop.sign_in(at=3, email="other@shop.example")
    seen = shop.must_see()
    assert (seen.proof, seen.orders_count, seen.fetched_at) == (Proof.SIGNED_IN, None, None)


# ------------------------------------------------------------------------- before a look-up, after


@pytest.mark.parametrize("customer", [None, "17"])
def test_the_browsers_own_order_is_shown_at_once(shop: ShopScene, customer: str | None) -> None:
    shop.order(at=2, number="1042", total="61.00", customer=customer)
    order = shop.must_see().last_order
    assert order is not None
    assert (order.number, order.total, order.currency) == ("1042", "61.00", "EUR")
    assert (order.status, order.date) == (None, "2030-01-01T00:00:02.000Z")
    admin = shop.must_see().admin_url or ""
    assert admin.startswith(ADMIN)
    assert ("user_id=17" in admin) is (customer is not None)
    assert ("post=91042" in admin) is (customer is None)


def test_of_two_orders_the_later_is_shown(shop: ShopScene) -> None:
    shop.store_behind.usual = replace(BOUGHT, last_order=LAST)
    shop.sign_in(at=2)
    shop.look_up(at=10)
    shop.order(at=11, number="1099", customer="17")
    assert shop.body()["customer"]["last_order"]["number"] == "1099"
    shop.look_up(at=12)
    assert shop.body()["customer"]["last_order"]["number"] == "ORDER-4711", "the store knows best"


def test_an_order_of_somebody_else_on_this_browser_is_not_the_customers(shop: ShopScene) -> None:
    """Two people share a browser: the one who is signed in did not place the other's order."""
    shop.order(at=2, customer="18", email="kim@shop.example", number="1099")
    shop.sign_in(at=3)
    seen = shop.must_see()
    assert (seen.id, seen.last_order) == ("17", None)


def test_an_account_that_was_deleted_is_shown_as_unknown_with_what_the_store_once_vouched(
    shop: ShopScene,
) -> None:
    shop.store_behind.usual = BOUGHT
    shop.sign_in(at=2)
    shop.look_up(at=3)
    shop.store_behind.usual = Profile(known=False)
    shop.changed(at=4, customer="17")
    shop.look_up(at=10)
    seen = shop.must_see()
    assert (seen.known, seen.total_spent, seen.orders_count) == (False, None, None)
    assert (seen.name, seen.email) == ("Jane Doe", EMAIL)


AMOUNTS = [
    ("6100", "JPY"),
    ("0", "JPY"),
    ("61.000", "KWD"),
    ("0.10", "EUR"),
    ("12345678901234567890.12", "EUR"),
    ("-5.00", "USD"),
    ("0.1000000000000000055511151231257827", "XAU"),
]


@pytest.mark.parametrize(("amount", "currency"), AMOUNTS)
def test_amounts_are_the_stores_own_text_all_the_way(
    shop: ShopScene, amount: str, currency: str
) -> None:
    order = replace(LAST, total=amount, currency=currency)
    shop.store_behind.usual = replace(
        BOUGHT, total_spent=amount, currency=currency, last_order=order
    )
    shop.sign_in(at=2)
    shop.cart(at=2, total=amount, currency=currency)
    shop.look_up(at=3)
    shop.restart()
    customer = shop.body()["customer"]
    shown = [customer, customer["last_order"], customer["cart"]]
    totals = [customer["total_spent"], *(each["total"] for each in shown[1:])]
    assert totals == [amount] * 3
    assert [each["currency"] for each in shown] == [currency] * 3


NAMES = ["شادي عبد الله", "Zoë 👩‍🚀 Ångström", "\u202eevil\u202c", "<b>&amp;</b>", "O'Neil; --"]


@pytest.mark.parametrize("name", NAMES)
def test_names_of_all_the_world_are_shown_as_they_are(shop: ShopScene, name: str) -> None:
    shop.store_behind.usual = replace(BOUGHT, name=name)
    shop.sign_in(at=2, name=name)
    assert shop.must_see().name == name
    shop.look_up(at=3)
    shop.restart()
    assert shop.must_see().name == name
    assert shop.listed(text=name.split()[0]) == ["A"]

"""What links a visitor to a customer, as it is recorded and as readers are told (C1 to C3)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bridge.domain.customer import Proof, SignedIn
from tests.services.fake_store import EMAIL
from tests.services.scene import SITE, moment
from tests.services.shop import ShopScene

TOKEN = SignedIn("17", EMAIL, "Jane Doe", moment(1), "token")


@pytest.fixture
def shop(tmp_path: Path, prepared: Path) -> Iterator[ShopScene]:
    with ShopScene.opened(tmp_path, prepared) as shop:
        shop.view(1, at=1)
        yield shop


# --------------------------------------------------------------------------------------- C1, C2


def test_c1_a_token_vouches_as_the_event_does(shop: ShopScene) -> None:
    assert shop.view_as(TOKEN, shop.event("page_view", 2, "p", 2)) == ["accepted"]
    seen = shop.must_see()
    assert (seen.proof, seen.id, seen.email) == (Proof.SIGNED_IN, "17", EMAIL)


def test_c1_a_token_vouches_with_an_event_that_changes_nothing_too(shop: ShopScene) -> None:
    """The browser's next word after signing in may be one that came before."""
    assert shop.view_as(TOKEN, shop.event("page_view", 2, "p", 0)) == ["duplicate"]
    assert shop.must_see().id == "17"


def test_c1_a_token_vouches_for_nobody_elses_conversation(shop: ShopScene) -> None:
    event = shop.event("page_view", 2, "q", 1, visitor="w")
    assert shop.view_as(TOKEN, event) == ["conversation-not-found"]
    assert shop.seen() is None
    with shop.bridge.records.begin(SITE) as work:
        assert work.visitor("w") is None, "of one who may say nothing, nothing is kept"


def test_c1_a_token_tells_the_same_each_time_and_is_recorded_once(shop: ShopScene) -> None:
    shop.view_as(TOKEN, shop.event("page_view", 2, "p", 2))
    shop.look_up()
    rev = shop.revision()
    for seq in range(3, 8):
        shop.view_as(TOKEN, shop.event("page_hidden", 2, "p", 2, id=f"again {seq}"))
    assert shop.revision() == rev
    assert shop.look_up() == []


def test_c1_an_email_typed_by_one_who_is_signed_in_changes_nothing(shop: ShopScene) -> None:
    shop.sign_in()
    before = shop.must_see()
    shop.introduce(email="kim@shop.example", name="Kim")
    assert shop.must_see() == before


def test_c1_one_without_a_name_is_not_called_by_that_of_whoever_was_there_before(
    shop: ShopScene,
) -> None:
    shop.sign_in(at=2)
    assert shop.body()["visitor"]["name"] == "Jane Doe"
    shop.sign_in(at=3, customer="18", email="kim@shop.example", name=None)
    assert shop.body()["visitor"]["name"] is None
    assert shop.listed(text="jane") == []


def test_c1_what_the_bot_says_introduces_nobody(shop: ShopScene) -> None:
    """A bot that repeats an address, or a store that puts its own beside it, claims nothing."""
    event = shop.event("message", 2, author="bot")
    assert event.message is not None
    said = replace(event.message, name="The bot", email="bot@shop.example")
    assert shop.tell_from_store(replace(event, message=said), 2) == "accepted"
    assert shop.seen() is None


# ------------------------------------------------------------------------------------------- C3


def test_c3_signing_in_joins_every_earlier_conversation_and_readers_are_told(
    shop: ShopScene,
) -> None:
    for number in range(3):
        shop.view(1, at=2, page=f"p{number}", conversation=f"earlier {number}")
    rev = shop.revision()
    shop.sign_in(at=3)
    joined = {"A", "earlier 0", "earlier 1", "earlier 2"}
    assert set(shop.synced(rev)) == joined
    assert {shop.must_see(each).id for each in joined} == {"17"}
    assert {shop.must_see(each, at=9_999).id for each in joined} == {"17"}, "gone or not"


def test_c3_an_order_joins_them_too(shop: ShopScene) -> None:
    shop.view(1, at=2, page="p2", conversation="earlier")
    shop.clear(at=3, conversation="earlier", page="p2", seq=2)
    shop.order(at=4)
    assert shop.must_see("earlier").proof is Proof.ORDER


def test_c3_a_conversation_that_begins_later_is_the_customers(shop: ShopScene) -> None:
    shop.sign_in(at=2)
    shop.part(at=3)
    shop.view(1, at=4, page="p2", conversation="later")
    assert shop.must_see("later").id == "17"


def test_c3_signing_out_parts_nobody_and_shows_nothing_new(shop: ShopScene) -> None:
    shop.sign_in(at=2)
    before, rev = shop.must_see(), shop.revision()
    shop.part(at=3)
    assert shop.must_see() == before
    assert shop.revision() == rev


def test_c3_what_is_told_of_one_visitor_is_told_of_no_other(shop: ShopScene) -> None:
    shop.view(1, at=2, page="q", visitor="w", conversation="B")
    shop.sign_in(at=3)
    shop.cart(at=3)
    assert shop.seen("B") is None


def test_c3_another_customer_is_another_visitor_and_the_olders_tokens_and_streams_end(
    shop: ShopScene,
) -> None:
    """As the plugin tells it: it ends the one and begins the other."""
    shop.sign_in(at=2)
    stream = shop.join_page(at=3)
    another = shop.join_page(at=3, page="q")
    shop.part(at=10)
    shop.sign_in(at=10, customer="18", visitor="w", email="kim@shop.example", name="Kim")
    assert stream.read() is None
    assert another.read() is None
    shop.view(1, at=11, page="n", visitor="w", conversation="B")
    assert (shop.must_see("A").id, shop.must_see("B").id) == ("17", "18")
    sites = shop.bridge.sites
    assert sites.superseded(SITE, "v", moment(9))
    assert not sites.superseded(SITE, "v", moment(10)), "one of that second is the new customer's"
    shop.restart()
    assert shop.bridge.sites.superseded(SITE, "v", moment(9))


def test_c3_the_streams_of_others_go_on(shop: ShopScene) -> None:
    shop.view(1, at=2, page="q", visitor="w", conversation="B")
    stream = shop.join_page(at=3, page="q", visitor="w", key=shop.key("B"))
    shop.sign_in(at=4)
    assert stream.read() is not None


def test_c3_a_conversation_given_to_another_is_the_others(shop: ShopScene) -> None:
    shop.sign_in(at=2)
    shop.sign_in(at=2, customer="18", visitor="w", email="kim@shop.example", name="Kim")
    rev = shop.revision()
    shop.store("message", at=3, visitor="w", author="bot")
    assert shop.must_see().id == "18"
    assert shop.synced(rev) == ["A"]
    assert shop.listed(text="jane") == []


def test_c3_nothing_of_a_link_is_lost_by_a_kill(shop: ShopScene) -> None:
    shop.sign_in(at=2)
    shop.order(at=3, customer="17")
    shop.cart(at=4)
    before = shop.must_see()
    shop.restart()
    assert shop.must_see() == before


# ----------------------------------------------------------------------------------------- carts


def test_an_older_word_of_a_cart_does_not_undo_a_newer(shop: ShopScene) -> None:
    shop.sign_in(at=2)
    older = replace(
        shop.event("cart", 3),
        conversation=None,
        details={"items": [], "total": "0", "currency": ""},
    )
    shop.cart(at=4)
    shop.tell_from_store(older, at=5)
    cart = shop.must_see().cart
    assert cart is not None
    assert cart["total"] == "18.00"
    shop.cart(at=6, items=[], total="0")
    assert shop.must_see().cart is None


def test_a_cart_that_is_the_same_again_tells_nobody(shop: ShopScene) -> None:
    shop.sign_in(at=2)
    shop.cart(at=3)
    rev = shop.revision()
    assert shop.cart(at=14) == "accepted"
    assert shop.revision() == rev
    shop.cart(at=25, total="27.00")
    assert shop.synced(rev) == ["A"]

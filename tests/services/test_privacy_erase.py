"""A person is erased, and nothing is left: by email, by customer, by visitor."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.ports import Profile
from bridge.services import privacy
from bridge.services.privacy import Erased, Person
from tests.services.fake_store import EMAIL, JANE
from tests.services.jane import EVERY_WAY, PERSON, erase, left, people, rows
from tests.services.scene import SITE, moment, sender
from tests.services.shop import ShopScene
from tests.services.streams import names

NOTHING = Erased()


@pytest.fixture
def shop(tmp_path: Path, prepared: Path) -> Iterator[ShopScene]:
    with ShopScene.opened(tmp_path, prepared) as shop:
        people(shop)
        yield shop


@EVERY_WAY
def test_nothing_is_left(shop: ShopScene, person: Person) -> None:
    if person.email is None:
        # Where she is named otherwise, it is not known that Mallory means her.
        erase(shop, Person(visitor="v_mallory"))
    assert set(left(shop)) == set(PERSON)
    erased = erase(shop, person)
    assert (erased.visitors, erased.conversations, erased.more) == (1, 2, False)
    assert left(shop) == []
    shop.sweep(at=10_000)
    shop.restart()
    assert left(shop) == [], "nor does what was in memory bring it back"
    assert shop.listed(text="jane") == shop.listed(text="order-4711") == []


@EVERY_WAY
def test_a_second_time_there_is_nothing_to_erase(shop: ShopScene, person: Person) -> None:
    erase(shop, person)
    before = rows(shop, SITE)
    assert erase(shop, person) == NOTHING
    assert rows(shop, SITE) == before


@EVERY_WAY
def test_another_site_with_the_same_ids_is_untouched(shop: ShopScene, person: Person) -> None:
    shop.add_site("st_2")
    for event in (
        shop.event("message", 20, "p", visitor="v_jane"),
        shop.event("message", 20, "p", visitor="v_kim", conversation="K"),
    ):
        ingest = shop.bridge.services.ingest
        ingest.from_visitor("st_2", [event], moment(20), sender(event))
    with shop.bridge.records.begin("st_2") as work:
        shop.bridge.services.ingest.from_store(work, shop.told, moment(20))
    before = rows(shop, "st_2")
    assert any(EMAIL in row for row in before)
    erase(shop, person)
    assert rows(shop, "st_2") == before


def test_pages_and_agents_are_told_that_it_is_gone(shop: ShopScene) -> None:
    page = shop.join_page(visitor="v_jane")
    app = shop.join_agent("kim-1")
    erase(shop, Person(customer="17"))
    shop.feed()
    assert names(page.read()) == ["cleared"]
    assert page.read() is None
    told = [said for name, said in app.read_all() if name == "conversation"]
    assert {each["id"]: each["deleted"] for each in told} == {"A": True, "earlier": True}
    assert not any(text in str(told) for text in PERSON)
    keys = [shop.key("A"), shop.key("earlier")]
    assert shop.bridge.liveness.read(keys) == {}
    assert shop.heartbeat(9, at=11, visitor="v_jane") == "conversation-not-found"
    assert shop.message(at=12, visitor="v_jane") == "conversation-not-found"


def test_what_is_told_late_or_again_brings_nobody_back(shop: ShopScene) -> None:
    """The store's outbox repeats what it had no answer to."""
    late = shop.event("message", 11, visitor="v_jane")
    erase(shop, Person(EMAIL, "17", "v_jane"))
    assert [shop.tell_from_store(each, 20) for each in shop.told] == ["duplicate"] * 3
    assert shop.tell_from_store(late, 21) == "conversation-not-found"
    assert left(shop) == []


def test_c2_only_the_claim_is_taken_from_whoever_typed_the_address(shop: ShopScene) -> None:
    erased = erase(shop, Person(email=EMAIL))
    assert erased.claims == 1
    assert shop.seen("M") is None
    assert [each.text for each in shop.transcript("M")] == ["Hello?"]
    assert [each.name for each in shop.transcript("M")] == [None]
    assert shop.body("M")["visitor"]["name"] is None
    assert shop.listed(text="mallory") == []
    assert shop.must_see("K").email == "kim@shop.example"


def test_readers_are_told_of_a_claim_that_is_gone(shop: ShopScene) -> None:
    rev = shop.revision()
    erase(shop, Person(email="kim@shop.example"))
    assert shop.synced(rev) == ["K"]


def test_of_two_browsers_the_named_one_goes_and_the_account_stays(shop: ShopScene) -> None:
    shop.view(1, at=20, page="q", visitor="v_phone", conversation="P")
    shop.sign_in(at=21, visitor="v_phone")
    before = shop.must_see("P")
    erase(shop, Person(visitor="v_jane"))
    assert shop.must_see("P") == before
    erase(shop, Person(visitor="v_phone"))
    assert shop.customer() is None


@pytest.mark.parametrize("person", [Person(email=EMAIL), Person(customer="17")])
def test_both_browsers_of_a_customer_go(shop: ShopScene, person: Person) -> None:
    shop.view(1, at=20, page="q", visitor="v_phone", conversation="P")
    shop.sign_in(at=21, visitor="v_phone", email=None, name=None)
    assert erase(shop, person).visitors == 2
    assert "P" not in shop.listed()


@pytest.mark.parametrize(
    "person", [Person(EMAIL), Person(EMAIL, "17")], ids=["email", "email and customer"]
)
def test_in_parts_nothing_is_left_either(
    shop: ShopScene, monkeypatch: pytest.MonkeyPatch, person: Person
) -> None:
    """Browsers that are hers for different reasons, whichever of them a part begins with."""
    monkeypatch.setattr(privacy, "MOST_ERASED", 3)
    for visitor in ("v_a", "v_b", "v_z", "w_guest"):
        for number in range(4):
            shop.message(at=20, visitor=visitor, conversation=f"{visitor} {number}")
    shop.sign_in(at=21, visitor="v_a")
    for visitor in ("v_b", "v_z"):
        shop.sign_in(at=21, visitor=visitor, email=None, name=None)
    shop.order(at=22, visitor="w_guest", total="184.50")
    shop.look_up(at=23)
    parts = [erase(shop, person)]
    while parts[-1].more:
        assert len(parts) < 20
        parts.append(erase(shop, person))
    assert all(part.conversations <= 3 for part in parts)
    assert sum(part.conversations for part in parts) == 18
    assert sum(part.visitors for part in parts) == 5
    assert left(shop) == []
    assert sorted(shop.listed()) == ["K", "M"]


# --------------------------------------------------------------------------------- the look-ups


def test_one_who_waits_to_be_looked_up_is_not(shop: ShopScene) -> None:
    shop.watch("sam-1", at=5_000)
    shop.changed(customer="17")
    erase(shop, Person(customer="17"))
    assert shop.look_up(at=6_000) == []
    assert shop.changed(customer="17", email=EMAIL) == 1, "of Mallory's claim"


def test_an_answer_on_its_way_leaves_nothing(shop: ShopScene) -> None:
    shop.watch("sam-1", at=5_000)
    claimed = shop.bridge.look_ups.claim(failing=False)
    assert claimed is not None
    erase(shop, Person(EMAIL, "17"))
    shop.bridge.look_ups.carry_out(claimed)
    assert left(shop) == []
    shop.sign_in(at=5_100, customer="18", visitor="v_kim", email="kim@shop.example", name="Kim")
    assert [each.value for each in shop.look_up()] == ["18"], "and the store is free for others"


def test_a_failure_on_its_way_leaves_nothing_either(shop: ShopScene) -> None:
    shop.watch("sam-1", at=5_000)
    claimed = shop.bridge.look_ups.claim(failing=False)
    assert claimed is not None
    erase(shop, Person(EMAIL, "17"))
    shop.store_behind.fail()
    shop.bridge.look_ups.carry_out(claimed)
    assert left(shop) == []


def test_one_who_comes_back_is_told_nothing_of_who_they_were(shop: ShopScene) -> None:
    erase(shop, Person(EMAIL, "17", "v_jane"))
    shop.view(1, at=20, page="n", visitor="v_jane", conversation="new")
    assert shop.seen("new") is None
    shop.store_behind.answers = {JANE: Profile(known=True, total_spent="1.00")}
    shop.sign_in(at=21, visitor="v_jane")
    assert shop.must_see("new").total_spent is None
    shop.look_up()
    assert shop.must_see("new").total_spent == "1.00"

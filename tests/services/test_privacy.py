"""All that is kept of a person is told: by email, by customer, by visitor."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest

from bridge.services import privacy
from bridge.services.privacy import Person
from tests.services.fake_store import EMAIL, JANE
from tests.services.jane import EVERY_WAY, PERSON, erase, export, people, rows
from tests.services.scene import SITE
from tests.services.shop import ShopScene


@pytest.fixture
def shop(tmp_path: Path, prepared: Path) -> Iterator[ShopScene]:
    with ShopScene.opened(tmp_path, prepared) as shop:
        people(shop)
        yield shop


@EVERY_WAY
def test_all_that_is_kept_is_told_and_nothing_of_others(shop: ShopScene, person: Person) -> None:
    told = export(shop, person)
    text = json.dumps(asdict(told), default=str, ensure_ascii=False)
    assert [each for each in PERSON if each not in text] == []
    assert [each["id"] for each in told.conversations] == ["A", "earlier"]
    assert "allory" not in text
    assert "kim@" not in text
    assert told.after is None


def test_telling_changes_nothing(shop: ShopScene) -> None:
    before = rows(shop, SITE)
    export(shop, Person(EMAIL, "17", "v_jane"))
    assert rows(shop, SITE) == before


def test_c2_a_claim_tells_nothing(shop: ShopScene) -> None:
    """Else whoever has the address would be sent what strangers wrote, and the other way round."""
    told = export(shop, Person(email="kim@shop.example"))
    assert told.conversations == told.visitors == []
    by_browser = export(shop, Person(visitor="v_mallory"))
    assert [each["id"] for each in by_browser.conversations] == ["M"]
    assert by_browser.customers == [], "what the store says of the address is not Mallory's"


def test_an_order_sent_to_somebody_does_not_make_its_buyer_that_person(shop: ShopScene) -> None:
    """Kim, who is signed in, pays with Jane's address: a gift."""
    shop.sign_in(at=20, customer="18", visitor="v_kim", email="kim@shop.example", name="Kim")
    shop.order(at=21, number="GIFT-1", visitor="v_kim", customer="18", email=EMAIL)
    assert [each["id"] for each in export(shop, Person(email=EMAIL)).visitors] == ["v_jane"]
    erase(shop, Person(email=EMAIL))
    assert shop.must_see("K").id == "18"
    assert len(shop.transcript("K")) == 1


def test_two_browsers_of_one_customer_are_told_together_or_apart(shop: ShopScene) -> None:
    shop.view(1, at=20, page="q", visitor="v_phone", conversation="P")
    shop.sign_in(at=21, visitor="v_phone")
    for person in (Person(email=EMAIL), Person(customer="17")):
        told = export(shop, person)
        assert sorted(each["id"] for each in told.visitors) == ["v_jane", "v_phone"]
        assert len([each for each in told.customers if each["key"] == JANE.key]) == 1
    assert [each["id"] for each in export(shop, Person(visitor="v_phone")).conversations] == ["P"]


@pytest.mark.parametrize("most", [1, 2, 3, 7, 100])
def test_in_parts_nothing_is_lost_and_nothing_doubled(
    shop: ShopScene, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr(privacy, "MOST_MESSAGES", most)
    monkeypatch.setattr(privacy, "_LOOKED_THROUGH", 3)
    for number in range(12):
        for again in range(number % 4):
            shop.message(
                at=20 + number + again / 10, visitor="v_phone", conversation=f"P{number:02}"
            )
    shop.sign_in(at=40, visitor="v_phone")
    told, after, parts = list[str](), None, 0
    while parts == 0 or after is not None:
        part = export(shop, Person(email=EMAIL), after)
        assert (part.visitors == []) is (parts > 0)
        told += [each["id"] for each in part.conversations]
        after, parts = part.after, parts + 1
        # What comes meanwhile is told or not, and displaces nothing.
        shop.message(at=50 + parts, visitor="v_phone", conversation="P01")
    written = [f"P{number:02}" for number in range(12) if number % 4]
    assert told == sorted(["A", "earlier", *written])

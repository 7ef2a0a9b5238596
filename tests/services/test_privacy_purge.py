"""What is older than ``RETENTION_DAYS`` is removed, with whoever is left without a conversation."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.services import retention
from tests.services.fake_store import EMAIL, JANE
from tests.services.jane import PERSON, left, people, rows
from tests.services.scene import SITE, moment
from tests.services.shop import ShopScene

DAY = 86_400.0
YEAR = 365 * DAY


@pytest.fixture
def shop(tmp_path: Path, prepared: Path) -> Iterator[ShopScene]:
    with ShopScene.opened(tmp_path, prepared) as shop:
        people(shop)
        shop.release("sam-1")
        yield shop


def purge(shop: ShopScene, at: float, days: float = 365) -> int:
    """How many conversations went."""
    shop.sweep(at=at)
    return shop.bridge.retention.purge(days, moment(at))


def test_after_its_days_nothing_is_left_of_anybody(shop: ShopScene) -> None:
    assert set(left(shop)) == set(PERSON)
    assert purge(shop, at=YEAR - 60) == 0
    assert set(left(shop)) == set(PERSON)
    assert purge(shop, at=YEAR + 60) == 4
    assert left(shop) == []
    kept = "\n".join(rows(shop, SITE))
    for nobody in ("allory", "kim@", "v_kim", "customers:", "visitors:", "search_terms:"):
        assert nobody not in kept
    assert purge(shop, at=YEAR + 120) == 0


def test_zero_days_keep_all(shop: ShopScene) -> None:
    shop.sweep(at=10 * YEAR)
    before = rows(shop, SITE)
    assert purge(shop, at=10 * YEAR, days=0) == 0
    assert rows(shop, SITE) == before


def test_one_with_a_later_conversation_keeps_what_is_known_of_them(shop: ShopScene) -> None:
    shop.view(1, at=YEAR / 2, page="n", visitor="v_jane", conversation="later")
    assert purge(shop, at=YEAR + 60) == 4
    assert shop.listed() == ["later"]
    assert (shop.must_see("later").id, shop.must_see("later").total_spent) == ("17", "184.50")
    assert shop.listed(text="order-4711") == ["later"]
    assert "My shoe size" not in "\n".join(rows(shop, SITE))
    assert shop.customer() is not None


def test_a_customer_stays_as_long_as_any_of_their_browsers(shop: ShopScene) -> None:
    shop.view(1, at=YEAR / 2, page="q", visitor="v_phone", conversation="P")
    shop.sign_in(visitor="v_phone")
    purge(shop, at=YEAR + 60)
    assert "v_jane" not in "\n".join(rows(shop, SITE))
    assert shop.must_see("P").total_spent == "184.50"
    purge(shop, at=2 * YEAR)
    assert shop.customer() is None
    assert left(shop) == []


def test_one_who_never_wrote_but_was_told_of_goes_after_the_same_time(shop: ShopScene) -> None:
    """A cart, or a sign-in, of a browser whose chat never began, or was deleted by the store."""
    shop.sign_in(at=20, visitor="v_shopper", customer="99", email="lee@shop.example", name="Lee")
    shop.cart(at=30, visitor="v_shopper")
    shop.store("conversation_deleted", at=40, conversation="K")
    purge(shop, at=30 + YEAR - DAY)
    kept = "\n".join(rows(shop, SITE))
    assert "lee@shop.example" in kept
    purge(shop, at=30 + YEAR + DAY)
    assert rows_of(shop, "visitors", "customers", "visitor_links", "search_terms") == []


def test_what_waits_to_be_looked_up_goes_too(shop: ShopScene) -> None:
    shop.store_behind.fail()
    shop.changed(at=20, customer=JANE.value, email=EMAIL)
    purge(shop, at=YEAR + 60)
    assert shop.look_up() == []
    assert rows_of(shop, "customers") == []


@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_in_whatever_portions_all_go_and_no_other(
    shop: ShopScene, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr(retention, "BATCH", size)
    young = []
    for number in range(9):
        at = YEAR / 2 if number % 3 else 30.0
        visitor, conversation = f"v{number}", f"C{number}"
        shop.now = at
        shop.introduce(at, f"{number}@shop.example", None, conversation, visitor)
        if number % 3:
            young.append(conversation)
    assert purge(shop, at=YEAR + 60) == 4 + 3
    assert sorted(shop.listed()) == young
    assert all(shop.must_see(each).email for each in young)
    assert len(rows_of(shop, "visitors")) == len(young)


def test_another_sites_are_its_own(shop: ShopScene) -> None:
    shop.add_site("st_2")
    with shop.bridge.records.begin("st_2") as work:
        shop.bridge.services.ingest.from_store(work, shop.told, moment(YEAR / 2))
    before = rows(shop, "st_2")
    purge(shop, at=YEAR + 60)
    assert rows(shop, "st_2") == before


def rows_of(shop: ShopScene, *tables: str) -> list[str]:
    return [row for row in rows(shop, SITE) if row.partition(":")[0] in tables]

"""When a store is asked for a customer, and when it is not (C4)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.domain.customer import Subject, SubjectKind
from bridge.services.store_changes import SETTLES_IN
from tests.services.fake_store import EMAIL, JANE
from tests.services.scene import SITE, moment
from tests.services.shop import ShopScene

DAY = 86_400.0
STALE = 15 * 60.0
SETTLED = SETTLES_IN.total_seconds()
GUEST = Subject(SubjectKind.GUEST, EMAIL)
CLAIM = Subject(SubjectKind.CLAIMED, EMAIL)


@pytest.fixture
def shop(tmp_path: Path, prepared: Path) -> Iterator[ShopScene]:
    """Jane is signed in and was looked up at 10."""
    with ShopScene.opened(tmp_path, prepared) as shop:
        shop.view(1, at=1)
        shop.sign_in(at=2)
        assert shop.look_up(at=10) == [JANE]
        yield shop


# ------------------------------------------------------------------------------------- not at all


def test_nobody_is_asked_for_while_nobody_watches_and_nothing_changed(shop: ShopScene) -> None:
    """Days of a visitor who is there, and of agents who read: not a claim, and not a call."""
    rev, seq = 0, 1
    app = shop.join_agent("sam-1", after=0)
    for day in range(1, 5):
        for hour in range(24):
            seq += 1
            shop.view(seq, at=day * DAY + hour * 3_600)
            shop.heartbeat(seq + 1, at=shop.now + 60)
            shop.message(at=shop.now + 1, seq=None)
            shop.store("message", at=shop.now + 1, author="bot")
            shop.cart(total=f"{hour}.00")
            seq += 2
            shop.unload(seq, at=shop.now + 30)
            shop.sweep(at=shop.now + 60)
            shop.record_alive()
            assert shop.listed() == ["A"]
            assert shop.listed(text="jane") == ["A"]
            assert shop.body()["customer"]["id"] == "17"
            shop.transcript()
            shop.mark_read("sam")
            shop.synced(rev)
            rev = shop.revision()
            shop.feed()
            app.read_all()
            assert shop.bridge.look_ups.claim(failing=False) is None
            assert shop.bridge.look_ups.claim(failing=True) is None
        shop.restart()
    assert shop.look_up() == []


def test_the_same_things_told_again_ask_for_nobody(shop: ShopScene) -> None:
    shop.sign_in(at=5_000)
    shop.part(at=6_000)
    shop.introduce(at=7_000, email="kim@shop.example", name="Kim")
    shop.sign_in(at=8_000, name="Jane D. Doe")
    assert shop.look_up() == []


def test_watching_one_who_is_nobodys_asks_for_nobody(shop: ShopScene) -> None:
    shop.view(1, at=20, page="q", visitor="w", conversation="B")
    shop.watch("sam-1", conversation="B")
    shop.store("message", at=21, conversation="C", visitor=None, author="bot")
    shop.watch("sam-1", conversation="C")
    assert shop.look_up() == []


def test_taking_over_and_writing_ask_for_nobody(shop: ShopScene) -> None:
    shop.view(2, at=STALE * 2)
    shop.take_over("sam-1")
    shop.write("sam-1")
    shop.release("sam-1")
    assert shop.look_up() == []


# ---------------------------------------------------------------------------------------- linked


def test_whoever_is_linked_is_asked_for_once(shop: ShopScene) -> None:
    shop.view(1, at=20, page="q", visitor="w", conversation="B")
    shop.sign_in(customer="18", visitor="w")
    assert shop.look_up() == [Subject(SubjectKind.CUSTOMER, "18")]
    assert shop.look_up(at=DAY) == []


def test_another_browser_of_one_who_is_known_asks_while_that_is_old(shop: ShopScene) -> None:
    shop.sign_in(at=10 + STALE, visitor="w")
    assert shop.look_up() == [], "it is not older than 15 minutes"
    shop.sign_in(at=10 + STALE + 0.001, visitor="x")
    assert shop.look_up() == [JANE]


def test_a_proof_that_grows_asks_for_whom_it_leads_to(shop: ShopScene) -> None:
    shop.introduce(at=20, conversation="B", visitor="w")
    assert shop.look_up() == [CLAIM]
    shop.order(at=21, visitor="w")
    assert shop.look_up() == [GUEST]
    shop.order(at=22, number="1043", visitor="w", customer="18")
    assert shop.look_up() == [Subject(SubjectKind.CUSTOMER, "18")]


def test_of_all_the_emails_somebody_types_the_first_alone_is_asked_for(shop: ShopScene) -> None:
    for number in range(20):
        shop.introduce(
            at=20 + number, email=f"{number}@shop.example", conversation="B", visitor="w"
        )
    assert shop.look_up() == [Subject(SubjectKind.CLAIMED, "0@shop.example")]
    assert shop.must_see("B").known is None
    shop.watch("sam-1", conversation="B")
    assert shop.look_up() == [Subject(SubjectKind.CLAIMED, "19@shop.example")], "looked at"


def test_an_order_asks_even_for_what_is_fresh(shop: ShopScene) -> None:
    shop.order(at=11, customer="17")
    assert shop.look_up() == [JANE]
    shop.order(at=12, customer="17", number="1043")
    shop.order(at=12, customer="17", number="1044")
    assert shop.look_up() == [JANE], "once for both"


def test_an_order_told_again_asks_for_nobody(shop: ShopScene) -> None:
    shop.order(at=20, customer="17")
    shop.look_up()
    for at in (30, 40):
        assert shop.tell_from_store(shop.told[-1], at) == "duplicate"
    assert shop.look_up() == []


# --------------------------------------------------------------------------------------- watched


def test_an_agent_who_looks_has_old_data_fetched_and_no_younger(shop: ShopScene) -> None:
    shop.watch("sam-1", at=10 + STALE)
    assert shop.look_up() == []
    shop.watch("sam-1", at=10 + STALE + 0.000_001)
    assert shop.look_up() == [JANE]
    shop.watch("sam-1", at=shop.now + 15)
    assert shop.look_up() == []


def test_a_watch_that_is_renewed_while_it_waits_does_not_ask_again(shop: ShopScene) -> None:
    shop.now = DAY
    for _ in range(40):
        shop.watch("sam-1", at=shop.now + 15)
    assert shop.look_up() == [JANE]
    assert shop.look_up(at=shop.now + 60) == []


def test_however_many_browsers_agents_and_devices_it_is_asked_for_once(shop: ShopScene) -> None:
    for number in range(6):
        visitor, conversation = f"v{number}", f"C{number}"
        shop.view(1, at=20, page=visitor, visitor=visitor, conversation=conversation)
        shop.sign_in(visitor=visitor)
    shop.now = DAY
    for conversation in ("A", *(f"C{number}" for number in range(6))):
        for device in ("sam-1", "sam-2", "kim-1", "kim-2"):
            shop.watch(device, conversation=conversation)
    rev = shop.revision()
    assert shop.look_up() == [JANE]
    assert len(shop.synced(rev)) == 7, "and all are shown it"


def test_whom_an_agent_looks_at_comes_before_all_others(shop: ShopScene) -> None:
    shop.introduce(at=19, conversation="claim", visitor="v_claim")
    for number in (20, 21, 22):
        shop.view(1, at=number, page=f"p{number}", visitor=f"v{number}", conversation=f"C{number}")
        shop.sign_in(customer=f"{number}", visitor=f"v{number}")
    shop.watch("sam-1", conversation="C22")
    *accounts, claim = shop.look_up()
    assert [each.value for each in accounts] == ["22", "20", "21"]
    assert claim.kind is SubjectKind.CLAIMED, "what anybody may type comes last"


# -------------------------------------------------------------------------- what the store tells


def test_several_deliveries_cost_one_look_up_a_little_later(shop: ShopScene) -> None:
    for number in range(5):
        assert shop.changed(at=100 + number / 10, changed=90 + number, customer="17") == 1
    assert shop.look_up(at=100 + SETTLED - 0.001) == []
    assert shop.look_up(at=100 + SETTLED) == [JANE], "the first of them is not put off by others"
    assert shop.look_up(at=DAY) == []


def test_a_delivery_that_says_less_than_is_known_asks_for_nobody(shop: ShopScene) -> None:
    shop.changed(at=100, changed=95, customer="17")
    shop.look_up(at=110)
    for late in (94.0, 20.0, 0.0):
        shop.changed(at=shop.now + 10, changed=late, customer="17")
    assert shop.look_up(at=shop.now + 60) == []
    shop.changed(at=shop.now, changed=96, customer="17")
    assert shop.look_up(at=shop.now + 60) == [JANE]


def test_the_latest_of_deliveries_out_of_order_counts(shop: ShopScene) -> None:
    for changed in (97.0, 99.0, 98.0):
        shop.changed(at=100, changed=changed, customer="17")
    shop.look_up(at=110)
    shop.changed(at=120, changed=98, customer="17")
    assert shop.look_up(at=130) == []


def test_a_change_told_while_it_is_fetched_is_fetched_again(shop: ShopScene) -> None:
    """What is under way may have read what was there before."""
    shop.changed(at=100, changed=99, customer="17")
    shop.at(110)
    claimed = shop.bridge.look_ups.claim(failing=False)
    assert claimed is not None
    shop.changed(at=110, changed=109, customer="17")
    shop.bridge.look_ups.carry_out(claimed)
    assert shop.look_up(at=110 + SETTLED) == [JANE]
    assert shop.look_up(at=DAY) == []


def test_a_delivery_without_a_time_is_believed(shop: ShopScene) -> None:
    shop.changed(at=100, customer="17")
    assert shop.look_up(at=110) == [JANE]


def test_deliveries_of_strangers_concern_nobody_and_leave_nothing(shop: ShopScene) -> None:
    shop.feed()
    with shop.transactions() as begun:
        for number in range(50):
            assert shop.changed(customer=f"{number + 100}", email=f"{number}@x.example") == 0
        assert shop.changed(email="no address") == 0
        assert shop.changed(order="4711") == 0
    assert begun == [], "no writer is held up for them"
    assert shop.look_up(at=DAY) == []


def test_a_guests_order_is_told_by_its_address_alone(shop: ShopScene) -> None:
    shop.order(at=20, visitor="w")
    shop.introduce(at=21, conversation="C", visitor="x", email="JANE@shop.example")
    shop.look_up()
    assert shop.changed(at=100, changed=99, email="Jane@Shop.example") == 2
    assert set(shop.look_up(at=110)) == {GUEST, CLAIM}


def test_nothing_is_taken_from_a_delivery(shop: ShopScene) -> None:
    before, rev = shop.must_see(), shop.revision()
    shop.changed(at=100, changed=99, customer="17", email="other@shop.example")
    assert shop.must_see() == before
    assert shop.revision() == rev


def test_another_sites_deliveries_concern_nobody_here(shop: ShopScene) -> None:
    shop.add_site("st_2")
    changes = shop.bridge.services.store_changes
    change = shop.change(customer="17", email=EMAIL)
    assert changes.take("st_2", change, moment(100)) == 0
    assert changes.take(SITE, change, moment(100)) == 1

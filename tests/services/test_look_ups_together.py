"""Look-ups by real threads: several processes that ask, many browsers and agents that want (C4)."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bridge import dispatch
from bridge.bootstrap import Bridge
from bridge.domain.customer import Subject, SubjectKind
from bridge.ports import LookUpProblem
from tests.servers.waiting import wait_until
from tests.services.fake_store import JANE
from tests.services.scene import SITE, moment
from tests.services.shop import ShopScene

PROCESSES = 3
CUSTOMERS = [Subject(SubjectKind.CUSTOMER, f"{number}") for number in range(17, 22)]
LATER = 5_000.0


class Processes:
    """Several, over one database, each looking up by itself."""

    def __init__(self, shop: ShopScene) -> None:
        self.shop = shop
        others = [shop.another_process() for _ in range(PROCESSES - 1)]
        self.bridges: list[Bridge] = [shop.bridge, *others]
        self.threads = [
            dispatch.start(each.look_ups, f"look-ups {number}")
            for number, each in enumerate(self.bridges)
        ]

    def stop(self) -> None:
        if self.shop.store_behind.gate is not None:
            self.shop.store_behind.gate.set()
        for bridge, thread in zip(self.bridges, self.threads, strict=True):
            bridge.look_ups.end()
            thread.join(30)
            assert not thread.is_alive()
        wait_until(self._at_rest, "no look-up is under way")
        for bridge in self.bridges[1:]:
            bridge.database.dispose()

    def _at_rest(self) -> bool:
        return not any(each.name.startswith("look-ups") for each in threading.enumerate())


@pytest.fixture
def shop(tmp_path: Path, prepared: Path) -> Iterator[ShopScene]:
    """Five customers, each on two browsers with a chat."""
    with ShopScene.opened(tmp_path, prepared) as shop:
        for customer in CUSTOMERS:
            for browser in ("laptop", "phone"):
                name = f"{browser} {customer.value}"
                shop.view(1, at=1, page=name, visitor=name, conversation=name)
                shop.sign_in(at=2, customer=customer.value, visitor=name)
        yield shop


@pytest.fixture
def processes(shop: ShopScene) -> Iterator[Processes]:
    processes = Processes(shop)
    yield processes
    processes.stop()


def fetched(shop: ShopScene, subject: Subject, since: float) -> bool:
    """Whether a customer was looked up since, and waits no more."""
    customer = shop.customer(subject)
    if customer is None or customer.fetched_at is None or customer.due_at is not None:
        return False
    return customer.fetched_at >= moment(since)


def all_fetched(shop: ShopScene, since: float) -> None:
    wait_until(lambda: all(fetched(shop, each, since) for each in CUSTOMERS), "all were looked up")


def test_however_many_want_one_customer_is_asked_for_once(
    shop: ShopScene, processes: Processes
) -> None:
    all_fetched(shop, since=2)
    shop.store_behind.subjects()
    shop.store_behind.gate = threading.Event()
    shop.now = LATER
    asks = [
        (device, f"{browser} {customer.value}")
        for customer in CUSTOMERS
        for browser in ("laptop", "phone")
        for device in ("sam-1", "sam-2", "kim-1", "kim-2")
    ]
    watches = [each.services.watches for each in processes.bridges]

    def watch(number: int) -> None:
        device, conversation = asks[number % len(asks)]
        bridge = watches[number % PROCESSES]
        bridge.watch(shop.devices[device], conversation, moment(LATER))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(watch, range(3 * len(asks))))
    wait_until(lambda: shop.store_behind.asked, "the store is asked")
    shop.store_behind.gate.set()
    all_fetched(shop, since=LATER)
    assert sorted(shop.store_behind.subjects()) == CUSTOMERS
    assert set(shop.store_behind.most_at_once.values()) == {1}


def test_whatever_is_wanted_meanwhile_none_is_asked_for_twice_at_one_time_and_none_is_forgotten(
    shop: ShopScene, processes: Processes
) -> None:
    """Orders, changes, sign-ins and agents who look, all at once, while answers come."""
    records = shop.bridge.records

    def want(number: int) -> None:
        subject = CUSTOMERS[number % len(CUSTOMERS)]
        changes = processes.bridges[number % PROCESSES].services.store_changes
        with records.begin(SITE) as work:
            work.want_customer(subject, moment(LATER), moment(LATER), looked_at=number % 2 == 0)
        changes.take(SITE, shop.change(customer=subject.value), moment(LATER))

    shop.now = LATER
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(want, range(200)))
    # What was told of changes is due some seconds later.
    shop.now = LATER + 60
    for bridge in processes.bridges:
        bridge.look_ups.notice()
    all_fetched(shop, since=LATER)
    assert set(shop.store_behind.most_at_once.values()) == {1}


def test_a_store_that_hangs_holds_up_neither_another_nor_any_event(
    shop: ShopScene, processes: Processes
) -> None:
    all_fetched(shop, since=2)
    shop.store_behind.gate = threading.Event()
    shop.sign_in(at=LATER, customer="99", visitor="v")
    wait_until(lambda: len(shop.store_behind.asked) == 6, "the store is asked, and hangs")
    shop.add_site("st_2")
    shop.connect(site="st_2", rest_url="https://other.example/wp-json/")
    with shop.bridge.records.begin("st_2") as work:
        work.want_customer(JANE, moment(LATER), moment(LATER))
    wait_until(lambda: len(shop.store_behind.asked) == 7, "the other is asked meanwhile")
    shop.view(1, at=LATER, page="n")
    assert shop.must_see().id == "99", "nobody waits for the store"
    shop.watch("sam-1")
    assert shop.must_see().fetched_at is None


def test_a_store_that_fails_is_asked_again_by_itself_once_it_may_be(
    shop: ShopScene, processes: Processes
) -> None:
    all_fetched(shop, since=2)
    shop.store_behind.fail()
    shop.sign_in(at=LATER, customer="17", visitor="new")
    wait_until(
        lambda: shop.must_see("laptop 17").problem is LookUpProblem.UNREACHABLE,
        "agents are told of it",
    )
    shop.store_behind.recover()
    shop.now = LATER + 60
    wait_until(lambda: shop.must_see("laptop 17").problem is None, "and that it is over")

"""Stores that cannot be asked: who waits, for how long, and what is shown meanwhile (C4)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from unittest import mock

import pytest

from bridge.domain.customer import Subject, SubjectKind
from bridge.errors import UnavailableError
from bridge.ports import LookUpProblem, Profile
from bridge.services.look_ups import FIRST_WAIT, GIVE_UP_AFTER, LEASE, LONGEST_WAIT
from tests.services.fake_store import BOUGHT, EMAIL, JANE
from tests.services.scene import SITE, moment
from tests.services.shop import KEYS, ShopScene

KIM = Subject(SubjectKind.CUSTOMER, "18")
CLAIM = Subject(SubjectKind.CLAIMED, EMAIL)
FIRST, LONGEST = FIRST_WAIT.total_seconds(), LONGEST_WAIT.total_seconds()
A_DAY = GIVE_UP_AFTER.total_seconds()
STALE = 2_000.0


@pytest.fixture
def shop(tmp_path: Path, prepared: Path) -> Iterator[ShopScene]:
    """Jane is signed in and was looked up at 10."""
    with ShopScene.opened(tmp_path, prepared) as shop:
        shop.view(1, at=1)
        shop.sign_in(at=2)
        assert shop.look_up(at=10) == [JANE]
        yield shop


def attempts(shop: ShopScene, until: float, step: float = FIRST / 2) -> list[float]:
    """When the store is asked until that time, by a process that looks every so many seconds: as a
    rule, the shortest pause."""
    behind = shop.store_behind
    before = len(behind.asked)
    while shop.now <= until:
        shop.look_up()
        shop.now += step
    return [at for at, _ in behind.asked[before:]]


# --------------------------------------------------------------------------------------- pauses


@pytest.mark.parametrize(("chance", "share"), [(0.0, 0.5), (1.0, 1.0)])
def test_pauses_double_up_to_the_longest(shop: ShopScene, chance: float, share: float) -> None:
    shop.chance = chance
    shop.store_behind.fail()
    shop.watch("sam-1", at=STALE)
    asked = attempts(shop, until=STALE + 6_000)
    pauses = [after - before for before, after in pairwise(asked)]
    wanted = [min(FIRST * 2**number, LONGEST) * share for number in range(len(pauses))]
    assert len(pauses) > 8
    assert pauses == wanted


@pytest.mark.parametrize(
    ("asked_for", "waits"), [(1.0, FIRST), (60.0, 60.0), (LONGEST, LONGEST), (86_400.0, LONGEST)]
)
def test_a_store_that_asks_to_be_left_alone_is_within_reason(
    shop: ShopScene, asked_for: float, waits: float
) -> None:
    shop.store_behind.fail(LookUpProblem.BUSY, retry_after=asked_for)
    shop.watch("sam-1", at=STALE)
    shop.look_up()
    assert shop.look_up(at=STALE + waits - 0.001) == []
    assert shop.look_up(at=STALE + waits) == [JANE]


@pytest.mark.parametrize(
    "problem",
    [LookUpProblem.KEY_REFUSED, LookUpProblem.NOT_INSTALLED, LookUpProblem.NOT_CONNECTED],
)
def test_what_its_owner_must_mend_waits_longest_at_once(
    shop: ShopScene, problem: LookUpProblem
) -> None:
    shop.store_behind.fail(problem)
    shop.watch("sam-1", at=STALE)
    shop.look_up()
    assert shop.look_up(at=STALE + LONGEST - 1) == []
    assert shop.look_up(at=STALE + LONGEST) == [JANE]


def test_a_whole_store_that_fails_is_asked_by_one_of_its_customers_at_a_time(
    shop: ShopScene,
) -> None:
    for number in range(20, 30):
        shop.sign_in(at=20, customer=f"{number}", visitor=f"v{number}")
    shop.store_behind.fail()
    asked = attempts(shop, until=20 + FIRST * 7)
    assert len(asked) == 4, "at 20, 25, 35 and 55, whoever waits"


def test_one_customers_trouble_is_the_others_for_a_moment_at_most(shop: ShopScene) -> None:
    shop.store_behind.fail(LookUpProblem.BROKEN, JANE, of_customer=True)
    shop.watch("sam-1", at=STALE)
    for number in (18, 19, 20):
        shop.sign_in(customer=f"{number}", visitor=f"v{number}")
    asked = attempts(shop, until=STALE + 3 * FIRST)
    assert asked[:3] == [STALE, STALE + FIRST, STALE + 2 * FIRST]
    assert len(asked) == 6, "Jane thrice, at 0, 5 and 15, and the three others once between"
    health = shop.bridge.services.look_ups.health(SITE)
    assert (health.problem, health.attempts) == (None, 0), "the store is in order"
    assert shop.must_see().problem is LookUpProblem.BROKEN


def test_one_customers_trouble_waits_longer_each_time(shop: ShopScene) -> None:
    shop.store_behind.fail(LookUpProblem.BROKEN, JANE, of_customer=True)
    shop.watch("sam-1", at=STALE)
    asked = attempts(shop, until=STALE + 6_000)
    pauses = [after - before for before, after in pairwise(asked)]
    assert pauses == [min(FIRST * 2**number, LONGEST) for number in range(len(pauses))]


def test_a_fault_of_the_bridge_is_a_failure_like_another(shop: ShopScene) -> None:
    shop.store_behind.failing[None] = RuntimeError("nobody thought of that")
    shop.watch("sam-1", at=STALE)
    shop.look_up()
    assert shop.must_see().problem is LookUpProblem.BROKEN
    shop.store_behind.recover()
    assert shop.look_up(at=STALE + FIRST) == [JANE]
    assert shop.must_see().problem is None


def test_another_sites_trouble_is_its_own(shop: ShopScene) -> None:
    shop.add_site("st_2")
    with shop.bridge.records.begin("st_2") as work:
        work.want_customer(JANE, moment(20), moment(20))
    assert shop.look_up(at=20) == [], "it has given no key"
    shop.sign_in(at=21, customer="18", visitor="w")
    assert shop.look_up() == [KIM]


# --------------------------------------------------------------------------- what is shown of it


def test_the_last_known_data_stays_with_why_it_is_old_and_since_when(shop: ShopScene) -> None:
    behind = shop.store_behind
    shop.watch("sam-1", at=STALE)
    behind.fail(LookUpProblem.UNREACHABLE)
    shop.look_up()
    behind.fail(LookUpProblem.KEY_REFUSED)
    shop.look_up(at=STALE + FIRST)
    seen = shop.must_see()
    assert (seen.total_spent, seen.fetched_at) == (BOUGHT.total_spent, moment(10))
    assert (seen.problem, seen.failing_since) == (LookUpProblem.KEY_REFUSED, moment(STALE))
    behind.recover()
    behind.usual = Profile(known=True, total_spent="200.00")
    shop.look_up(at=STALE * 2)
    seen = shop.must_see()
    assert (seen.total_spent, seen.fetched_at) == ("200.00", moment(STALE * 2))
    assert (seen.problem, seen.failing_since) == (None, None)


def test_readers_are_told_of_each_problem_and_of_its_end(shop: ShopScene) -> None:
    stream = shop.join_agent("sam-1")
    shop.watch("sam-1", at=STALE)
    shop.feed()
    stream.read_all()
    told = []
    wait = 0.0
    for problem in (LookUpProblem.UNREACHABLE, LookUpProblem.KEY_REFUSED, None):
        shop.store_behind.recover()
        if problem is not None:
            shop.store_behind.fail(problem)
        rev = shop.revision()
        wait += LONGEST
        assert shop.look_up(at=STALE + wait) == [JANE]
        assert shop.synced(rev) == ["A"]
        shop.feed()
        shown = [said["customer"]["problem"] for name, said in stream.read_all() if name != "heard"]
        told.append(shown[-1] and shown[-1]["code"])
    assert told == ["unreachable", "key-refused", None]


def test_the_same_problem_again_and_again_is_no_news(shop: ShopScene) -> None:
    """A few times it is told once more, since the first word of it may have been lost."""
    shop.store_behind.fail()
    shop.watch("sam-1", at=STALE)
    shop.look_up()
    shop.leave("sam-1")
    asked = attempts(shop, until=STALE + 20 * FIRST)
    rev = shop.revision()
    asked += attempts(shop, until=STALE + 4_000)
    assert shop.revision() == rev
    assert len(asked) > 8


def test_a_problem_that_storage_kept_is_told_though_it_was_away_a_moment_later(
    shop: ShopScene,
) -> None:
    """Else readers would have another conversation than one who asks, until something changes."""
    shop.store_behind.fail()
    shop.watch("sam-1", at=STALE)
    claimed = shop.bridge.look_ups.claim(failing=False)
    assert claimed is not None
    shop.leave("sam-1")
    assert shop.must_see().problem is None
    rev = shop.revision()
    away = mock.patch.object(shop.bridge.records, "begin", side_effect=UnavailableError())
    with away, pytest.raises(UnavailableError):
        shop.bridge.look_ups.carry_out(claimed)
    shop.look_up(at=STALE + LEASE.total_seconds())
    assert shop.must_see().problem is LookUpProblem.UNREACHABLE
    assert shop.synced(rev) == ["A"]


def test_one_whom_an_agent_looks_at_while_the_store_fails_is_shown_to_wait(
    shop: ShopScene,
) -> None:
    shop.view(1, at=20, page="q", visitor="w", conversation="B")
    shop.sign_in(customer="18", visitor="w")
    shop.look_up()
    shop.store_behind.fail()
    shop.watch("sam-1", at=STALE)
    shop.look_up()
    assert shop.must_see("B").problem is None, "nobody looks"
    rev = shop.revision()
    shop.watch("kim-1", conversation="B")
    assert "B" in shop.synced(rev)
    seen = shop.must_see("B")
    assert (seen.problem, seen.failing_since) == (LookUpProblem.UNREACHABLE, moment(STALE))
    shop.store_behind.recover()
    shop.look_up(at=STALE + LONGEST)
    assert shop.must_see("B").problem is None


# ------------------------------------------------------------------------------------ giving up


def test_after_a_day_in_vain_the_store_is_left_alone_until_an_agent_looks(
    shop: ShopScene,
) -> None:
    shop.store_behind.fail()
    shop.watch("sam-1", at=STALE)
    asked = attempts(shop, until=STALE + A_DAY + 2 * LONGEST, step=60)
    assert asked[-1] >= STALE + A_DAY
    assert attempts(shop, until=shop.now + 2 * A_DAY, step=600) == []
    assert shop.must_see().problem is LookUpProblem.UNREACHABLE
    shop.watch("sam-1")
    assert shop.look_up() == [JANE]
    assert len(attempts(shop, until=shop.now + 3_600, step=60)) >= 3, "and a new day begins"
    shop.store_behind.recover()
    shop.look_up(at=shop.now + LONGEST)
    assert shop.must_see().problem is None


def test_or_the_store_says_that_they_changed(shop: ShopScene) -> None:
    shop.store_behind.fail(subject=JANE, of_customer=True)
    shop.watch("sam-1", at=STALE)
    attempts(shop, until=STALE + A_DAY + 2 * LONGEST, step=60)
    shop.changed(customer="17", changed=shop.now)
    assert shop.look_up(at=shop.now + 60) == [JANE]


# --------------------------------------------------------------------------------- without a key


@pytest.fixture
def keyless(shop: ShopScene) -> ShopScene:
    """The store has connected anew without a key, and Kim has come since."""
    shop.connect(at=20, woocommerce=None)
    shop.view(1, at=21, page="q", visitor="w", conversation="B")
    shop.sign_in(customer="18", visitor="w")
    return shop


def test_without_a_key_nobody_is_asked_and_agents_are_told_why(keyless: ShopScene) -> None:
    rev = keyless.revision()
    assert keyless.look_up() == []
    assert keyless.must_see("B").problem is LookUpProblem.NOT_CONNECTED
    assert keyless.synced(rev) == ["B"]
    keyless.watch("sam-1", at=STALE)
    for _ in range(100):
        assert keyless.look_up(at=keyless.now + 60) == []
    assert keyless.must_see("A").problem is LookUpProblem.NOT_CONNECTED
    assert keyless.must_see("A").total_spent == BOUGHT.total_spent


def test_a_shop_without_woocommerce_is_told_apart(keyless: ShopScene) -> None:
    keyless.connect(at=30, woocommerce=None, woocommerce_version=None)
    keyless.look_up()
    assert keyless.must_see("B").problem is LookUpProblem.NOT_INSTALLED


def test_with_a_key_whoever_waits_is_asked_for_at_once(keyless: ShopScene) -> None:
    keyless.connect(at=30)
    assert keyless.look_up() == [KIM]
    assert keyless.must_see("B").problem is None


def test_one_who_was_given_up_without_a_key_is_asked_for_when_looked_at(
    keyless: ShopScene,
) -> None:
    """A year of chats without a key must not become a day of questions with one."""
    keyless.look_up()
    keyless.connect(at=60)
    assert keyless.look_up() == []
    keyless.watch("sam-1", at=61, conversation="B")
    assert keyless.look_up() == [KIM]
    assert keyless.must_see("B").problem is None


def test_connecting_ends_the_wait_and_shows_the_new_key(shop: ShopScene) -> None:
    shop.store_behind.fail(LookUpProblem.KEY_REFUSED)
    shop.watch("sam-1", at=STALE)
    shop.look_up()
    shop.store_behind.recover()
    shop.connect(at=STALE + 5, woocommerce=KEYS | {"consumer_key": "ck_new"})
    assert shop.look_up() == [JANE]
    assert shop.store_behind.keys_shown[-1] == "ck_new"
    assert shop.must_see().problem is None


def test_an_answer_to_the_old_key_is_not_kept(shop: ShopScene) -> None:
    """It may be of another shop altogether."""
    shop.watch("sam-1", at=STALE)
    claimed = shop.bridge.look_ups.claim(failing=False)
    assert claimed is not None
    shop.connect()
    shop.store_behind.usual = Profile(known=True, total_spent="0.01")
    shop.bridge.look_ups.carry_out(claimed)
    assert shop.must_see().total_spent == BOUGHT.total_spent
    assert shop.look_up() == [JANE]


# ------------------------------------------------------------------------------------ bad moments


def test_a_kill_between_asking_and_keeping_costs_a_lease(shop: ShopScene) -> None:
    shop.watch("sam-1", at=STALE)
    dead = shop.bridge.look_ups.claim(failing=False)
    assert dead is not None
    shop.restart()
    assert shop.look_up(at=STALE + LEASE.total_seconds() - 1) == []
    assert shop.look_up(at=STALE + LEASE.total_seconds()) == [JANE]
    fetched = shop.must_see().fetched_at
    shop.bridge.look_ups.carry_out(dead)
    assert shop.must_see().fetched_at == fetched, "what the dead one knew came too late"


def test_storage_that_is_away_when_the_answer_comes_costs_a_lease(shop: ShopScene) -> None:
    shop.watch("sam-1", at=STALE)
    claimed = shop.bridge.look_ups.claim(failing=False)
    assert claimed is not None
    away = mock.patch.object(shop.bridge.records, "begin", side_effect=UnavailableError())
    with away, pytest.raises(UnavailableError):
        shop.bridge.look_ups.carry_out(claimed)
    assert shop.look_up(at=STALE + 5) == []
    assert shop.look_up(at=STALE + LEASE.total_seconds()) == [JANE]


def test_an_order_placed_while_the_store_is_asked_is_shown_whatever_it_answers(
    shop: ShopScene,
) -> None:
    """The answer may have been made before the order was there."""
    shop.watch("sam-1", at=STALE)
    claimed = shop.bridge.look_ups.claim(failing=False)
    assert claimed is not None
    shop.store_behind.answered = lambda: shop.order(at=STALE + 1, customer="17", number="1099")
    shop.bridge.look_ups.carry_out(claimed)
    last_order = shop.must_see(at=STALE + 2).last_order
    assert last_order is not None
    assert last_order.number == "1099"
    shop.store_behind.answered = None
    assert shop.look_up() == [JANE], "and the store is asked again"

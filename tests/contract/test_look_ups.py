"""Customers to look up: one at a time for each store, the looked at first, nobody lost (C4)."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings

from bridge.domain.customer import Subject, SubjectKind
from bridge.ports import (
    ClaimedLookUp,
    CustomerRecord,
    LookUpProblem,
    Profile,
    Records,
    StoreAccess,
    StoreHealth,
)
from bridge.records.database import Database
from bridge.records.look_ups import SqlLookUps
from bridge.records.tables import customers
from tests.contract import samples
from tests.contract.look_ups import (
    LEASE,
    claim,
    claimed_at,
    connect,
    customer,
    due,
    give_up,
    keep,
    known,
    put_off,
    want,
    who,
)
from tests.contract.samples import (
    JANE,
    JOHN,
    OTHER_SITE,
    SITE,
    moment,
    profile,
    store_connection,
)

ONE, TWO, THREE = customer(1), customer(2), customer(3)
MICROSECOND = timedelta(microseconds=1).total_seconds()


# ------------------------------------------------------------------------- one at a time


def test_one_at_a_time_for_each_store(records: Records, look_ups: SqlLookUps) -> None:
    for at, subject in enumerate((ONE, TWO)):
        want(records, subject, at)
        want(records, subject, at, site=OTHER_SITE)
    claims = [claimed_at(look_ups, 2), claimed_at(look_ups, 2)]
    assert {(each.site, each.subject) for each in claims} == {(SITE, ONE), (OTHER_SITE, ONE)}
    assert claim(look_ups, 2) is None
    own = next(each for each in claims if each.site == SITE)
    assert keep(records, own, 3)
    following = claimed_at(look_ups, 3)
    assert (following.site, following.subject) == (SITE, TWO)
    assert claim(look_ups, 3) is None


def test_nobody_wanted_is_nobody_claimed(records: Records, look_ups: SqlLookUps) -> None:
    assert claim(look_ups) is None
    connect(records)
    assert claim(look_ups, 1_000) is None


def test_the_site_that_waits_longest_comes_first(records: Records, look_ups: SqlLookUps) -> None:
    want(records, ONE, 2)
    want(records, TWO, 1, site=OTHER_SITE)
    assert [claimed_at(look_ups, 3).site for _ in range(2)] == [OTHER_SITE, SITE]


def test_who_is_due_later_is_claimed_later(records: Records, look_ups: SqlLookUps) -> None:
    want(records, ONE, 0, due=3)
    assert claim(look_ups, 3 - MICROSECOND) is None
    want(records, TWO, 1, due=2)
    assert who(claim(look_ups, 2 - MICROSECOND)) is None
    second = claimed_at(look_ups, 2)
    assert second.subject == TWO
    assert keep(records, second, 2)
    assert claim(look_ups, 3 - MICROSECOND) is None
    assert who(claim(look_ups, 3)) == "1"


def test_what_was_rolled_back_is_not_looked_up(records: Records, look_ups: SqlLookUps) -> None:
    class OwnError(Exception):
        pass

    def fail() -> None:
        with records.begin(SITE) as work:
            work.want_customer(ONE, moment(0), moment(0))
            raise OwnError

    with pytest.raises(OwnError):
        fail()
    assert claim(look_ups, 1_000) is None


# ----------------------------------------------------------------------- what is claimed


def test_a_claim_is_of_whom_was_wanted_with_the_stores_key(
    records: Records, look_ups: SqlLookUps
) -> None:
    connect(records, store=store_connection(rest_url="https://shop.example/?rest_route=/"))
    want(records, JOHN, 1, changed=0.5)
    claimed = claimed_at(look_ups, 2)
    assert (claimed.site, claimed.subject) == (SITE, JOHN)
    assert claimed.store == StoreAccess("https://shop.example/?rest_route=/", "ck_1", "cs_1")
    assert (claimed.attempts, claimed.customer_attempts) == (0, 0)
    assert (claimed.asked_since, claimed.changed_at) == (moment(1), moment(0.5))
    assert claimed.claimed_until == moment(2) + LEASE
    assert "ck_1" not in repr(claimed)
    assert "cs_1" not in repr(claimed)


@pytest.mark.parametrize("version", [None, "9.5.1"])
def test_a_store_without_a_key_is_claimed_with_the_reason(
    records: Records, look_ups: SqlLookUps, version: str | None
) -> None:
    connect(records, store=store_connection(woocommerce=None, woocommerce_version=version))
    want(records, ONE)
    reason = LookUpProblem.NOT_CONNECTED if version else LookUpProblem.NOT_INSTALLED
    assert claimed_at(look_ups).store == reason
    assert look_ups.health(SITE).problem == reason


def test_a_store_that_never_connected_has_no_key(records: Records, look_ups: SqlLookUps) -> None:
    want(records, ONE)
    assert claimed_at(look_ups).store == LookUpProblem.NOT_CONNECTED


# ------------------------------------------------------------------------- who is wanted


def test_many_who_want_one_at_once_are_one_look_up(records: Records, look_ups: SqlLookUps) -> None:
    for at in range(5):
        want(records, ONE, at)
    claimed = claimed_at(look_ups, 5)
    assert claimed.asked_since == moment(0)
    assert keep(records, claimed, 6)
    assert claim(look_ups, 1_000) is None


def test_wanted_while_being_looked_up_is_looked_up_again(
    records: Records, look_ups: SqlLookUps
) -> None:
    want(records, ONE)
    claimed = claimed_at(look_ups)
    want(records, ONE, 1, changed=1)
    assert claim(look_ups, 1) is None
    assert keep(records, claimed, 2)
    assert known(records, ONE).profile == profile()
    again = claimed_at(look_ups, 2)
    assert (again.subject, again.changed_at) == (ONE, moment(1))
    assert keep(records, again, 3)
    assert claim(look_ups, 1_000) is None


@pytest.mark.parametrize("due_after_claim", [59.0, 60.0, 61.0])
def test_wanted_for_later_while_being_looked_up_is_looked_up_then(
    records: Records, look_ups: SqlLookUps, due_after_claim: float
) -> None:
    want(records, ONE)
    claimed = claimed_at(look_ups)
    want(records, ONE, 58, due=due_after_claim, changed=58)
    assert keep(records, claimed, 58)
    assert claim(look_ups, due_after_claim - 0.5) is None
    assert who(claim(look_ups, due_after_claim)) == "1"


def test_wanted_while_a_look_up_fails_waits_for_the_store(
    records: Records, look_ups: SqlLookUps
) -> None:
    want(records, ONE)
    claimed = claimed_at(look_ups)
    want(records, ONE, 1)
    put_off(look_ups, claimed, 2, due=10, customer_due=500)
    assert claim(look_ups, 9, failing=True) is None
    assert who(claim(look_ups, 10, failing=True)) == "1"


def test_wanted_sooner_is_due_sooner_and_wanted_later_is_not_later(
    records: Records, look_ups: SqlLookUps
) -> None:
    want(records, ONE, 0, due=10)
    want(records, ONE, 1, due=20)
    assert due(records, ONE) == moment(10)
    want(records, ONE, 2, due=5)
    assert due(records, ONE) == moment(5)
    assert claim(look_ups, 4) is None
    assert who(claim(look_ups, 5)) == "1"


def test_those_an_agent_looks_at_come_first(records: Records, look_ups: SqlLookUps) -> None:
    for at, subject in enumerate((ONE, TWO, THREE)):
        want(records, subject, at)
    want(records, customer(4), 3, looked_at=True)
    want(records, THREE, 4, looked_at=True)
    order = []
    while claimed := claim(look_ups, 5):
        order.append(who(claimed))
        assert keep(records, claimed, 5)
    assert order == ["3", "4", "1", "2"]


def test_a_look_at_one_who_is_coming_adds_but_the_place_in_the_row(
    records: Records, look_ups: SqlLookUps
) -> None:
    want(records, ONE, 0, due=10)
    want(records, ONE, 1, looked_at=True)
    assert due(records, ONE) == moment(10)
    assert claim(look_ups, 9) is None
    claimed = claimed_at(look_ups, 10)
    assert claimed.asked_since == moment(0)
    want(records, ONE, 11, looked_at=True)
    assert keep(records, claimed, 12)
    assert claim(look_ups, 1_000) is None


def test_a_look_does_not_shorten_a_wait_after_a_failure(
    records: Records, look_ups: SqlLookUps
) -> None:
    want(records, ONE)
    put_off(look_ups, claimed_at(look_ups), 1, due=10, customer_due=100)
    want(records, ONE, 20, looked_at=True)
    for failing in (False, True):
        assert claim(look_ups, 99, failing=failing) is None
    assert who(claim(look_ups, 100, failing=True)) == "1"


def test_once_looked_up_an_agents_look_gives_no_place_any_more(
    records: Records, look_ups: SqlLookUps
) -> None:
    want(records, ONE, looked_at=True)
    assert keep(records, claimed_at(look_ups), 1)
    want(records, TWO, 2)
    want(records, ONE, 3, changed=3)
    assert who(claim(look_ups, 3)) == "2"


# ------------------------------------------------------------------- what the store told of


@pytest.mark.parametrize(
    ("changed", "asked"), [(4.999999, False), (5.0, True), (5.000001, True), (None, True)]
)
def test_a_change_that_was_fetched_is_none(
    records: Records, look_ups: SqlLookUps, changed: float | None, *, asked: bool
) -> None:
    # Deliveries come in any order; of two in one second the store's clock tells no difference.
    want(records, ONE, 6, changed=5)
    assert keep(records, claimed_at(look_ups, 6), 7)
    want(records, ONE, 8, changed=changed)
    assert (due(records, ONE) is not None) is asked
    assert (claim(look_ups, 8) is not None) is asked


def test_the_latest_change_is_the_one_that_was_fetched(
    records: Records, look_ups: SqlLookUps
) -> None:
    for changed in (7, 5, 6):
        want(records, ONE, 8, changed=changed)
    claimed = claimed_at(look_ups, 8)
    assert claimed.changed_at == moment(7)
    assert keep(records, claimed, 9)
    want(records, ONE, 10, changed=6)
    assert claim(look_ups, 10) is None
    # Wanted for another reason, it is known as before how new it was.
    want(records, ONE, 11)
    assert keep(records, claimed_at(look_ups, 11), 11)
    want(records, ONE, 12, changed=6)
    assert claim(look_ups, 12) is None
    want(records, ONE, 13, changed=8)
    assert who(claim(look_ups, 13)) == "1"


def test_a_change_during_a_look_up_was_not_fetched_by_it(
    records: Records, look_ups: SqlLookUps
) -> None:
    want(records, ONE, changed=0)
    claimed = claimed_at(look_ups)
    want(records, ONE, 2, due=5, changed=1)
    assert keep(records, claimed, 3)
    want(records, ONE, 4, due=7, changed=1)
    assert claimed_at(look_ups, 5).changed_at == moment(1)


# ------------------------------------------------------------------------- claims end


def test_one_killed_at_work_leaves_it_to_the_next_at_the_leases_end(
    records: Records, look_ups: SqlLookUps
) -> None:
    want(records, ONE)
    want(records, TWO, 1)
    dead = claimed_at(look_ups, 1)
    assert claim(look_ups, 61 - MICROSECOND) is None
    want(records, THREE, 30)
    assert claim(look_ups, 61 - MICROSECOND) is None
    alive = claimed_at(look_ups, 61)
    assert (alive.subject, alive.asked_since) == (TWO, moment(1))
    assert keep(records, alive, 62)
    # Who comes back from the dead changes nothing.
    assert not keep(records, dead, 63, profile("Late"))
    put_off(look_ups, dead, 63, due=900)
    assert look_ups.health(SITE) == StoreHealth(
        problem=LookUpProblem.NOT_CONNECTED, reached_at=moment(62)
    )
    assert known(records, ONE).profile is None
    left = [claimed_at(look_ups, 63)]
    assert keep(records, left[0], 63)
    left.append(claimed_at(look_ups, 63))
    assert {each.subject for each in left} == {ONE, THREE}


def test_a_claim_that_nobody_took_over_may_still_be_kept_late(
    records: Records, look_ups: SqlLookUps
) -> None:
    want(records, ONE)
    late = claimed_at(look_ups)
    assert keep(records, late, 600)
    assert claim(look_ups, 600) is None
    assert not keep(records, late, 601, profile("Twice"))
    assert known(records, ONE).profile == profile()


# --------------------------------------------------------------------- what comes of it


def test_what_the_store_answered_is_kept(records: Records, look_ups: SqlLookUps) -> None:
    connect(records)
    want(records, JANE)
    assert known(records, JANE) == CustomerRecord(JANE.key, due_at=moment(0))
    assert keep(records, claimed_at(look_ups), 2)
    assert known(records, JANE) == CustomerRecord(JANE.key, profile(), moment(2))
    assert look_ups.health(SITE) == StoreHealth(reached_at=moment(2))


@settings(
    deadline=None,
    max_examples=40,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(told=samples.profiles)
def test_a_profile_keeps_every_field(records: Records, look_ups: SqlLookUps, told: Profile) -> None:
    want(records, JANE)
    assert keep(records, claimed_at(look_ups), 1, told)
    assert known(records, JANE).profile == told


def test_a_customer_who_is_not_kept_is_none(records: Records) -> None:
    with records.begin(SITE) as work:
        assert work.customer(JANE.key) is None


def test_failures_keep_what_is_known_and_say_since_when(
    records: Records, look_ups: SqlLookUps
) -> None:
    connect(records)
    want(records, ONE)
    assert keep(records, claimed_at(look_ups), 1)
    want(records, ONE, 10)
    first = claimed_at(look_ups, 10)
    put_off(look_ups, first, 11, due=20)
    second = claimed_at(look_ups, 20, failing=True)
    assert (second.attempts, second.customer_attempts, second.asked_since) == (1, 1, moment(10))
    put_off(look_ups, second, 21, due=40, problem=LookUpProblem.KEY_REFUSED)
    assert known(records, ONE) == CustomerRecord(
        ONE.key, profile(), moment(1), moment(40), LookUpProblem.KEY_REFUSED, moment(11)
    )
    assert look_ups.health(SITE) == StoreHealth(2, LookUpProblem.KEY_REFUSED, moment(11), moment(1))
    third = claimed_at(look_ups, 40, failing=True)
    assert (third.attempts, third.customer_attempts) == (2, 2)
    assert keep(records, third, 41, profile("Jane Roe"))
    assert known(records, ONE) == CustomerRecord(ONE.key, profile("Jane Roe"), moment(41))
    assert look_ups.health(SITE) == StoreHealth(reached_at=moment(41))
    want(records, ONE, 50)
    assert claimed_at(look_ups, 50).attempts == 0


def test_stores_that_failed_last_are_apart(records: Records, look_ups: SqlLookUps) -> None:
    want(records, ONE)
    want(records, ONE, 1, site=OTHER_SITE)
    put_off(look_ups, claimed_at(look_ups, 1), 1, due=2)
    assert claimed_at(look_ups, 2).site == OTHER_SITE
    assert claim(look_ups, 2) is None
    assert claimed_at(look_ups, 2, failing=True).site == SITE


def test_the_wait_of_a_store_holds_all_its_customers(
    records: Records, look_ups: SqlLookUps
) -> None:
    want(records, ONE)
    put_off(look_ups, claimed_at(look_ups), 1, due=30)
    want(records, TWO, 2)
    want(records, THREE, 3, looked_at=True)
    for failing in (False, True):
        assert claim(look_ups, 30 - MICROSECOND, failing=failing) is None
    assert who(claim(look_ups, 30, failing=True)) == "3"


def test_the_wait_of_a_customer_holds_no_other(records: Records, look_ups: SqlLookUps) -> None:
    want(records, ONE)
    put_off(look_ups, claimed_at(look_ups), 1, due=6, customer_due=900)
    want(records, TWO, 2)
    second = claimed_at(look_ups, 6, failing=True)
    assert second.subject == TWO
    assert keep(records, second, 7)
    assert claim(look_ups, 899) is None
    assert who(claim(look_ups, 900)) == "1"


def test_nor_one_who_is_wanted_once_the_store_need_not_be_spared_any_more(
    records: Records, look_ups: SqlLookUps
) -> None:
    want(records, ONE)
    put_off(look_ups, claimed_at(look_ups), 1, due=6, customer_due=900)
    # The store's turn comes, and nobody is there.
    assert claim(look_ups, 6, failing=True) is None
    want(records, TWO, 7)
    assert who(claimed_at_any(look_ups, 8)) == "2"


def test_one_who_is_given_up_is_asked_for_when_wanted_again(
    records: Records, look_ups: SqlLookUps
) -> None:
    day = 86_400
    want(records, ONE)
    give_up(look_ups, claimed_at(look_ups), 1, due=10)
    for failing in (False, True):
        assert claim(look_ups, day, failing=failing) is None
    assert due(records, ONE) is None
    assert known(records, ONE).problem == LookUpProblem.BROKEN
    want(records, ONE, day)
    again = claimed_at(look_ups, day + 10, failing=True)
    assert again.asked_since == moment(day), "its time to be given up begins anew"
    assert keep(records, again, day + 11)
    assert known(records, ONE).problem is None


def test_giving_up_one_leaves_the_others_their_turn(records: Records, look_ups: SqlLookUps) -> None:
    want(records, ONE)
    want(records, TWO, 1)
    give_up(look_ups, claimed_at(look_ups, 1), 1, due=10)
    assert claim(look_ups, 9, failing=True) is None
    assert who(claim(look_ups, 10, failing=True)) == "2"


# ------------------------------------------------------------------------- connecting


def test_connecting_ends_every_wait(records: Records, look_ups: SqlLookUps) -> None:
    want(records, ONE)
    put_off(look_ups, claimed_at(look_ups), 1, due=900, problem=LookUpProblem.NOT_CONNECTED)
    connect(records, 5)
    claimed = claimed_at(look_ups, 5)
    assert (claimed.subject, claimed.attempts, claimed.customer_attempts) == (ONE, 0, 0)
    assert claimed.asked_since == moment(5)
    assert isinstance(claimed.store, StoreAccess)


def test_connecting_asks_for_those_who_wait_and_no_others(
    records: Records, look_ups: SqlLookUps
) -> None:
    want(records, ONE)
    assert keep(records, claimed_at(look_ups), 0)
    want(records, TWO, 1)
    give_up(look_ups, claimed_at(look_ups, 1), 1, due=900)
    connect(records, 5)
    assert claim(look_ups, 1_000) is None, "else a store that connects is asked for all at once"
    want(records, TWO, 1_000)
    put_off(look_ups, claimed_at(look_ups, 1_000), 1_000, due=1_900)
    connect(records, 1_001)
    assert claimed_at(look_ups, 1_001).subject == TWO


def test_connecting_another_store_wakes_nobody(records: Records, look_ups: SqlLookUps) -> None:
    want(records, ONE)
    put_off(look_ups, claimed_at(look_ups), 1, due=900)
    connect(records, 5, OTHER_SITE)
    for failing in (False, True):
        assert claim(look_ups, 899, failing=failing) is None


@pytest.mark.parametrize("failures", [0, 1, 3])
def test_connecting_while_the_store_is_asked_in_vain_ends_the_wait_too(
    records: Records, look_ups: SqlLookUps, failures: int
) -> None:
    want(records, ONE)
    for _ in range(failures):
        put_off(look_ups, claimed_at_any(look_ups, 1), 1, due=1)
    claimed = claimed_at_any(look_ups, 1)
    connect(records, 2)
    # What failed may have been the old key.
    put_off(look_ups, claimed, 3, due=900, problem=LookUpProblem.KEY_REFUSED)
    again = claimed_at(look_ups, 3)
    assert (again.subject, again.attempts) == (ONE, 0)


def test_connecting_while_the_store_answers_asks_once_more(
    records: Records, look_ups: SqlLookUps
) -> None:
    want(records, ONE)
    claimed = claimed_at(look_ups)
    connect(records, 1)
    keep(records, claimed, 2)
    again = claimed_at(look_ups, 2)
    assert again.subject == ONE
    assert keep(records, again, 3)
    assert claim(look_ups, 1_000) is None


def claimed_at_any(look_ups: SqlLookUps, at: float) -> ClaimedLookUp:
    claimed = claim(look_ups, at) or claim(look_ups, at, failing=True)
    assert claimed is not None
    return claimed


# -------------------------------------------------------------------------- who is known


def test_who_is_known_of_those_named_and_by_their_last_order(
    records: Records, look_ups: SqlLookUps
) -> None:
    want(records, ONE)
    assert keep(records, claimed_at(look_ups), 0, profile(number="1042"))
    want(records, JOHN, 1)
    want(records, TWO, 2, site=OTHER_SITE)
    keys = [ONE.key, TWO.key, JOHN.key, Subject(SubjectKind.CLAIMED, JOHN.value).key]
    assert records.customers_known(SITE, keys, None) == sorted([ONE.key, JOHN.key])
    assert records.customers_known(OTHER_SITE, keys, None) == [TWO.key]
    assert records.customers_known(SITE, [], "77") == [ONE.key]
    assert records.customers_known(SITE, [ONE.key], "77") == [ONE.key]
    # By its id, not by its number.
    assert records.customers_known(SITE, [], "1042") == []
    assert records.customers_known(OTHER_SITE, [], "77") == []
    assert records.customers_known(SITE, [], None) == []


def test_the_customer_is_removed_with_the_site(
    records: Records, database: Database, look_ups: SqlLookUps
) -> None:
    want(records, ONE)
    with database.writing() as connection:
        connection.exec_driver_sql("DELETE FROM sites")
        assert connection.scalar(sa.select(sa.func.count()).select_from(customers)) == 0
    assert claim(look_ups, 10) is None

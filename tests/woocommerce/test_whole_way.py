"""Asking a simulated WooCommerce over real HTTP and HTTPS, with the key checked, on good days and
on bad ones."""

from __future__ import annotations

import logging
import threading
from datetime import UTC, datetime, timedelta

import pytest

from bridge.domain.customer import Subject, SubjectKind
from bridge.ports import LookUpError, LookUpProblem, Profile, StoreAccess
from bridge.stores import line
from bridge.woocommerce import rest
from bridge.woocommerce.client import HttpCustomerReader
from tests.servers.ports import free_port
from tests.servers.woocommerce import Analytics, WooCommerceStore, faults, woocommerce_store

CLAIM = Subject(SubjectKind.CLAIMED, "jane@example.test")


def look_up(store: WooCommerceStore, subject: Subject, *, now: datetime | None = None) -> Profile:
    reader = HttpCustomerReader(allow_private=True, verify=store.verify)
    access = StoreAccess(store.rest_url, store.consumer_key, store.consumer_secret)
    return reader.look_up(access, subject, now or datetime.now(UTC))


def failure(store: WooCommerceStore, subject: Subject = CLAIM) -> tuple[LookUpProblem, str]:
    with pytest.raises(LookUpError) as failed:
        look_up(store, subject)
    return failed.value.problem, failed.value.reason


@pytest.mark.parametrize("https", [False, True], ids=["oauth", "basic"])
@pytest.mark.parametrize("subfolder", ["", "/shop/de"])
@pytest.mark.parametrize("plain_permalinks", [False, True], ids=["pretty", "plain"])
@pytest.mark.parametrize(
    "email",
    [
        "jane@example.test",
        "jane+mugs@example.test",
        "j%61ne@example.test",
        "o'hara&co=1?x#y/z*~!$@example.test",
        "o'jane_{x}!@example.test",
    ],
)
def test_a_customer_a_guest_and_a_claim(
    https: bool, subfolder: str, plain_permalinks: bool, email: str
) -> None:
    with woocommerce_store(
        https=https, subfolder=subfolder, plain_permalinks=plain_permalinks
    ) as store:
        jane = store.add_customer("owner@example.test", "Jane 👩\u200d💻", "حداد")
        store.add_order("owner@example.test", "20.50", customer_id=jane, currency="EUR")
        store.add_order("owner@example.test", "4.50", customer_id=jane, number="N-1042")
        store.add_order(email.upper(), "1200", currency="JPY", first_name="Gus", last_name="Käse")
        store.add_order(f"x{email}", "7.00")

        found = look_up(store, Subject(SubjectKind.CUSTOMER, str(jane)))
        assert (found.name, found.email) == ("Jane 👩\u200d💻 حداد", "owner@example.test")
        assert (found.orders_count, found.total_spent) == (2, "25.00")
        assert found.last_order is not None
        assert found.last_order.number == "N-1042"

        guest = look_up(store, Subject(SubjectKind.GUEST, email))
        assert (guest.name, guest.orders_count) == ("Gus Käse", 1)
        assert (guest.total_spent, guest.currency) == ("1200", "JPY")

        claim = look_up(store, Subject(SubjectKind.CLAIMED, email))
        assert claim == Profile(known=True, orders_count=1)

        store.analytics = "missing"
        guest = look_up(store, Subject(SubjectKind.GUEST, email))
        assert (guest.orders_count, guest.total_spent) == (1, None)
        claim = look_up(store, Subject(SubjectKind.CLAIMED, email))
        assert claim == Profile(known=True, orders_count=1)
        assert {each.method for each in store.requests} == {"GET"}
        assert all(each.has_credentials for each in store.requests)


def test_a_customer_who_is_deleted() -> None:
    with woocommerce_store() as store:
        jane = store.add_customer("jane@example.test")
        store.add_order("jane@example.test", customer_id=jane)
        subject = Subject(SubjectKind.CUSTOMER, str(jane))
        assert look_up(store, subject).known
        store.remove_customer(jane)
        assert look_up(store, subject) == Profile(known=False)


@pytest.mark.parametrize("analytics", ["here", "missing", "forbidden"])
def test_two_accounts_with_one_address(analytics: Analytics) -> None:
    """WordPress does not allow it, and plugins make it possible."""
    with woocommerce_store() as store:
        store.analytics = analytics
        accounts = [store.add_customer("jane@example.test", "Jane", each) for each in "AB"]
        for account in (*accounts, accounts[1], 0):
            store.add_order("jane@example.test", "10.00", customer_id=account)
        names = [look_up(store, Subject(SubjectKind.CUSTOMER, str(each))).name for each in accounts]
        counts = [
            look_up(store, Subject(SubjectKind.CUSTOMER, str(each))).orders_count
            for each in accounts
        ]
        assert (names, counts) == (["Jane A", "Jane B"], [1, 2])
        assert look_up(store, Subject(SubjectKind.GUEST, "jane@example.test")).orders_count == 1
        assert look_up(store, CLAIM) == Profile(known=True, orders_count=4)


def test_one_address_among_many_that_contain_it() -> None:
    with woocommerce_store() as store:
        for each in range(60):
            store.add_order(f"{each}jane@example.test")
        store.add_order("jane@example.test")
        for each in range(150):
            store.add_customer(f"{each}jane@example.test")
        assert look_up(store, CLAIM) == Profile(known=True, orders_count=1)


@pytest.mark.parametrize("role", ["administrator", "shop_manager", "subscriber"])
def test_who_has_another_role_is_found_too(role: str) -> None:
    with woocommerce_store() as store:
        store.add_customer("jane@example.test", role=role)
        assert look_up(store, CLAIM) == Profile(known=True, orders_count=0)


@pytest.mark.parametrize("status", ["checkout-draft", "auto-draft", "trash"])
@pytest.mark.parametrize("analytics", ["here", "missing"])
def test_a_draft_makes_nobody_known(status: str, analytics: Analytics) -> None:
    with woocommerce_store() as store:
        store.analytics = analytics
        draft = store.add_order("jane@example.test", status=status)
        guest = Subject(SubjectKind.GUEST, "jane@example.test")
        assert look_up(store, guest) == Profile(known=False)
        assert look_up(store, CLAIM) == Profile(known=False)
        store.change_order(draft, status="processing")
        assert look_up(store, guest).orders_count == 1


def test_drafts_are_not_counted() -> None:
    with woocommerce_store() as store:
        store.analytics = "missing"
        jane = Subject(SubjectKind.CUSTOMER, str(store.add_customer("jane@example.test")))
        for placed in range(1, 8):
            store.add_order("jane@example.test", customer_id=int(jane.value))
            draft = store.add_order(
                "jane@example.test", customer_id=int(jane.value), status="checkout-draft"
            )
            assert look_up(store, jane).orders_count == placed
            store.change_order(draft, status="trash")


def test_ten_thousand_orders_are_asked_for_five_at_a_time() -> None:
    with woocommerce_store() as store:
        store.analytics = "missing"
        jane = store.add_customer("jane@example.test")
        for _ in range(10_000):
            store.add_order("jane@example.test", "0.10", customer_id=jane)
        assert look_up(store, Subject(SubjectKind.CUSTOMER, str(jane))).orders_count == 10_000
        assert len(store.requests) == 3
        assert store.requests[-1].query["per_page"] == "5"


def test_look_ups_at_one_time_do_not_use_one_nonce() -> None:
    with woocommerce_store() as store:
        at = datetime.now(UTC)
        found: list[Profile] = []
        asking = [
            threading.Thread(target=lambda: found.append(look_up(store, CLAIM, now=at)))
            for _ in range(20)
        ]
        for each in asking:
            each.start()
        for each in asking:
            each.join(30)
        assert found == [Profile(known=False)] * 20


# --------------------------------------------------------------------------------- bad keys


@pytest.mark.parametrize("https", [False, True], ids=["oauth", "basic"])
@pytest.mark.parametrize("part", ["consumer_key", "consumer_secret"])
def test_a_key_that_is_not_good_any_more(https: bool, part: str) -> None:
    with woocommerce_store(https=https) as store:
        setattr(store, part, "xx_revoked")
        for kind, value in (("customer", "2"), ("guest", "a@b.test"), ("claimed", "a@b.test")):
            problem, reason = failure(store, Subject(SubjectKind(kind), value))
            assert (problem, reason) == (LookUpProblem.KEY_REFUSED, "it answered 401")


def test_a_store_whose_clock_is_wrong() -> None:
    """Over plain HTTP it takes no signature of another time than its own."""
    with woocommerce_store() as store:
        store.clock = (datetime.now(UTC) + timedelta(minutes=16)).timestamp
        assert failure(store)[0] is LookUpProblem.KEY_REFUSED


# ---------------------------------------------------------------------------------- bad days


@pytest.mark.parametrize("https", [False, True], ids=["oauth", "basic"])
def test_credentials_are_not_taken_elsewhere(https: bool) -> None:
    with woocommerce_store() as elsewhere, woocommerce_store(https=https) as store:
        for there in (elsewhere.rest_url, store.rest_url):
            store.fail(faults.redirect(there))
            reason = "it answered 301: redirects are not followed"
            assert failure(store) == (LookUpProblem.BROKEN, reason)
        assert elsewhere.requests == []
        assert len(store.requests) == 2


def test_what_a_redirect_says_is_not_read() -> None:
    """It may be of any size, or be that once it is unpacked."""
    sent = 0

    def endless(peer: faults.Peer) -> None:
        nonlocal sent
        headers = {"Location": "http://elsewhere.example/", "Content-Length": "1000000000"}
        peer.begin(302, headers)
        while not peer.ending.is_set():
            peer.send(b"x" * 65_536)
            sent += 65_536

    with woocommerce_store() as store:
        store.fail(endless)
        assert failure(store)[0] is LookUpProblem.BROKEN
    assert sent < 100_000_000


@pytest.mark.parametrize("https", [False, True], ids=["oauth", "basic"])
@pytest.mark.parametrize("fault", [faults.says_nothing, faults.drips])
def test_no_answer_takes_longer_than_its_time(
    monkeypatch: pytest.MonkeyPatch, fault: faults.Fault, https: bool
) -> None:
    monkeypatch.setattr(rest, "REQUEST_SECONDS", 0.3)
    with woocommerce_store(https=https) as store:
        store.fail(fault)
        assert failure(store) == (LookUpProblem.UNREACHABLE, "no answer in time")


def test_a_name_that_is_looked_up_for_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rest, "REQUEST_SECONDS", 0.2)
    over = threading.Event()

    def slow(host: str) -> list[str]:
        assert over.wait(30)
        return [host]

    monkeypatch.setattr(line, "look_up", slow)
    with woocommerce_store() as store:
        reason = "its name could not be looked up in time"
        assert failure(store) == (LookUpProblem.UNREACHABLE, reason)
        over.set()
        assert store.requests == []


def test_a_refusal_that_drips(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rest, "REQUEST_SECONDS", 0.3)

    def drips(peer: faults.Peer) -> None:
        peer.begin(404, {})
        while not peer.ending.wait(0.01):
            peer.send(b" ")

    with woocommerce_store() as store:
        store.fail(drips)
        assert failure(store) == (LookUpProblem.UNREACHABLE, "no answer in time")


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (faults.floods, "its answer is too large"),
        (faults.gzip_bomb, "its answer is packed, which was not asked for"),
        (faults.breaks_off, "its answer broke off"),
        (faults.answer(200, b"<html>"), "its answer is of no use: it is no JSON"),
        (faults.wordpress_error(500, "internal_server_error"), "it answered 500"),
    ],
)
def test_answers_that_are_none(fault: faults.Fault, reason: str) -> None:
    with woocommerce_store() as store:
        store.fail(fault)
        assert failure(store) == (LookUpProblem.BROKEN, reason)
        store.recover()
        assert look_up(store, CLAIM) == Profile(known=False)


def test_a_store_that_has_no_woocommerce() -> None:
    with woocommerce_store() as store:
        store.fail(faults.wordpress_error(404, "rest_no_route"))
        assert failure(store)[0] is LookUpProblem.NOT_INSTALLED


def test_a_store_that_wants_to_be_left_alone() -> None:
    with woocommerce_store() as store:
        store.fail(faults.answer(429, headers={"Retry-After": "30"}))
        with pytest.raises(LookUpError) as failed:
            look_up(store, CLAIM)
    assert failed.value.problem is LookUpProblem.BUSY
    assert failed.value.retry_after == timedelta(seconds=30)


def test_a_certificate_that_is_not_accepted() -> None:
    with woocommerce_store(https=True) as store:
        store.verify = True
        reason = "its certificate is not accepted"
        assert failure(store) == (LookUpProblem.UNREACHABLE, reason)


def test_nobody_listens() -> None:
    with woocommerce_store() as store:
        store.origin = f"http://127.0.0.1:{free_port()}"
        reason = "no connection: Connection refused"
        assert failure(store) == (LookUpProblem.UNREACHABLE, reason)


def test_nothing_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """But by urllib3, which the process keeps quiet (``bridge.logs``)."""
    with woocommerce_store() as store, caplog.at_level(logging.DEBUG):
        store.add_customer("jane@example.test")
        look_up(store, CLAIM)
        for fault in (faults.breaks_off, faults.answer(401), faults.answer(302)):
            store.fail(fault)
            failure(store)
    assert {each.name for each in caplog.records} <= {"urllib3.connectionpool"}

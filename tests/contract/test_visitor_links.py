"""Whom visitors were ever linked to: what is proven stays, what is typed follows (C1, C3)."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.domain.customer import Links, PlacedOrder, SignedIn, Typed, email_address
from bridge.ports import Records, VisitorRecord
from bridge.records.look_ups import SqlLookUps
from tests.contract.look_ups import claimed_at, customer, keep, want
from tests.contract.samples import (
    JANE,
    OTHER_SITE,
    SITE,
    START,
    conversation,
    moment,
    profile,
)

JANES = SignedIn("1", "Jane@Shop.example", "Jane")
GUESTS = PlacedOrder("7", "7", "1", "EUR", email="guest@shop.example")
BUYERS = replace(GUESTS, customer_id="9", email="Buyer@Shop.example ")


def save(records: Records, links: Links, visitor: str = "v", site: str = SITE) -> None:
    """The visitor is known by these links, of which what is proven comes as evidence."""
    with records.begin(site) as work:
        for evidence in (links.signed_in, links.order):
            if evidence is not None:
                work.keep_evidence(visitor, evidence)
        work.save_visitor(VisitorRecord(visitor, links=links), START)


def linked(records: Records, *subjects: str, site: str = SITE) -> list[str]:
    with records.begin(site) as work:
        return work.linked_visitors(subjects)


def typed(email: str) -> Links:
    return Links(email=Typed(email))


def test_each_account_and_email_leads_to_the_visitor(records: Records) -> None:
    save(records, Links(JANES, BUYERS, Typed("Typed@Shop.example")))
    for subject in (
        "customer:1",
        "customer:9",
        "email:jane@shop.example",
        "email:buyer@shop.example",
    ):
        assert linked(records, subject) == ["v"], subject
    assert linked(records, "email:typed@shop.example") == ["v"]
    assert linked(records, "customer:2", "email:Jane@Shop.example", "customer:") == []
    assert linked(records) == []
    assert linked(records, "customer:1", site=OTHER_SITE) == []


def test_what_was_proven_once_stays(records: Records) -> None:
    save(records, Links(JANES, GUESTS))
    save(records, Links(signed_in=SignedIn("2", "kim@shop.example")))
    for subject in ("customer:1", "customer:2", "email:jane@shop.example"):
        assert linked(records, subject) == ["v"]
    assert linked(records, "email:guest@shop.example") == ["v"]
    save(records, Links())
    assert linked(records, "customer:1", "email:guest@shop.example") == ["v"]


def test_what_is_typed_is_as_it_was_typed_last(records: Records) -> None:
    save(records, typed("one@shop.example"))
    save(records, typed("two@shop.example"))
    assert linked(records, "email:one@shop.example") == []
    assert linked(records, "email:two@shop.example") == ["v"]
    save(records, Links())
    assert linked(records, "email:two@shop.example") == []


def test_what_was_typed_and_is_proven_then_is_proven(records: Records) -> None:
    save(records, typed("jane@shop.example"))
    save(records, replace(typed("jane@shop.example"), signed_in=JANES))
    assert linked(records, "email:jane@shop.example") == ["v"]
    save(records, typed("another@shop.example"))
    assert linked(records, "email:jane@shop.example") == ["v"]
    # Typed after it was proven, it is no less so.
    save(records, typed("jane@shop.example"))
    save(records, Links())
    assert linked(records, "email:jane@shop.example") == ["v"]


def test_what_is_no_email_leads_to_nobody(records: Records) -> None:
    save(records, Links(SignedIn("1", "no email"), replace(GUESTS, email="<a@b>")))
    assert linked(records, "customer:1") == ["v"]
    assert linked(records, "email:no email", "email:<a@b>") == []


def test_of_several_visitors_each_by_their_own_proof(records: Records) -> None:
    save(records, Links(signed_in=JANES), "a")
    save(records, typed("jane@shop.example"), "b")
    save(records, typed("jane@shop.example"), "elsewhere", OTHER_SITE)
    assert linked(records, "email:jane@shop.example") == ["a", "b"]
    assert linked(records, "email:jane@shop.example", "customer:1") == ["a", "b"]


PEOPLE = st.sampled_from(["a@x.example", "B@x.example", "b@X.example", "no email", ""])
ACCOUNTS = st.sampled_from(["1", "2"])
ANY_LINKS = st.builds(
    Links,
    signed_in=st.none() | st.builds(SignedIn, ACCOUNTS, st.none() | PEOPLE),
    order=st.none()
    | st.builds(
        PlacedOrder,
        *(st.just("7"), st.just("7"), st.just("1"), st.just("EUR")),
        st.none() | PEOPLE,
        st.none() | ACCOUNTS,
    ),
    email=st.none() | st.builds(Typed, PEOPLE),
)


@settings(
    deadline=None,
    max_examples=80,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(history=st.lists(ANY_LINKS, min_size=1, max_size=5))
def test_links_are_all_that_was_proven_and_the_last_that_was_typed(
    records: Records, history: list[Links]
) -> None:
    with records.begin(SITE) as work:
        work.forget_visitor("v")
    proven: set[str] = set()
    for links in history:
        save(records, links)
        proven |= {f"email:{email}" for email in links.emails}
        proven |= {f"customer:{account}" for account in links.customer_ids}
    last = history[-1].email
    now = {f"email:{email_address(last.text)}"} if last and email_address(last.text) else set()
    subjects = ["customer:1", "customer:2", "email:a@x.example", "email:b@x.example"]
    for subject in [*subjects, "email:no email", "email:", "email:None"]:
        expected = ["v"] if subject in proven | now else []
        assert linked(records, subject) == expected, subject


def test_evidence_that_is_of_no_use_now_is_kept_too(records: Records) -> None:
    # Two accounts in one batch: the visitor is known by the later, and was the earlier.
    save(records, Links(signed_in=JANES))
    with records.begin(SITE) as work:
        for _ in range(2):
            work.keep_evidence("v", SignedIn("8", "early@shop.example"))
            work.keep_evidence("w", BUYERS)
    assert linked(records, "customer:8", "customer:1") == ["v"]
    assert linked(records, "email:early@shop.example") == ["v"]
    assert linked(records, "customer:9", "email:buyer@shop.example") == ["w"]


# ----------------------------------------------------------- the strongest link, and readers


def test_a_readers_conversation_has_the_customer_of_the_strongest_link(
    records: Records, look_ups: SqlLookUps
) -> None:
    with records.begin(SITE) as work:
        work.save_conversation(conversation(), known_rev=0)
    want(records, JANE)
    assert keep(records, claimed_at(look_ups), 1)
    for links, key in (
        (typed("jane@shop.example"), None),
        (Links(order=GUESTS, email=Typed("jane@shop.example")), None),
        (Links(JANES, GUESTS, Typed("jane@shop.example")), JANE.key),
    ):
        save(records, links)
        found = records.read_conversation(SITE, "agent", "c")
        assert found is not None
        assert found.visitor == VisitorRecord("v", links=links)
        assert (found.customer.key if found.customer else None) == key


def test_conversations_of_a_customer_the_newest_first(records: Records) -> None:
    save(records, Links(signed_in=JANES), "a")
    save(records, Links(order=replace(GUESTS, customer_id="1")), "b")
    save(records, Links(signed_in=SignedIn("2"), order=replace(GUESTS, customer_id="1")), "weaker")
    save(records, Links(signed_in=JANES), "elsewhere", OTHER_SITE)
    with records.begin(SITE) as work:
        for n, visitor in enumerate(["a", "b", "a", "weaker", "elsewhere", "b"]):
            talked = conversation(f"c{n}", visitor=visitor, last_activity_at=moment(n))
            work.save_conversation(talked, known_rev=0)
        gone = conversation("gone", visitor="a", deleted=True, last_activity_at=moment(9))
        work.save_conversation(gone, known_rev=0)
        key = customer(1).key
        assert work.conversations_of_customer(key, 10) == ["c5", "c2", "c1", "c0"]
        assert work.conversations_of_customer(key, 2) == ["c5", "c2"]
        assert work.conversations_of_customer(customer(2).key, 10) == ["c3"]
        assert work.conversations_of_customer(customer(3).key, 10) == []
    with records.begin(OTHER_SITE) as work:
        assert work.conversations_of_customer(key, 10) == []


def test_what_was_fetched_is_shown_with_the_conversation(
    records: Records, look_ups: SqlLookUps
) -> None:
    save(records, Links(signed_in=JANES))
    with records.begin(SITE) as work:
        work.save_conversation(conversation(rev=work.next_rev()), known_rev=0)
    want(records, JANE)
    assert keep(records, claimed_at(look_ups), 2)
    read = records.read_conversation(SITE, "agent", "c")
    (synced,) = records.sync(SITE, 0, 10).conversations
    for found in (read, synced):
        assert found is not None
        assert found.customer is not None
        assert found.customer.profile == profile()
        assert found.customer.fetched_at == moment(2)

"""C1 to C4: who is behind a visitor, and what proves it; one case each.

Any order of anything is in ``test_customer_machine.py``, addresses in ``test_email_address.py``.
"""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.domain.customer import (
    Links,
    PlacedOrder,
    Proof,
    SignedIn,
    Subject,
    SubjectKind,
    Typed,
    is_stale,
)
from tests.unit.domain.happenings import steady
from tests.unit.domain.story import moment

JANE = SignedIn("17", "jane@shop.example", "Jane Doe", at=moment(10), event="s")
A_MOMENT = timedelta(microseconds=1)


def placed(
    email: str | None = None, customer_id: str | None = None, at: float = 20, event: str = "o"
) -> PlacedOrder:
    """An order; who placed it is all that matters here."""
    return PlacedOrder("99", "1042", "61.00", "EUR", email, customer_id, moment(at), event)


def typed(text: str, at: float = 30, event: str = "m") -> Typed:
    return Typed(text, moment(at), event)


def test_c1_nobody_is_linked_to_anyone_at_first() -> None:
    links = Links()
    assert (links.proof, links.subject, links.shown_name, links.shown_email) == (None,) * 4
    assert links.emails == links.customer_ids == frozenset()


def test_c1_proofs_have_the_names_of_the_wire_the_strongest_first() -> None:
    assert list(Proof) == ["signed_in", "order", "claimed"]


def test_c1_one_who_signed_in_is_the_account() -> None:
    links = Links().with_sign_in(JANE)
    assert links.proof is Proof.SIGNED_IN
    assert links.subject == Subject(SubjectKind.CUSTOMER, "17")
    assert links.customer_ids == {"17"}


def test_c1_an_account_needs_neither_email_nor_name() -> None:
    links = Links().with_sign_in(SignedIn("17"))
    assert links.subject == Subject(SubjectKind.CUSTOMER, "17")
    assert (links.shown_name, links.shown_email, links.emails) == (None, None, frozenset())


def test_c1_one_who_ordered_with_an_account_is_the_account_whatever_the_orders_email() -> None:
    links = Links().with_order(placed("mark@shop.example", customer_id="17"))
    assert links.proof is Proof.ORDER
    assert links.subject == Subject(SubjectKind.CUSTOMER, "17")
    assert links.customer_ids == {"17"}


def test_c1_a_guests_order_with_a_registered_email_is_not_that_account() -> None:
    links = Links().with_order(placed(JANE.email))
    assert links.proof is Proof.ORDER
    assert links.subject == Subject(SubjectKind.GUEST, "jane@shop.example")
    assert links.subject != Links().with_sign_in(JANE).subject
    assert links.customer_ids == frozenset()


def test_c1_a_typed_email_is_neither_the_guest_nor_the_account_of_that_email() -> None:
    links = Links().with_typed(typed("Jane@Shop.Example"), None)
    assert links.proof is Proof.CLAIMED
    assert links.subject == Subject(SubjectKind.CLAIMED, "jane@shop.example")
    assert links.subject != Links().with_order(placed(JANE.email)).subject


def test_c1_an_order_beats_a_claim_and_signing_in_beats_both_whichever_came_last() -> None:
    links = Links().with_sign_in(JANE).with_order(placed("mark@shop.example", "18"))
    links = links.with_typed(typed("kim@shop.example"), typed("Kim"))
    assert links.proof is Proof.SIGNED_IN
    assert links.subject == Subject(SubjectKind.CUSTOMER, "17")
    order = Links().with_order(placed("mark@shop.example")).with_typed(typed("kim@x.example"), None)
    assert order.proof is Proof.ORDER
    assert order.subject == Subject(SubjectKind.GUEST, "mark@shop.example")


@pytest.mark.parametrize("email", [None, "", "no email"])
def test_c1_an_order_of_nobody_knows_proves_nothing(email: str | None) -> None:
    links = Links().with_order(placed(email))
    assert (links.proof, links.subject) == (None, None)
    assert links.emails == frozenset()
    claimed = links.with_typed(typed("kim@shop.example"), None)
    assert claimed.proof is Proof.CLAIMED


@pytest.mark.parametrize("known", [placed("mark@shop.example"), placed(customer_id="18")])
def test_c1_an_order_of_nobody_knows_takes_no_proof_away(known: PlacedOrder) -> None:
    of_nobody = placed(at=25, event="later")
    links = Links().with_typed(typed("kim@shop.example"), None).with_order(known)
    for ordered in (links.with_order(of_nobody), Links().with_order(of_nobody).with_order(known)):
        assert ordered.proof is Proof.ORDER
        assert ordered.subject == links.subject


@pytest.mark.parametrize("swapped", [False, True])
@pytest.mark.parametrize(("at", "event"), [(11.0, "a"), (10.0, "z")])
def test_c1_of_one_proof_the_later_counts_and_of_one_time_the_greater_id(
    at: float, event: str, swapped: bool
) -> None:
    signed_in = [JANE, SignedIn("18", at=moment(at), event=event)]
    orders = [placed("a@x.example", at=10, event="s"), placed("b@x.example", at=at, event=event)]
    emails = [typed("a@x.example", 10, "s"), typed("b@x.example", at, event)]
    names = [typed("Ann", 10, "s"), typed("Ben", at, event)]
    for them in (signed_in, orders, emails, names):
        them.reverse() if swapped else None
    links = Links().with_sign_in(signed_in[0]).with_sign_in(signed_in[1])
    assert links.subject == Subject(SubjectKind.CUSTOMER, "18")
    links = Links().with_order(orders[0]).with_order(orders[1])
    assert links.subject == Subject(SubjectKind.GUEST, "b@x.example")
    links = Links().with_typed(emails[0], names[0]).with_typed(emails[1], names[1])
    assert links.subject == Subject(SubjectKind.CLAIMED, "b@x.example")
    assert links.shown_name == "Ben"


def test_c1_evidence_recorded_without_a_time_yields_to_any_with_one() -> None:
    undated, dated = SignedIn("17"), SignedIn("18", at=moment(-1e9), event="a")
    for links in (
        Links().with_sign_in(undated).with_sign_in(dated),
        Links().with_sign_in(dated).with_sign_in(undated),
    ):
        assert links.subject == Subject(SubjectKind.CUSTOMER, "18")


def test_c1_a_typed_name_alone_links_to_nobody() -> None:
    links = Links().with_typed(None, typed("Jane"))
    assert (links.proof, links.subject, links.shown_email) == (None, None, None)
    assert links.shown_name == "Jane"


def test_c1_a_typed_email_alone_gives_no_name() -> None:
    links = Links().with_typed(typed("jane@shop.example"), None)
    assert (links.proof, links.shown_name) == (Proof.CLAIMED, None)
    assert links.shown_email == "jane@shop.example"


def test_c1_a_name_typed_later_keeps_the_email_and_the_other_way_round() -> None:
    email, name = typed("jane@shop.example", 1), typed("Jane", 2)
    for links in (
        Links().with_typed(email, None).with_typed(None, name),
        Links().with_typed(None, name).with_typed(email, None),
    ):
        assert (links.shown_email, links.shown_name) == ("jane@shop.example", "Jane")


def test_c1_what_is_no_email_claims_nothing_but_the_name_beside_it_counts() -> None:
    links = Links().with_typed(typed("no email"), typed("Jane"))
    assert (links.proof, links.subject, links.shown_email) == (None, None, None)
    assert links.shown_name == "Jane"


def test_c1_what_is_no_email_does_not_undo_an_earlier_one() -> None:
    links = Links().with_typed(typed("jane@shop.example", 1), None)
    assert links.with_typed(typed("never mind", 2), None) == links


@pytest.mark.parametrize("blank", ["", "  ", "\r\n", "\u3000"])
def test_c2_a_blank_name_is_none_and_does_not_undo_an_earlier_one(blank: str) -> None:
    email = typed("jane@shop.example", 2)
    assert Links().with_typed(None, typed(blank)) == Links()
    links = Links().with_typed(None, typed(" Jane\n", 1)).with_typed(email, typed(blank, 2))
    assert (links.shown_name, links.shown_email) == ("Jane", "jane@shop.example")


@pytest.mark.parametrize("proof", Proof)
def test_c2_purchases_need_more_than_a_claim(proof: Proof) -> None:
    assert proof.shows_purchases == (proof in {"signed_in", "order"})


def test_c2_the_stores_name_is_shown_before_a_typed_one() -> None:
    links = Links().with_typed(None, typed("Kim")).with_sign_in(JANE)
    assert links.shown_name == "Jane Doe"


@pytest.mark.parametrize("name", [None, ""])
def test_c2_where_the_store_knows_no_name_the_typed_one_is_shown(name: str | None) -> None:
    links = Links().with_sign_in(SignedIn("17", name=name)).with_typed(None, typed("Kim"))
    assert links.shown_name == "Kim"


@pytest.mark.parametrize("none", [None, ""])
def test_c2_the_email_shown_is_that_of_the_strongest_proof_that_knows_one(none: str | None) -> None:
    claimed = Links().with_typed(typed("kim@shop.example"), None)
    ordered = claimed.with_order(placed("mark@shop.example"))
    assert claimed.with_order(placed(none, "17")).shown_email == "kim@shop.example"
    assert ordered.shown_email == "mark@shop.example"
    assert ordered.with_sign_in(SignedIn("17", none)).shown_email == "mark@shop.example"
    assert ordered.with_sign_in(JANE).shown_email == "jane@shop.example"


@pytest.mark.parametrize(
    "text", ["kim@shop.example\r\n", "  kim@shop.example ", "\xa0kim@shop.example"]
)
def test_c2_the_email_shown_is_an_address_and_nothing_beside_it(text: str) -> None:
    assert Links().with_typed(typed(text), None).shown_email == "kim@shop.example"


def test_c2_what_was_merely_typed_is_never_proven() -> None:
    links = Links().with_typed(typed("kim@shop.example"), typed("Kim"))
    assert links.emails == frozenset()
    links = links.with_sign_in(JANE).with_order(placed(" Mark@Shop.Example "))
    assert links.emails == {"jane@shop.example", "mark@shop.example"}


def test_c2_a_vouched_text_that_is_no_email_is_no_proven_email() -> None:
    links = Links().with_sign_in(SignedIn("17", "no email")).with_order(placed("", "17"))
    assert links.emails == frozenset()


def test_c3_the_accounts_are_those_signed_in_to_and_ordered_with() -> None:
    links = Links().with_sign_in(JANE).with_order(placed(customer_id="18"))
    assert links.customer_ids == {"17", "18"}


def test_c2_without_the_claim_only_what_the_store_vouches_for_is_left() -> None:
    vouched = Links().with_sign_in(JANE).with_order(placed("mark@shop.example"))
    claimed = vouched.with_typed(typed("kim@shop.example"), typed("Kim"))
    assert claimed.without_claim() == vouched
    assert Links().with_typed(typed("kim@shop.example"), typed("Kim")).without_claim() == Links()


@steady
@given(kind=st.sampled_from(SubjectKind), value=st.text() | st.sampled_from(["", ":", "a:b", "::"]))
def test_c1_a_subject_is_the_same_again_from_its_key(kind: SubjectKind, value: str) -> None:
    subject = Subject(kind, value)
    assert Subject.of_key(subject.key) == subject
    assert isinstance(Subject.of_key(subject.key).kind, SubjectKind)


def test_c1_the_keys_of_two_subjects_differ() -> None:
    values = ["", "17", ":17", "customer:17", "guest:17", "claimed:", "jane@shop.example"]
    keys = [Subject(kind, value).key for kind in SubjectKind for value in values]
    assert len(keys) == len(set(keys))


def test_c1_keys_are_kept_in_databases_and_so_never_change() -> None:
    subjects = [Subject(kind, "17") for kind in SubjectKind]
    assert [it.key for it in subjects] == ["customer:17", "guest:17", "claimed:17"]


@pytest.mark.parametrize("key", ["", "17", "nobody:17", "Customer:17"])
def test_c1_what_is_no_key_is_refused(key: str) -> None:
    with pytest.raises(ValueError, match="is not a valid SubjectKind"):
        Subject.of_key(key)


def test_c4_data_is_stale_when_it_is_older_than_15_minutes() -> None:
    fetched, limit = moment(0), moment(900)
    assert not is_stale(fetched, fetched)
    assert not is_stale(fetched, limit - A_MOMENT)
    assert not is_stale(fetched, limit)
    assert is_stale(fetched, limit + A_MOMENT)
    assert is_stale(fetched, moment(1e6))


def test_c4_data_that_was_never_fetched_is_stale_and_a_clock_set_back_makes_none_so() -> None:
    assert is_stale(None, moment(0))
    assert not is_stale(moment(1e6), moment(0))

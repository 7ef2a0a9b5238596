"""C1 to C3 against a second model: any order of sign-in, order, claim and sign-out, however often.

The model is naive and shares nothing with ``bridge.domain``: a list of all that was told, and the
words of the rules read over it anew at every question.
"""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from bridge.domain.customer import Links, PlacedOrder, SignedIn, Typed
from tests.unit.domain.happenings import steady
from tests.unit.domain.story import moment

ADDRESSES = {
    "jane@shop.example": "jane@shop.example",
    " Jane@SHOP.example\n": "jane@shop.example",
    "mark@shop.example": "mark@shop.example",
    "kim@münchen.example": "kim@münchen.example",
    "never mind": None,
    "jane@mark@shop.example": None,
    "jane@shop.example\r\nBcc: mark": None,
}
"""What may be typed, and which email it is."""

PROVES = {"sign_out": None, "chat": "claimed", "order": "order", "sign_in": "signed_in"}
"""What each kind of event proves at most, the weakest first (C1)."""


@dataclass(frozen=True)
class Said:
    """One event; two of the same id are the same event."""

    kind: str
    at: float
    id: str
    customer: str | None = None
    email: str | None = None
    name: str | None = None


@dataclass(frozen=True)
class Known:
    """All that is known of a visitor; emails as they are compared."""

    proof: str | None
    subject: tuple[str, str] | None
    name: str | None
    email: str | None
    emails: frozenset[str]
    customers: frozenset[str]


class History:
    """All that was ever told, in whatever order."""

    def __init__(self, told: list[Said]) -> None:
        self.told = told

    def last(self, kind: str, *, with_email: bool = False, with_name: bool = False) -> Said | None:
        """The latest of this kind that says anything, by its own time, then id (C1, P15)."""
        found = None
        for it in self.told:
            says = (not with_email or self.address(it)) and (
                not with_name or (it.name or "").strip()
            )
            if it.kind == "order" and it.customer is None and self.address(it) is None:
                continue  # An order of nobody knows whom links to nobody.
            if it.kind == kind and says and (not found or (it.at, it.id) > (found.at, found.id)):
                found = it
        return found

    @staticmethod
    def address(it: Said) -> str | None:
        return ADDRESSES[it.email] if it.email else None

    def known(self) -> Known:
        signed_in, order = self.last("sign_in"), self.last("order")
        claim = self.last("chat", with_email=True)
        introduction = self.last("chat", with_name=True)
        vouched = [self.address(it) for it in (signed_in, order) if it]
        claimed = self.address(claim) if claim else None
        name = introduction.name if introduction else None
        return Known(
            *self._link(signed_in, order, claimed),
            name=(signed_in.name if signed_in else None) or name,
            email=next((it for it in (*vouched, claimed) if it), None),
            emails=frozenset(it for it in vouched if it),
            customers=frozenset(it.customer for it in (signed_in, order) if it and it.customer),
        )

    def _link(
        self, signed_in: Said | None, order: Said | None, claimed: str | None
    ) -> tuple[str | None, tuple[str, str] | None]:
        """C1: the strongest proof, and whom it leads to."""
        if signed_in and signed_in.customer:
            return "signed_in", ("customer", signed_in.customer)
        if order and order.customer:
            return "order", ("customer", order.customer)
        if order:
            return "order", ("guest", self.address(order) or "")
        return ("claimed", ("claimed", claimed)) if claimed else (None, None)


def known(links: Links) -> Known:
    """What the bridge knows."""
    return Known(
        proof=links.proof,
        subject=links.subject,
        name=links.shown_name,
        email=links.shown_email.strip().lower() if links.shown_email else None,
        emails=links.emails,
        customers=links.customer_ids,
    )


def tell(links: Links, it: Said) -> Links:
    """Tell the bridge of ``it``. Of a sign-out there is nothing to tell (C3)."""
    at = moment(it.at)
    match it.kind:
        case "sign_in":
            return links.with_sign_in(SignedIn(it.customer or "", it.email, it.name, at, it.id))
        case "order":
            order = PlacedOrder("9", it.id, "61", "EUR", it.email, it.customer, at, it.id)
            return links.with_order(order)
        case "chat":
            email = Typed(it.email, at, it.id) if it.email is not None else None
            name = Typed(it.name, at, it.id) if it.name is not None else None
            return links.with_typed(email, name)
        case _:
            return links


def strength(proof: str | None) -> int:
    return list(PROVES.values()).index(proof)


def told(them: list[Said]) -> Links:
    links = Links()
    for it in them:
        links = tell(links, it)
    return links


# Few of each, so that they meet; what a store vouches for is an email, or it says none.
_VOUCHED = st.sampled_from([None, "", *(it for it, address in ADDRESSES.items() if address)])
_TYPED = st.none() | st.sampled_from(sorted(ADDRESSES))
_CUSTOMERS = st.sampled_from(["17", "18"])
_AT = st.sampled_from([0.0, 0.0, 0.25, 60.0])
_EVENTS = (
    st.builds(
        Said,
        st.just("sign_in"),
        _AT,
        st.just(""),
        _CUSTOMERS,
        _VOUCHED,
        st.sampled_from([None, "", "Jane Doe", "J. Doe"]),
    )
    | st.builds(Said, st.just("sign_out"), _AT, st.just(""))
    | st.builds(Said, st.just("order"), _AT, st.just(""), st.none() | _CUSTOMERS, _VOUCHED)
    | st.builds(
        Said,
        st.just("chat"),
        _AT,
        st.just(""),
        email=_TYPED,
        name=st.sampled_from([None, " ", "Jane", "Kim"]),
    )
)


def identified(event: Said, number: int, tie: str) -> Said:
    """``event`` with its own id, which ``tie`` makes sort otherwise than it is numbered."""
    return Said(event.kind, event.at, f"{tie}{number:04}", event.customer, event.email, event.name)


@st.composite
def histories(draw: st.DrawFn) -> list[Said]:
    """Events of one visitor, each with its own time and id."""
    events = draw(st.lists(st.tuples(_EVENTS, st.sampled_from("xyz")), max_size=10))
    return [identified(event, number, tie) for number, (event, tie) in enumerate(events)]


@steady
@given(data=st.data(), events=histories())
def test_c1_neither_order_nor_repetition_nor_batches_change_who_is_behind_a_visitor(
    data: st.DataObject, events: list[Said]
) -> None:
    again = data.draw(st.lists(st.sampled_from(events), max_size=6)) if events else []
    shuffled = data.draw(st.permutations([*events, *again]))
    links, heard = Links(), list[Said]()
    while shuffled:
        size = data.draw(st.integers(1, len(shuffled)))
        batch, shuffled = shuffled[:size], shuffled[size:]
        for it in batch:
            links = tell(links, it)
        heard += batch
        assert known(links) == History(heard).known()
    assert links == told(events)
    assert known(links) == History(events).known()


@steady
@given(events=histories())
def test_c1_more_evidence_never_makes_the_proof_weaker(events: list[Said]) -> None:
    before = Links()
    for it in events:
        links = tell(before, it)
        assert strength(links.proof) >= strength(before.proof)
        if strength(PROVES[it.kind]) < strength(before.proof):
            assert (links.proof, links.subject) == (before.proof, before.subject)
        before = links


@steady
@given(events=histories())
def test_c2_what_is_typed_adds_nothing_to_what_is_proven(events: list[Said]) -> None:
    vouched = [it for it in events if it.kind != "chat"]
    links, silent = told(events), told(vouched)
    assert links.without_claim() == silent
    assert (links.emails, links.customer_ids) == (silent.emails, silent.customer_ids)
    assert links.emails <= {ADDRESSES[it.email] for it in vouched if it.email}
    if silent.proof is not None:
        assert (links.proof, links.subject) == (silent.proof, silent.subject)


class CustomerMachine(RuleBasedStateMachine):
    """One visitor, of whom the bridge hears at once, late, twice, or out of order."""

    def __init__(self) -> None:
        super().__init__()
        self.links = Links()
        self.heard: list[Said] = []
        self.held_up: list[Said] = []
        self.number = 0

    @rule(event=_EVENTS, tie=st.sampled_from("xyz"))
    def something_happens(self, event: Said, tie: str) -> None:
        self._hear(self._new(event, tie))

    @rule(event=_EVENTS, tie=st.sampled_from("xyz"))
    def something_happens_and_is_held_up(self, event: Said, tie: str) -> None:
        self.held_up.append(self._new(event, tie))

    @rule(pick=st.integers(0, 99))
    def what_was_held_up_arrives(self, pick: int) -> None:
        if self.held_up:
            self._hear(self.held_up.pop(pick % len(self.held_up)))

    @rule(pick=st.integers(0, 99))
    def something_arrives_again(self, pick: int) -> None:
        if self.heard:
            self._hear(self.heard[pick % len(self.heard)])

    @invariant()
    def the_visitor_is_who_the_rules_say(self) -> None:
        assert known(self.links) == History(self.heard).known()

    @invariant()
    def there_is_a_customer_whenever_there_is_a_proof(self) -> None:
        assert (self.links.proof is None) == (self.links.subject is None)

    def _new(self, event: Said, tie: str) -> Said:
        self.number += 1
        return identified(event, self.number, tie)

    def _hear(self, it: Said) -> None:
        before = self.links
        self.links = tell(before, it)
        self.heard.append(it)
        assert strength(self.links.proof) >= strength(before.proof)


TestCustomerMachine = CustomerMachine.TestCase
TestCustomerMachine.settings = steady

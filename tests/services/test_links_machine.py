"""Who is behind each conversation, over anything that may be told of it, against a naive history.

Two browsers, three conversations, two accounts. What the store tells comes at once, late, twice or
in one request with other things; tokens vouch; emails and names are typed; conversations are given
to the other browser; the store answers look-ups; the bridge is killed and started (C1 to C3).
"""

from __future__ import annotations

import shutil
import tempfile
from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from hypothesis.stateful import run_state_machine_as_test as run

from bridge.domain.customer import SignedIn
from bridge.ports import Profile
from bridge.services.incoming import Incoming
from tests.services.readers import App
from tests.services.scene import SITE, moment
from tests.services.shop import ShopScene

VISITORS, CONVERSATIONS = ("v", "w"), ("A", "B", "C")
ACCOUNTS = {"17": ("jane@shop.example", "Jane Doe"), "18": ("kim@shop.example", None)}
EMAILS = ("jane@shop.example", "kim@shop.example", "lee@shop.example")
STRENGTH = (None, "claimed", "order", "signed_in")

VISITOR, CONVERSATION = st.sampled_from(VISITORS), st.sampled_from(CONVERSATIONS)
ACCOUNT = st.sampled_from(sorted(ACCOUNTS))
FATE = st.sampled_from(["at once", "at once", "late", "twice"])


@dataclass(frozen=True)
class Fact:
    """Something that the bridge was told of a visitor."""

    kind: str
    at: float
    id: str
    customer: str | None = None
    email: str | None = None
    name: str | None = None
    number: str | None = None


class History:
    """All that was ever told of one visitor, read over at every question."""

    def __init__(self) -> None:
        self.facts: list[Fact] = []
        self.tokens_from: float | None = None

    def last(self, kind: str, says: str) -> Fact | None:
        """The latest of a kind that says a certain thing, by its own time, then id."""
        told = [it for it in self.facts if it.kind == kind and getattr(it, says) is not None]
        return max(told, key=lambda it: (it.at, it.id), default=None)

    def shown(self) -> tuple[str | None, ...] | None:
        """Proof, id, email and name of the customer, as C1 to C3 have it: beside a proof stands
        the store's word alone."""
        signed_in, order = self.last("sign_in", "customer"), self.last("order", "email")
        typed = self.last("typed", "email")
        if signed_in is not None:
            return "signed_in", signed_in.customer, signed_in.email, signed_in.name
        if order is not None:
            return "order", order.customer, order.email, None
        return ("claimed", None, typed.email, self.typed_name()) if typed else None

    def name(self) -> str | None:
        """What the visitor is called."""
        signed_in = self.last("sign_in", "customer")
        return (signed_in.name if signed_in else None) or self.typed_name()

    def typed_name(self) -> str | None:
        named = self.last("typed", "name")
        return named.name if named else None

    def linked(self) -> set[str]:
        """The accounts and emails that were ever proven theirs, and the email typed last."""
        typed = self.last("typed", "email")
        told = [it for it in self.facts if it.kind != "typed"] + ([typed] if typed else [])
        emails = {f"email:{it.email}" for it in told if it.email}
        return emails | {f"customer:{it.customer}" for it in told if it.customer}

    def numbers(self) -> set[str]:
        return {it.number for it in self.facts if it.number}


class LinksMachine(RuleBasedStateMachine):
    """A bridge and the histories of its visitors, told of the same."""

    prepared: Path

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="bridge-scene-"))
        self.scene = ShopScene(self.folder, self.prepared)
        # It knows nothing that the links do not: what is shown is what was told.
        self.scene.store_behind.usual = Profile(known=True)
        self.histories: dict[str, History] = defaultdict(History)
        self.owners: dict[str, str] = {}
        self.held_up: list[Incoming] = []
        self.told: list[Incoming] = []
        self.proofs: dict[str, int] = {}
        self.app = App()
        self.count = 0

    # -------------------------------------------------------------------- what the store tells

    @rule(visitor=VISITOR, account=ACCOUNT, fate=FATE)
    def somebody_signs_in(self, visitor: str, account: str, fate: str) -> None:
        email, name = ACCOUNTS[account]
        self.store_tells("customer", visitor, {"id": account, "email": email, "name": name}, fate)

    @rule(visitor=VISITOR, fate=FATE)
    def somebody_signs_out(self, visitor: str, fate: str) -> None:
        self.store_tells("customer", visitor, None, fate)

    @rule(
        visitor=VISITOR,
        account=st.none() | ACCOUNT,
        email=st.none() | st.sampled_from(EMAILS),
        fate=FATE,
    )
    def an_order_is_placed(
        self, visitor: str, account: str | None, email: str | None, fate: str
    ) -> None:
        """A guest's, an account's, or by nobody knows whom."""
        self.count += 1
        number = f"ORDER-{self.count:04}"
        billed = ACCOUNTS[account][0] if account else email
        order = {"id": str(self.count), "number": number, "total": "61.00", "currency": "EUR"}
        whose = {"email": billed, "customer_id": account}
        self.store_tells("order_placed", visitor, {**order, **whose}, fate)

    @precondition(lambda self: self.held_up)
    @rule(pick=st.integers(0, 9), together=st.booleans())
    def what_was_held_up_arrives(self, pick: int, together: bool) -> None:
        """One of them, or all in one request, the last first."""
        events = [self.held_up.pop(pick % len(self.held_up))]
        if together:
            events += reversed(self.held_up)
            self.held_up.clear()
        self.deliver(*events)

    @precondition(lambda self: self.told)
    @rule(pick=st.integers(0, 9))
    def something_arrives_again(self, pick: int) -> None:
        """A replay changes nothing, not even a revision."""
        event = self.told[-1 - pick % len(self.told)]
        rev = self.scene.revision()
        assert self.scene.tell_from_store(event, self.scene.now) == "duplicate"
        assert self.scene.revision() == rev

    @rule(conversation=CONVERSATION, visitor=VISITOR)
    def the_store_names_its_visitor(self, conversation: str, visitor: str) -> None:
        event = self.scene.event(
            "message", self.tick(), conversation=conversation, visitor=visitor, author="bot"
        )
        assert self.scene.tell_from_store(event, self.scene.now) == "accepted"
        self.owners[conversation] = visitor

    # --------------------------------------------------------------------- what browsers tell

    @rule(
        conversation=CONVERSATION,
        visitor=VISITOR,
        account=st.none() | ACCOUNT,
        age=st.sampled_from([0, 1, 30]),
    )
    def a_page_speaks(self, conversation: str, visitor: str, account: str | None, age: int) -> None:
        """With a token of ``age`` seconds, in which the store vouches for an account or nobody."""
        event = self.scene.event(
            "page_view",
            self.tick(),
            page=f"p {visitor}",
            seq=self.count,
            conversation=conversation,
            visitor=visitor,
        )
        issued = moment(int(self.scene.now) - age)
        if self.scene.bridge.sites.superseded(SITE, visitor, issued):
            return
        token = None
        if account is not None:
            # No two tokens of one second name different people: the plugin ends the first.
            issued += timedelta(milliseconds=int(account))
            token = SignedIn(account, *ACCOUNTS[account], at=issued, event="token")
        [status] = self.scene.view_as(token, event)
        if self.owners.setdefault(conversation, visitor) != visitor:
            assert status == "conversation-not-found"
        elif token is not None:
            at = (issued - moment(0)).total_seconds()
            self.learn(visitor, Fact("sign_in", at, "token", token.id, token.email, token.name))

    @rule(
        conversation=CONVERSATION,
        visitor=VISITOR,
        email=st.none() | st.sampled_from([*EMAILS, "no address"]),
        name=st.none() | st.sampled_from(["Jane", "Kim Smith"]),
    )
    def somebody_types(
        self, conversation: str, visitor: str, email: str | None, name: str | None
    ) -> None:
        self.tick()
        status = self.scene.introduce(None, email, name, conversation, visitor)
        if self.owners.setdefault(conversation, visitor) != visitor:
            assert status == "conversation-not-found"
            return
        address = email if email in EMAILS else None
        self.learn(visitor, Fact("typed", self.scene.now, status, email=address, name=name))

    # -------------------------------------------------------------------------- what happens

    @rule(passed=st.sampled_from([0.25, 5.0, 60.0, 1_000.0]))
    def time_passes(self, passed: float) -> None:
        self.scene.now += passed

    @rule()
    def the_store_is_asked(self) -> None:
        self.scene.look_up()

    @rule()
    def the_bridge_is_killed_and_started(self) -> None:
        self.scene.restart()

    @rule(limit=st.sampled_from([1, 3, 100]))
    def the_app_syncs(self, limit: int) -> None:
        scene, more = self.scene, True
        while more:
            changes = scene.bridge.services.sync.since(
                SITE, ["sam"], self.app.rev, limit, scene.at(None)
            )
            bodies = [scene.body(each.summary.record.id) for each in changes.views]
            self.app.take_changes(changes.rev, [_customer_in(each) for each in bodies], [])
            more = changes.more

    # ---------------------------------------------------------------------- what must hold

    @invariant()
    def everybody_is_who_the_history_says(self) -> None:
        for conversation, owner in self.owners.items():
            seen = self.scene.seen(conversation)
            found = seen and (seen.proof.value, seen.id, seen.email, seen.name)
            assert found == self.histories[owner].shown()
            assert self.scene.body(conversation)["visitor"]["name"] == self.histories[owner].name()

    @invariant()
    def no_link_grows_weaker(self) -> None:
        for visitor, history in self.histories.items():
            shown = history.shown()
            strength = STRENGTH.index(shown[0] if shown else None)
            assert strength >= self.proofs.get(visitor, 0)
            self.proofs[visitor] = strength

    @invariant()
    def tokens_end_with_their_customer(self) -> None:
        for visitor, history in self.histories.items():
            since = history.tokens_from
            for issued in () if since is None else (since - 1.0, since, since + 1.0):
                ended = self.scene.bridge.sites.superseded(SITE, visitor, moment(issued))
                assert ended is (issued < int(since or 0))

    @invariant()
    def what_was_proven_is_found_for_good(self) -> None:
        """And of what was typed, the last: it is theirs to have told and erased."""
        subjects = [f"customer:{each}" for each in ACCOUNTS] + [f"email:{each}" for each in EMAILS]
        with self.scene.bridge.records.begin(SITE) as work:
            for subject in subjects:
                assert set(work.linked_visitors([subject])) == {
                    v for v, history in self.histories.items() if subject in history.linked()
                }

    @invariant()
    def all_who_are_proven_were_to_be_looked_up(self) -> None:
        for conversation, owner in self.owners.items():
            shown = self.histories[owner].shown()
            if shown is not None and shown[0] != "claimed":
                summary = self.scene.summary(conversation)
                assert summary is not None
                assert summary.customer is not None

    def teardown(self) -> None:
        """In the end an app that follows has what one has that asks, and orders are found."""
        try:
            self.the_app_syncs(100)
            bodies = {each: _customer_in(self.scene.body(each)) for each in self.owners}
            assert self.app.conversations == bodies
            for visitor, history in self.histories.items():
                theirs = sorted(c for c, owner in self.owners.items() if owner == visitor)
                for number in history.numbers():
                    assert sorted(self.scene.listed(text=number)) == theirs
        finally:
            self.scene.stop()
            shutil.rmtree(self.folder)

    # ------------------------------------------------------------------------------ telling

    def tick(self) -> float:
        """No two things happen at one time, to the quarter of a second."""
        self.count += 1
        self.scene.now += 0.25
        return self.scene.now

    def store_tells(
        self, kind: str, visitor: str, details: dict[str, Any] | None, fate: str
    ) -> None:
        at = self.tick()
        event = replace(
            self.scene.event(kind, at, visitor=visitor),
            conversation=None,
            details=details,
            tokens_from=moment(at) if kind == "customer" else None,
        )
        if fate == "late":
            self.held_up.append(event)
        else:
            self.deliver(*[event] * (2 if fate == "twice" else 1))

    def deliver(self, *events: Incoming) -> None:
        with self.scene.bridge.records.begin(SITE) as work:
            now = moment(self.scene.now)
            self.scene.bridge.services.ingest.from_store(work, list(events), now)
        for event in events:
            if event in self.told:
                continue
            self.told.append(event)
            self.note(event)

    def note(self, event: Incoming) -> None:
        at, said = (event.at - moment(0)).total_seconds(), event.details or {}
        visitor = event.visitor or ""
        if event.type == "customer":
            history = self.histories[visitor]
            history.tokens_from = max(history.tokens_from or at, at)
            if said:
                fact = Fact("sign_in", at, event.id, said["id"], said["email"], said["name"])
                self.learn(visitor, fact)
        else:
            fact = Fact("order", at, event.id, said["customer_id"], said["email"])
            self.learn(visitor, replace(fact, number=said["number"]))

    def learn(self, visitor: str, fact: Fact) -> None:
        self.histories[visitor].facts.append(fact)


def _customer_in(body: dict[str, Any]) -> dict[str, Any]:
    """What a reader sees of a conversation's customer, apart from when they were asked for."""
    return {key: body[key] for key in ("id", "rev", "visitor", "customer")}


def test_links_are_what_the_history_says_whatever_the_order(prepared: Path) -> None:
    class Machine(LinksMachine):
        pass

    Machine.prepared = prepared
    run(
        Machine,
        settings=settings(
            deadline=None,
            derandomize=True,
            max_examples=25,
            phases=[Phase.generate],
            stateful_step_count=30,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )

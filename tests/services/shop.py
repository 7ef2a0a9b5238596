"""A scene with a store behind it, which the bridge asks for its customers when a test lets it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Self
from unittest import mock

import msgspec

from bridge import bootstrap
from bridge.api import presentation
from bridge.domain.customer import SignedIn, Subject
from bridge.ports import ConversationQuery, CustomerRecord, Site, SiteSecret, StoreConnection
from bridge.services.conversations import ConversationView
from bridge.services.customers import CustomerView, view
from bridge.services.incoming import Incoming, IncomingMessage, Sender
from bridge.services.look_ups import CustomerLookUps
from bridge.services.store_changes import StoreChange
from tests.services.fake_store import EMAIL, JANE, FakeStore
from tests.services.live import LiveScene
from tests.services.scene import READER, SITE, moment, seconds

ADMIN = "https://shop.example/wp-admin/"
KEYS = {"consumer_key": "ck_1", "consumer_secret": "cs_1", "webhook_secret": "whs_1"}


class ShopScene(LiveScene):
    """A bridge, a connected store, agents, and visitors who may be customers.

    ``chance`` is what pauses are spread by: 1 is the longest.
    """

    def __init__(self, folder: Path, prepared: Path) -> None:
        self.store_behind, self.chance = FakeStore(), 1.0
        self.told: list[Incoming] = []
        """What the store told of visitors."""
        super().__init__(folder, prepared)
        self.connect(at=0)

    @classmethod
    @contextmanager
    def opened(cls, folder: Path, prepared: Path) -> Iterator[Self]:
        """A scene that is stopped at the end."""
        scene = cls(folder, prepared)
        try:
            yield scene
        finally:
            scene.stop()

    def start(self) -> None:
        with self._asking_the_fake():
            super().start()

    def another_process(self) -> bootstrap.Bridge:
        """One more over the same database, which asks the same stores; to be disposed of."""
        with self._asking_the_fake():
            return bootstrap.build(self.settings, lambda: moment(self.now))

    @contextmanager
    def _asking_the_fake(self) -> Iterator[None]:
        spread = partial(CustomerLookUps, chance=lambda: self.chance)
        with (
            mock.patch.object(bootstrap, "HttpCustomerReader", return_value=self.store_behind),
            mock.patch.object(bootstrap, "CustomerLookUps", spread),
        ):
            yield

    # ------------------------------------------------------------------------ the store

    def connect(self, at: float | None = None, site: str = SITE, **changes: Any) -> None:
        """The store connects, with a key unless it is told otherwise."""
        said = StoreConnection(
            store_url="https://shop.example",
            rest_url="https://shop.example/wp-json/",
            name="Shop",
            origins=(),
            plugin_version="1",
            wordpress_version="6.7.1",
            woocommerce_version="9.5.1",
            timezone="UTC",
            admin_url=ADMIN,
            woocommerce=KEYS,
        )
        now = self.at(at)
        with self.bridge.records.begin(site) as work:
            self.bridge.services.sites.connect(work, replace(said, **changes), now)

    def sign_in(
        self,
        at: float | None = None,
        customer: str = JANE.value,
        visitor: str = "v",
        email: str | None = EMAIL,
        name: str | None = "Jane Doe",
    ) -> str:
        """The store says who signed in on a browser; what became of the event."""
        return self.of_visitor(
            "customer", at, visitor, {"id": customer, "email": email, "name": name}
        )

    def part(self, at: float | None = None, visitor: str = "v") -> str:
        """The store says that the customer signed out."""
        return self.of_visitor("customer", at, visitor, None)

    def order(
        self,
        at: float | None = None,
        number: str = "1042",
        visitor: str = "v",
        email: str | None = EMAIL,
        customer: str | None = None,
        total: str = "61.00",
        currency: str = "EUR",
    ) -> str:
        """The store saw a browser place an order; a guest's, unless a customer is named."""
        placed = {"id": f"9{number}", "number": number, "total": total, "currency": currency}
        return self.of_visitor(
            "order_placed", at, visitor, {**placed, "email": email, "customer_id": customer}
        )

    def cart(self, at: float | None = None, visitor: str = "v", **changes: Any) -> str:
        """The store says what is in a browser's cart."""
        item = {"product_id": "7", "name": "Golden cactus", "quantity": 2, "total": "18.00"}
        said = {"items": [item], "total": "18.00", "currency": "EUR"}
        return self.of_visitor("cart", at, visitor, {**said, **changes})

    def of_visitor(
        self, kind: str, at: float | None, visitor: str, details: dict[str, Any] | None
    ) -> str:
        """An event of the store's that is of no conversation; what became of it."""
        now = self.at(at)
        tokens_from = now if kind == "customer" else None
        event = self.event(kind, self.now, visitor=visitor)
        event = replace(event, conversation=None, details=details, tokens_from=tokens_from)
        self.told.append(event)
        return self.tell_from_store(event, self.now)

    def changed(self, at: float | None = None, **said: Any) -> int:
        """A webhook's delivery, as :meth:`change` has it; how many it concerned."""
        now = self.at(at)
        return self.bridge.services.store_changes.take(SITE, self.change(**said), now)

    def change(self, changed: float | None = None, **who: Any) -> StoreChange:
        """That somebody was changed, at ``changed`` by the store's clock."""
        return StoreChange(**who, changed_at=None if changed is None else moment(changed))

    def add_site(self, site: str) -> None:
        """Another store, which has not connected yet."""
        secrets = (SiteSecret(b"k"),)
        other = Site(site, "Other", "https://other.example", frozenset(), secrets)
        self.bridge.records.add_site(other, moment(self.now))

    # ------------------------------------------------------------------------- browsers

    def introduce(
        self,
        at: float | None = None,
        email: str | None = EMAIL,
        name: str | None = None,
        conversation: str = "A",
        visitor: str = "v",
    ) -> str:
        """The visitor types an email, or a name, beside a message."""
        self.at(at)
        event = self.event("message", self.now, "p", conversation=conversation, visitor=visitor)
        assert event.message is not None
        said = IncomingMessage(event.message.id, "visitor", "Hello?", name, email)
        return self.tell(replace(event, message=said))

    def view_as(self, signed_in: SignedIn | None, event: Incoming) -> list[str]:
        """A page's event with a token in which the store vouches for somebody."""
        now = self.at(seconds(event.at))
        sender = Sender(event.visitor or "v", "Browser", signed_in)
        answer = self.bridge.services.ingest.from_visitor(SITE, [event], now, sender)
        return [result.code or result.status for result in answer.results]

    # ------------------------------------------------------------------------- look-ups

    def look_up(self, at: float | None = None) -> list[Subject]:
        """Have the bridge look up all who are due; who was asked for."""
        self.at(at)
        look_ups, before = self.bridge.look_ups, len(self.store_behind.asked)
        for failing in (False, True):
            while (claimed := look_ups.claim(failing=failing)) is not None:
                look_ups.carry_out(claimed)
        return [subject for _, subject in self.store_behind.asked[before:]]

    def customer(self, subject: Subject = JANE) -> CustomerRecord | None:
        """What is kept of a customer."""
        with self.bridge.records.begin(SITE) as work:
            return work.customer(subject.key)

    def follow_up(self, device: str, at: float | None = None, conversation: str = "A") -> None:
        """An agent wrote to the visitor elsewhere."""
        now = self.at(at)
        self.bridge.services.follow_ups.done(self.devices[device], conversation, now)

    # --------------------------------------------------------------------- what is seen

    def seen(self, conversation: str = "A", at: float | None = None) -> CustomerView | None:
        """The customer in a conversation, as an agent sees them."""
        now = self.at(at)
        found = self.bridge.services.conversations.one(SITE, READER, conversation, now)
        return view(found.summary, self.bridge.records.site(SITE))

    def must_see(self, conversation: str = "A", at: float | None = None) -> CustomerView:
        """The same where there is one."""
        found = self.seen(conversation, at)
        assert found is not None
        return found

    def body(self, conversation: str = "A", at: float | None = None) -> dict[str, Any]:
        """A conversation as the app gets it."""
        now = self.at(at)
        return self.body_of(self.bridge.services.conversations.one(SITE, READER, conversation, now))

    def body_of(self, found: ConversationView) -> dict[str, Any]:
        """The same of one that was read."""
        site = self.bridge.records.site(SITE)
        body = presentation.conversation(found, site, moment(self.now))
        shown: dict[str, Any] = msgspec.to_builtins(body)
        return shown

    def listing(self, **query: Any) -> list[ConversationView]:
        """The conversations that a list has."""
        asked, now = ConversationQuery(limit=100, **query), moment(self.now)
        return self.bridge.services.conversations.listing(SITE, READER, asked, now)

    def listed(self, **query: Any) -> list[str]:
        """Their ids."""
        return [each.summary.record.id for each in self.listing(**query)]

    def list_bodies(self) -> list[dict[str, Any]]:
        """The whole list as the app gets it."""
        site, now = self.bridge.records.site(SITE), moment(self.now)
        return [
            msgspec.to_builtins(presentation.listed(each, site, now)) for each in self.listing()
        ]

    def synced(self, after: int) -> list[str]:
        """The ids of the conversations that changed since a revision."""
        changes = self.bridge.services.sync.since(SITE, ["sam"], after, 100, moment(self.now))
        return [each.summary.record.id for each in changes.views]

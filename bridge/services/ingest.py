"""Events in: what a page or a store says becomes presence, messages and links.

A heartbeat that changes nothing is answered from liveness alone; everything else is one transaction
for the whole batch, in which one bad event rejects itself and not the others.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial

from bridge.domain.events import STORE_PAGE, Cleared, Mark, PageEvent, PageEventKind, VisitorMessage
from bridge.domain.page import Timing
from bridge.domain.presence import State
from bridge.ports import (
    Beat,
    ConversationKey,
    ConversationRecord,
    Liveness,
    MessageRecord,
    Records,
    VisitorRecord,
    Work,
)
from bridge.services.batch import Batch
from bridge.services.incoming import (
    Answer,
    ConversationAnswer,
    Incoming,
    IncomingMessage,
    RejectedError,
    Result,
)
from bridge.services.recording import Loaded, Recorder
from bridge.services.retention import delete
from bridge.times import rfc3339

PREVIEW = 200
"""Characters of a message that the list shows."""


class Ingest:
    """Takes in the events of visitors' pages and of stores.

    ``superseded`` is told, once it lasts, of each visitor whose earlier tokens ended (C3): site,
    visitor, and the time by the store's clock from which tokens are good.
    """

    def __init__(
        self,
        records: Records,
        liveness: Liveness,
        recorder: Recorder,
        timing: Timing,
        superseded: Callable[[str, str, datetime], None],
    ) -> None:
        self._records = records
        self._liveness = liveness
        self._recorder = recorder
        self._timing = timing
        self._superseded = superseded
        self._handlers: dict[str, Callable[[Batch, Incoming], bool]] = {
            **dict.fromkeys(PageEventKind, self._page_event),
            "chat_cleared": self._clear,
            "message": self._message,
            "message_delivered": self._deliver,
            "conversation_deleted": self._delete,
            "customer": self._customer,
            "order_placed": self._order,
            "cart": self._cart,
        }

    def beat(self, site: str, event: Incoming) -> Answer | None:
        """Answer a visitor's heartbeat from liveness alone; ``None`` if the records must be asked.

        Raises :class:`bridge.errors.UnavailableError` when liveness is away.
        """
        if event.type != PageEventKind.HEARTBEAT or event.seq is None:
            return None
        if event.conversation is None or event.page is None or event.visitor is None:
            return None
        key = ConversationKey(site, event.conversation)
        mark = Mark(event.seq, event.at, event.id)
        beat, interval = self._liveness.beat(key, event.visitor, event.page, mark)
        if beat is Beat.UNKNOWN:
            return None
        status = "accepted" if beat is Beat.HEARD else "duplicate"
        told = ConversationAnswer(State.ONLINE.value, interval)
        return Answer([Result(event.id, status)], {event.conversation: told})

    def from_visitor(
        self, site: str, events: Sequence[Incoming | Result], now: datetime, device: str | None
    ) -> Answer:
        """Take in a batch from a visitor's page, in a transaction of its own.

        A :class:`Result` among the events is one that was rejected already; ``device`` is what the
        browser calls itself. Raises :class:`bridge.errors.UnavailableError` when storage is away;
        nothing was then accepted.
        """
        with self._records.begin(site) as work:
            batch = Batch(work, self._recorder, now, from_store=False, device=device)
            return self._take(batch, events)

    def from_store(self, work: Work, events: Sequence[Incoming | Result], now: datetime) -> Answer:
        """Take in a batch from a store, within the transaction of its signed request."""
        return self._take(Batch(work, self._recorder, now, from_store=True), events)

    def _take(self, batch: Batch, events: Sequence[Incoming | Result]) -> Answer:
        answer = Answer([self._take_one(batch, event) for event in events])
        batch.write()
        answer.conversations = {
            conversation: self._told(loaded.record)
            for conversation, loaded in batch.loaded.items()
            if conversation in batch.spoken_of
        }
        batch.work.note_event(batch.now)
        return answer

    def _take_one(self, batch: Batch, event: Incoming | Result) -> Result:
        if isinstance(event, Result):
            return event
        try:
            changed = self._handlers[event.type](batch, event)
        except RejectedError as rejected:
            return Result(event.id, "rejected", rejected.code, rejected.detail)
        return Result(event.id, "accepted" if changed else "duplicate")

    def _told(self, record: ConversationRecord) -> ConversationAnswer:
        """The heartbeat interval to tell: none in a cleared chat, ever (D2)."""
        state = record.state.state
        silent = record.deleted or state is State.CHAT_CLEARED
        return ConversationAnswer(state.value, 0.0 if silent else self._timing.idle)

    def _page_event(self, batch: Batch, event: Incoming) -> bool:
        if event.page is None and not batch.from_store:
            raise RejectedError("page-required", "A visitor's lifecycle event needs its page.")
        if event.page is not None and event.seq is None:
            raise RejectedError("seq-required", "A lifecycle event of a page needs its seq.")
        loaded = batch.conversation(event)
        if event.page is None and batch.seen(event):
            return False
        kind = PageEventKind(event.type)
        mark = Mark(event.seq or 0, event.at, event.id)
        told = self._told(loaded.record).heartbeat_seconds
        page = event.page or STORE_PAGE
        happened = PageEvent(kind, page, mark, event.url, event.title, told)
        changed = loaded.record.presence.apply(happened, self._timing)
        if changed:
            self._heard(batch, loaded)
        if changed and kind is PageEventKind.VIEW:
            _show_active(loaded, event.at)
        return changed

    def _clear(self, batch: Batch, event: Incoming) -> bool:
        loaded = batch.conversation(event)
        if batch.seen(event):
            return False
        cleared = Cleared(event.id, event.at, event.page, event.seq)
        changed = loaded.record.presence.apply(cleared, self._timing)
        if changed:
            self._heard(batch, loaded)
            _show_active(loaded, event.at)
        return changed

    def _message(self, batch: Batch, event: Incoming) -> bool:
        message = event.message
        if message is None:
            raise RejectedError("message-required", "A message event needs its message.")
        if message.author != "visitor" and not batch.from_store:
            raise RejectedError("author-not-allowed", "A visitor can write as visitor alone (M3).")
        loaded = batch.conversation(event)
        record = loaded.record
        if batch.work.message(record.id, message.id) is not None:
            return False
        rev = batch.work.next_rev()
        batch.work.save_message(
            MessageRecord(
                id=message.id,
                conversation=record.id,
                author=message.author,
                text=message.text,
                at=event.at,
                name=message.name,
                rev=rev,
                place=rev,
            )
        )
        _show_last(loaded, message, event.at)
        if message.author == "visitor":
            self._visitor_wrote(batch, loaded, event, message)
        return True

    def _visitor_wrote(
        self, batch: Batch, loaded: Loaded, event: Incoming, message: IncomingMessage
    ) -> None:
        record = loaded.record
        record.message_count += 1
        told = self._told(record).heartbeat_seconds
        wrote = VisitorMessage(event.id, event.at, event.page, event.seq, told or self._timing.idle)
        if record.presence.apply(wrote, self._timing):
            self._heard(batch, loaded)
        if record.visitor is not None and (message.name or message.email):
            visitor = batch.visitor(record.visitor)
            if visitor.customer is None:
                _show_person(visitor, message.name, message.email)

    def _deliver(self, batch: Batch, event: Incoming) -> bool:
        if event.message is None:
            raise RejectedError("message-required", "A delivery needs the message's id.")
        loaded = batch.existing(event)
        message = batch.work.message(loaded.record.id, event.message.id) if loaded else None
        if message is None or message.delivery is None:
            raise RejectedError("message-not-found", "There is no such message of an agent.")
        if message.delivery == "delivered":
            return False
        rev = batch.work.next_rev()
        delivered = replace(message, delivery="delivered", delivered_at=event.at, rev=rev)
        batch.work.save_message(delivered)
        return True

    def _delete(self, batch: Batch, event: Incoming) -> bool:
        batch.store_only(event)
        loaded = batch.find(event)
        if loaded is None:
            raise RejectedError("conversation-not-found", "There is no such conversation.")
        if loaded.record.deleted:
            return False
        batch.keep(loaded)
        delete(batch.work, loaded)
        return True

    def _customer(self, batch: Batch, event: Incoming) -> bool:
        visitor = self._named_visitor(batch, event)
        if visitor is None:
            return False
        # Signing out does not part the visitor from the customer (C3); it only ends the tokens.
        if event.details is not None:
            visitor.customer = {**event.details, "proof": "signed_in"}
            _show_person(visitor, event.details.get("name"), event.details.get("email"))
        if event.tokens_from is not None:
            visitor.tokens_from = max(visitor.tokens_from or event.tokens_from, event.tokens_from)
            batch.work.after_commit(
                partial(self._superseded, batch.work.site, visitor.id, visitor.tokens_from)
            )
        return True

    def _order(self, batch: Batch, event: Incoming) -> bool:
        visitor = self._named_visitor(batch, event)
        if visitor is None:
            return False
        visitor.last_order = dict(event.details or {})
        return True

    def _cart(self, batch: Batch, event: Incoming) -> bool:
        visitor = self._named_visitor(batch, event)
        if visitor is None:
            return False
        visitor.cart = dict(event.details or {})
        return True

    def _named_visitor(self, batch: Batch, event: Incoming) -> VisitorRecord | None:
        """The visitor that the store speaks of; ``None`` if the event came before."""
        batch.store_only(event)
        if event.visitor is None:
            raise RejectedError("visitor-required", f"A {event.type} event needs its visitor.")
        return None if batch.seen(event) else batch.visitor(event.visitor)

    def _heard(self, batch: Batch, loaded: Loaded) -> None:
        loaded.dirty = loaded.moved = True
        batch.heard.add(loaded.record.id)


def _show_person(visitor: VisitorRecord, name: str | None, email: str | None) -> None:
    visitor.name = name or visitor.name
    visitor.email = email or visitor.email


def _show_active(loaded: Loaded, at: datetime) -> None:
    if at > loaded.record.last_activity_at:
        loaded.record.last_activity_at = at
        loaded.changed = True


def _show_last(loaded: Loaded, message: IncomingMessage, at: datetime) -> None:
    record, sent_at = loaded.record, rfc3339(at)
    if record.last_message is None or sent_at >= record.last_message["at"]:
        preview = message.text[:PREVIEW]
        record.last_message = {
            "id": message.id,
            "author": message.author,
            "text": preview,
            "at": sent_at,
        }
    record.last_activity_at = max(record.last_activity_at, at)
    loaded.changed = True

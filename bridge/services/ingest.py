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
from bridge.domain.follow_up import needs_follow_up, shown
from bridge.domain.messages import confirmed, may_speak_as
from bridge.domain.page import Timing
from bridge.domain.presence import State
from bridge.ports import (
    Beat,
    ConversationKey,
    Liveness,
    MessageRecord,
    Nudges,
    Records,
    Work,
)
from bridge.services import correlate
from bridge.services.batch import Batch
from bridge.services.hot import interval, interval_if_open
from bridge.services.incoming import (
    Answer,
    ConversationAnswer,
    Incoming,
    IncomingMessage,
    RejectedError,
    Result,
    Sender,
)
from bridge.services.loaded import Loaded
from bridge.services.recording import Recorder
from bridge.services.retention import delete
from bridge.services.transcript import say, show_active


class Ingest:
    """Takes in the events of visitors' pages and of stores.

    ``superseded`` is told of visitors whose tokens ended, as :func:`correlate.customer` says.
    """

    def __init__(
        self,
        records: Records,
        liveness: Liveness,
        nudges: Nudges,
        recorder: Recorder,
        timing: Timing,
        superseded: Callable[[str, str, datetime], None],
    ) -> None:
        self._records = records
        self._liveness = liveness
        self._nudges = nudges
        self._recorder = recorder
        self._timing = timing
        self._handlers: dict[str, Callable[[Batch, Incoming], bool]] = {
            **dict.fromkeys(PageEventKind, self._page_event),
            "chat_cleared": self._clear,
            "message": self._message,
            "message_delivered": self._deliver,
            "conversation_deleted": self._delete,
            "customer": partial(correlate.customer, superseded),
            "order_placed": correlate.order,
            "cart": correlate.cart,
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
        beaten = self._liveness.beat(key, event.visitor, event.page, mark)
        if beaten.outcome is Beat.UNKNOWN:
            return None
        if beaten.outcome is Beat.HEARD and beaten.watched:
            self._nudges.heard(key, event.at)
        status = "accepted" if beaten.outcome is Beat.HEARD else "duplicate"
        told = ConversationAnswer(
            State.ONLINE.value, beaten.heartbeat_seconds, beaten.takeover_until
        )
        return Answer([Result(event.id, status)], {event.conversation: told})

    def from_visitor(
        self, site: str, events: Sequence[Incoming | Result], now: datetime, sender: Sender
    ) -> Answer:
        """Take in a batch from a visitor's page, in a transaction of its own.

        A :class:`Result` among the events is one that was rejected already. Raises
        :class:`bridge.errors.UnavailableError` when storage is away; nothing was then accepted.
        """
        with self._records.begin(site) as work:
            batch = Batch(work, self._recorder, now, from_store=False, device=sender.device)
            return self._take(batch, events, sender)

    def from_store(self, work: Work, events: Sequence[Incoming | Result], now: datetime) -> Answer:
        """Take in a batch from a store, within the transaction of its signed request."""
        return self._take(Batch(work, self._recorder, now, from_store=True), events)

    def _take(
        self, batch: Batch, events: Sequence[Incoming | Result], sender: Sender | None = None
    ) -> Answer:
        answer = Answer([self._take_one(batch, event) for event in events])
        if sender is not None and sender.signed_in is not None and batch.spoken_of:
            correlate.vouched(batch, batch.visitor(sender.visitor), sender.signed_in)
        batch.write()
        answer.conversations = {
            conversation: self._answer(batch, loaded)
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

    def _answer(self, batch: Batch, loaded: Loaded) -> ConversationAnswer:
        """What the page that spoke last of a conversation is told of it, or the store."""
        record = loaded.record
        spoke = batch.spoken_of[record.id]
        page = record.presence.pages.get(spoke) if spoke else None
        return ConversationAnswer(
            record.state.state.value,
            interval(record, page, batch.now, self._timing),
            record.demand.takeover_ends_at(self._timing),
        )

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
        page, presence = event.page or STORE_PAGE, loaded.record.presence
        happened = PageEvent(kind, page, mark, event.url, event.title)
        changed = presence.apply(happened, self._timing)
        told = interval(loaded.record, presence.pages.get(page), batch.now, self._timing)
        presence.tell(page, event.at, told)
        if changed:
            self._heard(batch, loaded)
        if changed and kind is PageEventKind.VIEW:
            show_active(loaded, event.at)
        return changed

    def _clear(self, batch: Batch, event: Incoming) -> bool:
        loaded = batch.conversation(event)
        if batch.seen(event):
            return False
        cleared = Cleared(event.id, event.at, event.page, event.seq)
        changed = loaded.record.presence.apply(cleared, self._timing)
        if changed:
            self._heard(batch, loaded)
            show_active(loaded, event.at)
            # It has come about, even if the next event of the batch ends it.
            self._recorder.evaluate(batch.work, loaded, batch.now)
        return changed

    def _message(self, batch: Batch, event: Incoming) -> bool:
        message = event.message
        if message is None:
            raise RejectedError("message-required", "A message event needs its message.")
        if not may_speak_as(message.author, store=batch.from_store):
            raise RejectedError("author-not-allowed", "A visitor can write as visitor alone (M3).")
        loaded = batch.conversation(event)
        record = loaded.record
        if batch.work.message(record.id, message.id) is not None:
            return False
        said = MessageRecord(
            message.id, record.id, message.author, message.text, event.at, message.name
        )
        say(batch.work, loaded, said)
        if message.author == "visitor":
            self._visitor_wrote(batch, loaded, event, message)
        return True

    def _visitor_wrote(
        self, batch: Batch, loaded: Loaded, event: Incoming, message: IncomingMessage
    ) -> None:
        record = loaded.record
        record.message_count += 1
        page = record.presence.pages.get(event.page) if event.page else None
        told = interval(record, page, batch.now, self._timing)
        if record.state.state is State.CHAT_CLEARED:
            # Whoever writes in a cleared chat ends that, and is told to beat like any other (P7).
            told = interval_if_open(record, batch.now, self._timing)
        wrote = VisitorMessage(event.id, event.at, event.page, event.seq, told)
        if record.presence.apply(wrote, self._timing):
            self._heard(batch, loaded)
        if record.visitor is not None and (message.name or message.email):
            correlate.introduce(batch.visitor(record.visitor), event, message)

    def _deliver(self, batch: Batch, event: Incoming) -> bool:
        if event.message is None:
            raise RejectedError("message-required", "A delivery needs the message's id.")
        loaded = batch.existing(event)
        message = batch.work.message(loaded.record.id, event.message.id) if loaded else None
        if loaded is None or message is None or message.delivery is None:
            raise RejectedError("message-not-found", "There is no such message of an agent.")
        delivery = confirmed(message.delivery)
        if delivery is None:
            return False
        rev = batch.work.next_rev()
        delivered = replace(message, delivery=delivery.value, delivered_at=event.at, rev=rev)
        batch.work.save_message(delivered)
        _was_shown(loaded)
        return True

    def _delete(self, batch: Batch, event: Incoming) -> bool:
        batch.store_only(event)
        loaded = batch.find(event)
        if loaded is None:
            raise RejectedError("conversation-not-found", "There is no such conversation.")
        if loaded.record.deleted:
            return False
        batch.keep(loaded, None)
        delete(batch.work, loaded)
        return True

    def _heard(self, batch: Batch, loaded: Loaded) -> None:
        loaded.dirty = loaded.moved = True
        batch.heard.add(loaded.record.id)


def _was_shown(loaded: Loaded) -> None:
    """An agent's message was shown to the visitor, who may not await a reply any more."""
    record = loaded.record
    last_author = record.last_message["author"] if record.last_message else None
    awaits = shown(last_author, awaited=record.awaits_reply)
    if awaits != record.awaits_reply:
        loaded.dirty = True
        # While the visitor is there, no reader sees a difference.
        loaded.changed |= needs_follow_up(record.state.state, awaited=record.awaits_reply)
    record.awaits_reply = awaits

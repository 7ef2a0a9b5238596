"""A call of each method of the records, to try them all while storage is away."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from bridge.domain.customer import SignedIn
from bridge.ports import (
    ConversationQuery,
    Device,
    Pairing,
    Profile,
    RecordedAnswer,
    Records,
    VisitorRecord,
    Work,
)
from tests.contract.samples import (
    JANE,
    ONLINE,
    SITE,
    START,
    claimed_look_up,
    conversation,
    device,
    message,
    pairing,
    site,
    store_connection,
)

RecordsCalls = Mapping[str, Callable[[Records], object]]
WorkCalls = Mapping[str, Callable[[Work], object]]


def write(records: Records, name: str = "Jane") -> None:
    """A transaction: the visitor's name, and a message that is called after it."""
    with records.begin(SITE) as work:
        work.save_visitor(VisitorRecord("v", name), START)
        work.save_message(message(f"of {name}"))


def written(records: Records) -> list[str]:
    """The ids of the messages that last."""
    found = records.list_messages(SITE, "c", None, None, 10)
    return sorted(each.id for each in found or [])


def _pair(_: Pairing) -> tuple[Device, str]:
    return device(), "token hash"


READERS: RecordsCalls = {
    "site": lambda records: records.site(SITE),
    "sites": lambda records: records.sites(),
    "site_status": lambda records: records.site_status(SITE),
    "customers_known": lambda records: records.customers_known(SITE, ["customer:1"], "7"),
    "origin_known": lambda records: records.origin_known("https://shop.example"),
    "superseded_tokens": lambda records: records.superseded_tokens(START),
    "device_by_token": lambda records: records.device_by_token("hash"),
    "devices": lambda records: records.devices(SITE),
    "list_conversations": lambda records: records.list_conversations(
        SITE, "agent", ConversationQuery(10)
    ),
    "read_conversation": lambda records: records.read_conversation(SITE, "agent", "c"),
    "list_messages": written,
    "changes": lambda records: records.changes(SITE, "c"),
    "revision": lambda records: records.revision(SITE),
    "sync": lambda records: records.sync(SITE, 0, 10),
    "read_counts": lambda records: records.read_counts(SITE, ["agent"], ["c"]),
    "messages_for_visitor": lambda records: records.messages_for_visitor(SITE, "c", 0, 10),
    "watched_by": lambda records: records.watched_by(SITE, "agent"),
    "active_conversations": lambda records: list(records.active_conversations()),
    "alive_at": lambda records: records.alive_at(),
}
WRITERS: RecordsCalls = {
    "begin": write,
    "add_site": lambda records: records.add_site(site("st_new"), START),
    "rotate_secret": lambda records: records.rotate_secret(SITE, b"new", START),
    "use_pairing": lambda records: records.use_pairing("hash", START, _pair),
    "device_seen": lambda records: records.device_seen("dev_1", START),
    "record_alive": lambda records: records.record_alive(START),
    "forget_replays": lambda records: records.forget_replays(START),
}
WORK: WorkCalls = {
    "after_commit": lambda work: work.after_commit(lambda: None),
    "next_rev": lambda work: work.next_rev(),
    "note_event": lambda work: work.note_event(START),
    "answer_of": lambda work: work.answer_of("request"),
    "keep_answer": lambda work: work.keep_answer("request", RecordedAnswer(200, b"{}"), START),
    "first_time": lambda work: work.first_time("event", START),
    "conversation": lambda work: work.conversation("c"),
    "save_conversation": lambda work: work.save_conversation(conversation(), known_rev=0),
    "keep_change": lambda work: work.keep_change("c", 1, ONLINE, START),
    "siblings": lambda work: work.siblings("v", "c"),
    "empty_conversation": lambda work: work.empty_conversation("c"),
    "idle_conversations": lambda work: work.idle_conversations(START, 10),
    "visitor": lambda work: work.visitor("v"),
    "save_visitor": lambda work: work.save_visitor(VisitorRecord("v"), START),
    "keep_evidence": lambda work: work.keep_evidence("v", SignedIn("1", "jane@shop.example")),
    "customer": lambda work: work.customer("customer:1"),
    "want_customer": lambda work: work.want_customer(JANE, START, START),
    "keep_profile": lambda work: work.keep_profile(claimed_look_up(), Profile(known=True), START),
    "conversations_of_customer": lambda work: work.conversations_of_customer("customer:1", 10),
    "unlink_visitor": lambda work: work.unlink_visitor("v", "customer:1"),
    "linked_visitors": lambda work: work.linked_visitors(["customer:1"]),
    "conversations_of_visitors": lambda work: work.conversations_of_visitors(["v"], "", 10),
    "queued_for_store": lambda work: work.queued_for_store("c"),
    "forget_visitor": lambda work: work.forget_visitor("v"),
    "forget_typed_names": lambda work: work.forget_typed_names("v"),
    "forget_customers": lambda work: work.forget_customers(["customer:1"]),
    "idle_visitors": lambda work: work.idle_visitors(START, "", 10),
    "unlinked_customers": lambda work: work.unlinked_customers("", 10),
    "message": lambda work: work.message("c", "m"),
    "save_message": lambda work: work.save_message(message()),
    "message_sent": lambda work: work.message_sent("c", "key"),
    "messages_since": lambda work: work.messages_since("c", 0, 10),
    "mark_read": lambda work: work.mark_read("agent", "c", 1),
    "owned_by": lambda work: work.owned_by("agent"),
    "in_demand": lambda work: work.in_demand(),
    "tell_store": lambda work: work.tell_store({"told": True}, START),
    "connect_site": lambda work: work.connect_site(store_connection(), START),
    "add_pairing": lambda work: work.add_pairing("another hash", pairing(), START),
    "device": lambda work: work.device("dev_1"),
    "devices_of": lambda work: work.devices_of("agent"),
    "agent_heard_at": lambda work: work.agent_heard_at("agent"),
    "remove_device": lambda work: work.remove_device("dev_1"),
    "remove_agent_devices": lambda work: work.remove_agent_devices("agent"),
}

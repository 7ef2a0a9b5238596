"""What the agent's app says and is told."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from bridge.api.schemas.common import Amount, Confidential, Id, Moment, PresenceFilter
from bridge.api.schemas.events import EventCart
from bridge.api.schemas.store import AgentBody, DeviceBody


class PairDevice(Struct):
    """What a device calls itself."""

    label: Annotated[str, Meta(min_length=1, max_length=120)]
    platform: Annotated[str, Meta(max_length=60)] = ""


class PairRequest(Confidential):
    """A pairing code and the device that has it."""

    code: Annotated[str, Meta(min_length=1, max_length=128)]
    device: PairDevice


class SiteBody(Struct):
    """The site that a device is paired with."""

    id: str
    name: str
    url: str


class Paired(Confidential):
    """The device's token, told once."""

    token: str
    device: DeviceBody
    agent: AgentBody
    site: SiteBody


class Me(Struct):
    """The device that asks, its agent and its site."""

    device: DeviceBody
    agent: AgentBody
    site: SiteBody


class NoteBody(Struct):
    """What an agent should know before replying."""

    code: Literal["switching_pages", "left", "timed_out", "moved_on", "chat_cleared"]
    text: str


class PageBody(Struct):
    """The page that the visitor is on, or was last."""

    url: str
    title: str | None


class PresenceBody(Struct):
    """Whether the visitor is there (rules P and N)."""

    online: bool
    state: PresenceFilter
    reason: Literal["left", "timed_out", "moved_on"] | None
    since: Moment | None
    last_seen_at: Moment | None
    heard_at: Moment | None
    label: str
    note: NoteBody | None
    hidden: bool
    page: PageBody | None
    continued_in: str | None
    pages: int


class VisitorBody(Struct):
    """The visitor's browser."""

    id: str | None
    name: str | None
    device: str | None


class AgentName(Struct):
    """A person in the app, briefly."""

    id: str
    name: str


class OrderBody(Struct):
    """An order; ``status`` is the store's own word."""

    number: str
    status: str | None
    total: Amount
    currency: str
    date: Moment | None


class LookUpProblemBody(Struct):
    """Why the customer's data is not newer, and since when that is so."""

    code: Literal["not-connected", "not-installed", "key-refused", "unreachable", "busy", "broken"]
    text: str
    since: Moment | None


class ListedCustomer(Struct):
    """The customer behind the visitor, in short, with the proof of it (C1)."""

    id: str | None
    name: str | None
    email: str | None
    proof: Literal["signed_in", "order", "claimed"]
    orders_count: int | None


class CustomerBody(ListedCustomer):
    """The customer behind the visitor, as far as the proof goes (C1, C2).

    ``known`` is whether the store knows them, null until it was asked; ``fetched_at`` is when it
    last answered, and ``problem`` why that is not newer.
    """

    total_spent: Amount | None
    currency: str | None
    last_order: OrderBody | None
    cart: EventCart | None
    fetched_at: Moment | None
    admin_url: str | None
    known: bool | None
    problem: LookUpProblemBody | None


class FollowedUp(Struct):
    """Who wrote to the visitor elsewhere, and when."""

    agent: AgentName
    at: Moment


class FollowUpBody(Struct):
    """Whether somebody should write to the visitor, who is gone and awaits a reply; ``mailto``
    begins an email to the address that is known, and ``done`` is the last time that one did."""

    needed: bool
    mailto: str | None
    done: FollowedUp | None


class TakeoverBody(Struct):
    """Who answers instead of the AI."""

    agent: AgentName
    since: Moment


class LastMessage(Struct):
    """The beginning of the newest message."""

    id: str
    author: Literal["visitor", "bot", "agent", "system"]
    text: str
    at: Moment


class ListedConversation(Struct):
    """A conversation as the list has it; what is not known is null."""

    id: str
    rev: int
    started_at: Moment
    last_activity_at: Moment
    visitor: VisitorBody
    presence: PresenceBody
    customer: ListedCustomer | None
    takeover: TakeoverBody | None
    watchers: list[AgentName]
    last_message: LastMessage | None
    unread: int
    follow_up: FollowUpBody


class ConversationBody(ListedConversation):
    """A conversation with the customer in full."""

    customer: CustomerBody | None


class ConversationList(Struct):
    """A page of conversations; ``rev`` is the site's revision that they are at least as new as."""

    conversations: list[ListedConversation]
    next_cursor: str | None
    rev: int


class MessageAgent(Struct):
    """The agent who wrote."""

    id: str
    name: str
    avatar_url: str | None = None


class MessageBody(Struct):
    """A message; ``delivery`` is null but for agents' messages."""

    id: str
    rev: int
    conversation: str
    author: Literal["visitor", "bot", "agent", "system"]
    text: str
    at: Moment
    agent: MessageAgent | None
    delivery: Literal["queued", "delivered"] | None
    delivered_at: Moment | None


class MessageList(Struct):
    """A page of messages, oldest first; ``before`` and ``after`` ask for the neighbouring pages,
    null where there is none."""

    messages: list[MessageBody]
    before: str | None
    after: str | None


class MessageRequest(Struct):
    """What an agent writes; ``client_id`` is the app's own: sent again, nothing is added."""

    client_id: Id
    text: Annotated[str, Meta(min_length=1, max_length=16_000)]


class TakeoverRequest(Struct):
    """Taking a conversation over; ``acknowledge`` is the code of the note that the agent has read,
    needed while the visitor is offline or has cleared the chat."""

    acknowledge: Annotated[str, Meta(max_length=64)] | None = None


class Watching(Struct):
    """Until when the conversation counts as watched, unless it is watched again."""

    expires_at: Moment


class DeletedConversation(Struct):
    """A conversation that is gone."""

    id: str
    rev: int
    deleted: Literal[True] = True


_CHANGED = {
    "anyOf": [
        {"$ref": f"#/components/schemas/{form.__name__}"}
        for form in (ConversationBody, DeletedConversation)
    ]
}


class SyncBody(Struct):
    """What changed since the revision asked for, in its present form; all of it up to ``rev``,
    unless there is ``more``. Ask again in ``next_sync_seconds``, with ``after`` set to ``rev``."""

    rev: int
    conversations: Annotated[list[Any], Meta(extra_json_schema={"items": _CHANGED})]
    messages: list[MessageBody]
    more: bool
    next_sync_seconds: float


class StreamReady(Struct):
    """The first event of an agent's stream: the revision from which it goes on."""

    rev: int


class StreamHeard(Struct):
    """The visitor of a conversation that this agent watches was heard."""

    conversation: str
    heard_at: Moment

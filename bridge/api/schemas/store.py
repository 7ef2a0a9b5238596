"""What the store says and is told."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta, Struct

from bridge.api.schemas.common import Confidential, Email, Id, Moment, Name, Right, Url


class WooCommerceKeys(Confidential):
    """A read-only REST key and the webhooks' secret."""

    consumer_key: Annotated[str, Meta(min_length=1, max_length=200)]
    consumer_secret: Annotated[str, Meta(min_length=1, max_length=200)]
    webhook_secret: Annotated[str, Meta(min_length=1, max_length=200)]


class StoreConnect(Struct):
    """What a store says of itself."""

    store_url: Url
    rest_url: Url
    name: Name
    origins: Annotated[list[Url], Meta(min_length=1, max_length=20)]
    plugin_version: Annotated[str, Meta(max_length=40)]
    wordpress_version: Annotated[str, Meta(max_length=40)]
    woocommerce_version: Annotated[str, Meta(max_length=40)] | None = None
    timezone: Annotated[str, Meta(max_length=64)] = "UTC"
    admin_url: Url | None = None
    woocommerce: WooCommerceKeys | None = None


class StoreConnected(Struct):
    """The site as the bridge has it now."""

    site: str
    name: str
    bridge_version: str


class AgentBody(Struct):
    """A person in the app, as the store names them."""

    id: Id
    name: Annotated[str, Meta(min_length=1, max_length=200)]
    email: Email | None = None
    avatar_url: Url | None = None


class PairingRequest(Struct):
    """Who may pair a device, and what they may do with it."""

    agent: AgentBody
    rights: Annotated[list[Right], Meta(max_length=5)]


class PairingOffer(Confidential):
    """A code that works once, for 10 minutes; ``url`` opens the app with it."""

    code: str
    url: str
    expires_at: Moment


class DeviceBody(Struct):
    """A paired device."""

    id: str
    agent: AgentBody
    rights: list[Right]
    label: str
    platform: str
    registered_at: Moment
    last_seen_at: Moment


class DeviceList(Struct):
    """A site's devices, those seen last first."""

    devices: list[DeviceBody]


class SignedOut(Struct):
    """How many devices were signed out."""

    devices: int


class PrivacyRequest(Confidential):
    """Whose data is meant: one of these at least. ``cursor`` goes on with an export."""

    email: Email | None = None
    customer_id: Id | None = None
    visitor: Id | None = None
    cursor: Annotated[str, Meta(max_length=128)] | None = None


class PrivacyExport(Confidential):
    """All that is kept of a person; with ``next_cursor``, ask for the rest. Visitors and customers
    are in the first part."""

    visitors: list[dict[str, Any]]
    customers: list[dict[str, Any]]
    conversations: list[dict[str, Any]]
    next_cursor: str | None


class PrivacyErased(Struct):
    """How much was erased: ``claims`` are the visitors who merely typed the email. While there is
    ``more``, ask again."""

    visitors: int
    conversations: int
    customers: int
    claims: int
    more: bool


class WooCommerceStatus(Struct):
    """How asking the store for its customers goes: ``reachable`` is null until it was asked, and
    ``code`` and ``text`` say why it could not be, the first time in a row at ``since``."""

    reachable: bool | None
    code: str | None
    text: str | None
    since: Moment | None
    reached_at: Moment | None


class StoreStatus(Struct):
    """What the bridge knows of a store."""

    site: str
    name: str
    bridge_version: str
    connected_at: Moment | None
    last_event_at: Moment | None
    conversations: int
    online: int
    woocommerce: WooCommerceStatus | None
    devices: list[DeviceBody]

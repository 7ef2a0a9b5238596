"""What the services ask of the engines.

Each engine family stands side by side behind one of these protocols and passes one conformance
suite (``tests/contract``). Every method says what happens on failure. Times are aware UTC.
"""

from bridge.ports.entities import (
    Agent,
    ConversationQuery,
    ConversationRecord,
    ConversationSummary,
    Device,
    MessageRecord,
    Pairing,
    RecordedAnswer,
    Sibling,
    Site,
    SiteSecret,
    SiteStatus,
    StoreConnection,
    VisitorRecord,
)
from bridge.ports.liveness import Beat, ConversationKey, HotConversation, HotPage, Liveness
from bridge.ports.records import Records, Work

__all__ = [
    "Agent",
    "Beat",
    "ConversationKey",
    "ConversationQuery",
    "ConversationRecord",
    "ConversationSummary",
    "Device",
    "HotConversation",
    "HotPage",
    "Liveness",
    "MessageRecord",
    "Pairing",
    "RecordedAnswer",
    "Records",
    "Sibling",
    "Site",
    "SiteSecret",
    "SiteStatus",
    "StoreConnection",
    "VisitorRecord",
    "Work",
]

"""What the services ask of the engines.

Each engine family stands side by side behind one of these protocols and passes one conformance
suite (``tests/contract``). Every method says what happens on failure. Times are aware UTC.
"""

from bridge.ports.entities import (
    Agent,
    Changes,
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
    StoreCall,
    StoreConnection,
    StoreDelivery,
    VisitorRecord,
    good_keys,
)
from bridge.ports.liveness import Beat, Beaten, ConversationKey, HotConversation, HotPage, Liveness
from bridge.ports.nudges import Nudges
from bridge.ports.outbox import ClaimedCall, Outbox, StoreCaller, StoreCallError
from bridge.ports.records import Records, Work

__all__ = [
    "Agent",
    "Beat",
    "Beaten",
    "Changes",
    "ClaimedCall",
    "ConversationKey",
    "ConversationQuery",
    "ConversationRecord",
    "ConversationSummary",
    "Device",
    "HotConversation",
    "HotPage",
    "Liveness",
    "MessageRecord",
    "Nudges",
    "Outbox",
    "Pairing",
    "RecordedAnswer",
    "Records",
    "Sibling",
    "Site",
    "SiteSecret",
    "SiteStatus",
    "StoreCall",
    "StoreCallError",
    "StoreCaller",
    "StoreConnection",
    "StoreDelivery",
    "VisitorRecord",
    "Work",
    "good_keys",
]

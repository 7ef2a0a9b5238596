"""What the services ask of the engines.

Each engine family stands side by side behind one of these protocols and passes one conformance
suite (``tests/contract``). Every method says what happens on failure. Times are aware UTC.
"""

from bridge.ports.customers import (
    ClaimedLookUp,
    CustomerReader,
    CustomerRecord,
    LookUpError,
    LookUpProblem,
    LookUps,
    Order,
    Profile,
    StoreAccess,
    StoreHealth,
)
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
    "ClaimedLookUp",
    "ConversationKey",
    "ConversationQuery",
    "ConversationRecord",
    "ConversationSummary",
    "CustomerReader",
    "CustomerRecord",
    "Device",
    "HotConversation",
    "HotPage",
    "Liveness",
    "LookUpError",
    "LookUpProblem",
    "LookUps",
    "MessageRecord",
    "Nudges",
    "Order",
    "Outbox",
    "Pairing",
    "Profile",
    "RecordedAnswer",
    "Records",
    "Sibling",
    "Site",
    "SiteSecret",
    "SiteStatus",
    "StoreAccess",
    "StoreCall",
    "StoreCallError",
    "StoreCaller",
    "StoreConnection",
    "StoreDelivery",
    "StoreHealth",
    "VisitorRecord",
    "Work",
    "good_keys",
]

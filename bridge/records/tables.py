"""The tables. A change here needs a migration beside it (``bridge/records/migrations``).

Every key begins with the site: one site never meets another's rows.
"""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa


class Moment(sa.types.TypeDecorator[datetime]):
    """An aware UTC time, kept as microseconds since 1970: exact, and in order, on every database.

    SQLite has no time type, and PostgreSQL's would come back in the session's time zone.
    """

    impl = sa.BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> int | None:
        """From an aware time to microseconds."""
        del dialect
        return None if value is None else to_microseconds(value)

    def process_result_value(self, value: int | None, dialect: sa.Dialect) -> datetime | None:
        """From microseconds to an aware time."""
        del dialect
        return None if value is None else from_microseconds(value)


def to_microseconds(at: datetime) -> int:
    """Microseconds since 1970 of an aware time."""
    since = at - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def from_microseconds(value: int) -> datetime:
    """The aware UTC time of microseconds since 1970."""
    seconds, microseconds = divmod(value, 1_000_000)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=microseconds)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_DOCUMENT = sa.JSON(none_as_null=True)
_BYTEWISE = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(referred_table_name)s",
    }
)


def _site_key() -> sa.Column[str]:
    return sa.Column(
        "site", sa.Text, sa.ForeignKey("sites.id", ondelete="CASCADE"), primary_key=True
    )


def _index_where(where: str, name: str, *columns: str, unique: bool = False) -> sa.Index:
    """An index of the rows alone of which ``where`` holds, on either database."""
    condition = sa.text(where)
    return sa.Index(
        name, *columns, unique=unique, sqlite_where=condition, postgresql_where=condition
    )


sites = sa.Table(
    "sites",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("secret", sa.LargeBinary, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("connected_at", Moment),
    sa.Column("connection", _DOCUMENT, nullable=False),
    sa.Column("woocommerce", sa.LargeBinary),
)

old_secrets = sa.Table(
    "old_secrets",
    metadata,
    _site_key(),
    sa.Column("until", Moment, primary_key=True),
    sa.Column("secret", sa.LargeBinary, nullable=False),
)

site_origins = sa.Table(
    "site_origins",
    metadata,
    _site_key(),
    sa.Column("origin", sa.Text, primary_key=True),
    sa.Index(None, "origin"),
)

revisions = sa.Table(
    "revisions",
    metadata,
    _site_key(),
    sa.Column("rev", sa.BigInteger, nullable=False),
    sa.Column("conversations", sa.BigInteger, nullable=False),
    sa.Column("last_event_at", Moment),
)

visitors = sa.Table(
    "visitors",
    metadata,
    _site_key(),
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("name", sa.Text),
    sa.Column("email", sa.Text),
    sa.Column("device", sa.Text),
    sa.Column("customer", _DOCUMENT),
    sa.Column("cart", _DOCUMENT),
    sa.Column("last_order", _DOCUMENT),
    sa.Column("tokens_from", Moment),
    sa.Column("typed_email", _DOCUMENT),
    sa.Column("typed_name", _DOCUMENT),
    sa.Column("customer_key", sa.Text),
    sa.Column("saved_at", Moment),
    _index_where("tokens_from IS NOT NULL", "ix_visitors_superseded", "tokens_from"),
    _index_where(
        "customer_key IS NOT NULL", "ix_visitors_of_customer", "site", "customer_key", "id"
    ),
)

# Each account and each email that a visitor was ever linked to, whichever link is the strongest.
visitor_links = sa.Table(
    "visitor_links",
    metadata,
    _site_key(),
    sa.Column("subject", sa.Text, primary_key=True),
    sa.Column("visitor", sa.Text, primary_key=True),
    sa.Column("proven", sa.Boolean, nullable=False),
    sa.Index(None, "site", "visitor"),
)

# What visitors are found by: words, compared byte by byte on every database.
search_terms = sa.Table(
    "search_terms",
    metadata,
    _site_key(),
    sa.Column("term", _BYTEWISE, primary_key=True),
    sa.Column("visitor", sa.Text, primary_key=True),
    sa.Column("field", sa.Text, primary_key=True),
    sa.Index("ix_search_terms_of_visitor", "site", "visitor", "term", "field"),
)

# What stores know of their customers, and when to ask them next.
customers = sa.Table(
    "customers",
    metadata,
    _site_key(),
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("profile", sa.Text),
    sa.Column("last_order", sa.Text),
    sa.Column("fetched_at", Moment),
    sa.Column("due_at", Moment),
    # bridge.records.look_ups.Priority
    sa.Column("priority", sa.SmallInteger, nullable=False),
    sa.Column("asked_since", Moment),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("problem", sa.Text),
    sa.Column("failing_since", Moment),
    # The latest change that the store told of, by its own clock, and the latest that was fetched.
    sa.Column("changed_at", Moment),
    sa.Column("fetched_change", Moment),
    _index_where("due_at IS NOT NULL", "ix_customers_due", "site", "priority", "due_at"),
    _index_where("last_order IS NOT NULL", "ix_customers_by_order", "site", "last_order"),
)

# One row for each site of which a customer was ever to be looked up; as `store_deliveries` is.
look_ups = sa.Table(
    "look_ups",
    metadata,
    _site_key(),
    sa.Column("due_at", Moment),
    sa.Column("claimed_until", Moment),
    # Before this nobody is asked for: the end of the back-off.
    sa.Column("waits_until", Moment),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("problem", sa.Text),
    sa.Column("failing_since", Moment),
    sa.Column("reached_at", Moment),
    sa.Index(None, "due_at"),
)

conversations = sa.Table(
    "conversations",
    metadata,
    _site_key(),
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("rev", sa.BigInteger, nullable=False),
    sa.Column("visitor", sa.Text),
    sa.Column("started_at", Moment, nullable=False),
    sa.Column("last_activity_at", Moment, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    # 2 online, 1 switching pages, 0 all others: the order of the list.
    sa.Column("rank", sa.SmallInteger, nullable=False),
    sa.Column("reason", sa.Text),
    sa.Column("since", Moment),
    sa.Column("last_seen_at", Moment),
    sa.Column("heard_at", Moment),
    sa.Column("continued_in", sa.Text),
    sa.Column("hidden", sa.Boolean, nullable=False),
    sa.Column("pages", sa.Integer, nullable=False),
    sa.Column("page_url", sa.Text),
    sa.Column("page_title", sa.Text),
    sa.Column("presence", sa.Text, nullable=False),
    sa.Column("recorded_at", Moment, nullable=False),
    sa.Column("entered_at", Moment),
    # Who watches and who has taken over, as one document; null for nobody.
    sa.Column("demand", sa.Text),
    sa.Column("demand_due", Moment),
    sa.Column("owner", sa.Text),
    sa.Column("last_message", _DOCUMENT),
    sa.Column("message_count", sa.Integer, nullable=False),
    sa.Column("deleted", sa.Boolean, nullable=False),
    sa.Column("awaits_reply", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("followed_up", _DOCUMENT),
    sa.Index(None, "site", "rev"),
    # The order of the lists, read backwards: else a page of one would sort the whole site.
    sa.Index("ix_conversations_by_presence", "site", "deleted", "rank", "last_activity_at", "id"),
    sa.Index("ix_conversations_by_state", "site", "deleted", "state", "last_activity_at", "id"),
    sa.Index("ix_conversations_by_activity", "site", "deleted", "last_activity_at", "id"),
    sa.Index(None, "site", "visitor", "last_activity_at"),
    _index_where("rank > 0", "ix_conversations_present", "site", "id"),
    _index_where("demand_due IS NOT NULL", "ix_conversations_in_demand", "site", "id"),
    _index_where("owner IS NOT NULL", "ix_conversations_by_owner", "site", "owner"),
    _index_where(
        "awaits_reply AND rank = 0",
        "ix_conversations_to_follow_up",
        "site",
        "last_activity_at",
        "id",
    ),
)

presence_changes = sa.Table(
    "presence_changes",
    metadata,
    _site_key(),
    sa.Column("conversation", sa.Text, primary_key=True),
    sa.Column("rev", sa.BigInteger, primary_key=True),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("reason", sa.Text),
    sa.Column("at", Moment, nullable=False),
)

messages = sa.Table(
    "messages",
    metadata,
    _site_key(),
    sa.Column("conversation", sa.Text, primary_key=True),
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("rev", sa.BigInteger, nullable=False),
    sa.Column("author", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("at", Moment, nullable=False),
    # The revision it came with: the order of those of one time.
    sa.Column("place", sa.BigInteger, nullable=False),
    sa.Column("name", sa.Text),
    sa.Column("agent", _DOCUMENT),
    sa.Column("delivery", sa.Text),
    sa.Column("delivered_at", Moment),
    sa.Column("client_key", sa.Text),
    sa.Index(None, "site", "conversation", "at", "place"),
    sa.Index(None, "site", "conversation", "place"),
    sa.Index(None, "site", "rev"),
    _index_where("delivery = 'queued'", "ix_messages_queued", "site", "conversation", "place"),
    _index_where(
        "client_key IS NOT NULL",
        "ix_messages_sent_once",
        "site",
        "conversation",
        "client_key",
        unique=True,
    ),
)

agents = sa.Table(
    "agents",
    metadata,
    _site_key(),
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("email", sa.Text),
    sa.Column("avatar_url", sa.Text),
)

devices = sa.Table(
    "devices",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("site", sa.Text, sa.ForeignKey("sites.id", ondelete="CASCADE"), nullable=False),
    sa.Column("agent", sa.Text, nullable=False),
    sa.Column("rights", _DOCUMENT, nullable=False),
    sa.Column("label", sa.Text, nullable=False),
    sa.Column("platform", sa.Text, nullable=False),
    sa.Column("token_hash", sa.Text, nullable=False, unique=True),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("last_seen_at", Moment, nullable=False),
    sa.Index(None, "site", "agent"),
)

pairings = sa.Table(
    "pairings",
    metadata,
    sa.Column("code_hash", sa.Text, primary_key=True),
    sa.Column("site", sa.Text, sa.ForeignKey("sites.id", ondelete="CASCADE"), nullable=False),
    sa.Column("agent", _DOCUMENT, nullable=False),
    sa.Column("rights", _DOCUMENT, nullable=False),
    sa.Column("expires_at", Moment, nullable=False),
    sa.Index(None, "site", "expires_at"),
)

reads = sa.Table(
    "reads",
    metadata,
    _site_key(),
    sa.Column("agent", sa.Text, primary_key=True),
    sa.Column("conversation", sa.Text, primary_key=True),
    sa.Column("message_count", sa.Integer, nullable=False),
)

answered_requests = sa.Table(
    "answered_requests",
    metadata,
    _site_key(),
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("at", Moment, nullable=False),
    sa.Column("status", sa.Integer, nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.Index(None, "at"),
)

seen_events = sa.Table(
    "seen_events",
    metadata,
    _site_key(),
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("at", Moment, nullable=False),
    sa.Index(None, "at"),
)

# What stores are to be told, each site's in the order of `place`: the transactional outbox.
store_calls = sa.Table(
    "store_calls",
    metadata,
    _site_key(),
    sa.Column("place", sa.BigInteger, primary_key=True),
    sa.Column("id", sa.Text, nullable=False),
    sa.Column("at", Moment, nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.Column("conversation", sa.Text),
)

# One row for each site that was ever to be told something: when to try next, and how it goes.
store_deliveries = sa.Table(
    "store_deliveries",
    metadata,
    _site_key(),
    sa.Column("due_at", Moment),
    sa.Column("claimed_until", Moment),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("failing_since", Moment),
    sa.Column("last_error", sa.Text),
    sa.Column("given_up", sa.BigInteger, nullable=False),
    sa.Index(None, "due_at"),
)

alive = sa.Table(
    "alive",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("at", Moment, nullable=False),
)

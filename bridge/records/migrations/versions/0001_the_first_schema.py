"""The first schema."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Apply the step."""
    op.create_table(
        "alive",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alive")),
    )
    op.create_table(
        "sites",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("connected_at", sa.BigInteger(), nullable=True),
        sa.Column("connection", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("woocommerce", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sites")),
    )
    op.create_table(
        "agents",
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("avatar_url", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["site"], ["sites.id"], name=op.f("fk_agents_sites"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("site", "id", name=op.f("pk_agents")),
    )
    op.create_table(
        "answered_requests",
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["site"], ["sites.id"], name=op.f("fk_answered_requests_sites"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("site", "id", name=op.f("pk_answered_requests")),
    )
    op.create_index(op.f("ix_answered_requests_at"), "answered_requests", ["at"], unique=False)
    op.create_table(
        "conversations",
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("rev", sa.BigInteger(), nullable=False),
        sa.Column("visitor", sa.Text(), nullable=True),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("last_activity_at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("rank", sa.SmallInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("since", sa.BigInteger(), nullable=True),
        sa.Column("last_seen_at", sa.BigInteger(), nullable=True),
        sa.Column("heard_at", sa.BigInteger(), nullable=True),
        sa.Column("continued_in", sa.Text(), nullable=True),
        sa.Column("hidden", sa.Boolean(), nullable=False),
        sa.Column("pages", sa.Integer(), nullable=False),
        sa.Column("page_url", sa.Text(), nullable=True),
        sa.Column("page_title", sa.Text(), nullable=True),
        sa.Column("presence", sa.Text(), nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.Column("entered_at", sa.BigInteger(), nullable=True),
        sa.Column("last_message", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("message_count", sa.Integer(), nullable=False),
        sa.Column("deleted", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["site"], ["sites.id"], name=op.f("fk_conversations_sites"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("site", "id", name=op.f("pk_conversations")),
    )
    op.create_index(
        "ix_conversations_by_activity",
        "conversations",
        ["site", "deleted", "last_activity_at", "id"],
        unique=False,
    )
    op.create_index(
        "ix_conversations_by_presence",
        "conversations",
        ["site", "deleted", "rank", "last_activity_at", "id"],
        unique=False,
    )
    op.create_index(
        "ix_conversations_by_state",
        "conversations",
        ["site", "deleted", "state", "last_activity_at", "id"],
        unique=False,
    )
    op.create_index(
        "ix_conversations_present",
        "conversations",
        ["site", "id"],
        unique=False,
        sqlite_where=sa.text("rank > 0"),
        postgresql_where=sa.text("rank > 0"),
    )
    op.create_index(
        op.f("ix_conversations_site_rev"), "conversations", ["site", "rev"], unique=False
    )
    op.create_index(
        op.f("ix_conversations_site_visitor_last_activity_at"),
        "conversations",
        ["site", "visitor", "last_activity_at"],
        unique=False,
    )
    op.create_table(
        "devices",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("agent", sa.Text(), nullable=False),
        sa.Column("rights", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("last_seen_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["site"], ["sites.id"], name=op.f("fk_devices_sites"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_devices")),
        sa.UniqueConstraint("token_hash"),
    )
    op.create_index(op.f("ix_devices_site_agent"), "devices", ["site", "agent"], unique=False)
    op.create_table(
        "messages",
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("conversation", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("rev", sa.BigInteger(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("place", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("agent", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("delivery", sa.Text(), nullable=True),
        sa.Column("delivered_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["site"], ["sites.id"], name=op.f("fk_messages_sites"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("site", "conversation", "id", name=op.f("pk_messages")),
    )
    op.create_index(
        op.f("ix_messages_site_conversation_at_place"),
        "messages",
        ["site", "conversation", "at", "place"],
        unique=False,
    )
    op.create_index(op.f("ix_messages_site_rev"), "messages", ["site", "rev"], unique=False)
    op.create_table(
        "old_secrets",
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["site"], ["sites.id"], name=op.f("fk_old_secrets_sites"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("site", "until", name=op.f("pk_old_secrets")),
    )
    op.create_table(
        "pairings",
        sa.Column("code_hash", sa.Text(), nullable=False),
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("agent", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("rights", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["site"], ["sites.id"], name=op.f("fk_pairings_sites"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("code_hash", name=op.f("pk_pairings")),
    )
    op.create_index(
        op.f("ix_pairings_site_expires_at"), "pairings", ["site", "expires_at"], unique=False
    )
    op.create_table(
        "presence_changes",
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("conversation", sa.Text(), nullable=False),
        sa.Column("rev", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["site"], ["sites.id"], name=op.f("fk_presence_changes_sites"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("site", "conversation", "rev", name=op.f("pk_presence_changes")),
    )
    op.create_table(
        "reads",
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("agent", sa.Text(), nullable=False),
        sa.Column("conversation", sa.Text(), nullable=False),
        sa.Column("message_count", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["site"], ["sites.id"], name=op.f("fk_reads_sites"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("site", "agent", "conversation", name=op.f("pk_reads")),
    )
    op.create_table(
        "revisions",
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("rev", sa.BigInteger(), nullable=False),
        sa.Column("conversations", sa.BigInteger(), nullable=False),
        sa.Column("last_event_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["site"], ["sites.id"], name=op.f("fk_revisions_sites"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("site", name=op.f("pk_revisions")),
    )
    op.create_table(
        "seen_events",
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["site"], ["sites.id"], name=op.f("fk_seen_events_sites"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("site", "id", name=op.f("pk_seen_events")),
    )
    op.create_index(op.f("ix_seen_events_at"), "seen_events", ["at"], unique=False)
    op.create_table(
        "site_origins",
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["site"], ["sites.id"], name=op.f("fk_site_origins_sites"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("site", "origin", name=op.f("pk_site_origins")),
    )
    op.create_index(op.f("ix_site_origins_origin"), "site_origins", ["origin"], unique=False)
    op.create_table(
        "visitors",
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("device", sa.Text(), nullable=True),
        sa.Column("customer", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("cart", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("last_order", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("tokens_from", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["site"], ["sites.id"], name=op.f("fk_visitors_sites"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("site", "id", name=op.f("pk_visitors")),
    )
    op.create_index(
        "ix_visitors_superseded",
        "visitors",
        ["tokens_from"],
        unique=False,
        sqlite_where=sa.text("tokens_from IS NOT NULL"),
        postgresql_where=sa.text("tokens_from IS NOT NULL"),
    )

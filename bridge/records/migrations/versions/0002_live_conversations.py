"""Watches, takeovers, agents' messages, and what stores are to be told of them."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Apply the step: it only adds, so that the code before it goes on working."""
    op.add_column("conversations", sa.Column("demand", sa.Text(), nullable=True))
    op.add_column("conversations", sa.Column("demand_due", sa.BigInteger(), nullable=True))
    op.add_column("conversations", sa.Column("owner", sa.Text(), nullable=True))
    op.add_column("messages", sa.Column("client_key", sa.Text(), nullable=True))
    _index("ix_conversations_in_demand", "conversations", ["site", "id"], "demand_due IS NOT NULL")
    _index("ix_conversations_by_owner", "conversations", ["site", "owner"], "owner IS NOT NULL")
    op.create_index(
        op.f("ix_messages_site_conversation_place"), "messages", ["site", "conversation", "place"]
    )
    of_conversation = ["site", "conversation"]
    _index("ix_messages_queued", "messages", [*of_conversation, "place"], "delivery = 'queued'")
    _index(
        "ix_messages_sent_once",
        "messages",
        [*of_conversation, "client_key"],
        "client_key IS NOT NULL",
        unique=True,
    )
    op.create_table(
        "store_calls",
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("place", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["site"], ["sites.id"], name=op.f("fk_store_calls_sites"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("site", "place", name=op.f("pk_store_calls")),
    )
    op.create_table(
        "store_deliveries",
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.Column("claimed_until", sa.BigInteger(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("failing_since", sa.BigInteger(), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("given_up", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["site"], ["sites.id"], name=op.f("fk_store_deliveries_sites"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("site", name=op.f("pk_store_deliveries")),
    )
    op.create_index(op.f("ix_store_deliveries_due_at"), "store_deliveries", ["due_at"])


def _index(name: str, table: str, columns: list[str], where: str, *, unique: bool = False) -> None:
    """A partial index, on either database."""
    op.create_index(
        name,
        table,
        columns,
        unique=unique,
        sqlite_where=sa.text(where),
        postgresql_where=sa.text(where),
    )

"""Customers: what links visitors to them, what stores know of them, follow-ups, and search."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_BYTEWISE = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Apply the step: it only adds, so that the code before it goes on working."""
    for name in ("typed_email", "typed_name"):
        op.add_column("visitors", sa.Column(name, sa.JSON(none_as_null=True), nullable=True))
    op.add_column("visitors", sa.Column("customer_key", sa.Text(), nullable=True))
    op.add_column("visitors", sa.Column("saved_at", sa.BigInteger(), nullable=True))
    op.add_column(
        "conversations",
        sa.Column("awaits_reply", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    op.add_column(
        "conversations", sa.Column("followed_up", sa.JSON(none_as_null=True), nullable=True)
    )
    op.add_column("store_calls", sa.Column("conversation", sa.Text(), nullable=True))
    _create_tables()
    _index(
        "ix_visitors_of_customer",
        "visitors",
        ["site", "customer_key", "id"],
        "customer_key IS NOT NULL",
    )
    _index(
        "ix_conversations_to_follow_up",
        "conversations",
        ["site", "last_activity_at", "id"],
        "awaits_reply AND rank = 0",
    )


def _create_tables() -> None:
    _create(
        "visitor_links",
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("visitor", sa.Text(), nullable=False),
        sa.Column("proven", sa.Boolean(), nullable=False),
        key=["subject", "visitor"],
    )
    op.create_index(op.f("ix_visitor_links_site_visitor"), "visitor_links", ["site", "visitor"])
    _create(
        "search_terms",
        sa.Column("term", _BYTEWISE, nullable=False),
        sa.Column("visitor", sa.Text(), nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        key=["term", "visitor", "field"],
    )
    of_visitor = ["site", "visitor", "term", "field"]
    op.create_index("ix_search_terms_of_visitor", "search_terms", of_visitor)
    _create(
        "customers",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("profile", sa.Text(), nullable=True),
        sa.Column("last_order", sa.Text(), nullable=True),
        sa.Column("fetched_at", sa.BigInteger(), nullable=True),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.Column("priority", sa.SmallInteger(), nullable=False),
        sa.Column("asked_since", sa.BigInteger(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("failing_since", sa.BigInteger(), nullable=True),
        sa.Column("changed_at", sa.BigInteger(), nullable=True),
        sa.Column("fetched_change", sa.BigInteger(), nullable=True),
        key=["key"],
    )
    _index("ix_customers_due", "customers", ["site", "priority", "due_at"], "due_at IS NOT NULL")
    _index("ix_customers_by_order", "customers", ["site", "last_order"], "last_order IS NOT NULL")
    _create(
        "look_ups",
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.Column("claimed_until", sa.BigInteger(), nullable=True),
        sa.Column("waits_until", sa.BigInteger(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("failing_since", sa.BigInteger(), nullable=True),
        sa.Column("reached_at", sa.BigInteger(), nullable=True),
        key=[],
    )
    op.create_index(op.f("ix_look_ups_due_at"), "look_ups", ["due_at"])


def _create(table: str, *columns: sa.Column[object], key: list[str]) -> None:
    """A table of rows that belong to a site."""
    op.create_table(
        table,
        sa.Column("site", sa.Text(), nullable=False),
        *columns,
        sa.ForeignKeyConstraint(
            ["site"], ["sites.id"], name=op.f(f"fk_{table}_sites"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("site", *key, name=op.f(f"pk_{table}")),
    )


def _index(name: str, table: str, columns: list[str], where: str) -> None:
    """A partial index, on either database."""
    op.create_index(
        name, table, columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where)
    )

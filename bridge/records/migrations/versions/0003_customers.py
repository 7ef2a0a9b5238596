"""Customers: what links visitors to them, what stores know of them, follow-ups, and search."""

import json
import re
from collections.abc import Iterator

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_BATCH = 500
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
    _link_and_index_visitors()


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
    op.create_index(
        op.f("ix_search_terms_site_visitor_term"), "search_terms", ["site", "visitor", "term"]
    )
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


def _link_and_index_visitors() -> None:
    """Link and make findable those who were known before."""
    connection = op.get_bind()
    after = ("", "")
    while True:
        rows = connection.execute(
            sa.text(
                "SELECT site, id, name, email, customer, last_order FROM visitors"
                " WHERE (site, id) > (:site, :id) ORDER BY site, id LIMIT :most"
            ),
            {"site": after[0], "id": after[1], "most": _BATCH},
        ).all()
        if not rows:
            return
        for row in rows:
            visitor = {"site": row.site, "visitor": row.id}
            customer, order = _document(row.customer), _document(row.last_order)
            texts = {"name": row.name, "email": row.email, "order": order.get("number")}
            _index_terms(connection, visitor, texts)
            _link(connection, visitor, customer, order)
        after = (rows[-1].site, rows[-1].id)


def _index_terms(
    connection: sa.Connection, visitor: dict[str, str], texts: dict[str, str | None]
) -> None:
    for field, text in texts.items():
        for term in sorted(set(_terms(text or ""))):
            connection.execute(
                sa.text(
                    "INSERT INTO search_terms (site, term, visitor, field)"
                    " VALUES (:site, :term, :visitor, :field)"
                ),
                {**visitor, "term": term, "field": field},
            )


def _link(
    connection: sa.Connection,
    visitor: dict[str, str],
    customer: dict[str, str],
    order: dict[str, str],
) -> None:
    emails = [_address(each.get("email") or "") for each in (customer, order)]
    accounts = [customer.get("id"), order.get("customer_id")]
    subjects = {f"email:{email}" for email in emails if email}
    subjects |= {f"customer:{account}" for account in accounts if account}
    for subject in sorted(subjects):
        connection.execute(
            sa.text(
                "INSERT INTO visitor_links (site, subject, visitor, proven)"
                " VALUES (:site, :subject, :visitor, :proven)"
            ),
            {**visitor, "subject": subject, "proven": True},
        )
    account = customer.get("id") or order.get("customer_id")
    guest = f"guest:{emails[1]}" if emails[1] else None
    connection.execute(
        sa.text("UPDATE visitors SET customer_key = :key WHERE site = :site AND id = :visitor"),
        {**visitor, "key": f"customer:{account}" if account else guest},
    )


def _terms(text: str) -> Iterator[str]:
    for word in text.casefold().split():
        within = (word.lstrip("@#"), word.rpartition("@")[2], *re.split(r"[\W_]+", word))
        yield from (term[:64] for term in within if term)


def _address(text: str) -> str:
    """An email as it is compared."""
    address = text.strip().lower()
    return address if re.fullmatch(r"[^@\s]+@[^@\s]+", address) else ""


def _document(value: object) -> dict[str, str]:
    """What PostgreSQL's driver has decoded already, and SQLite's has not."""
    found = json.loads(value) if isinstance(value, str) else value
    return found if isinstance(found, dict) else {}

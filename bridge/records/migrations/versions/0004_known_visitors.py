"""Links and makes findable the visitors who were known before there were links."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_BATCH = 500

_visitors = sa.table(
    "visitors",
    sa.column("site", sa.Text),
    sa.column("id", sa.Text),
    sa.column("customer_key", sa.Text),
    sa.column("typed_email", sa.JSON(none_as_null=True)),
    sa.column("typed_name", sa.JSON(none_as_null=True)),
    sa.column("saved_at", sa.BigInteger),
)


def upgrade() -> None:
    """Apply the step. Visitors count as written now: purge must not take them for forgotten."""
    connection = op.get_bind()
    now = int(datetime.now(UTC).timestamp() * 1_000_000)
    connection.execute(sa.update(_visitors).values(saved_at=now))
    after = ("", "")
    while True:
        rows = connection.execute(
            sa.text(
                "SELECT site, id, name, email, customer, last_order FROM visitors"
                " WHERE (site, id) > (:site, :id)"
                " AND (name IS NOT NULL OR email IS NOT NULL"
                " OR customer IS NOT NULL OR last_order IS NOT NULL)"
                " ORDER BY site, id LIMIT :most"
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
            if row.email not in (None, customer.get("email"), order.get("email")):
                _keep_typed(connection, visitor, row.email, row.name)
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


def _keep_typed(
    connection: sa.Connection, visitor: dict[str, str], email: str, name: str | None
) -> None:
    """What is shown of a visitor, and no store said, was typed."""
    typed = {"typed_email": email, "typed_name": name}
    documents = {key: {"text": text} for key, text in typed.items() if text}
    mine = (_visitors.c.site == visitor["site"], _visitors.c.id == visitor["visitor"])
    connection.execute(sa.update(_visitors).where(*mine).values(documents))
    address = _address(email)
    if not address:
        return
    claimed = (*mine, _visitors.c.customer_key.is_(None))
    connection.execute(
        sa.update(_visitors).where(*claimed).values(customer_key=f"claimed:{address}")
    )
    connection.execute(
        sa.text(
            "INSERT INTO visitor_links (site, subject, visitor, proven)"
            " VALUES (:site, :subject, :visitor, :proven)"
        ),
        {**visitor, "subject": f"email:{address}", "proven": False},
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

"""Queries about what agents have read."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from bridge.records.tables import reads
from bridge.records.upsert import upsert

r = reads.c


def mark(connection: sa.Connection, site: str, agent: str, conversation: str, count: int) -> bool:
    """The agent has read the first ``count`` messages; ``False`` if as many before."""
    row = {"site": site, "agent": agent, "conversation": conversation, "message_count": count}
    return upsert(connection, reads, row, where=r.message_count < count)


def counts(
    connection: sa.Connection, site: str, agents: Sequence[str], conversations: Sequence[str]
) -> dict[tuple[str, str], int]:
    """How many messages each agent has read of each conversation, where any."""
    rows = connection.execute(
        sa.select(r.agent, r.conversation, r.message_count).where(
            r.site == site, r.agent.in_(agents), r.conversation.in_(conversations)
        )
    )
    return {(row.agent, row.conversation): row.message_count for row in rows}

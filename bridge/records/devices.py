"""Queries about agents, their devices and the codes that pair them."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bridge.ports import Agent, Device, Pairing
from bridge.records.tables import agents, devices, pairings, revisions
from bridge.records.upsert import upsert

_OWNER = sa.and_(agents.c.site == devices.c.site, agents.c.id == devices.c.agent)
_DEVICES = sa.select(devices, agents.c.name, agents.c.email, agents.c.avatar_url).join(
    agents, _OWNER
)


def add_pairing(connection: sa.Connection, code_hash: str, pairing: Pairing, now: datetime) -> None:
    """Keep a pairing code by its hash; the site's codes that expired go."""
    connection.execute(
        sa.delete(pairings).where(pairings.c.site == pairing.site, pairings.c.expires_at <= now)
    )
    connection.execute(
        sa.insert(pairings).values(
            code_hash=code_hash,
            site=pairing.site,
            agent=asdict(pairing.agent),
            rights=sorted(pairing.rights),
            expires_at=pairing.expires_at,
        )
    )


def use_pairing(connection: sa.Connection, code_hash: str, now: datetime) -> Pairing | None:
    """Take a pairing: whoever deletes its row has it."""
    row = connection.execute(
        sa.delete(pairings)
        .where(pairings.c.code_hash == code_hash, pairings.c.expires_at > now)
        .returning(pairings)
    ).first()
    if row is None:
        return None
    return Pairing(row.site, Agent(**row.agent), frozenset(row.rights), row.expires_at)


def add(connection: sa.Connection, device: Device, token_hash: str) -> None:
    """Keep a device, and its agent as now known."""
    upsert(connection, agents, {"site": device.site, **asdict(device.agent)})
    connection.execute(
        sa.insert(devices).values(
            id=device.id,
            site=device.site,
            agent=device.agent.id,
            rights=sorted(device.rights),
            label=device.label,
            platform=device.platform,
            token_hash=token_hash,
            created_at=device.created_at,
            last_seen_at=device.last_seen_at,
        )
    )


def by_token(connection: sa.Connection, token_hash: str) -> tuple[Device, int] | None:
    """The device that holds a token, and its site's revision, in one query."""
    row = connection.execute(
        _DEVICES.add_columns(revisions.c.rev)
        .join(revisions, revisions.c.site == devices.c.site)
        .where(devices.c.token_hash == token_hash)
    ).first()
    return None if row is None else (_device(row), row.rev)


def seen(connection: sa.Connection, device: str, now: datetime) -> None:
    """Remember that a device was in touch."""
    connection.execute(sa.update(devices).where(devices.c.id == device).values(last_seen_at=now))


def listing(connection: sa.Connection, site: str) -> list[Device]:
    """A site's devices, those seen last first."""
    rows = connection.execute(
        _DEVICES.where(devices.c.site == site).order_by(devices.c.last_seen_at.desc(), devices.c.id)
    )
    return [_device(row) for row in rows]


def find(connection: sa.Connection, site: str, device: str) -> Device | None:
    """A site's device."""
    row = connection.execute(_DEVICES.where(devices.c.site == site, devices.c.id == device)).first()
    return None if row is None else _device(row)


def owned_by(connection: sa.Connection, site: str, agent: str) -> list[str]:
    """The ids of an agent's devices."""
    owned = sa.and_(devices.c.site == site, devices.c.agent == agent)
    return list(connection.scalars(sa.select(devices.c.id).where(owned)))


def heard_at(connection: sa.Connection, site: str, agent: str) -> datetime | None:
    """When the last of an agent's devices was in touch."""
    owned = sa.and_(devices.c.site == site, devices.c.agent == agent)
    newest = sa.select(devices.c.last_seen_at).where(owned).order_by(devices.c.last_seen_at.desc())
    row = connection.execute(newest.limit(1)).first()
    return None if row is None else row.last_seen_at


def remove(connection: sa.Connection, site: str, device: str) -> bool:
    """Sign a device out; ``False`` if the site has no such device."""
    statement = sa.delete(devices).where(devices.c.site == site, devices.c.id == device)
    return connection.execute(statement).rowcount == 1


def remove_all_of(connection: sa.Connection, site: str, agent: str) -> int:
    """Sign out all devices of one person; how many there were."""
    statement = sa.delete(devices).where(devices.c.site == site, devices.c.agent == agent)
    return connection.execute(statement).rowcount


def _device(row: sa.Row[Any]) -> Device:
    return Device(
        id=row.id,
        site=row.site,
        agent=Agent(row.agent, row.name, row.email, row.avatar_url),
        rights=frozenset(row.rights),
        label=row.label,
        platform=row.platform,
        created_at=row.created_at,
        last_seen_at=row.last_seen_at,
    )

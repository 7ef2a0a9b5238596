"""Queries about sites, their secrets and their origins."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from bridge.domain.presence import State
from bridge.ports import Site, SiteSecret, SiteStatus, StoreConnection
from bridge.records.tables import conversations, old_secrets, revisions, site_origins, sites
from bridge.records.upsert import upsert

Cipher = Callable[[bytes], bytes]


def add(connection: sa.Connection, site: Site, now: datetime, encrypt: Cipher) -> None:
    """Add a site whose id is new."""
    connection.execute(
        sa.insert(sites).values(
            id=site.id,
            name=site.name,
            url=site.url,
            secret=encrypt(site.secrets[0].key),
            created_at=now,
            connection={},
        )
    )
    connection.execute(sa.insert(revisions).values(site=site.id, rev=0, conversations=0))
    _set_origins(connection, site.id, site.origins)


def find(connection: sa.Connection, site: str, decrypt: Cipher) -> Site | None:
    """The site of this id, with its secrets, the newest first."""
    row = connection.execute(sa.select(sites).where(sites.c.id == site)).first()
    if row is None:
        return None
    secrets = (SiteSecret(decrypt(row.secret)), *former_secrets(connection, site, decrypt))
    origins = connection.scalars(
        sa.select(site_origins.c.origin).where(site_origins.c.site == site)
    )
    admin_url = row.connection.get("admin_url")
    if admin_url is None and "store_url" in row.connection:
        admin_url = f"{row.connection['store_url'].rstrip('/')}/wp-admin/"
    keys = row.woocommerce and msgspec.json.decode(decrypt(row.woocommerce))
    webhook_secret = keys["webhook_secret"] if keys else None
    return Site(row.id, row.name, row.url, frozenset(origins), secrets, admin_url, webhook_secret)


def former_secrets(connection: sa.Connection, site: str, decrypt: Cipher) -> list[SiteSecret]:
    """The site's secrets before its present one, newest first."""
    old = connection.execute(
        sa.select(old_secrets)
        .where(old_secrets.c.site == site)
        .order_by(old_secrets.c.until.desc())
    )
    return [SiteSecret(decrypt(each.secret), each.until) for each in old]


def rotate(
    connection: sa.Connection, site: str, secret: bytes, keep_old: datetime, encrypt: Cipher
) -> bool:
    """Give a site a new secret; ``False`` if there is no such site."""
    # Locked: what is copied must not be encrypted anew between the two.
    held = sa.select(sites.c.secret).where(sites.c.id == site).with_for_update(key_share=True)
    present = connection.scalar(held)
    if present is None:
        return False
    upsert(connection, old_secrets, {"site": site, "until": keep_old, "secret": present})
    statement = sa.update(sites).where(sites.c.id == site).values(secret=encrypt(secret))
    connection.execute(statement)
    return True


def connect(
    connection: sa.Connection,
    site: str,
    store: StoreConnection,
    now: datetime,
    encrypt: Cipher,
) -> None:
    """Keep what a store said of itself, its keys encrypted."""
    described = {
        field: getattr(store, field)
        for field in (
            "store_url",
            "rest_url",
            "plugin_version",
            "wordpress_version",
            "woocommerce_version",
            "timezone",
            "admin_url",
        )
    }
    keys = store.woocommerce
    connection.execute(
        sa.update(sites)
        .where(sites.c.id == site)
        .values(
            name=store.name,
            connected_at=now,
            connection=described,
            woocommerce=encrypt(msgspec.json.encode(keys)) if keys else None,
        )
    )
    _set_origins(connection, site, frozenset(store.origins))


def status(connection: sa.Connection, site: str) -> SiteStatus:
    """What is known of a site's store and traffic."""
    online = (
        sa.select(sa.func.count())
        .where(
            conversations.c.site == site,
            conversations.c.deleted.is_(False),
            conversations.c.rank == State.ONLINE.rank,
        )
        .scalar_subquery()
    )
    row = connection.execute(
        sa.select(
            sites.c.connected_at,
            revisions.c.last_event_at,
            revisions.c.conversations,
            online.label("online"),
        )
        .join(revisions, revisions.c.site == sites.c.id)
        .where(sites.c.id == site)
    ).one()
    return SiteStatus(row.connected_at, row.last_event_at, row.conversations, row.online)


def revision(connection: sa.Connection, site: str) -> int:
    """The site's revision now (S1)."""
    return int(connection.execute(_REVISION, {"in_site": site}).scalar_one())


_REVISION = sa.select(revisions.c.rev).where(revisions.c.site == sa.bindparam("in_site"))


def listing(connection: sa.Connection) -> list[tuple[str, str, str]]:
    """Id, name and address of every site, oldest first."""
    rows = connection.execute(
        sa.select(sites.c.id, sites.c.name, sites.c.url).order_by(sites.c.created_at)
    )
    return [(row.id, row.name, row.url) for row in rows]


def origin_known(connection: sa.Connection, origin: str) -> bool:
    """Whether any site lists this origin."""
    statement = sa.select(sa.literal(1)).where(site_origins.c.origin == origin).limit(1)
    return connection.execute(statement).first() is not None


def _set_origins(connection: sa.Connection, site: str, origins: frozenset[str]) -> None:
    connection.execute(sa.delete(site_origins).where(site_origins.c.site == site))
    rows: list[dict[str, Any]] = [{"site": site, "origin": origin} for origin in sorted(origins)]
    if rows:
        connection.execute(sa.insert(site_origins), rows)

"""Sites: adding them, finding them without a query, and what their store says of itself."""

from __future__ import annotations

import base64
import secrets
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from bridge.errors import InvalidError, UnavailableError
from bridge.ports import Records, Site, SiteSecret, SiteStatus, StoreConnection, Work
from bridge.services.addresses import origin_of

OLD_SECRET_KEPT = timedelta(hours=24)
"""How long a rotated secret still verifies."""

TOKENS_LAST = timedelta(hours=24)
"""The longest life of a visitor's token."""

CACHED_FOR = timedelta(seconds=60)
"""How long another process's change of a site may go unnoticed."""

_MOST_ORIGINS = 10_000

RELOAD_AFTER = timedelta(seconds=1)
"""A site whose signature does not verify is read again, at most once in this time."""


@dataclass(frozen=True, slots=True)
class NewSite:
    """A site as its owner is told of it, once: ``secret`` is the key, base64url unpadded."""

    id: str
    name: str
    url: str
    secret: str = field(repr=False)


class Sites:
    """The sites, cached: a heartbeat asks for one and must not cost a query."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._cached: dict[str, tuple[Site, datetime]] = {}
        self._origins: dict[str, tuple[bool, datetime]] = {}
        self._superseded: dict[tuple[str, str], datetime] = {}

    def find(self, site: str, now: datetime) -> Site | None:
        """The site of this id, from memory if it was asked for before."""
        cached = self._cached.get(site)
        if cached is None:
            return self._read(site, now)
        if now - cached[1] >= CACHED_FOR:
            # Who has been told of a site goes on while storage is away.
            with suppress(UnavailableError):
                return self._read(site, now)
        return cached[0]

    def find_again(self, site: str, now: datetime) -> Site | None:
        """The same when a signature did not verify: another process may have rotated the secret.
        ``None`` if that was asked for just now."""
        cached = self._cached.get(site)
        if cached is not None and now - cached[1] < RELOAD_AFTER:
            return None
        return self._read(site, now)

    def add(self, name: str, url: str, now: datetime) -> NewSite:
        """Add a site whose first allowed origin is that of ``url``.

        Raises :class:`InvalidError` for an address that is not http or https.
        """
        origin = origin_of(url)
        if origin is None:
            raise InvalidError(f"{url!r} is not an http or https address.")
        key = secrets.token_bytes(32)
        site = f"st_{secrets.token_hex(8)}"
        self._records.add_site(Site(site, name, url, frozenset({origin}), (SiteSecret(key),)), now)
        return NewSite(site, name, url, _encode_key(key))

    def rotate(self, site: str, now: datetime) -> str | None:
        """Give a site a new secret, and return it; ``None`` if there is no such site."""
        key = secrets.token_bytes(32)
        rotated = self._records.rotate_secret(site, key, now + OLD_SECRET_KEPT)
        self._forget(site)
        return _encode_key(key) if rotated else None

    def connect(self, work: Work, store: StoreConnection, now: datetime) -> None:
        """Keep what the store says of itself, and the origins of its pages."""
        work.connect_site(store, now)
        work.after_commit(lambda: self._forget(work.site))

    def _forget(self, site: str) -> None:
        self._cached.pop(site, None)
        self._origins.clear()

    def status(self, site: str) -> SiteStatus:
        """What is known of the site's store and traffic."""
        return self._records.site_status(site)

    def origin_known(self, origin: str, now: datetime) -> bool:
        """Whether any site lists this origin: from memory, if it was asked for just now."""
        known = self._origins.get(origin)
        if known is not None and now - known[1] < CACHED_FOR:
            return known[0]
        if len(self._origins) >= _MOST_ORIGINS:
            self._origins.clear()
        listed = self._records.origin_known(origin)
        self._origins[origin] = listed, now
        return listed

    def load_superseded(self, now: datetime) -> None:
        """Read which visitors' tokens ended while they could still be presented (C3)."""
        # Twice their life: the store's clock, by which they ended, may be off.
        for site, visitor, since in self._records.superseded_tokens(now - 2 * TOKENS_LAST):
            self.supersede(site, visitor, since)

    def forget_superseded(self, now: datetime) -> None:
        """Forget the tokens that have expired by themselves."""
        before = now - 2 * TOKENS_LAST
        self._superseded = {
            visitor: since for visitor, since in self._superseded.items() if since > before
        }

    def supersede(self, site: str, visitor: str, since: datetime) -> None:
        """End the visitor's tokens that were issued before ``since``, by the store's clock."""
        known = self._superseded.get((site, visitor), since)
        self._superseded[site, visitor] = max(known, since)

    def superseded(self, site: str, visitor: str, issued_at: datetime) -> bool:
        """Whether a token issued at ``issued_at`` has ended (C3)."""
        since = self._superseded.get((site, visitor))
        return since is not None and issued_at < since.replace(microsecond=0)

    def _read(self, site: str, now: datetime) -> Site | None:
        found = self._records.site(site)
        if found is not None:
            self._cached[site] = (found, now)
        return found


def connection_string(bridge: str, site: str, secret: str) -> str:
    """The line that a store owner pastes into the plugin; ``bridge`` is the bridge's own origin."""
    parts = urlsplit(bridge)
    return f"{parts.scheme}://{site}:{secret}@{parts.netloc}"


def _encode_key(key: bytes) -> str:
    return base64.urlsafe_b64encode(key).rstrip(b"=").decode()

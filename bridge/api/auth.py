"""Who is asking: the visitor by token, the agent's device by token. Of the store, which signs, see
:mod:`bridge.api.signed_requests`."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from functools import wraps

from flask import Request, Response, g, request

from bridge.api import limits
from bridge.api.limits import Limit
from bridge.api.services import Services, services
from bridge.api.signing import TokenError, VisitorToken, read_token, token_site
from bridge.errors import ForbiddenError, UnauthorizedError
from bridge.ports import Device, Site

_MOST_CACHED_TOKENS = 20_000
_DEVICE_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
"""256 bits in base64url: the database is not asked for what cannot be one."""


def count_failure(app: Services, limit: Limit, now: datetime) -> None:
    """Count a wrong credential against its address: one too many is answered 429, not 401.

    Only then is anybody turned away: a good credential never pays for a neighbour's bad one.
    """
    app.limits.count(limit, limits.address_key(request.remote_addr), now)


class VisitorTokens:
    """Visitors' tokens that were verified, so that each is verified once."""

    def __init__(self) -> None:
        self._known: dict[str, VisitorToken] = {}

    def read(self, app: Services, token: str, now: datetime) -> tuple[VisitorToken, Site]:
        """The token and its site. Raises :class:`UnauthorizedError`."""
        try:
            return self._read(app, token, now)
        except TokenError as error:
            raise UnauthorizedError(error.detail, code=error.code) from error

    def _read(self, app: Services, token: str, now: datetime) -> tuple[VisitorToken, Site]:
        known = self._known.get(token)
        site = app.sites.find(known.site if known else token_site(token), now)
        if known is not None and site is not None and _still_good(known, site, now):
            return known, site
        verified, site = self._verify(app, token, site, now)
        if len(self._known) >= _MOST_CACHED_TOKENS:
            self._known.clear()
        self._known[token] = verified
        return verified, site

    def _verify(
        self, app: Services, token: str, site: Site | None, now: datetime
    ) -> tuple[VisitorToken, Site]:
        if site is not None:
            try:
                return read_token(token, site.keys(now), now), site
            except TokenError as error:
                if error.code == "token-expired":
                    raise
        site = app.sites.find_again(token_site(token), now)
        if site is None:
            raise TokenError("token-invalid", "The visitor's token is not signed by its site.")
        return read_token(token, site.keys(now), now), site


def _still_good(token: VisitorToken, site: Site, now: datetime) -> bool:
    # A rotated secret verifies for a while only, and so do the tokens that it signed.
    return now < token.expires_at and token.key in site.keys(now)


def visitor_of(
    app: Services, tokens: VisitorTokens, token: str | None, now: datetime, events: int
) -> tuple[VisitorToken, Site]:
    """The visitor who holds ``token``, counted against the limits with the ``events`` they bring.

    Raises :class:`UnauthorizedError`; :class:`ForbiddenError` for a page of an origin that is not
    the site's; :class:`bridge.errors.TooManyRequestsError`.
    """
    try:
        if not token:
            raise UnauthorizedError("A visitor's token is needed.", code="token-missing")
        found, site = tokens.read(app, token, now)
        if app.sites.superseded(site.id, found.visitor, found.issued_at):
            raise UnauthorizedError(
                "The visitor signed in or out since: get a new token.", code="token-superseded"
            )
    except UnauthorizedError:
        count_failure(app, limits.BAD_TOKENS, now)
        raise
    origin = request.headers.get("Origin")
    if origin is not None and not site.allows(origin):
        raise ForbiddenError("This origin is not one of the site's.", code="origin-not-allowed")
    app.limits.count(limits.VISITOR, f"{site.id} {found.visitor}", now, events)
    app.limits.count(limits.SITE_VISITORS, site.id, now)
    return found, site


def bearer(asked: Request) -> str | None:
    """The token of an ``Authorization: Bearer`` header."""
    scheme, _, token = asked.headers.get("Authorization", "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None


def by_device(*rights: str) -> Callable[[Callable[..., Response]], Callable[..., Response]]:
    """Let only a paired device in, with all of ``rights``: the view gets ``device`` and ``rev``,
    the revision of its site before anything was read."""

    def guard(view: Callable[..., Response]) -> Callable[..., Response]:
        @wraps(view)
        def guarded(**arguments: str) -> Response:
            app = services()
            device, rev = _device(app, g.now)
            for right in rights:
                if right not in device.rights:
                    raise ForbiddenError(
                        f"This device was paired without the right {right}.", code="right-missing"
                    )
            return view(device=device, rev=rev, **arguments)

        return guarded

    return guard


def _device(app: Services, now: datetime) -> tuple[Device, int]:
    try:
        token = bearer(request)
        if token is None:
            raise UnauthorizedError("A device's token is needed.", code="token-missing")
        if not _DEVICE_TOKEN.fullmatch(token):
            raise UnauthorizedError("This is no device's token.", code="device-unknown")
        device, rev = app.devices.device(token, now)
    except UnauthorizedError:
        count_failure(app, limits.ADDRESS_FAILURES, now)
        raise
    app.limits.count(limits.DEVICE, device.id, now)
    return device, rev

"""Who is asking: the store by signature, the visitor by token, the agent's device by token."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import wraps

from flask import Request, Response, g, request

from bridge.api import body, limits, problems
from bridge.api.limits import Limit
from bridge.api.services import Services, services
from bridge.api.signing import TokenError, VisitorToken, read_token, token_site
from bridge.errors import (
    BadRequestError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    UnauthorizedError,
)
from bridge.ports import Device, RecordedAnswer, Site, Work
from bridge.webhooks import TOLERANCE, verify

OWN_ID_PREFIX = "b_"
"""The ``webhook-id`` of what the bridge sends begins so; no store's does."""
_MOST_CACHED_TOKENS = 20_000
_DEVICE_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
"""256 bits in base64url: the database is not asked for what cannot be one."""
_FINAL = (BadRequestError, InvalidError, NotFoundError)
"""Refusals of what was asked: they are remembered. Others may go away by themselves."""


# -------------------------------------------------------------------------------- store


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """A store's request whose signature is good; ``sent_at`` is by the store's clock."""

    site: Site
    id: str
    sent_at: datetime
    content: bytes = field(repr=False)


def signed_by_store(
    reads: Callable[[SignedRequest], object] | None = None,
) -> Callable[[Callable[..., Response]], Callable[..., Response]]:
    """Let only a store's signed request in.

    The view gets ``signed``, ``work``, and, as ``said``, what ``reads`` made of the body before the
    transaction began: nothing in a transaction may wait. The answer is remembered in the same
    transaction, so that a replay is answered as the first time and changes nothing; so is a
    refusal, in a transaction of its own.
    """

    def guard(view: Callable[..., Response]) -> Callable[..., Response]:
        @wraps(view)
        def guarded(**arguments: str) -> Response:
            app, now = services(), g.now
            signed = _verified(app, request, now)
            app.limits.count(limits.SITE, signed.site.id, now)
            try:
                said = {} if reads is None else {"said": reads(signed)}
                return _answered_once(
                    signed, lambda work: view(signed=signed, work=work, **said, **arguments)
                )
            except _FINAL as error:
                refusal = problems.problem(error)
                return _answered_once(signed, lambda _: refusal)

        return guarded

    return guard


def _answered_once(signed: SignedRequest, answer: Callable[[Work], Response]) -> Response:
    """The answer, or the one that the request's id got when it came before."""
    with services().records.begin(signed.site.id) as work:
        known = work.answer_of(signed.id)
        if known is not None:
            media_type = body.JSON if known.status < 400 else problems.MEDIA_TYPE
            return Response(known.body, known.status, content_type=media_type)
        response = answer(work)
        kept = RecordedAnswer(response.status_code, response.get_data())
        work.keep_answer(signed.id, kept, g.now)
    return response


def _verified(app: Services, asked: Request, now: datetime) -> SignedRequest:
    try:
        return _signature(app, asked, now)
    except UnauthorizedError:
        _count_failure(app, limits.ADDRESS_FAILURES, now)
        raise


def _count_failure(app: Services, limit: Limit, now: datetime) -> None:
    """Count a wrong credential against its address: one too many is answered 429, not 401.

    Only then is anybody turned away: a good credential never pays for a neighbour's bad one.
    """
    app.limits.count(limit, limits.address_key(request.remote_addr), now)


def _signature(app: Services, asked: Request, now: datetime) -> SignedRequest:
    headers = asked.headers
    site_id, message_id = headers.get("Bridge-Site", ""), headers.get("webhook-id", "")
    signature, stamp = headers.get("webhook-signature", ""), headers.get("webhook-timestamp", "")
    if not (site_id and message_id and signature and stamp):
        raise UnauthorizedError(
            "Sign the request: Bridge-Site, webhook-id, webhook-timestamp, webhook-signature.",
            code="signature-missing",
        )
    if len(message_id) > 128 or not message_id.isprintable():
        raise UnauthorizedError("webhook-id has 1 to 128 characters.", code="signature-invalid")
    if message_id.startswith(OWN_ID_PREFIX):
        raise UnauthorizedError(
            f"A webhook-id that begins with {OWN_ID_PREFIX} is the bridge's own.",
            code="webhook-id-reserved",
        )
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 12):
        raise UnauthorizedError(
            "webhook-timestamp is in unix seconds.", code="timestamp-out-of-range"
        )
    content = body.raw(asked, body.STORE_LIMIT)
    signed = content or f"{asked.method} {_target(asked)}".encode()
    site = _site_that_signed(app, site_id, message_id, int(stamp), signed, signature, now)
    # As a number: of those that are far off, not all are dates.
    if abs(now.timestamp() - int(stamp)) > TOLERANCE.total_seconds():
        raise UnauthorizedError(
            "The signature is older or newer than 5 minutes: check the store's clock.",
            code="timestamp-out-of-range",
        )
    return SignedRequest(site, message_id, datetime.fromtimestamp(int(stamp), UTC), content)


def _site_that_signed(
    app: Services,
    site_id: str,
    message_id: str,
    stamp: int,
    content: bytes,
    signature: str,
    now: datetime,
) -> Site:
    for site in (app.sites.find(site_id, now), app.sites.find_again(site_id, now)):
        if site and verify(site.keys(now), message_id, stamp, content, signature):
            return site
    raise UnauthorizedError(
        "The signature does not match: check the connection string.", code="signature-invalid"
    )


def _target(asked: Request) -> str:
    raw = asked.environ.get("RAW_URI") or asked.environ.get("REQUEST_URI")
    if raw and raw.startswith("/"):
        return str(raw)
    query = asked.query_string.decode("latin-1")
    return f"{asked.path}?{query}" if query else asked.path


# ------------------------------------------------------------------------------ visitor


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
        _count_failure(app, limits.BAD_TOKENS, now)
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


# -------------------------------------------------------------------------------- agent


def by_device(
    right: str | None = None,
) -> Callable[[Callable[..., Response]], Callable[..., Response]]:
    """Let only a paired device in, with ``right`` if one is named: the view gets ``device`` and
    ``rev``, the revision of its site before anything was read."""

    def guard(view: Callable[..., Response]) -> Callable[..., Response]:
        @wraps(view)
        def guarded(**arguments: str) -> Response:
            app = services()
            device, rev = _device(app, g.now)
            if right is not None and right not in device.rights:
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
        _count_failure(app, limits.ADDRESS_FAILURES, now)
        raise
    app.limits.count(limits.DEVICE, device.id, now)
    return device, rev

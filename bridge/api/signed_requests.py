"""The store's PHP signs its requests, and gets each answered once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import wraps

from flask import Request, Response, g, request

from bridge.api import body, limits, problems
from bridge.api.auth import count_failure
from bridge.api.services import Services, services
from bridge.errors import BadRequestError, InvalidError, NotFoundError, UnauthorizedError
from bridge.ports import RecordedAnswer, Site, Work
from bridge.webhooks import OWN_ID_PREFIX, TOLERANCE, verify

_FINAL = (BadRequestError, InvalidError, NotFoundError)
"""Refusals of what was asked: they are remembered. Others may go away by themselves."""


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """A store's request whose signature is good; ``sent_at`` is by the store's clock."""

    site: Site
    id: str
    sent_at: datetime
    content: bytes = field(repr=False)


def signed_by_store(
    reads: Callable[[SignedRequest], object] | None = None,
    *,
    remembered: bool = True,
) -> Callable[[Callable[..., Response]], Callable[..., Response]]:
    """Let only a store's signed request in.

    The view gets ``signed``, ``work``, and, as ``said``, what ``reads`` made of the body before the
    transaction began: nothing in a transaction may wait. The answer is remembered in the same
    transaction, so that a replay is answered as the first time and changes nothing; so is a
    refusal, in a transaction of its own. Not ``remembered`` is what may not be kept, and changes
    nothing anyway.
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
                    signed,
                    lambda work: view(signed=signed, work=work, **said, **arguments),
                    remembered=remembered,
                )
            except _FINAL as error:
                refusal = problems.problem(error)
                return _answered_once(signed, lambda _: refusal)

        return guarded

    return guard


def _answered_once(
    signed: SignedRequest, answer: Callable[[Work], Response], *, remembered: bool = True
) -> Response:
    """The answer, or the one that the request's id got when it came before."""
    with services().records.begin(signed.site.id) as work:
        known = work.answer_of(signed.id)
        if known is not None:
            media_type = body.JSON if known.status < 400 else problems.MEDIA_TYPE
            return Response(known.body, known.status, content_type=media_type)
        response = answer(work)
        if remembered:
            kept = RecordedAnswer(response.status_code, response.get_data())
            work.keep_answer(signed.id, kept, g.now)
    return response


def _verified(app: Services, asked: Request, now: datetime) -> SignedRequest:
    try:
        return _signature(app, asked, now)
    except UnauthorizedError:
        count_failure(app, limits.ADDRESS_FAILURES, now)
        raise


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

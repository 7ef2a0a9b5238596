"""The visitor's JSON Web Tokens, which the store signs.

Pure: the caller brings the keys and the time. The shared vectors in ``tests/vectors`` hold this and
the plugin's PHP to the same results.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeGuard

import jwt

from bridge.domain.customer import SignedIn
from bridge.webhooks import TOLERANCE

LONGEST_TOKEN = timedelta(hours=24)
"""The longest life of a visitor's token."""


@dataclass(frozen=True, slots=True)
class VisitorToken:
    """What a visitor's token says; ``customer`` is whom the store vouches for when signed in,
    ``key`` the one that it was signed with."""

    site: str
    visitor: str
    issued_at: datetime
    expires_at: datetime
    key: bytes = field(repr=False)
    customer: SignedIn | None = field(default=None, repr=False)


class TokenError(Exception):
    """The token is not good; ``code`` says why, the message says it to people."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


def token_site(token: str) -> str:
    """The site that a token claims to be of, unverified. Raises :class:`TokenError`."""
    try:
        site = jwt.get_unverified_header(token).get("kid")
    except (jwt.InvalidTokenError, ValueError, RecursionError) as error:
        raise TokenError("token-invalid", "The visitor's token cannot be read.") from error
    if not _is_id(site):
        raise TokenError("token-invalid", "The visitor's token does not name its site.")
    return site


def read_token(token: str, keys: Iterable[bytes], now: datetime) -> VisitorToken:
    """A visitor's token, verified with one of ``keys`` at ``now``. Raises :class:`TokenError`."""
    for key in keys:
        try:
            claims = jwt.decode(
                token,
                key,
                algorithms=["HS256"],
                audience="visitor",
                # The time is a parameter here, so it is compared below.
                options={
                    "require": ["sub", "iat", "exp"],
                    "verify_exp": False,
                    "verify_iat": False,
                    "verify_nbf": False,
                },
            )
        except jwt.InvalidSignatureError:
            continue
        except (jwt.InvalidTokenError, ValueError, RecursionError) as error:
            raise TokenError("token-invalid", "The visitor's token is not valid.") from error
        return _checked(token_site(token), claims, key, now)
    raise TokenError("token-invalid", "The visitor's token is not signed by its site.")


def _checked(site: str, claims: dict[str, Any], key: bytes, now: datetime) -> VisitorToken:
    visitor, issued, expires = claims["sub"], claims["iat"], claims["exp"]
    if not _is_id(visitor):
        raise TokenError("token-invalid", "The visitor's token names no visitor.")
    issued_at, expires_at = _moment(issued), _moment(expires)
    if expires_at - issued_at > LONGEST_TOKEN:
        raise TokenError("token-invalid", "The visitor's token lives longer than 24 hours.")
    if issued_at > now + TOLERANCE:
        raise TokenError("token-invalid", "The visitor's token is from the future.")
    if now >= expires_at:
        raise TokenError("token-expired", "The visitor's token has expired.")
    customer = _customer(claims.get("customer"), issued_at)
    return VisitorToken(site, visitor, issued_at, expires_at, key, customer)


def _customer(claim: object, issued_at: datetime) -> SignedIn | None:
    if claim is None:
        return None
    said = claim if isinstance(claim, dict) else {}
    customer, email, name = said.get("id"), said.get("email"), said.get("name")
    if not _is_id(customer):
        raise TokenError("token-invalid", "The visitor's token names a customer without an id.")
    email = email if _is_text(email, 320) else None
    return SignedIn(customer, email, name if _is_text(name, 200) else None, issued_at, "token")


def _is_text(value: object, longest: int) -> TypeGuard[str]:
    # Not "isprintable" alone: a right-to-left name may hold marks of direction.
    return (
        isinstance(value, str)
        and len(value) <= longest
        and not any(each == "\0" or "\ud800" <= each <= "\udfff" for each in value)
    )


def _is_id(value: object) -> TypeGuard[str]:
    return isinstance(value, str) and 1 <= len(value) <= 128 and value.isprintable()


def _moment(seconds: object) -> datetime:
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        raise TokenError("token-invalid", "The visitor's token has a time that is no number.")
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError) as error:
        raise TokenError("token-invalid", "The visitor's token has an absurd time.") from error

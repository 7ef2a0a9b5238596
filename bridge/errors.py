"""Every error that a caller can be told of, one class a family, each with its stable code.

``docs/errors.md`` has one heading per code; :mod:`bridge.api.problems` turns them into answers.
"""

from __future__ import annotations


class BridgeError(Exception):
    """Something a caller is told of: ``code`` is stable, ``detail`` is for people.

    Neither may contain a secret or a token. ``retry_after`` is in seconds; ``extra`` are further
    members of the problem.
    """

    status = 500
    code = "internal-error"
    title = "Internal error"

    def __init__(
        self, detail: str = "", *, code: str | None = None, retry_after: float | None = None
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.retry_after = retry_after
        self.extra: dict[str, object] = {}
        if code is not None:
            self.code = code


class BadRequestError(BridgeError):
    """The body or the address could not be read at all."""

    status = 400
    code = "malformed-request"
    title = "The request could not be read"


class UnauthorizedError(BridgeError):
    """No credential, or a wrong one."""

    status = 401
    code = "token-invalid"
    title = "A valid credential is needed"


class ForbiddenError(BridgeError):
    """The credential is good, but not for this."""

    status = 403
    code = "right-missing"
    title = "Not allowed"


class NotFoundError(BridgeError):
    """Not there, or another site's or visitor's, which is not to be told apart."""

    status = 404
    code = "not-found"
    title = "Not found"


class MethodNotAllowedError(BridgeError):
    """The address exists, but not for this method."""

    status = 405
    code = "method-not-allowed"
    title = "Method not allowed"


class RequestTimeoutError(BridgeError):
    """The body did not come in time."""

    status = 408
    code = "request-timeout"
    title = "The request took too long"


class ConflictError(BridgeError):
    """Another state of things was expected; ``extra`` says what stands in the way."""

    status = 409
    code = "takeover-owned"
    title = "In conflict with the present state"

    def __init__(self, detail: str, *, code: str, **extra: object) -> None:
        super().__init__(detail, code=code)
        self.extra.update(extra)


class TooLargeError(BridgeError):
    """The body is larger than the endpoint takes."""

    status = 413
    code = "body-too-large"
    title = "The request is too large"


class UnsupportedTypeError(BridgeError):
    """The body is not of a content type that the endpoint takes."""

    status = 415
    code = "unsupported-media-type"
    title = "Unsupported content type"


class InvalidError(BridgeError):
    """Well-formed but wrong; ``errors`` lists ``(JSON pointer, detail)`` of each bad field."""

    status = 422
    code = "invalid"
    title = "The request is not valid"

    def __init__(
        self,
        detail: str = "",
        *,
        code: str | None = None,
        errors: tuple[tuple[str, str], ...] = (),
    ) -> None:
        super().__init__(detail, code=code)
        self.errors = errors


class TooManyRequestsError(BridgeError):
    """A limit on the rate was reached; ``retry_after`` is in seconds."""

    status = 429
    code = "too-many-requests"
    title = "Too many requests"


class UnavailableError(BridgeError):
    """Storage is away, locked or full: nothing was changed, and trying again is right."""

    status = 503
    code = "storage-unavailable"
    title = "Storage is not available"

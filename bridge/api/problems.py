"""Errors as RFC 9457 problems: the one place where they become answers."""

from __future__ import annotations

import logging
import math
from typing import Any

import msgspec
from flask import Flask, Response, current_app, g, request
from werkzeug.exceptions import HTTPException

from bridge.errors import (
    BadRequestError,
    BridgeError,
    InvalidError,
    MethodNotAllowedError,
    NotFoundError,
    RequestTimeoutError,
    TooLargeError,
    UnsupportedTypeError,
)

MEDIA_TYPE = "application/problem+json"

_OF_STATUS: dict[int, type[BridgeError]] = {
    400: BadRequestError,
    404: NotFoundError,
    405: MethodNotAllowedError,
    408: RequestTimeoutError,
    413: TooLargeError,
    415: UnsupportedTypeError,
}
_DETAILS = {
    404: "There is nothing at this address.",
    405: "This address does not take this method.",
    413: "The body is larger than this endpoint takes.",
}


def register(app: Flask) -> None:
    """Answer every error of ``app`` with a problem."""
    app.register_error_handler(BridgeError, problem)
    app.register_error_handler(HTTPException, _http_problem)
    app.register_error_handler(Exception, _unexpected_problem)


def problem(error: BridgeError) -> Response:
    """The answer to an error."""
    body: dict[str, Any] = {
        "type": f"{base_url()}/docs/errors#{error.code}",
        "title": error.title,
        "status": error.status,
        "detail": error.detail or error.title,
        "code": error.code,
        "request_id": g.get("request_id"),
        **error.extra,
    }
    if isinstance(error, InvalidError) and error.errors:
        body["errors"] = [{"pointer": at, "detail": detail} for at, detail in error.errors]
    response = Response(msgspec.json.encode(body), error.status, content_type=MEDIA_TYPE)
    if error.retry_after is not None:
        response.headers["Retry-After"] = str(max(1, math.ceil(error.retry_after)))
    if error.status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def base_url() -> str:
    """The bridge's own address: ``PUBLIC_URL``, or as the request has it."""
    return current_app.config["PUBLIC_URL"] or request.host_url.rstrip("/")


def _http_problem(error: HTTPException) -> Response:
    status = error.code or 500
    if status in (301, 302, 307, 308):
        return error.get_response()  # type: ignore[return-value]  # a redirect is no error
    family = _OF_STATUS.get(status, BadRequestError if 400 <= status < 500 else BridgeError)
    refusal = family(_DETAILS.get(status, error.description or ""))
    if family is BadRequestError:
        refusal.status = status
    answer = problem(refusal)
    if status == 405 and isinstance(allowed := getattr(error, "valid_methods", None), list | tuple):
        answer.headers["Allow"] = ", ".join(sorted(allowed))
    return answer


def _unexpected_problem(error: Exception) -> Response:
    logging.getLogger("bridge").exception("unexpected error", exc_info=error)
    return problem(
        BridgeError("Something went wrong on our side. Send the request_id if you report it.")
    )

"""What the shop's own pages alone may ask of it."""

from http import HTTPStatus

from flask import abort, request


def refuse_other_origins() -> None:
    """Answer 403 unless a page of this shop asks: cookies come with a forged request as well."""
    own = request.headers.get("Sec-Fetch-Site") == "same-origin"
    if not own and request.headers.get("Origin") != request.host_url.rstrip("/"):
        abort(HTTPStatus.FORBIDDEN)

"""One request to a store, and the head of its answer."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import requests
from urllib3.exceptions import HTTPError

from bridge import __version__
from bridge.ports import StoreCallError
from bridge.stores.line import CONNECT_SECONDS, Line, LineAdapter

HEADERS = {
    "Accept-Encoding": "identity",
    "Connection": "close",
    "User-Agent": f"chat-presence-bridge/{__version__}",
}
"""What every request says: an answer that has to be unpacked could become any size."""

TOO_LATE = "no answer in time"


def send(
    line: Line, request: requests.Request, read_seconds: float, *, verify: str | bool = True
) -> requests.Response:
    """The store's answer to ``request``, of which the head alone was read; the caller closes it.

    No redirect is followed. ``read_seconds`` is the longest wait for a single piece of the answer,
    and ``verify`` is by which certificates the store is known, as for :mod:`requests`.

    Raises :class:`StoreCallError`, in our own words: what the libraries say quotes addresses.
    """
    with _Session() as session:
        for scheme in ("http://", "https://"):
            session.mount(scheme, LineAdapter(line))
        try:
            answer = session.send(
                session.prepare_request(request),
                timeout=(CONNECT_SECONDS, read_seconds),
                allow_redirects=False,
                stream=True,
                verify=verify,
            )
        except requests.RequestException as error:
            raise StoreCallError(TOO_LATE if line.hung_up else _reason(error)) from None
        except (HTTPError, ValueError):
            # What is thought of an address that was good when the store connected.
            raise StoreCallError("its address cannot be called") from None
    if line.hung_up:
        # Half of a head can be taken for a whole one.
        answer.close()
        raise StoreCallError(TOO_LATE)
    return answer


def retry_after(answer: requests.Response, now: datetime) -> timedelta | None:
    """What its ``Retry-After`` asks for, in seconds or as a date; ``None`` if it is neither."""
    value = answer.headers.get("Retry-After")
    if value is None:
        return None
    if re.fullmatch(r"[0-9]{1,9}", value):
        return timedelta(seconds=int(value))
    try:
        at = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max((at if at.tzinfo else at.replace(tzinfo=UTC)) - now, timedelta())


class _Session(requests.Session):
    def __init__(self) -> None:
        super().__init__()
        # No proxy, and no credential from a netrc file.
        self.trust_env = False

    def get_redirect_target(
        self,
        resp: requests.Response,  # noqa: ARG002 - named as in the class that asks for it
    ) -> str | None:
        """None, ever: for what is not to be followed too, the body would be read to its end, and
        unpacked."""
        return None


def _reason(error: requests.RequestException) -> str:
    if isinstance(error, requests.exceptions.SSLError):
        return "its certificate is not accepted"
    if isinstance(error, requests.Timeout):
        return TOO_LATE
    if isinstance(error, requests.ConnectionError):
        return "the connection broke off"
    return "its address cannot be called"

"""Addresses that the bridge will call: public ones only, unless told otherwise."""

from __future__ import annotations

from urllib.parse import urlsplit

from bridge.errors import InvalidError
from bridge.public_addresses import is_public, look_up
from bridge.services.addresses import origin_of


def require(url: str, pointer: str, *, allow_private: bool) -> None:
    """Raise :class:`InvalidError` unless ``url`` is http or https, without credentials, and leads
    to a public address. ``pointer`` is the field it came in.

    It is looked up again when it is called: a name can lead elsewhere by then.
    """
    if origin_of(url) is None or "@" in urlsplit(url).netloc:
        raise _refused(pointer, "It is no http or https address.", "invalid")
    if not allow_private and not _leads_to_public(urlsplit(url).hostname or ""):
        raise _refused(
            pointer,
            "It does not lead to a public address. For development, set ALLOW_PRIVATE_STORES=1.",
            "address-not-public",
        )


def _leads_to_public(host: str) -> bool:
    try:
        return all(is_public(each) for each in look_up(host))
    except (OSError, UnicodeError):
        return False


def _refused(pointer: str, detail: str, code: str) -> InvalidError:
    return InvalidError(detail, code=code, errors=((pointer, detail),))

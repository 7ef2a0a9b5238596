"""Standard Webhooks: how the store signs what it tells the bridge, and the bridge what it tells the
store.

Pure: the caller brings the keys and the time. The shared vectors in ``tests/vectors`` hold this and
the plugin's PHP to the same results.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable
from datetime import timedelta

TOLERANCE = timedelta(minutes=5)
"""How far a signature's timestamp may be off."""

OWN_ID_PREFIX = "b_"
"""The ``webhook-id`` of what the bridge sends begins so; no store's does."""

_SCHEME = "v1,"


def decode_key(secret: str) -> bytes:
    """The key in a secret, base64url without padding. Raises ``ValueError``."""
    try:
        return base64.b64decode(secret + "=" * (-len(secret) % 4), altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise ValueError("not base64url") from error


def sign(key: bytes, message_id: str, timestamp: int, content: bytes) -> str:
    """The ``webhook-signature`` of ``content`` sent as ``message_id`` at ``timestamp``."""
    signed = f"{message_id}.{timestamp}.".encode() + content
    return _SCHEME + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()


def verify(
    keys: Iterable[bytes], message_id: str, timestamp: int, content: bytes, header: str
) -> bool:
    """Whether one of the space-separated signatures in ``header`` was made with one of ``keys``."""
    given = [each.encode() for each in header.split(" ") if each.startswith(_SCHEME)]
    expected = [sign(key, message_id, timestamp, content).encode() for key in keys]
    return any(hmac.compare_digest(one, other) for one in given for other in expected)

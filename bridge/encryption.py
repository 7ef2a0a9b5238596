"""Encryption of what must not lie readable in the database: site secrets and WooCommerce keys."""

from __future__ import annotations

import base64

from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


class Encryption:
    """Authenticated encryption with a key derived from ``BRIDGE_SECRET_KEY``."""

    def __init__(self, secret_key: str) -> None:
        derived = HKDF(SHA256(), 32, salt=None, info=b"chat-presence-bridge records").derive(
            secret_key.encode()
        )
        self._fernet = Fernet(base64.urlsafe_b64encode(derived))

    def encrypt(self, plain: bytes) -> bytes:
        """``plain``, readable again only with the same key."""
        return self._fernet.encrypt(plain)

    def decrypt(self, encrypted: bytes) -> bytes:
        """What was encrypted. Raises ``cryptography.fernet.InvalidToken`` with another key."""
        return self._fernet.decrypt(encrypted)

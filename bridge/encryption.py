"""Encryption of what must not lie readable in the database: site secrets and WooCommerce keys."""

from __future__ import annotations

import base64

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from bridge.settings import SettingsError


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
        """What was encrypted.

        Raises :class:`bridge.settings.SettingsError` if that was done with another key.
        """
        try:
            return self._fernet.decrypt(encrypted)
        except InvalidToken:
            raise SettingsError(
                "BRIDGE_SECRET_KEY is not the one that the database's secrets were encrypted with: "
                "set it to that one"
            ) from None

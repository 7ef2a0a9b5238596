"""Encryption of what must not lie readable in the database: site secrets and WooCommerce keys."""

from __future__ import annotations

import base64

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from bridge.settings import SettingsError


class Encryption:
    """Authenticated encryption with a key derived from ``BRIDGE_SECRET_KEY``.

    While that is being replaced, what was encrypted with ``BRIDGE_OLD_SECRET_KEY`` is readable too;
    nothing is encrypted with it any more.
    """

    def __init__(self, secret_key: str, old_secret_key: str | None = None) -> None:
        self._present = _fernet(secret_key)
        old = [] if old_secret_key is None else [_fernet(old_secret_key)]
        self._any = MultiFernet([self._present, *old])

    def encrypt(self, plain: bytes) -> bytes:
        """``plain``, readable again only with the same key."""
        return self._present.encrypt(plain)

    def decrypt(self, encrypted: bytes) -> bytes:
        """What was encrypted.

        Raises :class:`bridge.settings.SettingsError` if that was done with neither key.
        """
        try:
            return self._any.decrypt(encrypted)
        except InvalidToken:
            raise SettingsError(
                "BRIDGE_SECRET_KEY is not the one that the database's secrets were encrypted with: "
                "set it to that one or, to replace that one, set BRIDGE_OLD_SECRET_KEY to it"
            ) from None

    def renew(self, encrypted: bytes) -> bytes:
        """The same, encrypted with the present key: ``encrypted`` itself if it is already.

        Raises as :meth:`decrypt` does.
        """
        try:
            self._present.decrypt(encrypted)
        except InvalidToken:
            return self.encrypt(self.decrypt(encrypted))
        return encrypted


def _fernet(secret_key: str) -> Fernet:
    derived = HKDF(SHA256(), 32, salt=None, info=b"chat-presence-bridge records").derive(
        secret_key.encode()
    )
    return Fernet(base64.urlsafe_b64encode(derived))

"""Pairing a phone with a site, and the devices that came of it."""

from __future__ import annotations

import hashlib
import secrets
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bridge.errors import UnauthorizedError, UnavailableError
from bridge.ports import Agent, Device, Pairing, Records, Work

CODE_LASTS = timedelta(minutes=10)
"""How long a pairing code can be used, once."""

SEEN_EVERY = timedelta(minutes=1)
"""How exact a device's "last seen" is: at most one write in this time."""

RIGHTS = frozenset(
    {"conversations:read", "conversations:reply", "takeover", "takeover:force", "push"}
)
"""What an agent may be allowed to do."""

_CODE_BYTES = 10


@dataclass(frozen=True, slots=True)
class NewPairing:
    """A pairing code: 80 random bits, shown once."""

    code: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class PairedDevice:
    """A device that was just paired, with the token that only it knows."""

    device: Device
    token: str = field(repr=False)


class Devices:
    """Hands out codes, turns them into devices, and knows devices by their tokens."""

    def __init__(self, records: Records) -> None:
        self._records = records

    def offer(self, work: Work, agent: Agent, rights: frozenset[str], now: datetime) -> NewPairing:
        """A code with which ``agent`` may pair one device within 10 minutes."""
        code = secrets.token_urlsafe(_CODE_BYTES)
        expires_at = now + CODE_LASTS
        work.add_pairing(_hash(code), Pairing(work.site, agent, rights, expires_at), now)
        return NewPairing(code, expires_at)

    def pair(self, code: str, label: str, platform: str, now: datetime) -> PairedDevice | None:
        """A device for whoever has the code, once; ``None`` if it is wrong, used or expired."""
        token = secrets.token_urlsafe(32)

        def device_of(pairing: Pairing) -> tuple[Device, str]:
            device = Device(
                id=f"dev_{secrets.token_hex(8)}",
                site=pairing.site,
                agent=pairing.agent,
                rights=pairing.rights,
                label=label,
                platform=platform,
                created_at=now,
                last_seen_at=now,
            )
            return device, _hash(token)

        device = self._records.use_pairing(_hash(code), now, device_of)
        return None if device is None else PairedDevice(device, token)

    def device(self, token: str, now: datetime) -> tuple[Device, int]:
        """The device that holds ``token``, and the revision of its site now.

        Raises :class:`UnauthorizedError` if none does.
        """
        found = self._records.device_by_token(_hash(token))
        if found is None:
            raise UnauthorizedError(
                "This device is not paired, or no longer. Pair it again.", code="device-unknown"
            )
        device, rev = found
        if now - device.last_seen_at >= SEEN_EVERY:
            # Who reads goes on reading while storage cannot be written.
            with suppress(UnavailableError):
                self._records.device_seen(device.id, now)
        return device, rev

    def devices(self, site: str) -> list[Device]:
        """A site's devices, those seen last first."""
        return self._records.devices(site)


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()

"""Agents as the rules know them, and as callers are told of them."""

from __future__ import annotations

from bridge.domain.takeover import Person
from bridge.errors import ConflictError, UnauthorizedError
from bridge.ports import Agent, Device, Work


def person_of(agent: Agent) -> Person:
    """An agent, as other agents and visitors see them."""
    return Person(agent.id, agent.name, agent.avatar_url)


def require_paired(work: Work, device: Device) -> None:
    """Raise :class:`UnauthorizedError` if the device was signed out while its request waited."""
    if work.device(device.id) is None:
        raise UnauthorizedError("This device was signed out.", code="device-unknown")


def taken_over(owner: Person) -> ConflictError:
    """Another agent owns the conversation (T1, T2)."""
    return ConflictError(
        f"{owner.name} has taken this conversation over.",
        code="takeover-owned",
        owner={"id": owner.id, "name": owner.name},
    )

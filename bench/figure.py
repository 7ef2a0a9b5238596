"""A budget, and what was measured against it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """One budget: what was measured against it. Without a budget it is for information."""

    budget_id: str
    what: str
    measured: float
    budget: str
    met: bool


def at_most(budget_id: str, what: str, measured: float, budget: float, digits: int = 1) -> Figure:
    """A figure that may not exceed ``budget``."""
    return Figure(budget_id, what, round(measured, digits), f"<= {budget:g}", measured <= budget)


def percentile(measured: Sequence[float], share: float) -> float:
    """The value that ``share`` of those measured do not exceed."""
    return sorted(measured)[min(len(measured) - 1, int(share * len(measured)))]

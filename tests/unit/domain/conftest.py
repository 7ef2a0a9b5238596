"""``pytest tests/unit/domain --hypothesis-profile thorough`` looks where a normal run does not."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile(
    "thorough", max_examples=5_000, suppress_health_check=[HealthCheck.too_slow]
)

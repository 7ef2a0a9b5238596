"""What the blueprints work with: the services, and the clock that a request gets its time from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from flask import current_app

from bridge.api.limits import Limits
from bridge.live.fan_out import FanOut
from bridge.ports import LookUps, Records
from bridge.services.conversations import Conversations
from bridge.services.converse import Converse
from bridge.services.follow_up import FollowUps
from bridge.services.ingest import Ingest
from bridge.services.pair import Devices
from bridge.services.privacy import Privacy
from bridge.services.sign_out import SignOut
from bridge.services.sites import Sites
from bridge.services.store_changes import StoreChanges
from bridge.services.sync import Sync
from bridge.services.takeover import Takeovers
from bridge.services.visits import Visits
from bridge.services.watch import Watches


@dataclass(frozen=True, slots=True)
class Services:
    """Made by :mod:`bridge.bootstrap`, one set for each application."""

    clock: Callable[[], datetime]
    records: Records
    sites: Sites
    ingest: Ingest
    devices: Devices
    sign_out: SignOut
    conversations: Conversations
    sync: Sync
    watches: Watches
    takeovers: Takeovers
    converse: Converse
    visits: Visits
    fan_out: FanOut
    follow_ups: FollowUps
    privacy: Privacy
    store_changes: StoreChanges
    look_ups: LookUps
    limits: Limits
    allow_private_stores: bool


def services() -> Services:
    """The services of the application that answers this request."""
    return cast(Services, current_app.extensions["bridge"])

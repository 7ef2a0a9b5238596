"""Settings to engines to services: the only file that knows which engines are real."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from threading import Event

import sqlalchemy as sa

from bridge.api.limits import Limits
from bridge.api.services import Services
from bridge.capacity import most_streams
from bridge.demo import DemoSite
from bridge.domain.page import Timing
from bridge.encryption import Encryption
from bridge.live.admission import Admission
from bridge.live.fan_out import FanOut
from bridge.live.memory import MemoryNudges
from bridge.liveness.memory import MemoryLiveness
from bridge.ports import Agent, Liveness, Records
from bridge.records import encrypted, schema
from bridge.records.database import Database
from bridge.records.engine import SqlRecords
from bridge.records.look_ups import SqlLookUps
from bridge.records.outbox import SqlOutbox
from bridge.services.conversations import Conversations
from bridge.services.converse import Converse
from bridge.services.follow_up import FollowUps
from bridge.services.ingest import Ingest
from bridge.services.look_ups import CustomerLookUps
from bridge.services.outbox import StoreOutbox
from bridge.services.pair import RIGHTS, Devices
from bridge.services.privacy import Privacy
from bridge.services.recording import Recorder
from bridge.services.retention import Retention
from bridge.services.sign_out import SignOut
from bridge.services.sites import Sites
from bridge.services.store_changes import StoreChanges
from bridge.services.sweep import Sweep
from bridge.services.sync import Sync
from bridge.services.takeover import Takeovers
from bridge.services.visits import Visits
from bridge.services.watch import Watches
from bridge.settings import Settings, SettingsError
from bridge.stores.http import HttpStoreCaller
from bridge.times import utc_now
from bridge.woocommerce.client import HttpCustomerReader

DEMO_AGENT = Agent("demo", "Demo agent")


@dataclass(frozen=True, slots=True)
class Bridge:
    """Everything that one process is made of."""

    database: Database
    records: Records
    liveness: Liveness
    sites: Sites
    sweep: Sweep
    retention: Retention
    outbox: StoreOutbox
    look_ups: CustomerLookUps
    services: Services
    demo_site: DemoSite | None = None

    def drain(self) -> None:
        """End all streams, and begin nothing more: the process is about to end. Never waits."""
        self.services.fan_out.drain()
        self.outbox.end()
        self.look_ups.end()


def build(settings: Settings, clock: Callable[[], datetime] = utc_now) -> Bridge:
    """The engines and services that ``settings`` name; no connection is made yet, but in the demo.

    Raises :class:`bridge.errors.UnavailableError` when the demo's storage is away.
    """
    timing = Timing(
        grace=settings.presence_grace_seconds,
        active=settings.heartbeat_active_seconds,
        idle=settings.heartbeat_idle_seconds,
        watch=settings.watch_lease_seconds,
        takeover_idle=settings.takeover_idle_minutes * 60,
    )
    database, nudges = open_database(settings), MemoryNudges()
    encryption = _encryption(settings)
    caller = HttpStoreCaller(allow_private=settings.allow_private_stores)
    outbox = StoreOutbox(SqlOutbox(database, encryption), caller, clock)
    wanted = Event()
    records = SqlRecords(database, encryption, nudges.changed, outbox.notice, wanted.set)
    liveness = MemoryLiveness()
    recorder = Recorder(liveness, nudges, timing)
    reader = HttpCustomerReader(allow_private=settings.allow_private_stores)
    queue = SqlLookUps(database, encryption)
    look_ups = CustomerLookUps(queue, reader, records, recorder, clock, wanted)
    sites, devices = Sites(records), Devices(records)
    sweep = Sweep(records, liveness, recorder, timing)
    conversations = Conversations(records, liveness, recorder, sweep, timing)
    sync, watches = Sync(records, conversations), Watches(records, recorder, timing)
    visits = Visits(records, liveness, nudges, recorder, timing)
    fan_out = FanOut(sync, visits, Admission(most_streams()), clock)
    nudges.listen(fan_out.changed, fan_out.heard, fan_out.signed_out)

    def superseded(site: str, visitor: str, since: datetime) -> None:
        sites.supersede(site, visitor, since)
        fan_out.superseded(site, visitor)

    services = Services(
        clock=clock,
        records=records,
        sites=sites,
        ingest=Ingest(records, liveness, nudges, recorder, timing, superseded),
        devices=devices,
        sign_out=SignOut(recorder, watches, nudges, timing),
        conversations=conversations,
        sync=sync,
        watches=watches,
        takeovers=Takeovers(records, recorder, timing),
        converse=Converse(records, recorder, timing),
        visits=visits,
        fan_out=fan_out,
        follow_ups=FollowUps(records, recorder),
        privacy=Privacy(recorder),
        store_changes=StoreChanges(records),
        look_ups=queue,
        limits=Limits(),
        allow_private_stores=settings.allow_private_stores,
    )
    retention = Retention(records, recorder)
    bridge = Bridge(
        database, records, liveness, sites, sweep, retention, outbox, look_ups, services
    )
    if settings.demo:
        return replace(bridge, demo_site=_demo_site(bridge, clock()))
    return bridge


def open_database(settings: Settings) -> Database:
    """The database that ``settings`` name."""
    return Database(settings.database_url)


def migrate(settings: Settings) -> None:
    """Bring the database up to date. Raises :class:`bridge.errors.UnavailableError`, and
    :class:`SettingsError` if ``DATABASE_URL`` is one that its driver refuses."""
    with _connected(settings) as database:
        schema.migrate(database)


def check(settings: Settings) -> None:
    """Return if the database is up to date, and what it keeps encrypted can be read.

    Raises as :func:`migrate` does, and :class:`SettingsError` also if the database is not up to
    date, or was written with another ``BRIDGE_SECRET_KEY``.
    """
    with _up_to_date(settings) as database:
        encrypted.check(database, _encryption(settings))


def reencrypt(settings: Settings) -> Iterator[encrypted.Progress]:
    """Encrypt with ``BRIDGE_SECRET_KEY`` all that still is encrypted with
    ``BRIDGE_OLD_SECRET_KEY``: see :func:`bridge.records.encrypted.reencrypt`.

    Raises as :func:`migrate` does, and :class:`SettingsError` also if the database is not up to
    date.
    """
    with _up_to_date(settings) as database:
        yield from encrypted.reencrypt(database, _encryption(settings))


def _encryption(settings: Settings) -> Encryption:
    return Encryption(settings.secret_key, settings.old_secret_key)


@contextmanager
def _up_to_date(settings: Settings) -> Iterator[Database]:
    with _connected(settings) as database:
        if not schema.up_to_date(database):
            raise SettingsError(
                "DATABASE_URL names a database that is not up to date: "
                "run `python -m bridge migrate` first"
            )
        yield database


@contextmanager
def _connected(settings: Settings) -> Iterator[Database]:
    """The database, closed at the end of the block, once it took a connection."""
    try:
        database = open_database(settings)
        with database.reading():
            pass
    except (sa.exc.ArgumentError, sa.exc.ProgrammingError, TypeError, ValueError):
        # Not quoted: the address may hold a password.
        raise SettingsError(
            "DATABASE_URL is refused by the database's driver: "
            "check its host, its port and the options after the ?"
        ) from None
    try:
        yield database
    finally:
        database.dispose()


def _demo_site(bridge: Bridge, now: datetime) -> DemoSite:
    """The demo's store, which the ``demo`` command added, with a freshly paired device."""
    site_id, _, _ = bridge.records.sites()[0]
    site = bridge.records.site(site_id)
    devices = bridge.services.devices
    with bridge.records.begin(site_id) as work:
        bridge.services.sign_out.agent(work, DEMO_AGENT.id, now)
        offer = devices.offer(work, DEMO_AGENT, RIGHTS, now)
    paired = devices.pair(offer.code, "Demo", "demo", now)
    return DemoSite(
        site_id,
        site.secrets[0].key if site else b"",
        paired.token if paired else None,
    )

"""Sites, the secrets they sign with, and the agents' devices."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier
from typing import Any

import pytest
import sqlalchemy as sa

from bridge.ports import Device, Pairing, Records, Site, SiteSecret, VisitorRecord
from bridge.records.database import Database
from bridge.records.tables import pairings, sites
from tests.contract.samples import (
    AWKWARD,
    OFFLINE,
    ONLINE,
    OTHER_SITE,
    SITE,
    START,
    conversation,
    device,
    moment,
    pairing,
    site,
    store_connection,
)


def rows(database: Database, table: sa.Table) -> list[sa.Row[Any]]:
    with database.reading() as connection:
        return list(connection.execute(sa.select(table)).all())


# -------------------------------------------------------------------------------- sites


def test_a_site_is_kept_as_it_was_added(records: Records) -> None:
    added = Site(
        "st_3",
        AWKWARD,
        "https://shop.example",
        frozenset({"https://shop.example", "http://localhost:8000"}),
        (SiteSecret(bytes(range(256))),),
    )
    records.add_site(added, START)
    assert records.site("st_3") == added
    assert records.site("st_none") is None
    assert ("st_3", AWKWARD, "https://shop.example") in records.sites()


def test_sites_come_in_the_order_in_which_they_were_added(records: Records) -> None:
    records.add_site(site("st_0"), moment(1))
    assert [id for id, _, _ in records.sites()][-1] == "st_0"


def test_a_rotated_secret_verifies_until_it_does_not(records: Records) -> None:
    old = site().secrets[0].key
    assert records.rotate_secret(SITE, b"new", moment(86_400.000001))
    found = records.site(SITE)
    assert found is not None
    assert found.secrets == (SiteSecret(b"new"), SiteSecret(old, moment(86_400.000001)))
    assert found.keys(moment(86_400)) == [b"new", old]
    assert found.keys(moment(86_400.000001)) == [b"new"]
    assert records.rotate_secret(SITE, b"newer", moment(90_000))
    again = records.site(SITE)
    assert again is not None
    # A second rotation takes nothing from the first secret's 24 hours.
    assert again.keys(START) == [b"newer", b"new", old]
    assert again.keys(moment(86_400.000001)) == [b"newer", b"new"]
    assert again.keys(moment(90_000)) == [b"newer"]
    assert records.site(OTHER_SITE) == site(OTHER_SITE)


def test_what_is_not_there_is_not_rotated(records: Records) -> None:
    assert not records.rotate_secret("st_none", b"new", START)


def test_secrets_do_not_lie_readable_in_the_database(records: Records, database: Database) -> None:
    records.rotate_secret(SITE, b"the new key", START)
    with records.begin(SITE) as work:
        work.connect_site(store_connection(), START)
    stored = repr(rows(database, sites))
    for secret in ("the new key", "key of st_1", "ck_1", "cs_1"):
        assert secret not in stored


def test_a_store_that_connects_is_described(records: Records) -> None:
    with records.begin(SITE) as work:
        work.connect_site(store_connection(), moment(0.000001))
    found, status = records.site(SITE), records.site_status(SITE)
    assert found is not None
    assert found.name == "Käse & Söhne"
    assert found.origins == {"https://shop.example", "https://www.shop.example"}
    assert status.connected_at == moment(0.000001)
    assert records.site(OTHER_SITE) == site(OTHER_SITE)


def test_a_store_that_connects_again_replaces_what_it_said(records: Records) -> None:
    with records.begin(SITE) as work:
        work.connect_site(store_connection(), START)
        work.connect_site(store_connection(origins=(), woocommerce=None), moment(5))
    found = records.site(SITE)
    assert found is not None
    assert found.origins == frozenset()
    assert records.site_status(SITE).connected_at == moment(5)
    assert not records.origin_known("https://www.shop.example")


def test_an_origin_is_known_if_any_site_lists_it(records: Records) -> None:
    assert records.origin_known("https://st-2.example")
    for unknown in ("https://st-3.example", "http://st-2.example", "https://ST-2.example", ""):
        assert not records.origin_known(unknown)


def test_a_status_counts_the_sites_own(records: Records) -> None:
    fresh = records.site_status(SITE)
    assert (fresh.connected_at, fresh.last_event_at) == (None, None)
    assert (fresh.conversations, fresh.online) == (0, 0)
    with records.begin(SITE) as work:
        work.save_conversation(conversation("a", state=ONLINE), known_rev=0)
        work.save_conversation(conversation("b", state=OFFLINE), known_rev=0)
        work.note_event(moment(7.000001))
    with records.begin(OTHER_SITE) as work:
        work.save_conversation(conversation("a", state=ONLINE), known_rev=0)
    with records.begin(SITE) as work:
        work.save_conversation(conversation("b", state=ONLINE, rev=2), known_rev=1)
    status = records.site_status(SITE)
    assert (status.conversations, status.online) == (2, 2)
    assert status.last_event_at == moment(7.000001)


def test_tokens_superseded_since_are_told(records: Records) -> None:
    for id, since in ((SITE, moment(10)), (OTHER_SITE, moment(20.000001))):
        with records.begin(id) as work:
            work.save_visitor(VisitorRecord("v", tokens_from=since), START)
            work.save_visitor(VisitorRecord("w"), START)
    assert set(records.superseded_tokens(moment(9))) == {
        (SITE, "v", moment(10)),
        (OTHER_SITE, "v", moment(20.000001)),
    }
    assert records.superseded_tokens(moment(10)) == [(OTHER_SITE, "v", moment(20.000001))]
    assert records.superseded_tokens(moment(30)) == []


def test_the_bridge_was_alive_when_it_last_said_so(records: Records) -> None:
    assert records.alive_at() is None
    for at in (moment(10), moment(20.000001), moment(15)):
        records.record_alive(at)
        assert records.alive_at() == at


# ------------------------------------------------------------------- pairing and devices


def offer(records: Records, code: str = "hash", expires: float = 600, at: float = 0) -> None:
    with records.begin(SITE) as work:
        work.add_pairing(code, pairing(expires=expires), moment(at))


def use(
    records: Records, at: float = 0, code: str = "hash", paired: Device | None = None
) -> Device | None:
    paired = paired or device()
    return records.use_pairing(code, moment(at), lambda _: (paired, f"token of {paired.id}"))


def add(records: Records, *added: Device) -> None:
    for each in added:
        offer(records)
        assert use(records, paired=each) == each


def test_a_pairing_tells_who_it_is_for(records: Records) -> None:
    told: list[Pairing] = []

    def pair(pairing: Pairing) -> tuple[Device, str]:
        told.append(pairing)
        return device(), "token hash"

    offer(records)
    assert records.use_pairing("another", START, pair) is None
    assert told == []
    assert records.use_pairing("hash", START, pair) == device()
    assert told == [pairing()]


def test_a_pairing_works_once(records: Records) -> None:
    offer(records)
    assert use(records, at=599.999999) == device()
    assert use(records, at=1) is None


def test_a_pairing_that_fails_can_be_used_again(records: Records) -> None:
    offer(records)

    def fail(_: Pairing) -> tuple[Device, str]:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        records.use_pairing("hash", START, fail)
    assert use(records) == device()


def test_a_pairing_expires(records: Records, database: Database) -> None:
    offer(records)
    assert use(records, at=600) is None
    offer(records, "later", expires=1200, at=600)
    assert [row.code_hash for row in rows(database, pairings)] == ["later"]


def test_of_many_at_one_time_one_gets_the_pairing(records: Records) -> None:
    callers = 8
    together = Barrier(callers)

    def at_once(number: int) -> Device | None:
        together.wait()
        return use(records, paired=device(f"dev_{number}"))

    for attempt in range(5):
        offer(records)
        with ThreadPoolExecutor(callers) as pool:
            got = [each for each in pool.map(at_once, range(callers)) if each is not None]
        assert len(got) == 1, attempt
        assert records.devices(SITE) == got
        with records.begin(SITE) as work:
            work.remove_device(got[0].id)


def test_a_device_is_known_by_its_token(records: Records) -> None:
    add(records, device())
    assert records.device_by_token("token of dev_1") == (device(), 0)
    assert records.device_by_token("dev_1") is None
    with records.begin(SITE) as work:
        work.save_conversation(conversation(rev=work.next_rev()), known_rev=0)
    assert records.device_by_token("token of dev_1") == (device(), 1)


def test_an_agent_is_named_as_at_their_latest_pairing(records: Records) -> None:
    newly = replace(device("dev_2"), agent=replace(device().agent, name="Sam B.", email=None))
    add(records, device("dev_1"), newly)
    assert {each.agent for each in records.devices(SITE)} == {newly.agent}


def test_devices_come_by_when_they_were_last_seen(records: Records) -> None:
    seen = {"dev_1": 10, "dev_2": 30, "dev_3": 20, "dev_0": 10}
    add(records, *(device(id, seen=at) for id, at in seen.items()))
    add(records, device("dev_x", site=OTHER_SITE))
    assert ids(records) == ["dev_2", "dev_3", "dev_0", "dev_1"]
    records.device_seen("dev_1", moment(40.000001))
    assert ids(records)[0] == "dev_1"
    found = records.device_by_token("token of dev_1")
    assert found is not None
    assert found[0].last_seen_at == moment(40.000001)


def test_a_device_that_is_not_there_was_not_seen(records: Records) -> None:
    records.device_seen("none", moment(10))
    assert records.devices(SITE) == []


def test_a_device_is_signed_out_by_its_own_site_alone(records: Records) -> None:
    add(records, device())
    with records.begin(OTHER_SITE) as work:
        assert not work.remove_device("dev_1")
    with records.begin(SITE) as work:
        assert work.remove_device("dev_1")
        assert not work.remove_device("dev_1")
    assert records.device_by_token("token of dev_1") is None


def test_all_devices_of_one_person_are_signed_out(records: Records) -> None:
    add(records, device("dev_1"), device("dev_2"), device("dev_3", agent="8"))
    add(records, device("dev_x", site=OTHER_SITE))
    with records.begin(SITE) as work:
        assert work.remove_agent_devices("7") == 2
        assert work.remove_agent_devices("7") == 0
    assert ids(records) == ["dev_3"]
    assert records.device_by_token("token of dev_x") is not None


def ids(records: Records) -> list[str]:
    return [each.id for each in records.devices(SITE)]

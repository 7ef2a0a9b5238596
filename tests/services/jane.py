"""Jane, of whom much is kept, and those who come near her; and what is kept of a site."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from bridge.encryption import Encryption
from bridge.ports import Profile
from bridge.records.encrypted import ENCRYPTED
from bridge.records.tables import metadata
from bridge.services.privacy import Erased, Exported, Person
from tests.services.fake_store import BOUGHT, EMAIL, JANE
from tests.services.scene import SITE, moment
from tests.services.shop import ShopScene

PERSON = (
    "Jane Doe",
    EMAIL,
    "v_jane",
    "My shoe size is 47",
    "Dear Jane",
    "fern-of-jane",
    "ORDER-4711",
    "Golden cactus",
    "184.50",
)
"""What tells of Jane, wherever it is kept."""

EVERY_WAY = pytest.mark.parametrize(
    "person",
    [
        Person(email=" JANE@Shop.example"),
        Person(customer="17"),
        Person(visitor="v_jane"),
        Person(email=EMAIL, customer="17", visitor="v_jane"),
    ],
    ids=["email", "customer", "visitor", "all"],
)


def people(shop: ShopScene) -> None:
    """Jane signed in and ordered; Mallory typed her address; Kim is somebody else."""
    shop.store_behind.answers, shop.store_behind.usual = {JANE: BOUGHT}, Profile(known=True)
    url = "https://shop.example/fern-of-jane"
    shop.view(1, at=1, visitor="v_jane", url=url, title="A fern of Jane Doe")
    shop.say("My shoe size is 47", at=2, visitor="v_jane")
    shop.introduce(at=3, visitor="v_jane", name="Jane Doe")
    shop.view(1, at=3, page="p2", conversation="earlier", visitor="v_jane")
    shop.sign_in(at=4, visitor="v_jane")
    shop.order(at=5, number="ORDER-4711", customer="17", visitor="v_jane")
    shop.cart(at=6, visitor="v_jane")
    shop.introduce(at=7, conversation="M", visitor="v_mallory", name="Jane Mallory")
    shop.introduce(7, "kim@shop.example", conversation="K", visitor="v_kim")
    shop.look_up(at=8)
    shop.take_over("sam-1", at=9)
    shop.write("sam-1", at=10, text="Dear Jane, it is no secret")


def export(shop: ShopScene, person: Person, after: str | None = None) -> Exported:
    with shop.bridge.records.begin(SITE) as work:
        return shop.bridge.services.privacy.export(work, person, after)


def erase(shop: ShopScene, person: Person) -> Erased:
    with shop.bridge.records.begin(SITE) as work:
        return shop.bridge.services.privacy.erase(work, person, moment(shop.now))


def rows(shop: ShopScene, site: str) -> list[str]:
    """All that any table keeps of a site, by whoever has the key."""
    encryption, found = Encryption(shop.settings.secret_key), list[str]()
    with shop.bridge.database.reading() as connection:
        for table in metadata.sorted_tables:
            if "site" not in table.c:
                continue
            of_site = sa.select(table).where(table.c.site == site)
            for row in connection.execute(of_site).mappings():
                values = [
                    encryption.decrypt(row[column.name]).decode()
                    if column in ENCRYPTED and row[column.name] is not None
                    else row[column.name]
                    for column in table.columns
                ]
                found.append(f"{table.name}: {values}")
    return sorted(found)


def left(shop: ShopScene) -> list[str]:
    """What still tells of Jane: in any row, or anywhere in the file, without what was overwritten
    and lies there until its place is used again."""
    database = Path(shop.settings.database_url.removeprefix("sqlite:///"))
    copy = database.with_name("copy.db")
    copy.unlink(missing_ok=True)
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("VACUUM INTO ?", (str(copy),))
    kept = "\n".join(rows(shop, SITE)) + copy.read_bytes().decode(errors="replace")
    return [text for text in PERSON if text.casefold() in kept.casefold()]

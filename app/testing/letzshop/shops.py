"""The shops of the proof, on both sides: made here, with goods and stock, and made at the stand-in, with a key."""

import random
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from app.core.database import SYSTEM, TenantScope, unit_of_work
from app.core.errors import UnavailableError
from app.modules.billing import facade as billing
from app.modules.billing.contracts import BY_TASK, OverrideInput
from app.modules.inventory import facade as inventory
from app.modules.inventory.contracts import Place
from app.modules.inventory.facade import Reason
from app.modules.marketplace import facade as marketplace
from app.modules.tenancy.facade import create_company, create_vendor, list_platforms
from app.testing.stage import Stage
from sandbox.letzshop.testing import LetzshopBox

_LANGUAGE, _GOODS, _UNITS = "fr", 40, 1_000_000
_FEED_SECONDS, _LOOK_SECONDS = 90.0, 0.5
_HEADER = "id\ttitle\tdescription\tlink\timage_link\tavailability\tprice\tgtin\tbrand"
_PRODUCTS = text("SELECT id FROM products WHERE vendor_id = :vendor ORDER BY sku")


@dataclass(slots=True)
class Shop:
    """A vendor and its shop at Letzshop; ``keys`` counts those it had."""

    code: str
    vendor_id: UUID
    prices: dict[str, int]
    connection_id: UUID | None = None
    keys: int = 0
    outcomes: dict[str, int] = field(default_factory=dict)

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A unit of work of the vendor's."""
        with unit_of_work(TenantScope(self.vendor_id)) as session:
            yield session

    @property
    def connection(self) -> UUID:
        """Its connection to Letzshop."""
        assert self.connection_id is not None
        return self.connection_id

    def count(self, outcome: str) -> None:
        """One more of these."""
        self.outcomes[outcome] = self.outcomes.get(outcome, 0) + 1


def open_shops(here: Stage, box: LetzshopBox, number: int) -> list[Shop]:
    """So many shops with goods, stock and a plan without limits; Letzshop knows them and nobody else."""
    box.door("/clear")
    with unit_of_work(SYSTEM) as session:
        platform_id = next(one.id for one in list_platforms(session) if one.code == "demo")
        company_id = create_company(session, name="Proof", contact_email="proof@example.lu")
        shops = []
        for place in range(1, number + 1):
            code = f"PROOF{place}"
            vendor_id = create_vendor(
                session, company_id=company_id, platform_ids=[platform_id], code=code, name=f"Proof {place}"
            )
            billing.start_trial(session, vendor_id, platform_id, "enterprise")
            shops.append(Shop(code, vendor_id, {f"{code}-{one:03}": 500 + one * 10 for one in range(_GOODS)}))
    for shop in shops:
        _open(here, box, shop)
    here.settle()
    for shop in shops:
        _stock(here.owner, shop)
    here.settle()
    return shops


def _open(here: Stage, box: LetzshopBox, shop: Shop) -> None:
    box.door("/shops", code=shop.code, name=shop.code, slug=shop.code.lower(), active=True)
    for place in range(3):  # what the shop sells at Letzshop and has not here
        unknown = {"shop": shop.code, "sku": f"{shop.code}-X{place}", "gtin": gtin(900 + place, shop.code)}
        box.door("/products", **unknown, price_cents=990 + place, name={"fr": "Inconnu"}, is_known=False)
    with shop.session() as session:
        billing.add_override(session, shop.vendor_id, "orders.orders", OverrideInput(None, "proof"), BY_TASK)
        billing.add_override(
            session, shop.vendor_id, "catalog.products", OverrideInput(None, "proof"), BY_TASK
        )
    bring_feed(here, shop)
    with shop.session() as session:
        shop.connection_id = marketplace.connect(session, shop.vendor_id, "letzshop")
    give_key(box, shop)


def gtin(number: int, code: str) -> str:
    """A GTIN with its check digit, of a shop's own numbers."""
    digits = f"54{int(code[-1])}{number:09}"
    total = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(digits))
    return f"{digits}{-total % 10}"


def bring_feed(here: Stage, shop: Shop) -> None:
    """Have the vendor's goods imported from a file, as they are now."""
    rows = [_HEADER]
    for place, (sku, cents) in enumerate(shop.prices.items()):
        address = f"https://proof.example/{sku}"
        cells = (sku, f"Article {sku}", "Texte", address, f"{address}.jpg", "in_stock")
        rows.append("\t".join((*cells, f"{cents / 100:.2f} EUR", gtin(place, shop.code), "Proof")))
    file = Path(here.processes.logs) / f"{shop.code}.tsv"
    file.write_text("\n".join(rows) + "\n", "utf-8")
    with shop.session() as session:
        marketplace.import_file(session, file, language=_LANGUAGE)


def _stock(owner: Engine, shop: Shop) -> None:
    with owner.connect() as connection:
        products = connection.execute(_PRODUCTS, {"vendor": shop.vendor_id}).scalars().all()
    assert len(products) == _GOODS
    with shop.session() as session:
        warehouse = inventory.default_warehouse(session, shop.vendor_id).id
        for product in products:
            inventory.set_level(session, Place(product, warehouse), _UNITS, Reason.COUNT)


def give_key(box: LetzshopBox, shop: Shop) -> None:
    """A new key for a shop; the one before is refused from now on, until the vendor stores the new one."""
    former, shop.keys = shop.keys, shop.keys + 1
    box.door("/keys", key=_key(shop), shops=[shop.code], role="shop_manager")
    if former:
        box.control("DELETE", f"/letzshop/keys/{_key(shop, former)}", None)


def store_key(shop: Shop) -> None:
    """The vendor types in the key of its shop."""
    with shop.session() as session:
        marketplace.set_key(session, shop.connection, _key(shop))


def _key(shop: Shop, number: int | None = None) -> str:
    return f"lz_proof_{shop.code.lower()}_{number or shop.keys:04}"


def tell_feeds(here: Stage, box: LetzshopBox, shops: Sequence[Shop]) -> None:
    """Letzshop learns where the files of the shops are, and pulls them; a file may be written a little later."""
    for shop in shops:
        with shop.session() as session:
            feeds = marketplace.feed_addresses(session, shop.vendor_id)
        box.door("/feeds", shop=shop.code, feeds=feeds)
    deadline = time.monotonic() + _FEED_SECONDS
    while True:
        here.settle()
        box.door("/pull")
        if all(len(listings(box, shop)) == _GOODS for shop in shops):
            return
        if time.monotonic() > deadline:
            raise UnavailableError(f"Letzshop does not get the files.\n{here.processes.tails()}")
        time.sleep(_LOOK_SECONDS)


def listings(box: LetzshopBox, shop: Shop) -> dict[str, Any]:
    """Price by SKU of what came by the feed, as Letzshop shows it."""
    found = box.look(f"/listings?shop={shop.code}")["data"]
    return {one["sku"]: one["price_cents"] for one in found if one["sku"] in shop.prices}


def change_prices(here: Stage, shop: Shop, chance: random.Random) -> None:
    """Some goods get another price."""
    for sku in chance.sample(sorted(shop.prices), 5):
        shop.prices[sku] += chance.randrange(1, 50)
    bring_feed(here, shop)

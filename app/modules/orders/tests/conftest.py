"""A shop of the demo with goods of its own, on whose stock and orders the tests look as the owner of the tables."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest
from fastapi import FastAPI
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from app.core.database import TenantScope, unit_of_work
from app.core.ids import new_id
from app.modules.customers.contracts import Address, Buyer
from app.modules.orders.contracts import By, NewLine, NewOrder, PlacedOrder
from app.modules.orders.enums import Source
from app.modules.orders.services.order_reads import OrderView, get_order_view
from app.modules.orders.services.place_service import WhenShort, place_order
from app.testing.database import Database

BY = By(Source.USER)
LIVE = Address(name="Anne Weber", line1="1, rue du Fort", postcode="L-2226", city="Luxembourg", country="LU")
ANNE = Buyer("anne@mail.example", "Anne", "Weber", language="fr")


@dataclass
class Desk:
    """One vendor: its goods by SKU, and what can be done at its order desk."""

    vendor_id: UUID
    owner: Engine
    goods: dict[str, UUID] = field(default_factory=dict)

    @contextmanager
    def session(self) -> Iterator[Session]:
        with unit_of_work(TenantScope(self.vendor_id)) as session:
            yield session

    def rows(self, sql: str, **values: Any) -> list[Any]:
        """What the owner of the tables sees of this vendor (``:vendor``)."""
        with self.owner.begin() as connection:
            result = connection.execute(text(sql), {"vendor": self.vendor_id, **values})
            return list(result.all()) if result.returns_rows else []

    def product(
        self, sku: str, gtin: str | None = None, tax_class: str = "standard", kind: str = "physical"
    ) -> UUID:
        """A product of the catalogue, without stock being kept of it."""
        self.goods[sku] = new_id()
        self.rows(
            """
            INSERT INTO products (id, vendor_id, sku, gtin, price_cents, currency, additional_image_links, attributes,
                is_active, edited_fields, tax_class, kind, created_at, updated_at, version)
            VALUES (:id, :vendor, :sku, :gtin, 1000, 'EUR', '{}', '{}', true, '{}', :tax_class, :kind, now(), now(), 1)
            """,
            id=self.goods[sku],
            sku=sku,
            gtin=gtin,
            tax_class=tax_class,
            kind=kind,
        )
        return self.goods[sku]

    def stock(self, sku: str, on_hand: int) -> None:
        """Put so many on a shelf: from now on stock is kept of the product."""
        self.rows(
            """
            INSERT INTO warehouses (id, vendor_id, code, name, is_default, priority, created_at, updated_at, version)
            VALUES (:id, :vendor, 'TEST', 'Test', false, 0, now(), now(), 1) ON CONFLICT DO NOTHING
            """,
            id=new_id(),
        )
        self.rows(
            """
            INSERT INTO inventory (id, vendor_id, product_id, warehouse_id, bin_location, on_hand, reserved,
                created_at, updated_at, version)
            SELECT :id, :vendor, :product, id, '', :on_hand, 0, now(), now(), 1 FROM warehouses
            WHERE vendor_id = :vendor AND code = 'TEST'
            """,
            id=new_id(),
            product=self.goods[sku],
            on_hand=on_hand,
        )

    def level(self, sku: str) -> tuple[int, int]:
        """On hand and reserved."""
        found = self.rows(
            "SELECT on_hand, reserved FROM inventory WHERE vendor_id = :vendor AND product_id = :product",
            product=self.goods[sku],
        )
        return found[0].on_hand, found[0].reserved

    def line(self, sku: str, quantity: int = 1, cents: int = 1000, **given: Any) -> NewLine:
        """A line of a known product."""
        return NewLine(self.goods[sku], sku, None, f"Thing {sku}", quantity, cents, **given)

    def place(
        self, *lines: NewLine, when_short: WhenShort = "refuse", channel: str = "direct", **given: Any
    ) -> PlacedOrder:
        """Place an order of these lines in a transaction of its own."""
        given = {"buyer": ANNE, "shipping_address": LIVE, "billing_address": None} | given
        with self.session() as session:
            new = NewOrder(channel=channel, lines=lines, **given)
            return place_order(session, self.vendor_id, new, when_short=when_short, by=BY)

    def view(self, order_id: UUID) -> OrderView:
        """All of an order, as it is now."""
        with self.session() as session:
            return get_order_view(session, order_id)

    def kinds(self, order_id: UUID) -> Sequence[str]:
        """What happened to an order, the oldest first."""
        return [row.kind for row in self.view(order_id).history]


@pytest.fixture
def desk(app: FastAPI, world: Database) -> Desk:
    with world.owner_engine.connect() as connection:
        found = connection.execute(text("SELECT id FROM vendors WHERE code = 'GUTLAND'"))
        return Desk(found.scalar_one(), world.owner_engine)

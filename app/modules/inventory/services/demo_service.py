"""Stock of two of the demo's vendors: two warehouses, goods in bins, some of which are low, a delivery and a count."""

import random
from datetime import timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core import clock
from app.core.database import TenantScope, acting_in
from app.modules.catalog import facade as catalog
from app.modules.inventory.contracts import Cause, Change, Expected, Place, Rule
from app.modules.inventory.enums import MovementKind, Reason
from app.modules.inventory.models.level import Level
from app.modules.inventory.services import (
    count_service,
    incoming_service,
    level_service,
    rule_service,
    warehouse_service,
)
from app.modules.setup import DemoLogin
from app.modules.tenancy import facade as tenancy
from app.tasks.dispatcher import dispatch

_TASK = "app.modules.inventory.tasks.demo.stock_demo_vendors"
_VENDORS, _LOW, _MOST = ("MOSELLE", "MINETT"), 4, 40
_FEWEST_PRODUCTS = 20


def seed(session: Session) -> list[DemoLogin]:
    """Have the demo's goods put into stock as soon as a worker runs, unless that was done."""
    vendors = [tenancy.find_vendor(code=code) for code in _VENDORS]
    # Vendors that are only just being made are seen by nobody yet.
    if not all(vendor is not None and _is_stocked(session, vendor.id) for vendor in vendors):
        dispatch(session, _TASK, unique_key=_TASK)
    return []


def stock_demo(session: Session) -> bool:
    """Put products of the demo's vendors into stock; whether all of them have some now. Needs the system scope."""
    is_done = True
    for code in _VENDORS:
        vendor = tenancy.find_vendor(code=code)
        if vendor is not None and not _is_stocked(session, vendor.id):
            is_done &= _stock(session, vendor.id)
    return is_done


def _is_stocked(session: Session, vendor_id: UUID) -> bool:
    with acting_in(session, TenantScope(vendor_id)):
        return session.scalar(select(Level.id).limit(1)) is not None


def _stock(session: Session, vendor_id: UUID) -> bool:
    with acting_in(session, TenantScope(vendor_id)):
        products = catalog.list_products(session, language="fr", limit=_MOST).products
        if len(products) < _FEWEST_PRODUCTS:
            return False
        _fill(session, vendor_id, [(product.id, product.sku) for product in products])
        return True


def _fill(session: Session, vendor_id: UUID, products: list[tuple[UUID, str]]) -> None:
    rng = random.Random("stock")  # noqa: S311 - the same stock every time
    main = warehouse_service.create_warehouse(
        session, vendor_id, code="LUX", name="Luxembourg-Gasperich", priority=10
    )
    shop = warehouse_service.create_warehouse(
        session, vendor_id, code="REM", name="Remich, quai de la Moselle"
    )
    changes = []
    for number, (product_id, _) in enumerate(products):
        rack = f"S{'ABCD'[number % 4]}-{number % 7 + 1:02d}-{number % 3 + 1:02d}"
        changes.append(
            Change(Place(product_id, main.id, rack), rng.choice((2, 3, 8, 12, 24, 60)), is_set=True)
        )
        if number % 5 == 0:
            changes.append(Change(Place(product_id, shop.id), rng.randrange(1, 6), is_set=True))
    cause = Cause(MovementKind.SET, Reason.COUNT, reference_type="demo", reference_label="Demo")
    level_service.apply_changes(session, changes, cause)
    first, place = products[0], changes[0].place
    level_service.adjust(session, place, -1, Reason.DAMAGED, note="Caisse tombée à la réception")
    level_service.transfer(session, place, Place(first[0], shop.id), 1)
    coming = Expected(48, clock.now().date() + timedelta(days=9), "Grossiste du Grand-Duché")
    incoming_service.create_incoming(session, vendor_id, Place(products[1][0], main.id), coming)
    rows = [
        (products[1][1], "LUX", changes[2].place.bin_location, "7", ""),
        ("NO-SUCH-SKU", "LUX", "", "1", ""),
    ]
    count_service.create_count(session, vendor_id, "Inventaire rayon S", rows)
    # Last: people are told of what becomes low, not of what is found so.
    rule_service.set_rule(session, vendor_id, None, None, Rule(_LOW))

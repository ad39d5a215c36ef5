"""Marketplaces of the demo: two vendors with a connection that is off, and what stands on its pages; a directory."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core import clock
from app.core.database import TenantScope, acting_in
from app.modules.marketplace.contracts import CheckOutcome, UnitState
from app.modules.marketplace.enums import ActKind, ActState, DriftKind
from app.modules.marketplace.exceptions import ChannelRefusedError
from app.modules.marketplace.models.channel_call import ChannelCall
from app.modules.marketplace.models.connection import Connection
from app.modules.marketplace.models.directory_shop import ListedShop
from app.modules.marketplace.models.drift import Drift
from app.modules.marketplace.models.letzshop_order import ExternalRecord
from app.modules.marketplace.models.outgoing_act import OutgoingAct
from app.modules.marketplace.services.letzshop_credentials_service import store_key
from app.modules.orders.facade import find_by_external
from app.modules.tenancy import facade as tenancy
from app.tasks.dispatcher import dispatch

TASK = "app.modules.marketplace.tasks.demo.connect_demo_vendors"
_CONNECTOR, _WAIT = "letzshop", timedelta(seconds=2)
_VENDORS = ("MOSELLE", "MINETT")
_ORDERS = ("demo-6", "demo-2")
_SHOPS: tuple[Mapping[str, Any], ...] = (
    {"slug": "maison-moselle", "name": "Maison Moselle", "city": "Remich", "postcode": "L-5533"},
    {"slug": "gutland-kids", "name": "Gutland Kids", "city": "Mersch", "postcode": "L-7525"},
    {"slug": "minett-outdoor", "name": "Minett Outdoor", "city": "Esch-sur-Alzette", "postcode": "L-4001"},
    {"slug": "boulangerie-um-eck", "name": "Boulangerie um Eck", "city": "Ettelbruck", "postcode": "L-9010"},
    {"slug": "velo-sauer", "name": "Vëlo Sauer", "city": "Echternach", "postcode": "L-6450"},
    {"slug": "papeterie-eisch", "name": "Papeterie Eisch", "city": "Steinfort", "postcode": "L-8410"},
)


def connect_demo_vendors(session: Session, tries: int) -> int:
    """Connect the vendors whose orders are there and that have no connection yet; how many. Needs the system scope.

    The others get so many more tries. The connections are off: turned on, they ask the sandbox.
    """
    _list_shops(session)
    connected, is_late = 0, False
    for code in _VENDORS:
        vendor = tenancy.find_vendor(code=code)
        if vendor is None:
            continue
        with acting_in(session, TenantScope(vendor.id)):
            orders = [find_by_external(session, _CONNECTOR, one) for one in _ORDERS]
            if session.scalar(select(Connection.id).limit(1)) is not None:
                continue
            if not all(orders) and tries > 0:
                is_late = True
                continue
            _connect(session, vendor.id, code, orders)
            connected += 1
    if is_late:
        dispatch(session, TASK, kwargs={"tries": tries - 1}, run_after=clock.now() + _WAIT)
    return connected


def _connect(session: Session, vendor_id: UUID, code: str, orders: list[UUID | None]) -> None:
    now = clock.now()
    connection = Connection(
        vendor_id=vendor_id,
        connector=_CONNECTOR,
        is_on=False,
        check_outcome=CheckOutcome.OK,
        checked_at=now,
        synced_at=now,
        history_done_at=now,
        history_read=8,
    )
    session.add(connection)
    session.flush()
    store_key(session, connection.id, f"lz_test_{code.lower()}_manager")
    mine = {"vendor_id": vendor_id, "connection_id": connection.id}
    records = [
        _record(mine, 1, orders[0], {"u-1": UnitState.AVAILABLE, "u-2": UnitState.UNAVAILABLE}),
        _record(mine, 2, orders[1], {"u-3": UnitState.OPEN}),
        _record(mine, 3, None, {"u-4": UnitState.OPEN}, fault="price_unreadable"),
    ]
    session.add_all(records)
    session.flush()
    session.add_all(_acts(mine, records))
    session.add_all([*_calls(mine), *_drifts(mine, code, now)])
    session.flush()


def _calls(mine: Mapping[str, UUID]) -> Iterator[ChannelCall]:
    return (
        ChannelCall(**mine, operation=operation, outcome=outcome, http_status=status, duration_ms=took)
        for operation, outcome, status, took in (
            ("check", "ok", 200, 84),
            ("open_orders", "ok", 200, 131),
            ("decide", "ok", 200, 97),
            ("track", "channel_refused", 200, 66),
            ("open_orders", "channel_unavailable", 502, 2031),
        )
    )


def _drifts(mine: Mapping[str, UUID], code: str, now: datetime) -> Iterator[Drift]:
    return (
        Drift(
            **mine,
            kind=kind,
            article=f"{code[:3]}-{article}",
            title=title,
            ours=ours,
            theirs=theirs,
            found_at=now,
            seen_at=now,
        )
        for kind, article, title, ours, theirs in (
            (DriftKind.PRICE, "011", "Lampe de table, noir", 2490, 2290),
            (DriftKind.MISSING_THERE, "024", "Coussin en lin, terracotta", None, None),
        )
    )


def _record(
    mine: Mapping[str, UUID],
    number: int,
    order_id: UUID | None,
    units: Mapping[str, str],
    fault: str | None = None,
) -> ExternalRecord:
    now = clock.now()
    key, name = f"demo-shipment-{number}", f"H0000000010{number}"
    return ExternalRecord(
        **mine,
        external_id=key,
        number=name,
        order_id=order_id,
        units=dict(units),
        is_open=UnitState.OPEN in units.values(),
        payload={"id": key, "number": name, "inventoryUnits": [{"id": one} for one in units]},
        digest=key,
        seen_at=now,
        placed_at=now - timedelta(hours=number),
        fault=fault,
        attempts=1 if fault else 0,
    )


def _acts(mine: Mapping[str, UUID], records: list[ExternalRecord]) -> list[OutgoingAct]:
    first, second, _ = records
    refused = "No unit of the shipment is confirmed."
    return [
        OutgoingAct(
            **mine,
            record_id=first.id,
            order_id=first.order_id,
            kind=ActKind.DECIDE,
            dedupe="1",
            payload={"u-1": True, "u-2": False},
            state=ActState.DONE,
            attempts=1,
            done_at=clock.now(),
        ),
        OutgoingAct(
            **mine,
            record_id=first.id,
            order_id=first.order_id,
            kind=ActKind.TRACK,
            dedupe="1",
            payload={"number": "LX100200300LU", "carrier": "post-lu"},
            state=ActState.REFUSED,
            attempts=1,
            last_error_code=ChannelRefusedError.code,
            last_error=refused,
        ),
        OutgoingAct(
            **mine,
            record_id=second.id,
            order_id=second.order_id,
            kind=ActKind.DECIDE,
            dedupe="1",
            payload={"u-3": True},
            due_at=clock.now() + timedelta(days=1),
        ),
    ]


def _list_shops(session: Session) -> None:
    if session.scalar(select(ListedShop.id).limit(1)) is not None:
        return
    now = clock.now()
    first = tenancy.find_vendor(code=_VENDORS[0])
    rows = [
        ListedShop(
            connector=_CONNECTOR,
            external_id=f"demo-{shop['slug']}",
            email=f"hello@{shop['slug']}.example",
            homepage=f"https://www.{shop['slug']}.example",
            country="LU",
            seen_at=now,
            **shop,
        )
        for shop in _SHOPS
    ]
    rows[0].vendor_id, rows[0].matched_at = (first.id, now) if first else (None, None)
    rows[4].changes, rows[4].changed_at = {"city": ["Rosport", "Echternach"]}, now
    rows[5].gone_at = now
    session.add_all(rows)
    session.flush()

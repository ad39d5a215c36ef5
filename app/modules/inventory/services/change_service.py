"""What follows a change of stock, once per product when the transaction ends: the event, and whether people are told
that little is left."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Self
from uuid import UUID

from sqlalchemy import event, text
from sqlalchemy.orm import Session, SessionTransaction

from app.core import clock
from app.core.database import ScopedSession, TenantScope, acting_in
from app.modules.core.contracts import Notice
from app.modules.core.facade import notify
from app.modules.events import publish
from app.modules.inventory.contracts import ARRIVAL, LEVEL_WATCH
from app.modules.inventory.events import LevelChanged, StockLow
from app.modules.menu import page_url
from app.modules.tenancy import facade as tenancy

LOW = "inventory.stock_low"
_CHANGED = "inventory.changed"  # in the session: what was noted

_OPEN_ALERT = text(
    "INSERT INTO stock_alerts (vendor_id, product_id, low_stock_level, available, at) "
    "VALUES (:vendor_id, :product_id, :level, :available, :now) ON CONFLICT DO NOTHING RETURNING 1"
)
_CLOSE_ALERT = text("DELETE FROM stock_alerts WHERE vendor_id = :vendor_id AND product_id = :product_id")


@dataclass(frozen=True, slots=True)
class Told:
    """What an act says of a product that it changed."""

    product_id: UUID
    sku: str
    on_hand: int
    available: int
    low_stock_level: int | None
    is_alerted: bool

    @classmethod
    def of(cls, row: Any) -> Self:
        """A row of a statement of ``stock_sql``."""
        level, alerted = row.low_stock_level, row.is_alerted
        return cls(row.product_id, row.sku, row.all_on_hand, row.available, level, alerted)


def vendor_of(session: Session) -> UUID:
    """The vendor in whose scope the session works."""
    assert isinstance(session, ScopedSession)
    assert isinstance(session.scope, TenantScope)
    return session.scope.vendor_id


@dataclass(frozen=True, slots=True)
class _Noted:
    """What was told, where, and within which savepoints: should one of them be undone, it was never said."""

    vendor_id: UUID
    told: Told
    is_more: bool
    savepoints: tuple[SessionTransaction, ...]


def note_changes(session: Session, told: Iterable[Told], *, is_more: bool = True) -> None:
    """Have what follows done for these products before the session's transaction is committed: with what was said last
    of each. ``is_more``: there may be more to be had than before."""
    vendor_id, savepoints = vendor_of(session), tuple(_savepoints(session))
    noted: list[_Noted] = session.info.setdefault(_CHANGED, [])
    noted += [_Noted(vendor_id, one, is_more, savepoints) for one in told]


def _savepoints(session: Session) -> Iterator[SessionTransaction]:
    current = session.get_nested_transaction()
    while current is not None and current.nested:
        yield current
        current = current.parent


@event.listens_for(ScopedSession, "after_soft_rollback")
def _forget(session: ScopedSession, undone: SessionTransaction) -> None:
    noted: list[_Noted] = session.info.get(_CHANGED, [])
    noted[:] = [one for one in noted if undone.nested and undone not in one.savepoints]


@event.listens_for(ScopedSession, "before_commit")
def _follow_up(session: ScopedSession) -> None:
    noted: list[_Noted] = session.info.get(_CHANGED, [])
    if not noted or session.in_nested_transaction():
        return
    del session.info[_CHANGED]
    by_vendor: dict[UUID, list[_Noted]] = {}
    for one in noted:
        by_vendor.setdefault(one.vendor_id, []).append(one)
    for vendor_id, of_vendor in by_vendor.items():
        if isinstance(session.scope, TenantScope) and session.scope.vendor_id == vendor_id:
            _tell(session, vendor_id, of_vendor)
        else:
            with acting_in(session, TenantScope(vendor_id)):
                _tell(session, vendor_id, of_vendor)


def _tell(session: Session, vendor_id: UUID, noted: Iterable[_Noted]) -> None:
    told = {one.told.product_id: one.told for one in noted}
    risen = {one.told.product_id for one in noted if one.is_more}
    arrived = [key for key in risen if told[key].available > 0]
    waiting = ARRIVAL.find_for(vendor_id) if arrived else None
    if waiting is not None:
        waiting(session, vendor_id, arrived)
    watch = LEVEL_WATCH.find_for(vendor_id)
    if watch is not None:
        watch(session, vendor_id)
    for one in told.values():
        changed = LevelChanged(one.product_id, one.sku, one.on_hand, one.available)
        publish(session, changed, vendor_id=vendor_id, aggregate=str(one.product_id))
        is_low = one.low_stock_level is not None and one.available <= one.low_stock_level
        if is_low and not one.is_alerted:
            _alert(session, vendor_id, one, one.low_stock_level or 0)
        elif one.is_alerted and not is_low:
            session.execute(_CLOSE_ALERT, {"vendor_id": vendor_id, "product_id": one.product_id})


def _alert(session: Session, vendor_id: UUID, found: Told, level: int) -> None:
    values = {"vendor_id": vendor_id, "product_id": found.product_id, "level": level, "now": clock.now()}
    if session.scalar(_OPEN_ALERT, {**values, "available": found.available}) is None:
        return
    low = StockLow(found.product_id, found.sku, found.available, level)
    publish(session, low, vendor_id=vendor_id, aggregate=str(found.product_id))
    vendor = tenancy.find_vendor(vendor_id=vendor_id)
    assert vendor is not None
    url = page_url("inventory.vendor.levels", vendor_code=vendor.code) + f"?q={found.sku}"
    params: dict[str, str | int] = {"sku": found.sku, "available": found.available}
    notice = Notice(LOW, "warning", "inventory.notices.stock_low", params, url=url)
    for user in tenancy.list_users_with(session, vendor_id, "inventory.stock.adjust"):
        notify(session, notice, user_id=user.id, vendor_id=vendor_id)

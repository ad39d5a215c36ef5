"""The vendor's warehouses."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from app.core import clock
from app.core.ids import to_public
from app.modules.audit import record_audit
from app.modules.inventory.exceptions import (
    WarehouseCodeTakenError,
    WarehouseInUseError,
    WarehouseNotFoundError,
)
from app.modules.inventory.models.level import Level, Warehouse
from app.modules.pages import PageContext

WAREHOUSE_PREFIX = "whs"


def list_warehouses(session: Session) -> Sequence[Warehouse]:
    """Those in use, in the order in which orders take from them."""
    return session.scalars(
        select(Warehouse).where(Warehouse.archived_at.is_(None)).order_by(Warehouse.priority, Warehouse.code)
    ).all()


def get_warehouse(session: Session, warehouse_id: UUID) -> Warehouse:
    """One warehouse. Raises WarehouseNotFoundError."""
    found = session.get(Warehouse, warehouse_id)
    if found is None:
        raise WarehouseNotFoundError
    return found


def warehouse_options(ctx: PageContext) -> Sequence[tuple[str, str]]:
    """The warehouses in use, for filters and forms."""
    found = list_warehouses(ctx.session)
    return [(to_public(WAREHOUSE_PREFIX, one.id), f"{one.code} {one.name}") for one in found]


def codes(session: Session) -> dict[UUID, str]:
    """Codes of all warehouses, archived ones too, by id."""
    return dict(session.execute(select(Warehouse.id, Warehouse.code)).tuples().all())


def find_by_code(session: Session, code: str) -> Warehouse | None:
    """The warehouse with a code, archived or not."""
    return session.scalar(select(Warehouse).where(Warehouse.code == code))


def default_warehouse(session: Session, vendor_id: UUID) -> Warehouse:
    """Where goods go if nobody says where; made when there is none yet."""
    found = session.scalar(select(Warehouse).where(Warehouse.is_default))
    return found or create_warehouse(session, vendor_id, code="MAIN", name="MAIN")


def create_warehouse(
    session: Session, vendor_id: UUID, *, code: str, name: str, priority: int = 100
) -> Warehouse:
    """A new warehouse; the first one is the default. Raises WarehouseCodeTakenError."""
    if find_by_code(session, code) is not None:
        raise WarehouseCodeTakenError(code=code)
    is_first = session.scalar(select(Warehouse.id).where(Warehouse.is_default)) is None
    made = Warehouse(vendor_id=vendor_id, code=code, name=name, priority=priority, is_default=is_first)
    session.add(made)
    session.flush()
    _note(session, made, "created", code=code)
    return made


def change_warehouse(
    session: Session, warehouse: Warehouse, *, name: str, priority: int, is_default: bool
) -> None:
    """Rename it, put it elsewhere in the order, or make it the default. Its code stays: pick lists name it."""
    warehouse.name, warehouse.priority = name, priority
    if is_default and not warehouse.is_default and warehouse.archived_at is None:
        session.execute(
            update(Warehouse)
            .where(Warehouse.is_default)
            .values(is_default=False, version=Warehouse.version + 1)
            .execution_options(synchronize_session="fetch")
        )
        session.flush()
        warehouse.is_default = True
    session.flush()
    _note(session, warehouse, "changed", name=name, priority=priority)


def archive_warehouse(session: Session, warehouse: Warehouse) -> None:
    """Use it no longer. Raises WarehouseInUseError while goods lie there, and for the default one."""
    lying = session.scalar(select(func.sum(Level.on_hand)).where(Level.warehouse_id == warehouse.id))
    if warehouse.is_default or lying:
        raise WarehouseInUseError(code=warehouse.code, on_hand=int(lying or 0))
    warehouse.archived_at = clock.now()
    session.flush()
    _note(session, warehouse, "archived", code=warehouse.code)


def restore_warehouse(session: Session, warehouse: Warehouse) -> None:
    """Use it again."""
    warehouse.archived_at = None
    session.flush()
    _note(session, warehouse, "restored", code=warehouse.code)


def _note(session: Session, warehouse: Warehouse, act: str, **details: object) -> None:
    record_audit(
        session,
        f"inventory.warehouse_{act}",
        vendor_id=warehouse.vendor_id,
        target=to_public(WAREHOUSE_PREFIX, warehouse.id),
        **details,
    )

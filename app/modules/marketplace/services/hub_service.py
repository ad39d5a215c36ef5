"""A marketplace over all vendors, or of one: what the operator sees on the hub."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, func, select, true
from sqlalchemy.orm import Session

from app.modules.marketplace.enums import ActState
from app.modules.marketplace.models.connection import Connection
from app.modules.marketplace.models.import_job import FeedImport
from app.modules.marketplace.models.letzshop_order import ExternalRecord
from app.modules.marketplace.models.outgoing_act import OutgoingAct
from app.modules.tenancy.facade import vendor_names
from app.tasks.models import Job

_SHOWN = 20
_VENDORS = vendor_names()


def list_vendors(session: Session) -> Sequence[Row[Any]]:
    """Code and name of the vendors that the session may see, for the box that chooses one."""
    named: Select[Any] = select(_VENDORS.c.code, _VENDORS.c.name)
    return session.execute(named.order_by(_VENDORS.c.code).limit(1000)).all()


def figures(session: Session, connector: str, vendor_id: UUID | None) -> Mapping[str, int]:
    """Connections that are on, those that fail, parked orders, and acts that wait or were refused."""
    mine = _of(Connection.vendor_id, vendor_id) & (Connection.connector == connector)
    row = session.execute(
        select(
            func.count().filter(Connection.is_on).label("connections"),
            func.count().filter(Connection.is_on & (Connection.failures > 0)).label("failing"),
        ).where(mine)
    ).one()
    states: Any = select(OutgoingAct.state, func.count().label("number"))
    acts = session.execute(
        _joined(states, OutgoingAct, connector)
        .where(_of(OutgoingAct.vendor_id, vendor_id), OutgoingAct.state != ActState.DONE)
        .group_by(OutgoingAct.state)
    ).all()
    parked = _joined(select(func.count()), ExternalRecord, connector).where(
        _of(ExternalRecord.vendor_id, vendor_id), ExternalRecord.fault.is_not(None)
    )
    found: dict[str, int] = {one.state: one.number for one in acts}
    return {
        "connections": row.connections,
        "failing": row.failing,
        "parked": session.scalar(parked) or 0,
        "waiting": found.get(ActState.WAITING, 0),
        "refused": found.get(ActState.REFUSED, 0),
    }


def list_connections(session: Session, connector: str, vendor_id: UUID | None) -> Sequence[Row[Any]]:
    """The connections, those that fail first."""
    columns = select(Connection, *_named())
    return session.execute(
        columns.join(_VENDORS, _VENDORS.c.id == Connection.vendor_id)
        .where(Connection.connector == connector, _of(Connection.vendor_id, vendor_id))
        .order_by(Connection.failures.desc(), _VENDORS.c.code)
        .limit(_SHOWN * 5)
    ).all()


def list_records(
    session: Session, connector: str, vendor_id: UUID | None, *, parked: bool = False
) -> Sequence[Row[Any]]:
    """The latest orders of the marketplace, or those that could not be placed."""
    wanted = ExternalRecord.fault.is_not(None) if parked else true()
    return session.execute(
        _joined(select(ExternalRecord, *_named()), ExternalRecord, connector)
        .join(_VENDORS, _VENDORS.c.id == ExternalRecord.vendor_id)
        .where(_of(ExternalRecord.vendor_id, vendor_id), wanted)
        .order_by(ExternalRecord.id.desc())
        .limit(_SHOWN)
    ).all()


def list_refused(session: Session, connector: str, vendor_id: UUID | None) -> Sequence[Row[Any]]:
    """Acts that the marketplace did not take."""
    return session.execute(
        _joined(select(OutgoingAct, *_named()), OutgoingAct, connector)
        .join(_VENDORS, _VENDORS.c.id == OutgoingAct.vendor_id)
        .where(_of(OutgoingAct.vendor_id, vendor_id), OutgoingAct.state == ActState.REFUSED)
        .order_by(OutgoingAct.id.desc())
        .limit(_SHOWN)
    ).all()


def list_imports(session: Session, vendor_id: UUID | None) -> Sequence[Row[Any]]:
    """The latest imports of products."""
    return session.execute(
        select(FeedImport, Job.state, *_named())
        .join(_VENDORS, _VENDORS.c.id == FeedImport.vendor_id)
        .outerjoin(Job, Job.id == FeedImport.job_id)
        .where(_of(FeedImport.vendor_id, vendor_id))
        .order_by(FeedImport.id.desc())
        .limit(_SHOWN)
    ).all()


def list_jobs(session: Session, vendor_id: UUID | None) -> Sequence[Job]:
    """The latest background work of the marketplace."""
    return session.scalars(
        select(Job)
        .where(Job.module == "marketplace", _of(Job.vendor_id, vendor_id))
        .order_by(Job.id.desc())
        .limit(_SHOWN)
    ).all()


def _named() -> tuple[Any, Any]:
    return _VENDORS.c.code.label("vendor_code"), _VENDORS.c.name.label("vendor_name")


def _of(column: Any, vendor_id: UUID | None) -> ColumnElement[bool]:
    return column == vendor_id if vendor_id else true()


def _joined(statement: Select[Any], model: Any, connector: str) -> Select[Any]:
    on = Connection.id == model.connection_id
    return statement.select_from(model).join(Connection, on).where(Connection.connector == connector)

"""The lists of connections, of their orders and of what is told, for programs."""

from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select

from app.modules.marketplace.enums import ActState
from app.modules.marketplace.models.connection import Connection
from app.modules.marketplace.models.letzshop_order import ExternalRecord
from app.modules.marketplace.models.outgoing_act import OutgoingAct
from app.modules.pagekit.lists import Column, Filter, ListSpec

CONNECTIONS = ListSpec(
    page_id="marketplace.vendor.connections",
    texts="marketplace.connections",
    select=lambda _session, _language: select(*Connection.__table__.columns),
    key=Connection.id,
    columns=(Column("connected_at", "marketplace.fields.started", "datetime", sort=Connection.id),),
    default_sort="connected_at",
)
_NEEDS: dict[str, ColumnElement[bool]] = {
    "parked": ExternalRecord.fault.is_not(None),
    "open": ExternalRecord.is_open.is_(True),
    "drift": ExternalRecord.drift.is_not(None),
}


def _needs(values: Any) -> ColumnElement[bool]:
    return or_(*(_NEEDS[value] for value in values))


def records_of(connection_id: UUID) -> ListSpec:
    """The orders of a connection as the marketplace says them."""
    return ListSpec(
        page_id="marketplace.vendor.external_orders",
        texts="marketplace.external_orders",
        select=lambda _session, _language: select(*ExternalRecord.__table__.columns).where(
            ExternalRecord.connection_id == connection_id
        ),
        key=ExternalRecord.id,
        columns=(Column("created_at", "marketplace.fields.started", "datetime", sort=ExternalRecord.id),),
        default_sort="-created_at",
        filters=(
            Filter(
                "needs",
                "marketplace.fields.needs",
                _needs,
                options=[(name, f"marketplace.needs.{name}") for name in _NEEDS],
            ),
        ),
    )


def acts_of(connection_id: UUID) -> ListSpec:
    """What is or was told through a connection."""
    return ListSpec(
        page_id="marketplace.vendor.acts",
        texts="marketplace.acts",
        select=lambda _session, _language: select(*OutgoingAct.__table__.columns).where(
            OutgoingAct.connection_id == connection_id
        ),
        key=OutgoingAct.id,
        columns=(Column("created_at", "marketplace.fields.started", "datetime", sort=OutgoingAct.id),),
        default_sort="-created_at",
        filters=(
            Filter(
                "state",
                "marketplace.fields.state",
                lambda values: OutgoingAct.state.in_(values),
                options=[(state.value, f"marketplace.act_states.{state.value}") for state in ActState],
            ),
        ),
    )

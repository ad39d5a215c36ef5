"""Reading orders: one with all that belongs to it, and what lists and search are made of."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Text, any_, cast, func, literal, or_, select
from sqlalchemy.dialects.postgresql import TSQUERY
from sqlalchemy.orm import Session

from app.core.ids import to_public
from app.modules.customers.contracts import Address, Buyer
from app.modules.orders.contracts import OrderSummary
from app.modules.orders.enums import HeldFor, OrderStatus
from app.modules.orders.exceptions import OrderNotFoundError, ShipmentNotFoundError
from app.modules.orders.models.exception import OrderException
from app.modules.orders.models.order import Order, OrderLine
from app.modules.orders.models.refund import Refund, RefundLine
from app.modules.orders.models.shipment import Parcel, Shipment
from app.modules.orders.models.trail import OrderHistory, OrderPayload, OrderProposal
from app.modules.orders.services.carrier_service import list_carriers, tracking_link
from app.modules.orders.services.shipment_service import remaining, shipment_quantities
from app.modules.orders.services.state_service import goods_of, lines_of
from app.modules.tenancy.facade import vendor_names

PREFIX = "ord"
LINE_PREFIX = "oln"
SHIPMENT_PREFIX = "shp"
EXCEPTION_PREFIX = "oex"
REFUND_PREFIX = "ref"
PROPOSAL_PREFIX = "opr"
MATCH_PREFIX = "opm"
_MAX_FOUND = 10_000  # ids that one search may bring
_MAX_WORDS = 8
VENDORS = vendor_names()
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class ParcelView:
    """A parcel with the carrier's name, and where it can be followed."""

    carrier_code: str
    carrier_name: str
    tracking_number: str | None
    tracking_link: str | None


@dataclass(frozen=True, slots=True)
class ShipmentView:
    """A shipment with its parcels, and how many of each line it has."""

    shipment: Shipment
    parcels: tuple[ParcelView, ...]
    quantities: dict[UUID, int]


@dataclass(frozen=True, slots=True)
class RefundView:
    """A refund with its lines."""

    refund: Refund
    lines: tuple[RefundLine, ...]


@dataclass(frozen=True, slots=True)
class OrderView:
    """All of an order. ``remaining``: how many of each line can still be put into a shipment."""

    order: Order
    lines: tuple[OrderLine, ...]
    shipments: tuple[ShipmentView, ...]
    exceptions: tuple[OrderException, ...]
    history: tuple[OrderHistory, ...]
    refunds: tuple[RefundView, ...]
    proposals: tuple[OrderProposal, ...]
    payloads: tuple[OrderPayload, ...]
    remaining: dict[UUID, int]

    @property
    def public_id(self) -> str:
        """The order's id as it is shown outside."""
        return to_public(PREFIX, self.order.id)

    @property
    def buyer(self) -> Buyer:
        """Who ordered."""
        return Buyer.from_json(self.order.buyer)

    @property
    def shipping_address(self) -> Address | None:
        """Where it goes."""
        return Address.from_json(self.order.shipping_address) if self.order.shipping_address else None

    @property
    def billing_address(self) -> Address | None:
        """Who pays."""
        return Address.from_json(self.order.billing_address) if self.order.billing_address else None


def get_order(session: Session, order_id: UUID) -> Order:
    """One order. Raises OrderNotFoundError."""
    order = session.get(Order, order_id)
    if order is None:
        raise OrderNotFoundError
    return order


def get_summary(session: Session, order_id: UUID) -> OrderSummary:
    """An order as other modules may know it. Raises OrderNotFoundError."""
    order = get_order(session, order_id)
    values = {one.name: getattr(order, one.name) for one in fields(OrderSummary)}
    values["status"] = OrderStatus(order.status)
    values["held_for"] = HeldFor(order.held_for) if order.held_for else None
    return OrderSummary(**values)


def get_order_parts(
    session: Session, order_id: UUID
) -> tuple[Order, list[OrderLine], tuple[OrderException, ...]]:
    """An order with its lines and exceptions. Raises OrderNotFoundError."""
    return get_order(session, order_id), lines_of(session, order_id), _exceptions(session, order_id)


def get_shipment(session: Session, shipment_id: UUID) -> Shipment:
    """One shipment. Raises ShipmentNotFoundError."""
    shipment = session.get(Shipment, shipment_id)
    if shipment is None:
        raise ShipmentNotFoundError
    return shipment


def get_order_view(session: Session, order_id: UUID) -> OrderView:
    """An order with all that belongs to it. Raises OrderNotFoundError."""
    order = get_order(session, order_id)
    lines = lines_of(session, order_id)
    return OrderView(
        order=order,
        lines=tuple(lines),
        shipments=list_shipments(session, order_id),
        exceptions=_exceptions(session, order_id),
        history=_history(session, order_id),
        refunds=_refunds(session, order_id),
        proposals=_proposals(session, order_id),
        payloads=_payloads(session, order_id),
        remaining=remaining(session, order_id, goods_of(lines)),
    )


def list_shipments(session: Session, order_id: UUID) -> tuple[ShipmentView, ...]:
    """The shipments of an order, the oldest first."""
    found = session.scalars(select(Shipment).where(Shipment.order_id == order_id).order_by(Shipment.id)).all()
    return view_shipments(session, found)


def view_shipments(session: Session, shipments: Sequence[Shipment]) -> tuple[ShipmentView, ...]:
    """Shipments with their parcels and quantities; three statements however many there are."""
    ids = [one.id for one in shipments]
    if not ids:
        return ()
    carriers = {one.code: one for one in list_carriers(session, is_all=True)}
    parcels: dict[UUID, list[ParcelView]] = {key: [] for key in ids}
    for row in session.scalars(select(Parcel).where(Parcel.shipment_id.in_(ids)).order_by(Parcel.id)):
        carrier = carriers.get(row.carrier_code)
        name = carrier.name if carrier else row.carrier_code
        link = tracking_link(carrier, row.tracking_number)
        parcels[row.shipment_id].append(ParcelView(row.carrier_code, name, row.tracking_number, link))
    quantities = shipment_quantities(session, ids)
    return tuple(ShipmentView(one, tuple(parcels[one.id]), quantities[one.id]) for one in shipments)


def _exceptions(session: Session, order_id: UUID) -> tuple[OrderException, ...]:
    statement = select(OrderException).where(OrderException.order_id == order_id).order_by(OrderException.id)
    return tuple(session.scalars(statement))


def _history(session: Session, order_id: UUID) -> tuple[OrderHistory, ...]:
    statement = select(OrderHistory).where(OrderHistory.order_id == order_id).order_by(OrderHistory.id)
    return tuple(session.scalars(statement))


def _proposals(session: Session, order_id: UUID) -> tuple[OrderProposal, ...]:
    statement = select(OrderProposal).where(OrderProposal.order_id == order_id).order_by(OrderProposal.id)
    return tuple(session.scalars(statement))


def _payloads(session: Session, order_id: UUID) -> tuple[OrderPayload, ...]:
    statement = select(OrderPayload).where(OrderPayload.order_id == order_id).order_by(OrderPayload.revision)
    return tuple(session.scalars(statement))


def _refunds(session: Session, order_id: UUID) -> tuple[RefundView, ...]:
    refunds = session.scalars(select(Refund).where(Refund.order_id == order_id).order_by(Refund.id)).all()
    if not refunds:
        return ()
    lines = session.scalars(
        select(RefundLine).where(RefundLine.refund_id.in_([one.id for one in refunds]))
    ).all()
    return tuple(
        RefundView(one, tuple(line for line in lines if line.refund_id == one.id)) for one in refunds
    )


BUYER_NAME: ColumnElement[str] = func.coalesce(
    func.nullif(
        func.trim(func.concat_ws(" ", Order.buyer["first_name"].astext, Order.buyer["last_name"].astext)), ""
    ),
    Order.buyer["company_name"].astext,
    Order.buyer["email"].astext,
    "",
)
"""Who ordered, as lists show it."""


def select_orders() -> Select[Any]:
    """All orders, as lists show them."""
    columns: tuple[Any, ...] = (
        Order.id,
        Order.vendor_id,
        Order.number,
        Order.channel,
        Order.external_id,
        Order.external_number,
        Order.customer_id,
        BUYER_NAME.label("buyer_name"),
        Order.ship_country,
        Order.status,
        Order.currency,
        Order.total_cents,
        Order.cancelled_cents,
        Order.refunded_cents,
        Order.paid_at,
        Order.placed_at,
        Order.confirm_before,
        Order.held_for,
        Order.pending_exceptions,
        Order.updated_at,
        Order.version,
    )
    return select(*columns)


def select_exceptions() -> Select[Any]:
    """All exceptions, as lists show them."""
    columns = (
        *("id", "vendor_id", "order_id", "line_id", "kind", "status", "match_kind", "match_value"),
        *("candidates", "available", "product_id", "resolved_at", "created_at"),
    )
    return select(*(getattr(OrderException, name) for name in columns))


def matching(query: str) -> ColumnElement[bool]:
    """Orders with words in number, buyer, e-mail, SKU or tracking number that begin with each word of ``query``."""
    # As an array: the rows are then looked up by id, instead of reading the whole table for a join.
    return Order.id == any_(func.array(_found(query).scalar_subquery()))


def matching_of_all_vendors(query: str) -> ColumnElement[bool]:
    """The same for the operator, whom the search function of one vendor's rows does not serve."""
    return Order.search_vector.bool_op("@@")(_pattern(query))


def matching_of_vendors(words: str) -> ColumnElement[bool]:
    """Orders with these words, or of a vendor called so."""
    return or_(
        matching_of_all_vendors(words),
        VENDORS.c.name.icontains(words, autoescape=True),
        VENDORS.c.code.icontains(words, autoescape=True),
    )


def _found(query: str) -> Select[tuple[UUID]]:
    found = func.search_orders(_pattern(query), literal(_MAX_FOUND)).table_valued("id")
    return select(found.c.id)


def _pattern(query: str) -> ColumnElement[Any]:
    words = " & ".join(f"{word}:*" for word in _WORD.findall(query)[:_MAX_WORDS])
    return cast(func.to_tsquery("simple", func.unaccent(cast(words, Text))), TSQUERY)

"""Events of orders. They carry ids only: who listens reads the rest, if it may."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from app.modules.events import Event


@dataclass(frozen=True, slots=True)
class OrderPlaced(Event):
    """An order came in, from whatever channel; also one that the plan holds."""

    name: ClassVar[str] = "orders.order_placed"

    order_id: UUID
    customer_id: UUID | None


@dataclass(frozen=True, slots=True)
class OrderConfirmed(Event):
    """Each of its lines is confirmed or declined, and at least one is confirmed."""

    name: ClassVar[str] = "orders.order_confirmed"

    order_id: UUID


@dataclass(frozen=True, slots=True)
class OrderCancelled(Event):
    """Nothing of it will be sent."""

    name: ClassVar[str] = "orders.order_cancelled"

    order_id: UUID


@dataclass(frozen=True, slots=True)
class UnitsCancelled(Event):
    """Some of an order that was confirmed will not be sent after all."""

    name: ClassVar[str] = "orders.units_cancelled"

    order_id: UUID


@dataclass(frozen=True, slots=True)
class UnitsReturned(Event):
    """Goods that were sent have come back."""

    name: ClassVar[str] = "orders.units_returned"

    order_id: UUID


@dataclass(frozen=True, slots=True)
class OrderRefunded(Event):
    """Money went back, some of it or all."""

    name: ClassVar[str] = "orders.order_refunded"

    order_id: UUID
    refund_id: UUID


@dataclass(frozen=True, slots=True)
class ShipmentShipped(Event):
    """A shipment is on its way."""

    name: ClassVar[str] = "orders.shipment_shipped"

    order_id: UUID
    shipment_id: UUID


@dataclass(frozen=True, slots=True)
class ParcelsChanged(Event):
    """The parcels of a shipment that is on its way are other ones, or have other numbers."""

    name: ClassVar[str] = "orders.parcels_changed"

    order_id: UUID
    shipment_id: UUID


@dataclass(frozen=True, slots=True)
class WithdrawalNoted(Event):
    """A buyer withdraws from what they bought: fourteen days run in which the money goes back."""

    name: ClassVar[str] = "orders.withdrawal_noted"

    order_id: UUID
    withdrawal_id: UUID


@dataclass(frozen=True, slots=True)
class WithdrawalSettled(Event):
    """A withdrawal is closed: the money went back, or it was refused. ``status``: refunded or refused."""

    name: ClassVar[str] = "orders.withdrawal_settled"

    order_id: UUID
    withdrawal_id: UUID
    status: str


@dataclass(frozen=True, slots=True)
class ExceptionOpened(Event):
    """A line of an order cannot be sent as it is."""

    name: ClassVar[str] = "orders.exception_opened"

    order_id: UUID
    exception_id: UUID

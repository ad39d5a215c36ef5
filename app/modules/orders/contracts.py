"""What other modules may know of orders: what they hand in, and who reserves stock."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy.orm import Session

from app.modules.customers.contracts import Address, Buyer
from app.modules.orders.enums import HeldFor, OrderStatus, RefundMethod, Source
from app.modules.providers import ProviderPoint

# Foreign keys of other modules point here, together with the same column of their own: (vendor_id, id).
ORDER_ANCHOR = "orders.id"


class UnitStatus(StrEnum):
    """What is said of one piece of goods to the channel that it was ordered through."""

    OPEN = "open"
    AVAILABLE = "available"
    UNAVAILABLE = "unavailable"
    RETURNED = "returned"


@dataclass(frozen=True, slots=True)
class By:
    """Who acts: a person or a program with a key (``user_id``), a sales channel, or a task."""

    source: Source
    user_id: UUID | None = None


BY_TASK = By(Source.TASK)
BY_CHANNEL = By(Source.CHANNEL)


@dataclass(frozen=True, slots=True)
class NewLine:
    """So many of one thing. Amounts are gross cents of the order's currency; ``discount_cents`` is off the whole line.

    ``product_id`` None: the product is looked for by ``gtin`` and ``sku``; one that is not found is an exception of the
    order, never a refusal. ``tax_class`` None: the product's. ``tax_rate_bp``: the rate that the channel charged.
    ``external_unit_ids``: the channel's ids of the single units. Of a past order only: ``cancelled_quantity`` were
    never sent, the last of the units, and ``returned_quantity`` came back, the first of them.
    """

    product_id: UUID | None
    sku: str | None
    gtin: str | None
    title: str
    quantity: int
    unit_price_cents: int
    discount_cents: int = 0
    tax_class: str | None = None
    tax_rate_bp: int | None = None
    external_unit_ids: tuple[str, ...] = ()
    cancelled_quantity: int = 0
    returned_quantity: int = 0


@dataclass(frozen=True, slots=True)
class NewOrder:
    """An order of any channel. Amounts are gross cents; times are UTC.

    ``external_id``: the channel's own; an order of the same channel and id is placed once. ``discount_cents`` is off
    the goods of the whole order. ``confirm_before``: when the channel takes the order away. ``raw``: what the channel
    sent, kept as it is. ``is_past``: it was sent before we knew of it; it is stored as such, and nothing else happens:
    no stock moves, nothing counts for the plan, nobody is told.
    """

    channel: str
    buyer: Buyer
    shipping_address: Address | None
    billing_address: Address | None
    lines: Sequence[NewLine]
    currency: str = "EUR"
    shipping_cents: int = 0
    discount_cents: int = 0
    external_id: str | None = None
    external_number: str | None = None
    placed_at: datetime | None = None
    confirm_before: datetime | None = None
    customer_note: str | None = None
    payment_method: str | None = None
    is_paid: bool = False
    raw: Mapping[str, Any] | None = None
    is_past: bool = False


@dataclass(frozen=True, slots=True)
class PlacedOrder:
    """What became of it. ``is_new`` False: it was there before, and nothing was placed.

    ``pending_exceptions`` bar its confirmation, and so does the plan while it is ``held_for`` that.
    """

    order_id: UUID
    number: str
    status: OrderStatus
    is_new: bool
    total_cents: int
    pending_exceptions: int
    held_for: HeldFor | None


@dataclass(frozen=True, slots=True)
class OrderSummary:
    """An order as other modules may know it. Amounts are gross cents; times are UTC."""

    id: UUID
    number: str
    channel: str
    external_id: str | None
    customer_id: UUID | None
    status: OrderStatus
    currency: str
    total_cents: int
    cancelled_cents: int
    refunded_cents: int
    pending_exceptions: int
    held_for: HeldFor | None
    placed_at: datetime
    paid_at: datetime | None


@dataclass(frozen=True, slots=True)
class NewParcel:
    """A parcel of a shipment; ``carrier_code`` is one of the vendor's carriers."""

    carrier_code: str
    tracking_number: str | None = None


@dataclass(frozen=True, slots=True)
class RefundOf:
    """Money back for so many of a line (0: an allowance). ``gross_cents`` None: what those cost."""

    line_id: UUID
    quantity: int
    gross_cents: int | None = None


@dataclass(frozen=True, slots=True)
class RefundTerms:
    """Why and how money goes back, and whether the goods are put back into stock."""

    reason: str
    method: RefundMethod = RefundMethod.ORIGINAL
    is_restocked: bool = False


class StockReservation(Protocol):
    """Answered by the module that knows stock, in the vendor's scope and the caller's transaction.

    Products it does not track are neither reserved nor short. Each call may be repeated: what was done stays done once.
    """

    def reserve(
        self,
        session: Session,
        order_id: UUID,
        reference: str,
        wanted: Sequence[tuple[UUID, UUID, int]],
        *,
        waits: bool = True,
    ) -> dict[UUID, int]:
        """Reserve (line, product, quantity), all or nothing. Returns what is available of each product that is short;
        an empty answer means that all is reserved. ``waits`` False: an order that is short will be refused, not kept,
        so that nobody needs to hear of the stock that comes at the same moment."""

    def release(
        self, session: Session, order_id: UUID, lines: Sequence[tuple[UUID, int]] | None = None
    ) -> None:
        """Give back so many of these lines; None: all that is still reserved for the order."""

    def fulfil(
        self, session: Session, order_id: UUID, reference: str, shipped: Sequence[tuple[UUID, int]]
    ) -> None:
        """Take so many of these lines, which were reserved, out of stock."""

    def restock(
        self, session: Session, order_id: UUID, reference: str, returned: Sequence[tuple[UUID, UUID, int]]
    ) -> None:
        """Put (line, product, quantity) back on the shelf."""

    def available(self, session: Session, product_ids: Sequence[UUID]) -> dict[UUID, int]:
        """How many of each tracked product can be sold now."""

    def places(self, session: Session, order_ids: Sequence[UUID]) -> list[tuple[UUID, UUID, str, str, int]]:
        """Where reserved goods lie: order, line, code of the warehouse, bin, quantity."""


STOCK: ProviderPoint[StockReservation] = ProviderPoint("orders.stock_reservation")

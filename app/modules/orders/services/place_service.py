"""Taking an order in: its product, price, VAT and stock, and last of all its number."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal
from uuid import UUID

from sqlalchemy.orm import Session

from app.core import clock
from app.core.ids import new_id, to_public
from app.modules.customers.facade import ensure_customer, record_order
from app.modules.entitlements import take
from app.modules.events import publish
from app.modules.orders.contracts import BY_CHANNEL, STOCK, By, NewOrder, PlacedOrder
from app.modules.orders.enums import ExceptionKind, HeldFor, LineKind, OrderStatus, Source
from app.modules.orders.events import ExceptionOpened, OrderPlaced
from app.modules.orders.exceptions import BuyerBlockedError, OrderInputError, OutOfStockError
from app.modules.orders.services.again_service import find_again
from app.modules.orders.services.match_service import Match, match_lines, normal_gtin
from app.modules.orders.services.past_service import place_past
from app.modules.orders.services.price_service import HOME, Priced, price_order
from app.modules.orders.services.tax_service import OrderTax, tax_order
from app.modules.orders.services.write_service import Draft, DraftLine, Fault, write_order

FEATURE = "orders.orders"
WhenShort = Literal["refuse", "exception"]
_MAX_LINES, _MAX_QUANTITY, _MAX_CENTS = 500, 1_000_000, 10**12


@dataclass(frozen=True, slots=True)
class _Parts:
    """What was found out about an order before anything of it is written."""

    order_id: UUID
    matches: Sequence[Match]
    tax: OrderTax
    priced: Priced
    placed_at: datetime


def place_order(
    session: Session, vendor_id: UUID, new: NewOrder, *, when_short: WhenShort, by: By = BY_CHANNEL
) -> PlacedOrder:
    """Store an order and reserve its goods; the session is in the vendor's scope.

    The same channel and external id gives the same order again, and notes what the channel changed. ``when_short``:
    ``refuse`` raises OutOfStockError and leaves nothing behind, ``exception`` stores the order and what is short as
    exceptions. Over the plan's limit the order is stored and held, and so is what a channel sends from a buyer who is
    blocked; of people and programs it is refused (BuyerBlockedError). Raises OrderInputError for what is no order.
    """
    _check(new)
    known = find_again(session, vendor_id, new)
    if known is not None:
        return known
    parts = _work_out(session, vendor_id, new)
    lines = _lines(new, parts)
    customer_id, is_blocked = ensure_customer(session, new.buyer, channel=new.channel) or (None, False)
    if new.is_past:
        return place_past(session, _past(vendor_id, new, parts, customer_id), lines, by)
    if is_blocked and by.source in (Source.USER, Source.API):
        raise BuyerBlockedError
    # From here to the end others wait for the same products: as little as possible stands below.
    short = _reserve(session, vendor_id, parts.order_id, new, lines, when_short)
    faults = [_fault(line, short) for line in lines if _is_faulty(line, short)]
    if customer_id is not None:
        spent = parts.priced.total_cents
        record_order(session, customer_id, orders=1, spent_cents=spent, at=parts.placed_at)
    for event in (OrderPlaced(parts.order_id, customer_id), *_opened(parts.order_id, faults)):
        publish(session, event, vendor_id=vendor_id, aggregate=str(parts.order_id))
    held_for = HeldFor.BUYER if is_blocked else None if take(session, vendor_id, FEATURE, 1) else HeldFor.PLAN
    draft = Draft(
        order_id=parts.order_id,
        vendor_id=vendor_id,
        customer_id=customer_id,
        new=new,
        priced=parts.priced,
        regime=parts.tax.regime,
        placed_at=parts.placed_at,
        held_for=held_for,
    )
    number = write_order(session, draft, lines, faults, by)
    return PlacedOrder(
        parts.order_id,
        number,
        OrderStatus.PENDING,
        is_new=True,
        total_cents=parts.priced.total_cents,
        pending_exceptions=len(faults),
        held_for=draft.held_for,
    )


def _work_out(session: Session, vendor_id: UUID, new: NewOrder) -> _Parts:
    placed_at = (new.placed_at or clock.now()).astimezone(UTC)
    matches = match_lines(session, new.lines, new.buyer.language)
    for place, (line, match) in enumerate(zip(new.lines, matches, strict=True)):
        if line.product_id and match.product is None:
            raise OrderInputError(f"lines/{place}/product_id", "unknown_product")
    products = [match.product for match in matches]
    tax = tax_order(
        *(session, vendor_id, ship_country(new), new.buyer.vat_number, placed_at.date()),
        net_cents=lambda tax: price_order(new, products, tax).net_cents,
    )
    return _Parts(new_id(), matches, tax, price_order(new, products, tax), placed_at)


def _past(vendor_id: UUID, new: NewOrder, parts: _Parts, customer_id: UUID | None) -> Draft:
    return Draft(
        *(parts.order_id, vendor_id, customer_id, new),
        *(parts.priced, parts.tax.regime, parts.placed_at),
        held_for=None,
    )


def ship_country(new: NewOrder) -> str:
    """The state whose VAT is asked for: where the goods go, else where the bill goes, else at home."""
    for address in (new.shipping_address, new.billing_address):
        if address is not None and address.country:
            return address.country.upper()
    return HOME


def _lines(new: NewOrder, parts: _Parts) -> list[DraftLine]:
    """The rows to write: goods with their product, then shipping."""
    lines = []
    for position, amounts in enumerate(parts.priced.lines, 1):
        if amounts.kind == LineKind.SHIPPING:
            lines.append(DraftLine(new_id(), position, amounts))
            continue
        given, match = new.lines[position - 1], parts.matches[position - 1]
        product = match.product
        gtin = normal_gtin(given.gtin)
        lines.append(
            DraftLine(
                new_id(),
                position,
                amounts if given.title.strip() or not product else replace(amounts, title=product.title),
                product_id=product.id if product else None,
                sku=given.sku or (product.sku if product else None),
                gtin=gtin or (product.gtin if product else None),
                image_link=product.image_link if product else None,
                external_unit_ids=given.external_unit_ids,
                match=match,
            )
        )
    return lines


def _reserve(
    session: Session,
    vendor_id: UUID,
    order_id: UUID,
    new: NewOrder,
    lines: Sequence[DraftLine],
    when_short: WhenShort,
) -> Mapping[UUID, int]:
    """Reserve what is known; returns what there is of each product that is short."""
    stock = STOCK.find_for(vendor_id)
    wanted = [(line.id, line.product_id, line.amounts.quantity) for line in lines if line.product_id]
    if stock is None or not wanted:
        return {}
    # The number is taken last, so that nobody waits for it: what people know the order by comes with its shipment.
    reference = new.external_number or to_public("ord", order_id)
    short = stock.reserve(session, order_id, reference, wanted, waits=when_short != "refuse")
    if not short:
        return {}
    if when_short == "refuse":
        skus = sorted({line.sku or "" for line in lines if line.product_id in short})
        raise OutOfStockError(f"Short of {', '.join(skus)}.", skus=", ".join(skus))
    rest = [one for one in wanted if one[1] not in short]
    if rest:
        stock.reserve(session, order_id, reference, rest)
    return short


def _is_faulty(line: DraftLine, short: Mapping[UUID, int]) -> bool:
    return line.product_id in short or (line.match is not None and line.match.fault is not None)


def _fault(line: DraftLine, short: Mapping[UUID, int]) -> Fault:
    if line.product_id is not None and line.product_id in short:
        return Fault(new_id(), line.id, ExceptionKind.OUT_OF_STOCK, available=short[line.product_id])
    assert line.match is not None
    assert line.match.fault is not None
    return Fault(new_id(), line.id, line.match.fault, line.match.key, line.match.candidates)


def _opened(order_id: UUID, faults: Sequence[Fault]) -> list[ExceptionOpened]:
    return [ExceptionOpened(order_id, fault.id) for fault in faults]


def _check(new: NewOrder) -> None:
    """Raises OrderInputError at the first thing that cannot be."""
    if not 0 < len(new.lines) <= _MAX_LINES:
        raise OrderInputError("lines", "lines_number", most=_MAX_LINES)
    worth = 0
    for place, line in enumerate(new.lines):
        if not 0 < line.quantity <= _MAX_QUANTITY:
            raise OrderInputError(f"lines/{place}/quantity", "quantity", most=_MAX_QUANTITY)
        goods = line.quantity * line.unit_price_cents
        if line.unit_price_cents < 0 or goods > _MAX_CENTS:
            raise OrderInputError(f"lines/{place}/unit_price_cents", "price")
        if not 0 <= line.discount_cents <= goods:
            raise OrderInputError(f"lines/{place}/discount_cents", "discount")
        if not line.title.strip() and line.product_id is None:
            raise OrderInputError(f"lines/{place}/title", "title")
        worth += goods - line.discount_cents
    if not 0 <= new.discount_cents <= worth:
        raise OrderInputError("discount_cents", "discount")
    if not 0 <= new.shipping_cents <= _MAX_CENTS:
        raise OrderInputError("shipping_cents", "price")
    if len(new.currency) != 3 or not new.currency.isupper():
        raise OrderInputError("currency", "currency")

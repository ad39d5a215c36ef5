"""What an order costs, line by line. VAT is worked out once, here, and stored; every total is a sum of lines."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.core.i18n import translate
from app.core.money import vat_of_gross
from app.modules.orders.contracts import NewLine, NewOrder
from app.modules.orders.enums import LineKind
from app.modules.orders.models.order import Order, OrderLine
from app.modules.orders.services.tax_service import (
    OrderTax,
    ShippingPart,
    allocate_discount,
    split_shipping,
    tax_order,
)

HOME = "LU"
"""Where goods are handed over when no address says otherwise."""


@dataclass(frozen=True, slots=True)
class PricedLine:
    """The amounts of a line in gross cents, its VAT and the rate in basis points."""

    kind: LineKind
    title: str
    quantity: int
    unit_price_cents: int
    discount_cents: int
    gross_cents: int
    vat_cents: int
    tax_rate_bp: int
    tax_category: str
    tax_class: str | None


@dataclass(frozen=True, slots=True)
class Priced:
    """The lines of goods in the order they came, then those of shipping, and their sums."""

    lines: tuple[PricedLine, ...]
    goods_cents: int
    discount_cents: int
    shipping_cents: int
    vat_cents: int

    @property
    def total_cents(self) -> int:
        """What is to be paid."""
        return self.goods_cents - self.discount_cents + self.shipping_cents


def price_order(new: NewOrder, classes: Sequence[str | None], tax: OrderTax) -> Priced:
    """The amounts of an order. ``classes``: the tax class of each line's product, where the line itself names none.

    A line without either bears the standard rate and keeps no class, until its product is known (`retax`).
    """
    goods = [
        _goods_line(line, line.tax_class or tax_class, discount, tax)
        for line, tax_class, discount in zip(new.lines, classes, _discounts(new), strict=True)
    ]
    shipping = _shipping_lines(new, goods)
    lines = (*goods, *shipping)
    return Priced(
        lines,
        goods_cents=sum(line.quantity * line.unit_price_cents for line in goods),
        discount_cents=sum(line.discount_cents for line in goods),
        shipping_cents=new.shipping_cents,
        vat_cents=sum(line.vat_cents for line in lines),
    )


def _discounts(new: NewOrder) -> list[int]:
    """Each line's own discount with its share of the order's, in proportion to what the lines cost."""
    worth = [line.quantity * line.unit_price_cents - line.discount_cents for line in new.lines]
    shares = allocate_discount(new.discount_cents, worth, new.currency)
    return [line.discount_cents + share for line, share in zip(new.lines, shares, strict=True)]


def retax(session: Session, order: Order, line: OrderLine, tax_class: str) -> None:
    """Work out the VAT of a line whose product is known only now, unless channel or vendor said how it is taxed."""
    if line.tax_class is not None:
        return
    country, number = order.ship_country or HOME, order.buyer.get("vat_number")
    tax = tax_order(session, order.vendor_id, country, number, order.placed_at.date())
    rate, category = tax.line(tax_class)
    vat = vat_of_gross(line.gross_cents, rate)
    order.vat_cents += vat - line.vat_cents
    line.tax_class, line.tax_rate_bp, line.tax_category = tax_class, rate, category
    line.vat_cents, line.net_cents = vat, line.gross_cents - vat


def _goods_line(line: NewLine, tax_class: str | None, discount: int, tax: OrderTax) -> PricedLine:
    rate, category = tax.line(tax_class)
    if line.tax_rate_bp is not None:
        tax_class = tax_class or "standard"
        rate, category = line.tax_rate_bp, _category(line.tax_rate_bp, category)
    gross = line.quantity * line.unit_price_cents - discount
    return PricedLine(
        LineKind.PRODUCT,
        line.title,
        line.quantity,
        line.unit_price_cents,
        discount,
        gross,
        vat_of_gross(gross, rate),
        rate,
        category,
        tax_class,
    )


def _category(rate_bp: int, otherwise: str) -> str:
    """The category of a rate that the channel charged."""
    if rate_bp:
        return "S"
    return "Z" if otherwise == "S" else otherwise


def _shipping_lines(new: NewOrder, goods: Sequence[PricedLine]) -> list[PricedLine]:
    if not new.shipping_cents:
        return []
    worth = [(line.tax_rate_bp, line.tax_category, line.gross_cents) for line in goods]
    title = translate(new.buyer.language, "orders.lines.shipping")
    return [_shipping_line(title, part) for part in split_shipping(new.shipping_cents, worth, new.currency)]


def _shipping_line(title: str, part: ShippingPart) -> PricedLine:
    gross = part.gross_cents
    vat = vat_of_gross(gross, part.rate_bp)
    return PricedLine(LineKind.SHIPPING, title, 1, gross, 0, gross, vat, part.rate_bp, part.category, None)

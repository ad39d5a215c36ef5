"""What an order costs, line by line. VAT is worked out once, here, and stored; every total is a sum of lines."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.core.i18n import translate
from app.core.money import vat_of_gross
from app.modules.catalog.contracts import OrderedProduct
from app.modules.orders.contracts import NewLine, NewOrder
from app.modules.orders.enums import LineKind
from app.modules.orders.models.order import Order, OrderLine
from app.modules.orders.services.tax_service import (
    OrderTax,
    Regime,
    ShippingPart,
    allocate_discount,
    split_shipping,
    tax_again,
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

    @property
    def net_cents(self) -> int:
        """The same without VAT."""
        return self.total_cents - self.vat_cents


def price_order(new: NewOrder, products: Sequence[OrderedProduct | None], tax: OrderTax) -> Priced:
    """The amounts of an order. ``products``: what each line was found to mean; its kind and class decide the VAT,
    unless the line itself names a class.

    A line without either bears the standard rate and keeps no class, until its product is known (`retax`).
    """
    goods = [
        _goods_line(line, product, discount, tax)
        for line, product, discount in zip(new.lines, products, _discounts(new), strict=True)
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


def retax(session: Session, order: Order, line: OrderLine, product: OrderedProduct) -> None:
    """Work out the VAT of a line whose product is known only now, unless channel or vendor said how it is taxed.

    The order keeps the regime that it was placed under.
    """
    if line.tax_class is not None:
        return
    on = order.placed_at.date()
    tax = tax_again(session, order.vendor_id, Regime(order.regime), order.ship_country or HOME, on)
    set_tax(order, line, product.tax_class, *tax.line(product.tax_class, product.kind))


def set_tax(order: Order, line: OrderLine, tax_class: str | None, rate_bp: int, category: str) -> None:
    """Let a line bear another rate, and the order's VAT follow."""
    vat = vat_of_gross(line.gross_cents, rate_bp)
    order.vat_cents += vat - line.vat_cents
    line.tax_class, line.tax_rate_bp, line.tax_category = tax_class, rate_bp, category
    line.vat_cents, line.net_cents = vat, line.gross_cents - vat


def _goods_line(line: NewLine, product: OrderedProduct | None, discount: int, tax: OrderTax) -> PricedLine:
    tax_class = line.tax_class or (product.tax_class if product else None)
    rate, category = tax.line(tax_class, product.kind if product else "physical")
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

"""What parts of a line cost. Each is taken from what is left, so that all together are the whole to the cent."""

from app.core.money import vat_of_gross
from app.modules.orders.models.order import OrderLine


def part_of(cents: int, quantity: int, whole: int) -> int:
    """What ``quantity`` of ``whole`` equal units cost that together cost ``cents``; rounded half up."""
    return (2 * cents * quantity + whole) // (2 * whole)


def kept_cents(line: OrderLine) -> int:
    """Gross cents of what of the line is not cancelled."""
    return part_of(line.gross_cents, line.quantity - line.cancelled_quantity, line.quantity)


def charged(line: OrderLine) -> tuple[int, int, int]:
    """Quantity, gross cents and VAT cents of what of the line is not cancelled: what an invoice charges."""
    gross = kept_cents(line)
    return line.quantity - line.cancelled_quantity, gross, vat_of_gross(gross, line.tax_rate_bp)


def spent_cents(line: OrderLine) -> int:
    """What the buyer pays for the line in the end."""
    return max(kept_cents(line) - line.refunded_cents, 0)


def refund_cents(line: OrderLine, quantity: int) -> int:
    """What comes back for ``quantity`` more of a line: the last one takes what is left."""
    left = line.quantity - line.refunded_quantity
    cents = line.gross_cents - line.refunded_cents
    return cents - part_of(cents, left - quantity, left) if left else 0


def refund_vat(line: OrderLine, gross_cents: int) -> int:
    """The VAT in a further refund of a line, so that the VAT of all its refunds is that of their sum."""
    before = vat_of_gross(line.refunded_cents, line.tax_rate_bp)
    return vat_of_gross(line.refunded_cents + gross_cents, line.tax_rate_bp) - before

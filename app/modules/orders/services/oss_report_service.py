"""What a vendor declares by the One Stop Shop: sales to consumers of other states by quarter, state and rate."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.money import vat_of_gross
from app.modules.orders.enums import OrderStatus
from app.modules.orders.models.order import Order, OrderLine
from app.modules.orders.models.refund import Refund, RefundLine
from app.modules.orders.services.line_amounts import charged
from app.modules.orders.services.oss_total_service import THRESHOLD_CENTS, ZONE, net_of_year
from app.modules.orders.services.tax_service import Regime

WARN_PERCENT = 80


class Quarter(NamedTuple):
    """A quarter of a year: 1 to 4."""

    year: int
    number: int

    @property
    def starts(self) -> datetime:
        """Its beginning in Luxembourg (UTC)."""
        return datetime(self.year, 3 * self.number - 2, 1, tzinfo=ZONE).astimezone(UTC)

    @property
    def next(self) -> "Quarter":
        """The one after."""
        return Quarter(self.year + self.number // 4, self.number % 4 + 1)

    @property
    def before(self) -> "Quarter":
        """The one before."""
        return Quarter(self.year, self.number - 1) if self.number > 1 else Quarter(self.year - 1, 4)

    @classmethod
    def of(cls, moment: datetime) -> "Quarter":
        """The quarter of a moment, in Luxembourg."""
        local = moment.astimezone(ZONE)
        return cls(local.year, (local.month + 2) // 3)


@dataclass(frozen=True, slots=True)
class ReportLine:
    """Sums (cents) for one state and rate. ``corrects``: of an earlier quarter, in which the sale was."""

    country: str
    rate_bp: int
    net_cents: int
    vat_cents: int
    corrects: Quarter | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """How a year's sales to other states stand against the threshold; net cents."""

    year: int
    net_cents: int

    @property
    def percent(self) -> int:
        """Of the threshold, rounded down."""
        return self.net_cents * 100 // THRESHOLD_CENTS

    @property
    def is_near(self) -> bool:
        """Whether it is time to think of registering."""
        return self.percent >= WARN_PERCENT

    @property
    def is_over(self) -> bool:
        """Whether the VAT of the states of destination is due."""
        return self.net_cents > THRESHOLD_CENTS


def standing(session: Session, vendor_id: UUID, year: int) -> Standing:
    """How the vendor stands in a year."""
    return Standing(year, net_of_year(session, vendor_id, year))


def report(session: Session, quarter: Quarter) -> list[ReportLine]:
    """The vendor's report: sales of the quarter less its refunds, then refunds for sales of earlier quarters.

    A sale belongs to the quarter in which the order was placed, a correction to the one in which the money went back.
    """
    sums: dict[tuple[Quarter | None, str, int], int] = {}
    for order_country, line in _sold(session, quarter):
        _, gross, _ = charged(line)
        sale = None, order_country, line.tax_rate_bp
        sums[sale] = sums.get(sale, 0) + gross
    for country, rate, gross, placed_at in _refunded(session, quarter):
        sold_in = Quarter.of(placed_at)
        key = None if sold_in == quarter else sold_in, country, rate
        sums[key] = sums.get(key, 0) - gross
    lines = []
    for (sold_in_, country, rate), gross in sums.items():
        vat = vat_of_gross(gross, rate)
        lines.append(ReportLine(country, rate, gross - vat, vat, sold_in_))
    return sorted(lines, key=lambda one: (one.corrects or Quarter(0, 1), one.country, -one.rate_bp))


def _sold(session: Session, quarter: Quarter) -> list[tuple[str, OrderLine]]:
    rows = session.execute(
        select(Order.ship_country, OrderLine)
        .join(OrderLine, OrderLine.order_id == Order.id)
        .where(
            Order.regime == Regime.OSS,
            Order.placed_at >= quarter.starts,
            Order.placed_at < quarter.next.starts,
            Order.status.not_in([OrderStatus.PENDING, OrderStatus.CANCELLED]),
        )
    )
    return [(country or "", line) for country, line in rows]


def _refunded(session: Session, quarter: Quarter) -> list[tuple[str, int, int, datetime]]:
    rows = session.execute(
        select(Order.ship_country, OrderLine.tax_rate_bp, RefundLine.gross_cents, Order.placed_at)
        .join(OrderLine, OrderLine.order_id == Order.id)
        .join(RefundLine, RefundLine.line_id == OrderLine.id)
        .join(Refund, Refund.id == RefundLine.refund_id)
        .where(Order.regime == Regime.OSS, Refund.at >= quarter.starts, Refund.at < quarter.next.starts)
    )
    return [(country or "", rate, gross, placed_at) for country, rate, gross, placed_at in rows]

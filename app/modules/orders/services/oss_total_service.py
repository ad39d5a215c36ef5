"""How much a vendor sells to consumers of other member states in a year, against the threshold of the Union."""

from datetime import UTC, date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import text
from sqlalchemy.orm import Session

THRESHOLD_CENTS = 1_000_000
"""Net, for all other states together, in this year or the one before."""
_AT_ONCE = 4
"""So many orders that are placed at the same moment are sure to see that together they cross the threshold: one that
takes the year's sum over a quarter of it waits for the others; a smaller one pays nothing."""
ZONE = ZoneInfo("Europe/Luxembourg")

_NET = text("""
    SELECT coalesce(
        sum((total_cents - vat_cents) * (total_cents - cancelled_cents - refunded_cents) / nullif(total_cents, 0)), 0
    )
    FROM orders
    WHERE vendor_id = :vendor_id AND placed_at >= :starts AND placed_at < :ends AND status <> 'cancelled'
      AND ship_country <> coalesce((SELECT country FROM invoice_settings WHERE vendor_id = :vendor_id), 'LU')
      AND (regime IN ('oss', 'origin') OR regime = 'exempt' AND buyer ->> 'vat_number' IS NULL)
""")

_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))")


def start_of_year(year: int) -> datetime:
    """When a year begins in Luxembourg (UTC)."""
    return datetime(year, 1, 1, tzinfo=ZONE).astimezone(UTC)


def net_of_year(session: Session, vendor_id: UUID, year: int) -> int:
    """What the vendor sold to consumers of other member states in a year: net cents, less what was refunded."""
    limits = {"starts": start_of_year(year), "ends": start_of_year(year + 1)}
    return int(session.scalar(_NET, {"vendor_id": vendor_id, **limits}) or 0)


def is_over_threshold(session: Session, vendor_id: UUID, on: date, more_cents: int = 0) -> bool:
    """Whether sales to other states exceed the threshold in the year of this day, with so much more (net cents), or
    have exceeded it in the one before.

    Within reach of the threshold this waits for other orders that are being placed at this moment, and the session
    keeps others waiting until its transaction ends: else each of them might miss that together they cross it.
    """
    if net_of_year(session, vendor_id, on.year - 1) > THRESHOLD_CENTS:
        return True
    sold = net_of_year(session, vendor_id, on.year)
    if more_cents and sold <= THRESHOLD_CENTS < (sold + more_cents) * _AT_ONCE:
        session.execute(_LOCK, {"key": f"orders.threshold:{vendor_id}:{on.year}"})
        sold = net_of_year(session, vendor_id, on.year)
    return sold + more_cents > THRESHOLD_CENTS

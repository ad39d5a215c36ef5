"""What both sides say at the end, and in what they differ."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import Engine, text

from app.modules.orders import facade as orders
from app.testing.letzshop.shops import Shop, listings
from sandbox.letzshop.testing import LetzshopBox

_ORDERS = text(
    """
    SELECT id, external_id, pending_exceptions > 0 AS is_barred FROM orders
    WHERE vendor_id = :vendor AND channel = 'letzshop'
    """
)
_TRACKING = text(
    """
    SELECT s.order_id, p.tracking_number FROM shipments s
    JOIN parcels p ON p.vendor_id = s.vendor_id AND p.shipment_id = s.id
    WHERE s.vendor_id = :vendor AND s.status = 'shipped' AND p.tracking_number LIKE 'PROOF%'
    """
)
_RECORDS = text(
    """
    SELECT count(*) FILTER (WHERE fault IS NOT NULL) AS parked FROM external_orders WHERE vendor_id = :vendor
    """
)
_ACTS = text("SELECT state, count(*) FROM outgoing_acts WHERE vendor_id = :vendor GROUP BY 1")
_SAME = {
    "unconfirmed": "open",
    "confirmed_available": "available",
    "confirmed_unavailable": "unavailable",
    "returned": "returned",
}
_REFUSED_LATE = ("unavailable", "returned")
_MOST_EXAMPLES = 10


@dataclass(slots=True)
class Findings:
    """Differences by kind, with the first examples. ``barred``: orders of unknown goods, which wait for people; what
    was said of their units elsewhere waits with them."""

    barred: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)

    def note(self, kind: str, what: str) -> None:
        """One difference more."""
        self.counts[kind] += 1
        if len(self.examples) < _MOST_EXAMPLES:
            self.examples.append(f"{kind}: {what}")


def compare(owner: Engine, box: LetzshopBox, shops: Sequence[Shop]) -> Findings:
    """One order for each shipment, each unit in the same state, each parcel and price known, nothing told twice."""
    findings = Findings()
    for shop in shops:
        _compare_shop(findings, owner, box, shop)
    return findings


def _compare_shop(findings: Findings, owner: Engine, box: LetzshopBox, shop: Shop) -> None:
    values = {"vendor": shop.vendor_id}
    with owner.connect() as connection:
        rows = connection.execute(_ORDERS, values).all()
        tracking = {row.order_id: row.tracking_number for row in connection.execute(_TRACKING, values)}
        parked = connection.execute(_RECORDS, values).scalar_one()
        acts = {str(row[0]): int(row[1]) for row in connection.execute(_ACTS, values)}
    theirs = box.shipments(shop.code)
    numbers = Counter(row.external_id for row in rows)
    for external_id in theirs.keys() - numbers.keys():
        findings.note("missing", f"{shop.code} {external_id}")
    for external_id in numbers.keys() - theirs.keys():
        findings.note("unknown_there", f"{shop.code} {external_id}")
    for external_id, number in numbers.items():
        if number > 1:
            findings.note("double", f"{shop.code} {external_id}")
    findings.barred += sum(row.is_barred for row in rows)
    findings.counts["parked"] += parked
    findings.counts["acts_not_done"] += sum(count for state, count in acts.items() if state != "done")
    _compare_units(
        findings, shop, {row.external_id: row.id for row in rows if not row.is_barred}, theirs, tracking
    )
    _compare_twice(findings, box, shop)
    shown = listings(box, shop)
    for sku, cents in shop.prices.items():
        if shown.get(sku) != cents:
            findings.note("price", f"{sku}: {cents} here, {shown.get(sku)} there")


def _compare_units(
    findings: Findings,
    shop: Shop,
    ours: Mapping[str, UUID],
    theirs: Mapping[str, Mapping[str, Any]],
    tracking: Mapping[UUID, str],
) -> None:
    with shop.session() as session:
        for external_id, order_id in ours.items():
            if (there := theirs.get(external_id)) is None:
                continue
            here = {unit: str(state) for unit, state in orders.units_of(session, order_id).items()}
            said = {unit: _SAME[state] for unit, state in there["units"].items()}
            # What was refused here after somebody had promised it there is taken back there.
            said |= {unit: "unavailable" for unit in said if (here.get(unit), said[unit]) == _REFUSED_LATE}
            if here != said:
                findings.note("units", f"{shop.code} {external_id}: {here} here, {said} there")
            number = tracking.get(order_id)
            if number and (there["tracking"] or {}).get("code") != number:
                findings.note(
                    "tracking", f"{shop.code} {external_id}: {number} here, {there['tracking']} there"
                )


def _compare_twice(findings: Findings, box: LetzshopBox, shop: Shop) -> None:
    """A unit to which somebody said again what it was already."""
    for event in box.look(f"/events?shop={shop.code}")["data"]:
        if event["type"] == "unit_changed" and not event.get("is_new") and event["by"] == "api":
            findings.note("told_twice", f"{shop.code} {event.get('unit')} {event.get('state')}")

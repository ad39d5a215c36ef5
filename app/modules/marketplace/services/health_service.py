"""Whether marketplaces can be worked with: of every connection, what keeps orders from coming in."""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core import clock
from app.core.database import SYSTEM, unit_of_work
from app.core.observability import HealthResult, HealthStatus
from app.modules.marketplace.contracts import CheckOutcome
from app.modules.marketplace.models.connection import Connection
from app.modules.marketplace.services.connection_job_service import is_open
from app.modules.tenancy import facade as tenancy

_TROUBLES = ("schema_drift", "key", "late")  # the most urgent first
_ROUNDS, _GRACE = 3, timedelta(minutes=1)
_MOST_NAMES = 5


class Found(NamedTuple):
    """A connection that does not work, and why."""

    vendor_id: UUID
    connector: str
    trouble: str


def check_health() -> HealthResult:
    """Every connection: has the API changed, is the key good, were orders read within the last three rounds.

    What fails is the marketplace's or the shop's to put right, so the platform stays in service.
    """
    with unit_of_work(SYSTEM) as session:
        rows = session.scalars(select(Connection).order_by(Connection.id)).all()
        found = find_troubles(session, rows)
    figures = {"connections": len(rows), "off": sum(not row.is_on for row in rows)}
    counted = Counter(one.trouble for one in found)
    details = {**figures, **{name: counted[name] for name in _TROUBLES}}
    worst = next((name for name in _TROUBLES if counted[name]), None)
    if worst is None:
        return HealthResult(HealthStatus.OK, "marketplace.health.working", figures, details)
    codes = sorted({_name(one) for one in found if one.trouble == worst})
    names = ", ".join(codes[:_MOST_NAMES]) + ("…" if len(codes) > _MOST_NAMES else "")
    params = {"count": counted[worst], "names": names}
    return HealthResult(HealthStatus.DEGRADED, f"marketplace.health.{worst}", params, details)


def find_troubles(session: Session, rows: Sequence[Connection]) -> list[Found]:
    """Of connections that are on, those that do not work. A shop for which nothing is done on purpose (it is on hold,
    its subscription has ended, the module is off) is not late. Needs the system scope."""
    found = []
    for row in rows:
        trouble = _trouble(row) if row.is_on else None
        if trouble is not None and (trouble != "late" or is_open(session, row.vendor_id)):
            found.append(Found(row.vendor_id, row.connector, trouble))
    return found


def _trouble(row: Connection) -> str | None:
    if row.check_outcome == CheckOutcome.SCHEMA_DRIFT:
        return "schema_drift"
    if row.check_outcome in (CheckOutcome.BAD_KEY, CheckOutcome.MISSING_ROLE, CheckOutcome.NOT_CONFIGURED):
        return "key"
    rounds = _ROUNDS * timedelta(seconds=row.interval_seconds) + _GRACE
    return "late" if (row.synced_at or row.connected_at) < clock.now() - rounds else None


def _name(one: Found) -> str:
    vendor = tenancy.find_vendor(vendor_id=one.vendor_id)
    return f"{vendor.code if vendor else one.vendor_id} ({one.connector})"

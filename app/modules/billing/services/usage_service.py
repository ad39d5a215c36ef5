"""What is used: counters of a month, and bars of used and allowed for people.

Counters run by the month from the subscription's anchor, whatever the interval that is paid for: a plan says "orders a
month". A counter of an earlier month counts as nought, so no limit waits for the task that resets it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy import func, text, update
from sqlalchemy.orm import Session

from app.core import clock
from app.modules.base import Feature, load
from app.modules.billing.models.subscription import UsageCounter
from app.modules.billing.services import limit_service
from app.modules.billing.services.lock_service import as_vendor
from app.modules.entitlements import features
from app.modules.state import is_enabled_for_vendor

# As part of a statement: an order is not to wait for one more answer. Days as in ``period_service``: a month that is
# too short for the anchor's day begins on its last.
_MONTH = """
    month AS MATERIALIZED (
        SELECT coalesce(max(begun.at), date_trunc('month', today.at)) AT TIME ZONE 'UTC' AS start
        FROM (SELECT CAST(:now AS timestamptz) AT TIME ZONE 'UTC' AS at) today
        LEFT JOIN subscriptions s ON s.vendor_id = :vendor_id
        LEFT JOIN LATERAL (
            SELECT anchor.at + make_interval(months => anchor.months - back) AS at
            FROM (SELECT a.at, (12 * (extract(year FROM today.at) - extract(year FROM a.at))
                    + extract(month FROM today.at) - extract(month FROM a.at))::int AS months
                  FROM (SELECT s.anchor_at AT TIME ZONE 'UTC' AS at) a) anchor, generate_series(0, 1) back
        ) begun ON begun.at <= today.at
        GROUP BY today.at
    )
"""
_START = text(f"WITH {_MONTH} SELECT start FROM month")
_USED = text(
    f"""
    WITH {_MONTH}
    SELECT c.used FROM usage_counters c, month
    WHERE c.vendor_id = :vendor_id AND c.feature_code = :feature_code AND c.period_start >= month.start
    """
)
_COUNT = text(
    f"""
    WITH {_MONTH}
    INSERT INTO usage_counters AS c (vendor_id, feature_code, used, period_start)
    SELECT :vendor_id, :feature_code, CAST(:amount AS bigint), month.start FROM month
    ON CONFLICT (vendor_id, feature_code) DO UPDATE
    SET used = excluded.used + CASE WHEN c.period_start < excluded.period_start THEN 0 ELSE c.used END,
        period_start = greatest(c.period_start, excluded.period_start)
    """
)
NEAR_PERCENT = 80
BarState = Literal["unlimited", "ok", "near", "full", "over"]


@dataclass(frozen=True, slots=True)
class UsageBar:
    """How much of a feature is used. ``words_key``: the text of its state, with params used, limit, left, percent."""

    feature_code: str
    label_key: str
    used: int
    limit: int | None
    percent: int | None
    state: BarState

    @property
    def words_key(self) -> str:
        """Key of the text that says what the state means."""
        return f"billing.usage.{self.state}"


def list_usage(session: Session, vendor_id: UUID) -> list[UsageBar]:
    """A bar for each countable feature of the modules that are on for the vendor, in the order of the modules."""
    with as_vendor(session, vendor_id):
        limits = limit_service.effective_limits(session, vendor_id)
        return [
            make_bar(
                feature.code, feature.label_key, _used(session, vendor_id, feature), limits[feature.code]
            )
            for feature in features().values()
            if feature.kind == "quantitative" and (feature.usage or feature.is_per_period)
            if is_enabled_for_vendor(feature.module_code, vendor_id)
        ]


def _used(session: Session, vendor_id: UUID, feature: Feature) -> int:
    if feature.is_per_period:
        return used_in_month(session, vendor_id, feature.code)
    count: Callable[[Session], int] = load(feature.usage or "")
    return count(session)


def make_bar(code: str, label_key: str, used: int, limit: int | None) -> UsageBar:
    """How full a feature is; without limit there is no percentage."""
    if limit is None:
        return UsageBar(code, label_key, used, None, None, "unlimited")
    percent = used * 100 // limit if limit else 100
    state: BarState = "ok"
    if used > limit:
        state = "over"
    elif used == limit:
        state = "full"
    elif percent >= NEAR_PERCENT:
        state = "near"
    return UsageBar(code, label_key, used, limit, percent, state)


def month_start(session: Session, vendor_id: UUID) -> datetime:
    """When the vendor's present month of counting began; without a subscription, the calendar's month in UTC."""
    session.flush()
    start: datetime = session.execute(_START, {"vendor_id": vendor_id, "now": clock.now()}).scalar_one()
    return start


def used_in_month(session: Session, vendor_id: UUID, feature_code: str) -> int:
    """What was counted in the present month."""
    values = {"vendor_id": vendor_id, "feature_code": feature_code, "now": clock.now()}
    session.flush()
    return session.scalar(_USED, values) or 0


def count(session: Session, vendor_id: UUID, feature_code: str, amount: int) -> None:
    """Add to the present month's counter, in the vendor's scope."""
    values = {"vendor_id": vendor_id, "feature_code": feature_code, "now": clock.now(), "amount": amount}
    session.flush()
    session.execute(_COUNT, values)


def reset_counters(session: Session, vendor_id: UUID) -> int:
    """Set counters of earlier months to nought, in the vendor's scope; how many."""
    start = month_start(session, vendor_id)
    reset = session.execute(
        update(UsageCounter)
        .where(UsageCounter.vendor_id == vendor_id, UsageCounter.period_start < start)
        .values(used=0, period_start=start)
        .returning(UsageCounter.feature_code)
    )
    return len(reset.all())


def keep_counters(session: Session, vendor_id: UUID, since: datetime) -> None:
    """Count on after the anchor has moved: what was counted since ``since`` belongs to the present month."""
    session.execute(
        update(UsageCounter)
        .where(UsageCounter.vendor_id == vendor_id, UsageCounter.period_start >= since)
        .values(period_start=func.greatest(UsageCounter.period_start, month_start(session, vendor_id)))
    )

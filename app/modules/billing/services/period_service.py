"""The calendar of periods: pure, in UTC. A period begins at the anchor's day of the month, or at the month's last day
where the month is shorter; the anchor itself is never changed by a short month."""

from calendar import monthrange
from datetime import datetime

from app.modules.billing.contracts import Period
from app.modules.billing.enums import Interval

_MONTHS = {Interval.MONTH: 1, Interval.YEAR: 12}


def add_periods(anchor: datetime, interval: str, count: int) -> datetime:
    """The instant ``count`` periods after (before, where negative) the anchor, at its time of day in UTC."""
    months = anchor.year * 12 + anchor.month - 1 + count * _MONTHS[Interval(interval)]
    year, month = divmod(months, 12)
    day = min(anchor.day, monthrange(year, month + 1)[1])
    return anchor.replace(year=year, month=month + 1, day=day)


def period_at(anchor: datetime, interval: str, moment: datetime) -> Period:
    """The period that ``moment`` lies in; the first one begins at the anchor, earlier ones lie before it."""
    months = (moment.year - anchor.year) * 12 + moment.month - anchor.month
    count = months // _MONTHS[Interval(interval)]
    if add_periods(anchor, interval, count) > moment:
        count -= 1
    return Period(add_periods(anchor, interval, count), add_periods(anchor, interval, count + 1))


def following(anchor: datetime, interval: str, period_end: datetime, until: datetime) -> list[Period]:
    """The periods that have begun since one ended at ``period_end``, up to the one that ``until`` lies in."""
    periods: list[Period] = []
    while period_end <= until:
        period = period_at(anchor, interval, period_end)
        periods.append(Period(period_end, period.end))
        period_end = period.end
    return periods

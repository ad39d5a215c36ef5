"""Billing periods: counted from an anchor, whose day they keep (31 Jan, 28 Feb, 31 Mar)."""

import calendar
from datetime import UTC, datetime, timedelta

HOUR, DAY = 3600, 86400


def add(anchor: int, interval: str, count: int) -> int:
    """The moment ``count`` intervals after the anchor."""
    start = datetime.fromtimestamp(anchor, UTC)
    if interval in ("day", "week"):
        return int((start + timedelta(days=count * (7 if interval == "week" else 1))).timestamp())
    months = start.month - 1 + count * (12 if interval == "year" else 1)
    year, month = start.year + months // 12, months % 12 + 1
    day = min(start.day, calendar.monthrange(year, month)[1])
    return int(start.replace(year=year, month=month, day=day).timestamp())


def period_at(anchor: int, interval: str, interval_count: int, moment: int) -> tuple[int, int]:
    """Start and end of the period in which the moment lies; the end belongs to the next one."""
    length = {"day": DAY, "week": 7 * DAY, "month": 31 * DAY, "year": 366 * DAY}[interval] * interval_count
    number = (moment - anchor) // length
    while add(anchor, interval, (number + 1) * interval_count) <= moment:
        number += 1
    while add(anchor, interval, number * interval_count) > moment:
        number -= 1
    return add(anchor, interval, number * interval_count), add(
        anchor, interval, (number + 1) * interval_count
    )


def day_text(moment: int) -> str:
    """``06 Dec 2026``"""
    return datetime.fromtimestamp(moment, UTC).strftime("%d %b %Y")

"""Two clocks.

*Business time* (``now``, ``today``) drives trials, invoices, due dates and everything a person would call
"the date". It can be moved, so that a year of subscriptions can be played through in a minute.
*System time* (``system_now``) is the machine's clock and drives leases, sessions, rate limits and
signatures: moving the business clock must never lengthen a session or revive a token.

The offset between them is stored in PostgreSQL; the framework reads it and calls ``set_offset`` in every
process. It is one immutable value replaced by one assignment, so readers in other threads see either the
old or the new one.
"""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

_offset = timedelta(0)


def system_now() -> datetime:
    """The machine's time: aware, UTC."""
    return datetime.now(UTC)


def now() -> datetime:
    """Business time: aware, UTC; the machine's time plus the offset."""
    return system_now() + _offset


def today(timezone: str) -> date:
    """The business date in an IANA zone such as ``Europe/Luxembourg``.

    Raises ``zoneinfo.ZoneInfoNotFoundError`` (a ``KeyError``) for a zone that does not exist.
    """
    return now().astimezone(ZoneInfo(timezone)).date()


def offset() -> timedelta:
    """How far business time is ahead of system time in this process (negative: behind)."""
    return _offset


def set_offset(value: timedelta) -> None:
    """Moves business time of this process to system time plus ``value``.

    Raises ``OverflowError`` if the result is not a date, before anything has changed.
    """
    global _offset
    system_now() + value
    _offset = value

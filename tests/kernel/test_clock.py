from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfoNotFoundError

import pytest
import time_machine

from app.core import clock


@pytest.fixture(autouse=True)
def _clock_restored() -> Iterator[None]:
    before = clock.offset()
    yield
    clock.set_offset(before)


def test_both_clocks_are_aware_utc_and_agree_without_offset() -> None:
    with time_machine.travel(datetime(2026, 3, 9, 12, tzinfo=UTC), tick=False):
        assert clock.now() == clock.system_now() == datetime(2026, 3, 9, 12, tzinfo=UTC)
        assert clock.now().tzinfo is UTC


def test_offset_moves_business_time_only() -> None:
    with time_machine.travel(datetime(2026, 3, 9, 12, tzinfo=UTC), tick=False):
        clock.set_offset(timedelta(days=31))
        assert clock.now() == datetime(2026, 4, 9, 12, tzinfo=UTC)
        assert clock.system_now() == datetime(2026, 3, 9, 12, tzinfo=UTC)
        assert clock.offset() == timedelta(days=31)


def test_today_is_the_business_date_of_the_zone() -> None:
    with time_machine.travel(datetime(2026, 3, 9, 23, 30, tzinfo=UTC), tick=False):
        assert clock.today("UTC") == date(2026, 3, 9)
        assert clock.today("Europe/Luxembourg") == date(2026, 3, 10)
        clock.set_offset(timedelta(days=-1))
        assert clock.today("Europe/Luxembourg") == date(2026, 3, 9)


def test_an_impossible_offset_changes_nothing() -> None:
    clock.set_offset(timedelta(hours=1))
    with pytest.raises(OverflowError):
        clock.set_offset(timedelta(days=999_999_999))
    assert clock.offset() == timedelta(hours=1)


def test_unknown_zone_is_an_error() -> None:
    with pytest.raises(ZoneInfoNotFoundError):
        clock.today("Europe/Atlantis")

"""The calendar of periods against a model that walks through it day by day."""

from calendar import monthrange
from datetime import UTC, datetime, timedelta

from hypothesis import example, given
from hypothesis import strategies as st

from app.modules.billing.contracts import Period
from app.modules.billing.services.period_service import add_periods, following, period_at

_ANCHORS = st.datetimes(datetime(2023, 1, 1), datetime(2029, 12, 31), timezones=st.just(UTC))
_INTERVALS = st.sampled_from(["month", "year"])
_DAYS = st.integers(0, 1500)


def _is_boundary(day: datetime, anchor: datetime, interval: str) -> bool:
    last = monthrange(day.year, day.month)[1]
    is_day = day.day == anchor.day or (day.day == last and anchor.day > last)
    return is_day and (interval == "month" or day.month == anchor.month)


def _walk(anchor: datetime, interval: str, until: datetime) -> list[datetime]:
    """Every boundary from the anchor until just after ``until``, found by looking at each day."""
    found, day = [anchor], anchor
    while found[-1] <= until:
        day += timedelta(days=1)
        if _is_boundary(day, anchor, interval):
            found.append(day)
    return found


@given(_ANCHORS, _INTERVALS, _DAYS, st.integers(0, 86_399))
@example(datetime(2024, 2, 29, 12, tzinfo=UTC), "year", 1461, 0)
@example(datetime(2025, 1, 31, 23, 59, 59, tzinfo=UTC), "month", 400, 0)
@example(datetime(2025, 1, 31, tzinfo=UTC), "month", 28, 0)
def test_the_period_of_a_moment_is_the_one_that_the_calendar_shows(
    anchor: datetime, interval: str, days: int, seconds: int
) -> None:
    moment = anchor + timedelta(days=days, seconds=seconds)
    boundaries = _walk(anchor, interval, moment)
    assert period_at(anchor, interval, moment) == Period(boundaries[-2], boundaries[-1])


@given(_ANCHORS, _INTERVALS, _DAYS, st.integers(0, 40))
def test_missed_periods_are_all_there_once_and_without_gaps(
    anchor: datetime, interval: str, days: int, seen: int
) -> None:
    until = anchor + timedelta(days=days)
    boundaries = _walk(anchor, interval, until)
    known = min(seen, len(boundaries) - 1)
    missed = following(anchor, interval, boundaries[known], until)
    assert [period.start for period in missed] == [day for day in boundaries[known:] if day <= until]
    assert [period.end for period in missed] == boundaries[known + 1 :][: len(missed)]
    if missed:
        assert following(anchor, interval, missed[-1].end, until) == []


@given(_ANCHORS, _INTERVALS, st.integers(-60, 60), st.integers(-60, 60))
def test_short_months_do_not_move_the_day(anchor: datetime, interval: str, first: int, second: int) -> None:
    moved = add_periods(anchor, interval, first)
    assert moved.day == min(anchor.day, monthrange(moved.year, moved.month)[1])
    assert moved.timetz() == anchor.timetz()
    assert (moved < add_periods(anchor, interval, second)) == (first < second)


@given(_ANCHORS, _INTERVALS, st.integers(-1500, 1500))
def test_every_moment_lies_in_its_period(anchor: datetime, interval: str, days: int) -> None:
    moment = anchor + timedelta(days=days, hours=days % 24)
    period = period_at(anchor, interval, moment)
    assert period.start <= moment < period.end
    assert period_at(anchor, interval, period.start) == period
    assert period_at(anchor, interval, period.end).start == period.end


def test_the_end_of_january_comes_back_after_february() -> None:
    anchor = datetime(2025, 1, 31, 9, 30, tzinfo=UTC)
    days = [add_periods(anchor, "month", n).strftime("%m-%d %H:%M") for n in range(4)]
    assert days == ["01-31 09:30", "02-28 09:30", "03-31 09:30", "04-30 09:30"]


def test_a_leap_day_comes_back_after_four_years() -> None:
    anchor = datetime(2024, 2, 29, tzinfo=UTC)
    assert [add_periods(anchor, "year", n).day for n in range(5)] == [29, 28, 28, 28, 29]


def test_summer_time_moves_no_period() -> None:
    """Periods are instants: in Luxembourg's clocks they begin an hour later in summer."""
    anchor = datetime(2026, 3, 15, 23, 30, tzinfo=UTC)
    assert add_periods(anchor, "month", 1) - anchor == timedelta(days=31)
    assert add_periods(anchor, "month", 8) - add_periods(anchor, "month", 7) == timedelta(days=31)


def test_a_period_off_the_anchors_grid_is_joined_without_a_gap() -> None:
    anchor, end = datetime(2026, 1, 10, tzinfo=UTC), datetime(2026, 3, 2, tzinfo=UTC)
    missed = following(anchor, "month", end, datetime(2026, 3, 20, tzinfo=UTC))
    assert [(period.start.day, period.end.day) for period in missed] == [(2, 10), (10, 10)]

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.money import Money, vat_of_gross

cents = st.integers(-(10**13), 10**13)
rates = st.integers(0, 30_000)
weights = st.lists(st.integers(0, 10**6), min_size=1, max_size=12).filter(lambda found: sum(found) > 0)


def eur(amount: int) -> Money:
    return Money(amount, "EUR")


def test_arithmetic() -> None:
    assert eur(1050) + eur(250) == eur(1300)
    assert eur(1050) - eur(2000) == eur(-950)
    assert eur(333) * 3 == 3 * eur(333) == eur(999)
    assert -eur(5) == eur(-5)
    assert len({eur(1), eur(1), Money(1, "USD")}) == 2


def test_order_within_a_currency() -> None:
    assert eur(1) < eur(2) <= eur(2)
    assert eur(3) > eur(2) >= eur(2)


@pytest.mark.parametrize("operation", ["__add__", "__sub__", "__lt__", "__le__", "__gt__", "__ge__"])
def test_currencies_do_not_mix(operation: str) -> None:
    with pytest.raises(ValueError, match="EUR and USD"):
        getattr(eur(1), operation)(Money(1, "USD"))


def test_equal_amounts_of_two_currencies_differ() -> None:
    assert eur(1) != Money(1, "USD")


@pytest.mark.parametrize("amount", [1.0, Decimal(1), "1", True, None])
def test_amount_must_be_whole(amount: Any) -> None:
    with pytest.raises(TypeError):
        eur(amount)


def test_no_float_gets_in_by_multiplication() -> None:
    factor: Any = 1.5
    with pytest.raises(TypeError):
        eur(100) * factor


@pytest.mark.parametrize("currency", ["", "eur", "EURO", "E1R", "€€€", "ÉUR"])
def test_currency_must_be_a_code(currency: str) -> None:
    with pytest.raises(ValueError):
        Money(1, currency)


def test_allocate_gives_left_over_cents_to_those_who_lost_most() -> None:
    assert eur(100).allocate([1, 1, 1]) == [eur(34), eur(33), eur(33)]
    assert eur(10).allocate([2, 5]) == [eur(3), eur(7)]  # 2.857… and 7.142…
    assert eur(-100).allocate([1, 1, 1]) == [eur(-34), eur(-33), eur(-33)]


@pytest.mark.parametrize("bad", [[], [0, 0], [1, -1], [3, -1]])
def test_allocate_refuses_senseless_weights(bad: list[int]) -> None:
    with pytest.raises(ValueError):
        eur(100).allocate(bad)


@given(amount=cents, shares=weights)
def test_allocate_loses_nothing_and_is_fair(amount: int, shares: list[int]) -> None:
    parts = eur(amount).allocate(shares)
    assert sum(part.amount_cents for part in parts) == amount
    for part, weight in zip(parts, shares, strict=True):
        # |part - exact share| < 1 cent, in whole numbers
        assert abs(part.amount_cents * sum(shares) - amount * weight) < sum(shares)
        assert weight or not part.amount_cents


@pytest.mark.parametrize(
    ("gross", "rate", "vat"),
    [(11700, 1700, 1700), (100, 1700, 15), (100, 0, 0), (0, 1700, 0), (-11700, 1700, -1700), (1, 1700, 0)],
)
def test_vat_of_known_amounts(gross: int, rate: int, vat: int) -> None:
    assert vat_of_gross(gross, rate) == vat


def test_a_net_of_half_a_cent_is_rounded_up() -> None:
    assert vat_of_gross(3, 10_000) == 1  # net 1.5 becomes 2
    assert vat_of_gross(-3, 10_000) == -1


@given(gross=cents, rate=rates)
def test_vat_agrees_with_decimal_arithmetic(gross: int, rate: int) -> None:
    exact = Decimal(abs(gross)) * 10_000 / (10_000 + rate)
    expected = abs(gross) - int(exact.quantize(Decimal(1), ROUND_HALF_UP))
    assert abs(vat_of_gross(gross, rate)) == expected
    assert vat_of_gross(-gross, rate) == -vat_of_gross(gross, rate)


def test_negative_rate_is_refused() -> None:
    with pytest.raises(ValueError):
        vat_of_gross(100, -1)


def test_format() -> None:
    assert eur(123456750).format("en") == "€1,234,567.50"
    assert eur(123456750).format("fr") == "1\u202f234\u202f567,50\u00a0€"
    assert eur(123456750).format("lb") == eur(123456750).format("de") == "1.234.567,50\u00a0€"
    assert eur(-5).format("en") == "-€0.05"
    assert Money(1234, "JPY").format("de") == "1.234\u00a0¥"

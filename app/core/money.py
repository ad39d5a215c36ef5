"""Money: whole minor units and a currency. No float, no implicit exchange, one rounding point for VAT."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import total_ordering

from app.core import i18n

BASIS_POINTS = 10_000


@total_ordering
@dataclass(frozen=True, slots=True)
class Money:
    """An amount in minor units (cents; whole units for currencies without decimals) of an ISO 4217 currency.

    Adding, subtracting and ordering two currencies raises ``ValueError``; such amounts are never equal.
    """

    amount_cents: int
    currency: str

    def __post_init__(self) -> None:
        if type(self.amount_cents) is not int:
            raise TypeError(f"an amount is a whole number of cents, not {self.amount_cents!r}")
        code = self.currency
        if not (len(code) == 3 and code.isascii() and code.isalpha() and code.isupper()):
            raise ValueError(f"a currency has three capital letters, not {code!r}")

    def __add__(self, other: "Money") -> "Money":
        return Money(self.amount_cents + self._cents_of(other), self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return Money(self.amount_cents - self._cents_of(other), self.currency)

    def __neg__(self) -> "Money":
        return Money(-self.amount_cents, self.currency)

    def __mul__(self, factor: int) -> "Money":
        return Money(self.amount_cents * factor, self.currency)

    __rmul__ = __mul__

    def __lt__(self, other: "Money") -> bool:
        return self.amount_cents < self._cents_of(other)

    def allocate(self, weights: Sequence[int]) -> list["Money"]:
        """Splits the amount in proportion to ``weights``; the parts add up to the amount exactly.

        The cents left over by rounding down go to the parts that lost most, the earlier first; a weight of
        nought gets nothing; a negative amount is split as its mirror image. Raises ``ValueError`` if a weight
        is negative or all are nought.
        """
        total_weight = sum(weights)
        if total_weight <= 0 or min(weights) < 0:
            raise ValueError("weights must not be negative, and one must be more than nought")
        amount = abs(self.amount_cents)
        sign = -1 if self.amount_cents < 0 else 1
        shares = [amount * weight // total_weight for weight in weights]
        lost = [amount * weight % total_weight for weight in weights]
        by_loss = sorted(range(len(shares)), key=lambda index: -lost[index])
        for index in by_loss[: amount - sum(shares)]:
            shares[index] += 1
        return [Money(sign * share, self.currency) for share in shares]

    def format(self, lang: str) -> str:
        """The amount as people of this language write it, e.g. ``1 234,50 €``."""
        return i18n.format_money(lang, self.amount_cents, self.currency)

    def _cents_of(self, other: "Money") -> int:
        if other.currency != self.currency:
            raise ValueError(f"{self.currency} and {other.currency} cannot be combined")
        return other.amount_cents


def vat_of_gross(gross_cents: int, rate_basis_points: int) -> int:
    """The VAT (cents) contained in a gross amount (cents) at a rate in basis points (17 % is 1700).

    This is the one place where VAT is rounded: the net amount is gross / (1 + rate), rounded half up to the
    cent, and the VAT is what remains, so that net + VAT is always the gross. A negative amount (credit note)
    is the mirror image of the positive one. Raises ``ValueError`` for a negative rate.
    """
    if rate_basis_points < 0:
        raise ValueError("a VAT rate is not negative")
    divisor = BASIS_POINTS + rate_basis_points
    gross = abs(gross_cents)
    net = (2 * gross * BASIS_POINTS + divisor) // (2 * divisor)
    vat = gross - net
    return -vat if gross_cents < 0 else vat

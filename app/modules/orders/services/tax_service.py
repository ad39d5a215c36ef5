"""Which VAT an order bears: the regime it falls under, the rate of each line, and the share of its shipping.

Amounts are gross integer cents, rates basis points (17 % is 1700). The date of supply decides which rates hold.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from time import monotonic
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.money import Money
from app.modules.orders.models.tax import InvoiceSettings, TaxClassRate, VatRate
from app.modules.orders.services.oss_total_service import is_over_threshold

EU_STATES = frozenset(
    "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK".split()  # noqa: SIM905
)
TAX_CLASSES = ("standard", "intermediate", "reduced", "super_reduced", "zero")
_SECONDS_KEPT = 600.0

# Rates of the state that a class of the seller's own state stands for: the first of them that the state has.
_AT_HOME: Mapping[str, tuple[str, ...]] = {
    "standard": ("standard",),
    "intermediate": ("intermediate", "standard"),
    "reduced": ("reduced", "intermediate", "standard"),
    "super_reduced": ("super_reduced", "reduced", "standard"),
}
# Suggested for another state. Wine, print and fuel (intermediate here) bear the full rate nearly everywhere; what is
# taxed least here (food, books, medicine) bears the rate that a state has for food and books.
_ABROAD: Mapping[str, tuple[str, ...]] = {
    "standard": ("standard",),
    "intermediate": ("standard",),
    "reduced": ("intermediate", "reduced", "standard"),
    "super_reduced": ("reduced", "standard"),
}


class Regime(StrEnum):
    """Whose VAT an order bears, if any."""

    DOMESTIC = "domestic"
    OSS = "oss"
    """Of the state it goes to; declared there, or here by the One Stop Shop."""
    REVERSE_CHARGE = "reverse_charge"
    ORIGIN = "origin"
    """Of the seller's state, as long as sales to consumers of other states stay below the threshold."""
    EXEMPT = "exempt"
    EXPORT = "export"


class UnknownRateError(LookupError):
    """No rate is known for a state on a day."""


@dataclass(frozen=True, slots=True)
class TaxSituation:
    """What decides the regime. States are ISO 3166 alpha-2; ``is_business``: ``vat_number`` has been checked."""

    seller_country: str
    ship_country: str
    is_business: bool
    vat_number: str | None
    supplied_on: date
    is_small_business: bool
    is_oss: bool
    is_over_threshold: bool


@dataclass(frozen=True, slots=True)
class OrderTax:
    """The regime of an order, and the rate of its lines. ``vat_number``: the buyer's, if it holds up to checking."""

    regime: Regime
    vat_number: str | None = None
    rates: Mapping[str, int] = field(default_factory=dict)

    def line(self, tax_class: str | None, kind: str = "physical") -> tuple[int, str]:
        """Rate (basis points) and EN 16931 category of a line of goods of this class, and of this kind of product."""
        match self.regime:
            case Regime.REVERSE_CHARGE:
                return 0, "K" if kind == "physical" else "AE"
            case Regime.EXEMPT:
                return 0, "E"
            case Regime.EXPORT:
                return 0, "G"
        rate = self.rates[tax_class or "standard"]
        return rate, "S" if rate else "Z"


class ShippingPart(NamedTuple):
    """The share of shipping that bears one rate (gross cents)."""

    rate_bp: int
    category: str
    gross_cents: int


@dataclass(frozen=True, slots=True)
class _Terms:
    country: str = "LU"
    is_small_business: bool = False
    oss_since: date | None = None


def decide_regime(situation: TaxSituation) -> Regime:
    """The regime of a sale.

    Where goods go decides: out of the Union it is an export, within the seller's state domestic. A business of another
    state with a VAT number that is not the seller's state's accounts for the VAT itself. Consumers elsewhere pay their
    own state's VAT once the seller is in the One Stop Shop or over the threshold. What stays taxed in the seller's
    state is exempt for a small business.
    """
    home, there = situation.seller_country, situation.ship_country
    if situation.is_small_business and there in EU_STATES and not _is_taxed_there(situation):
        return Regime.EXEMPT
    if there == home:
        return Regime.DOMESTIC
    if there not in EU_STATES:
        return Regime.EXPORT
    if _is_foreign_business(situation):
        return Regime.REVERSE_CHARGE
    return Regime.OSS if _is_taxed_there(situation) else Regime.ORIGIN


def _is_foreign_business(situation: TaxSituation) -> bool:
    return situation.is_business and _state_of(situation.vat_number or "") != situation.seller_country


def _is_taxed_there(situation: TaxSituation) -> bool:
    return (
        situation.ship_country != situation.seller_country
        and (situation.is_oss or situation.is_over_threshold)
        and not _is_foreign_business(situation)
    )


def _may_be_taxed_there(situation: TaxSituation, regime: Regime) -> bool:
    is_far = situation.ship_country != situation.seller_country and situation.ship_country in EU_STATES
    return is_far and regime in (Regime.ORIGIN, Regime.EXEMPT) and not _is_foreign_business(situation)


def _state_of(vat_number: str) -> str:
    return vat_number[:2].replace("EL", "GR")


def find_vat_number(text: str | None) -> str | None:
    """The VAT number in its compact form, if form and check digits are those of a state of the Union."""
    if not text:
        return None
    from stdnum.eu import vat
    from stdnum.exceptions import ValidationError

    try:
        return str(vat.validate(text))
    except ValidationError:
        return None


_kept: tuple[float, Mapping[tuple[str, str], list[tuple[date, date, int]]]] = (0.0, {})


def _all_rates(session: Session) -> Mapping[tuple[str, str], list[tuple[date, date, int]]]:
    """All rates, read once in ten minutes: only a release changes them."""
    global _kept
    if _kept[1] and monotonic() < _kept[0]:
        return _kept[1]
    rates: dict[tuple[str, str], list[tuple[date, date, int]]] = {}
    columns = (VatRate.country, VatRate.category, VatRate.valid_from, VatRate.valid_to, VatRate.rate_bp)
    for country, category, starts, ends, rate in session.execute(select(*columns)):
        rates.setdefault((country, category), []).append((starts, ends or date.max, rate))
    _kept = (monotonic() + _SECONDS_KEPT, rates)
    return rates


def _find_rate(session: Session, country: str, categories: Sequence[str], on: date) -> int:
    rates = _all_rates(session)
    for category in categories:
        for starts, ends, rate in rates.get((country, category), ()):
            if starts <= on <= ends:
                return rate
    raise UnknownRateError(f"no {categories[0]} rate of {country} is known for {on}")


def rate_for(session: Session, country: str, tax_class: str, on: date, *, is_abroad: bool = False) -> int:
    """The rate (basis points) of a class of goods in a state of the Union on a day.

    ``is_abroad``: the class is that of goods of another state, so the rate is a suggestion. Raises `UnknownRateError`.
    """
    if tax_class == "zero":
        return 0
    return _find_rate(session, country, (_ABROAD if is_abroad else _AT_HOME)[tax_class], on)


def tax_order(
    session: Session,
    vendor_id: UUID,
    ship_country: str | None,
    vat_number: str | None,
    supplied_on: date,
    net_cents: Callable[[OrderTax], int] = lambda _tax: 0,
) -> OrderTax:
    """How an order to a state is taxed that is supplied on this day. ``vat_number``: what the buyer gave, unchecked.

    ``net_cents``: what the order is worth if it is taxed so. The order that takes sales to other states over the
    threshold is the first that is taxed there (Article 59c of the VAT Directive: as of that time).

    Without a state the goods stay at home. One query there, up to three elsewhere. Raises `UnknownRateError`.
    """
    terms = _terms_of(session, vendor_id)
    number = find_vat_number(vat_number)
    situation = TaxSituation(
        seller_country=terms.country,
        ship_country="GR" if ship_country == "EL" else ship_country or terms.country,
        is_business=number is not None,
        vat_number=number,
        supplied_on=supplied_on,
        is_small_business=terms.is_small_business,
        is_oss=terms.oss_since is not None and terms.oss_since <= supplied_on,
        is_over_threshold=False,
    )
    regime = decide_regime(situation)
    tax = OrderTax(regime, number, _rates(session, vendor_id, regime, situation))
    if _may_be_taxed_there(situation, regime) and is_over_threshold(
        session, vendor_id, supplied_on, net_cents(tax)
    ):
        regime = decide_regime(replace(situation, is_over_threshold=True))
        tax = OrderTax(regime, number, _rates(session, vendor_id, regime, situation))
    return tax


def tax_again(
    session: Session, vendor_id: UUID, regime: Regime, ship_country: str, supplied_on: date
) -> OrderTax:
    """How further lines of an order are taxed that was placed under a regime. Raises `UnknownRateError`."""
    home = _terms_of(session, vendor_id).country
    there = "GR" if ship_country == "EL" else ship_country
    situation = TaxSituation(home, there, False, None, supplied_on, False, False, False)
    return OrderTax(regime, None, _rates(session, vendor_id, regime, situation))


def _rates(session: Session, vendor_id: UUID, regime: Regime, situation: TaxSituation) -> dict[str, int]:
    on = situation.supplied_on
    match regime:
        case Regime.DOMESTIC | Regime.ORIGIN:
            return {name: rate_for(session, situation.seller_country, name, on) for name in TAX_CLASSES}
        case Regime.OSS:
            return rates_abroad(session, vendor_id, situation.ship_country, on)
    return {}


def _terms_of(session: Session, vendor_id: UUID) -> _Terms:
    columns = (InvoiceSettings.country, InvoiceSettings.is_small_business, InvoiceSettings.oss_since)
    row = session.execute(select(*columns).where(InvoiceSettings.vendor_id == vendor_id)).one_or_none()
    return _Terms(*row) if row else _Terms()


def rates_abroad(session: Session, vendor_id: UUID, country: str, on: date) -> dict[str, int]:
    """The rate of each class in another state: what the vendor decided, else what is suggested."""
    own = session.execute(
        select(TaxClassRate.tax_class, TaxClassRate.rate_bp).where(
            TaxClassRate.vendor_id == vendor_id, TaxClassRate.country == country
        )
    )
    decided = {str(tax_class): int(rate) for tax_class, rate in own}
    return {
        name: decided[name] if name in decided else rate_for(session, country, name, on, is_abroad=True)
        for name in TAX_CLASSES
    }


def allocate_discount(discount_cents: int, line_cents: Sequence[int], currency: str = "EUR") -> list[int]:
    """How much of a discount on a whole order each line bears (gross cents), in proportion to what it costs.

    Raises ``ValueError`` if the discount is negative or more than all lines together.
    """
    if not 0 <= discount_cents <= sum(line_cents):
        raise ValueError("a discount is between nought and the sum of the lines")
    if not discount_cents:
        return [0] * len(line_cents)
    return [part.amount_cents for part in Money(discount_cents, currency).allocate(line_cents)]


def split_shipping(
    shipping_cents: int, goods: Sequence[tuple[int, str, int]], currency: str = "EUR"
) -> list[ShippingPart]:
    """Shipping (gross cents) on the rates of the goods, in proportion to what they cost; highest rate first.

    ``goods``: rate, category and gross amount after discounts of each line. If all goods are free, it bears the
    highest rate. No shipping, or no goods: no parts.
    """
    worth: dict[tuple[int, str], int] = {}
    for rate, category, gross in goods:
        worth[rate, category] = worth.get((rate, category), 0) + gross
    if not shipping_cents or not worth:
        return []
    kinds = sorted(worth, reverse=True)
    weights = [worth[kind] for kind in kinds] if any(worth.values()) else [1] + [0] * (len(kinds) - 1)
    parts = Money(shipping_cents, currency).allocate(weights)
    return [
        ShippingPart(rate, category, part.amount_cents)
        for (rate, category), part in zip(kinds, parts, strict=True)
        if part.amount_cents
    ]

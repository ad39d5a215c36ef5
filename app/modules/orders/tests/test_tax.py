"""VAT: regimes, dated rates, and sums that hold for any basket."""

import random
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from threading import Event, Thread

import duty27_eu_vat
import eu_vat_rates_data
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from app.core.ids import new_id
from app.core.money import vat_of_gross
from app.modules.catalog.contracts import OrderedProduct
from app.modules.orders.contracts import NewLine, NewOrder
from app.modules.orders.services.exception_service import resolve_exception
from app.modules.orders.services.line_amounts import charged, refund_cents, refund_vat
from app.modules.orders.services.oss_report_service import Quarter
from app.modules.orders.services.oss_total_service import THRESHOLD_CENTS, net_of_year
from app.modules.orders.services.place_service import place_order
from app.modules.orders.services.price_service import price_order
from app.modules.orders.services.tax_service import (
    EU_STATES,
    TAX_CLASSES,
    OrderTax,
    Regime,
    TaxSituation,
    UnknownRateError,
    allocate_discount,
    decide_regime,
    find_vat_number,
    rate_for,
    split_shipping,
    tax_order,
)
from app.modules.orders.tests.conftest import ANNE, BY, LIVE, Desk

TODAY = date(2026, 11, 23)
GERMAN, LUXEMBOURGISH = "DE136695976", "LU10000356"
_ANY = new_id()


def _regime(ship: str, **given: object) -> Regime:
    known = {
        "vat_number": None,
        "is_small_business": False,
        "is_oss": False,
        "is_over_threshold": False,
    } | given
    number = known["vat_number"]
    return decide_regime(TaxSituation("LU", ship, number is not None, supplied_on=TODAY, **known))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("ship", "given", "regime"),
    [
        ("LU", {}, Regime.DOMESTIC),
        ("LU", {"vat_number": GERMAN}, Regime.DOMESTIC),
        ("LU", {"is_oss": True}, Regime.DOMESTIC),
        ("BE", {}, Regime.ORIGIN),
        ("BE", {"is_oss": True}, Regime.OSS),
        ("BE", {"is_over_threshold": True}, Regime.OSS),
        ("DE", {"vat_number": GERMAN, "is_oss": True}, Regime.REVERSE_CHARGE),
        ("BE", {"vat_number": LUXEMBOURGISH, "is_oss": True}, Regime.OSS),
        ("CH", {"vat_number": GERMAN}, Regime.EXPORT),
        ("US", {"is_small_business": True}, Regime.EXPORT),
        ("LU", {"is_small_business": True}, Regime.EXEMPT),
        ("BE", {"is_small_business": True}, Regime.EXEMPT),
        ("BE", {"is_small_business": True, "is_oss": True}, Regime.OSS),
        ("DE", {"is_small_business": True, "vat_number": GERMAN}, Regime.EXEMPT),
    ],
)
def test_where_goods_go_and_who_buys_decide_the_regime(ship: str, given: dict, regime: Regime) -> None:
    assert _regime(ship, **given) is regime


def test_a_vat_number_counts_only_if_its_check_digits_fit() -> None:
    assert find_vat_number("DE 136 695 976") == GERMAN
    assert find_vat_number("DE136695977") is None
    assert find_vat_number("EL094259216") == "EL094259216"
    assert find_vat_number("") is None


def test_categories_follow_the_regime_and_the_kind_of_goods() -> None:
    abroad = OrderTax(Regime.REVERSE_CHARGE)
    assert (abroad.line("standard"), abroad.line("standard", "service")) == ((0, "K"), (0, "AE"))
    assert OrderTax(Regime.EXPORT).line(None) == (0, "G")
    assert OrderTax(Regime.EXEMPT).line("reduced") == (0, "E")
    home = OrderTax(Regime.DOMESTIC, rates={"standard": 1700, "zero": 0})
    assert (home.line(None), home.line("zero")) == ((1700, "S"), (0, "Z"))


def test_rates_are_those_of_the_published_data(desk: Desk) -> None:
    with desk.session() as session:
        for state in duty27_eu_vat.list_countries():
            country = "GR" if state.code == "EL" else state.code
            for window in duty27_eu_vat.get_rate_history(state.code):
                found = rate_for(session, country, "standard", window.effective_from)
                assert Decimal(found) / 100 == window.rate, (country, window)
        for country in sorted(EU_STATES):
            data = eu_vat_rates_data.get_rate(country)
            assert data is not None
            known = {data["standard"], *data["reduced"], data["super_reduced"], data["parking"]}
            known |= {4.8} if country == "IE" else set()  # livestock: not in the data set
            for name in TAX_CLASSES[:-1]:
                for is_abroad in (False, True):
                    rate = rate_for(session, country, name, TODAY, is_abroad=is_abroad)
                    assert rate / 100 in known, (country, name)
        assert [rate_for(session, "LU", name, TODAY) for name in TAX_CLASSES] == [1700, 1400, 800, 300, 0]
        assert [rate_for(session, "LU", name, date(2023, 6, 1)) for name in TAX_CLASSES] == [
            1600,
            1300,
            700,
            300,
            0,
        ]
        with pytest.raises(UnknownRateError):
            rate_for(session, "LU", "standard", date(2015, 12, 31))


def test_an_order_is_taxed_as_the_vendor_stands(desk: Desk) -> None:
    settings = """
        INSERT INTO invoice_settings (vendor_id, legal_name, line1, postcode, city, country, prefix, due_days, footers,
            is_small_business, oss_since, issue_when, created_at, updated_at, version)
        VALUES (:vendor, '', '', '', '', 'LU', '', 0, '{}', false, '2026-11-01', 'manual', now(), now(), 1)
    """
    with desk.session() as session:
        before = tax_order(session, desk.vendor_id, "BE", None, TODAY)
        assert (before.regime, before.line("super_reduced")) == (Regime.ORIGIN, (300, "S"))
        assert tax_order(session, desk.vendor_id, None, None, TODAY).regime is Regime.DOMESTIC
    desk.rows(settings)
    desk.rows(
        "INSERT INTO tax_class_rates (id, vendor_id, country, tax_class, rate_bp, created_at, updated_at, version) "
        "VALUES (gen_random_uuid(), :vendor, 'FR', 'intermediate', 1000, now(), now(), 1)"
    )
    with desk.session() as session:
        belgian = tax_order(session, desk.vendor_id, "BE", None, TODAY)
        assert belgian.regime is Regime.OSS
        assert [belgian.line(name) for name in ("super_reduced", "standard")] == [(600, "S"), (2100, "S")]
        french = tax_order(session, desk.vendor_id, "FR", None, TODAY)
        assert [french.line(name)[0] for name in ("intermediate", "super_reduced")] == [1000, 550]
        assert tax_order(session, desk.vendor_id, "BE", None, date(2026, 10, 31)).regime is Regime.ORIGIN
        greek = tax_order(session, desk.vendor_id, "EL", "EL094259216", TODAY)
        assert (greek.regime, greek.vat_number) == (Regime.REVERSE_CHARGE, "EL094259216")


def test_services_to_a_business_abroad_are_no_supply_of_goods(desk: Desk) -> None:
    for kind in ("physical", "digital", "service", "subscription"):
        desk.product(kind, kind=kind)
    buyer = replace(ANNE, vat_number=GERMAN)
    waiting = NewLine(None, "LATER", None, "Later", 1, 1000)
    placed = desk.place(
        *(desk.line(kind) for kind in list(desk.goods)),
        waiting,
        buyer=buyer,
        shipping_address=_in("DE"),
        when_short="exception",
    )
    later = desk.product("LATER", kind="service")
    view = desk.view(placed.order_id)
    with desk.session() as session:
        resolve_exception(session, view.exceptions[0].id, later, BY)
    assert view.order.regime == "reverse_charge"
    assert {line.sku: line.tax_category for line in desk.view(placed.order_id).lines} == {
        "physical": "K",
        **dict.fromkeys(("digital", "service", "subscription", "LATER"), "AE"),
    }


def test_the_order_that_crosses_the_threshold_is_the_first_that_is_taxed_there(desk: Desk) -> None:
    desk.product("A")
    belgium = {"shipping_address": _in("BE")}
    first = desk.place(desk.line("A", 10, 100_000), **belgium)
    assert desk.view(first.order_id).order.regime == "origin"
    with desk.session() as session:
        assert tax_order(session, desk.vendor_id, "DE", None, TODAY).regime is Regime.ORIGIN
        sold = net_of_year(session, desk.vendor_id, TODAY.year)
    exactly = THRESHOLD_CENTS - sold
    last = desk.place(replace(desk.line("A", 1, exactly), tax_class="zero"), **belgium)
    assert desk.view(last.order_id).order.regime == "origin"  # 10,000.00 is not more than 10,000
    beyond = desk.place(desk.line("A", 1, 121), **belgium)
    view = desk.view(beyond.order_id)
    assert (view.order.regime, view.lines[0].tax_rate_bp, view.lines[0].vat_cents) == ("oss", 2100, 21)
    with desk.session() as session:
        assert tax_order(session, desk.vendor_id, "DE", None, TODAY).regime is Regime.OSS
        assert tax_order(session, desk.vendor_id, "DE", None, date(2027, 6, 1)).regime is Regime.OSS
        assert tax_order(session, desk.vendor_id, "LU", None, TODAY).regime is Regime.DOMESTIC


def test_two_orders_of_the_same_moment_do_not_both_miss_the_threshold(desk: Desk) -> None:
    desk.product("A")
    with desk.session() as session:
        half = (THRESHOLD_CENTS - net_of_year(session, desk.vendor_id, TODAY.year)) // 2 + 1000
    new = NewOrder(
        channel="direct",
        lines=[replace(desk.line("A", 1, half), tax_class="zero")],
        buyer=ANNE,
        shipping_address=_in("BE"),  # type: ignore[arg-type]
        billing_address=None,
    )
    is_priced, second = Event(), []

    def place_second() -> None:
        with desk.session() as session:
            is_priced.set()
            second.append(place_order(session, desk.vendor_id, new, when_short="refuse").order_id)

    with desk.session() as session:
        first = place_order(session, desk.vendor_id, new, when_short="refuse").order_id
        other = Thread(target=place_second)
        other.start()
        assert is_priced.wait(10)
        other.join(1.0)  # it waits for this one, or has been placed beside it
    other.join(10)
    regimes = [desk.view(key).order.regime for key in (first, *second)]
    assert regimes == ["origin", "oss"]


def test_a_small_order_far_from_the_threshold_waits_for_nobody(desk: Desk) -> None:
    desk.product("A")
    with desk.session() as session:
        assert (
            tax_order(session, desk.vendor_id, "BE", None, TODAY, lambda _tax: 1000).regime is Regime.ORIGIN
        )
        held = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()")
        assert session.scalar(held) == 0
        assert (
            tax_order(session, desk.vendor_id, "BE", None, TODAY, lambda _tax: 900_000).regime
            is Regime.ORIGIN
        )
        assert session.scalar(held) == 1


def _in(country: str) -> object:
    return type(LIVE)(name="Anne Martin", line1="Rue Neuve 1", postcode="1000", city="Ville", country=country)


@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=8), st.data())
def test_a_discount_is_shared_to_the_cent(lines: list[int], data: st.DataObject) -> None:
    discount = data.draw(st.integers(0, sum(lines)))
    shares = allocate_discount(discount, lines)
    assert sum(shares) == discount
    assert all(0 <= share <= cents for share, cents in zip(shares, lines, strict=True))


@given(
    st.integers(0, 100_000),
    st.lists(
        st.tuples(st.sampled_from([0, 300, 800, 1400, 1700]), st.integers(0, 10_000)), min_size=1, max_size=8
    ),
)
def test_shipping_bears_the_rates_of_the_goods(cents: int, goods: list[tuple[int, int]]) -> None:
    parts = split_shipping(cents, [(rate, "S", gross) for rate, gross in goods])
    assert sum(part.gross_cents for part in parts) == cents
    assert {part.rate_bp for part in parts} <= {rate for rate, _ in goods}
    assert len(parts) == len({part.rate_bp for part in parts})


@dataclass(slots=True)
class _Line:
    """What `line_amounts` reads of an order's line."""

    quantity: int
    gross_cents: int
    tax_rate_bp: int
    cancelled_quantity: int = 0
    refunded_quantity: int = 0
    refunded_cents: int = 0


def test_a_hundred_thousand_baskets_add_up(desk: Desk) -> None:
    """Sums hold, the invoice is the order, and refunding everything in parts nets to zero; seed 7."""
    with desk.session() as session:
        taxes = [
            OrderTax(
                Regime.DOMESTIC if country == "LU" else Regime.OSS,
                rates={
                    name: rate_for(session, country, name, TODAY, is_abroad=country != "LU")
                    for name in TAX_CLASSES
                },
            )
            for country in sorted(EU_STATES)
        ]
    taxes += [taxes[sorted(EU_STATES).index("LU")]] * 20 + [
        OrderTax(Regime.REVERSE_CHARGE),
        OrderTax(Regime.EXPORT),
    ]
    dice = random.Random(7)
    for _ in range(100_000):
        _check_basket(dice, dice.choice(taxes))


def _check_basket(dice: random.Random, tax: OrderTax) -> None:
    lines, classes = [], []
    for _ in range(1 + int(dice.random() ** 2 * 4)):
        quantity, unit = 1 + int(dice.random() ** 3 * 6), int(dice.random() ** 2 * 9000) + 1
        own = int(unit * dice.random()) if dice.random() < 0.2 else 0
        lines.append(NewLine(None, None, None, "", quantity, unit, own))
        classes.append(TAX_CLASSES[int(dice.random() * 5)])
    worth = sum(line.quantity * line.unit_price_cents - line.discount_cents for line in lines)
    discount = int(worth * dice.random()) if dice.random() < 0.3 else 0
    shipping = int(dice.random() * 1500) if dice.random() < 0.6 else 0
    new = NewOrder("direct", ANNE, None, None, lines, shipping_cents=shipping, discount_cents=discount)
    goods = [OrderedProduct(_ANY, "", None, "", None, 0, False, name, "physical") for name in classes]
    priced = price_order(new, goods, tax)
    assert priced.total_cents == worth - discount + shipping == sum(line.gross_cents for line in priced.lines)
    assert priced.vat_cents == sum(line.vat_cents for line in priced.lines)
    sums: dict[int, int] = {}
    for line in priced.lines:
        assert 0 <= line.vat_cents <= line.gross_cents
        sums[line.tax_rate_bp] = sums.get(line.tax_rate_bp, 0) + line.gross_cents
        _check_line(dice, line.quantity, line.gross_cents, line.tax_rate_bp, line.vat_cents)
    for rate, gross in sums.items():
        got = sum(line.vat_cents for line in priced.lines if line.tax_rate_bp == rate)
        assert abs(got - vat_of_gross(gross, rate)) <= len(priced.lines)  # a cent a line, never more


def _check_line(dice: random.Random, quantity: int, gross: int, rate: int, vat: int) -> None:
    line = _Line(quantity, gross, rate)
    assert charged(line) == (quantity, gross, vat)  # type: ignore[arg-type]
    cents = taxed = 0
    while line.refunded_quantity < quantity:
        some = dice.randint(1, quantity - line.refunded_quantity) if quantity > 1 else 1
        back = refund_cents(line, some)  # type: ignore[arg-type]
        taxed += refund_vat(line, back)  # type: ignore[arg-type]
        cents += back
        line.refunded_quantity += some
        line.refunded_cents += back
    assert (cents, taxed) == (gross, vat)


def test_quarters_begin_in_luxembourg() -> None:
    quarter = Quarter(2026, 4)
    assert (quarter.starts.isoformat(), quarter.next, quarter.next.before) == (
        "2026-09-30T22:00:00+00:00",
        Quarter(2027, 1),
        quarter,
    )
    assert Quarter.of(quarter.starts) == quarter

"""Reading what Letzshop sends: amounts, trade numbers, addresses and shipments with pieces missing."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.modules.catalog.contracts import gtin_check_digit
from app.modules.customers.contracts import Address
from app.modules.marketplace.adapters.letzshop import values
from app.modules.marketplace.adapters.letzshop.reader import read_page, read_shipment, read_shop
from app.modules.marketplace.adapters.letzshop.values import UnreadableError
from app.modules.marketplace.contracts import UnitState
from app.modules.marketplace.exceptions import ChannelUnavailableError

_NOBODY = dict.fromkeys(("firstName", "lastName", "company", "streetName", "streetNumber", "city", "zipCode"))


def unit(number: int, variant: Any, state: str = "unconfirmed") -> dict[str, Any]:
    return {"id": f"u{number}", "state": state, "variant": variant}


def variant(variant_id: str, **more: Any) -> dict[str, Any]:
    names = {"name": {"en": "Chair", "fr": "Chaise", "de": None}, "_brand": {}}
    known = {"id": variant_id, "sku": f"S-{variant_id}", "mpn": None, "price": "15.00", "tradeId": None}
    return {**known, "product": names, **more}


def shipment(*units: dict[str, Any], **order: Any) -> dict[str, Any]:
    told = {"id": "o1", "number": "R123", "email": "a@b.lu", "total": "99.00", "locale": "de", **order}
    return {
        "id": "s1",
        "number": "H456",
        "state": "unconfirmed",
        "order": told,
        "inventoryUnits": list(units),
    }


@given(st.integers(0, 10**9))
def test_every_form_of_an_amount_is_the_same_amount(cents: int) -> None:
    written = f"{cents // 100}.{cents % 100:02d}"
    grouped = f"{cents // 100:,}.{cents % 100:02d}"
    swapped = grouped.translate(str.maketrans(",.", ".,"))
    forms = (written, f"{written} EUR", f"{swapped} €", f"EUR {grouped}", f"{swapped}")
    for form in (*forms, *((float(written),) if cents < 10**12 else ())):
        assert values.money(form) == (cents, "EUR"), form


@pytest.mark.parametrize("wrong", [None, "", "free", "-1.00", "1.00 euros and more", True, [], {"amount": 1}])
def test_what_is_no_amount_is_not_guessed(wrong: Any) -> None:
    with pytest.raises(UnreadableError):
        values.money(wrong)


def test_amounts_of_other_currencies_keep_them() -> None:
    assert values.money("12.50 CHF") == (1250, "CHF")
    assert values.money(20) == (2000, "EUR")
    assert values.money("1 234,5 EUR") == (123450, "EUR")


@given(st.text(), st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text()))
def test_no_value_of_an_amount_is_a_surprise(said: str, other: Any) -> None:
    for tried in (said, other):
        try:
            cents, currency = values.money(tried)
        except UnreadableError:
            continue
        assert cents >= 0
        assert len(currency) == 3


@given(
    st.sampled_from([("gtin13", 12), ("gtin8", 7), ("gtin12", 11), ("gtin14", 13), ("isbn13", 12)]), st.data()
)
def test_lost_zeros_of_trade_numbers_come_back(kind: tuple[str, int], data: st.DataObject) -> None:
    parser, length = kind
    body = data.draw(st.from_regex(rf"0[0-9]{{{length - 2}}}[1-9]", fullmatch=True))
    full = body + gtin_check_digit(body)
    for number in (full, full.lstrip("0"), int(full)):
        found = values.trade_number({"number": number, "parser": parser})
        # A number that lost many zeros can be a shorter one of its own, an old ISBN too; it is one in any case.
        assert found is not None
        assert found == full.zfill(14) or len(str(int(number))) in (8, 10, 12, 13)


def test_trade_numbers_of_books_and_of_nobody() -> None:
    assert values.trade_number({"number": "3-16-148410-x", "parser": "isbn10"}) == "09783161484100"
    assert values.trade_number({"number": "123", "parser": "newton"}) == "123"
    assert values.trade_number(None) is values.trade_number({"number": None, "parser": "gtin13"}) is None


def test_texts_fall_back_from_the_order_to_french_english_german_and_any() -> None:
    told = {"en": "Chair", "fr": "Chaise", "de": "Stuhl", "lb": "Stull"}
    assert values.translated(told, "lb") == "Stull"
    assert values.translated({**told, "lb": ""}, "lb") == "Chaise"
    assert values.translated({"en": "Chair", "fr": None, "de": "Stuhl"}, "lb") == "Chair"
    assert values.translated({"pt": "Cadeira"}, None) == "Cadeira"
    assert values.translated(None, "fr") is values.translated({"fr": " "}, "fr") is None


def test_street_and_number_become_one_line() -> None:
    told = {**_NOBODY, "firstName": " Anne ", "lastName": "Weber", "streetName": "rue du Fort"}
    told |= {
        "streetNumber": "12a",
        "zipCode": "L-2226",
        "city": "Luxembourg",
        "country": {"name": "x", "iso": "lu"},
    }
    expected = Address("Anne Weber", None, "rue du Fort 12a", None, "L-2226", "Luxembourg", "LU", None)
    assert values.address(told) == expected
    doubled = values.address({**told, "streetName": "12a, rue du Fort"})
    assert doubled is not None
    assert doubled.line1 == "12a, rue du Fort"
    assert values.address(_NOBODY) is values.address(None) is None


def test_pieces_of_a_variant_are_a_line_and_each_is_known_by_its_id() -> None:
    lamp = variant("v2", price=45.5, tradeId={"number": "4006381333931", "parser": "gtin13"})
    read = read_shipment(
        shipment(
            *(unit(1, variant("v1")), unit(2, lamp, "confirmed_available")),
            *(unit(3, variant("v1"), "returned"), unit(4, variant("v1"), "vanished")),
            completedAt="2026-03-01T11:00:00+01:00",
        )
    )
    order = read.order
    assert order is not None
    lines = [
        (one.sku, one.gtin, one.quantity, one.unit_price_cents, one.external_unit_ids) for one in order.lines
    ]
    assert lines == [
        ("S-v1", None, 3, 1500, ("u1", "u3", "u4")),
        ("S-v2", "04006381333931", 1, 4550, ("u2",)),
    ]
    states = [UnitState.OPEN, UnitState.AVAILABLE, UnitState.RETURNED, UnitState.UNKNOWN]
    assert [one.state for one in read.units] == states
    assert (read.external_id, read.number, order.external_id, order.external_number) == (
        "s1",
        "H456",
        "s1",
        "R123",
    )
    assert order.placed_at == datetime(2026, 3, 1, 10, tzinfo=UTC)
    assert (order.buyer.language, order.lines[0].title) == ("de", "Chaise")


def test_an_order_is_not_lost_for_what_is_missing_of_its_goods() -> None:
    gone, nameless = unit(1, None), unit(2, variant("v1", product=None, sku=None, mpn="M-1"))
    read = read_shipment(shipment(gone, unit(3, None), nameless, locale="xx", email=None, shipAddress=None))
    assert read.order is not None
    assert [(one.title, one.quantity, one.unit_price_cents) for one in read.order.lines] == [
        *(("u1", 1, 0), ("u3", 1, 0), ("M-1", 1, 1500)),
    ]
    assert read.order.buyer.language == "fr"
    assert read.order.shipping_address is None


@pytest.mark.parametrize(
    ("units", "fault"),
    [
        ([], "no_units"),
        ([{"id": None, "state": "unconfirmed", "variant": variant("v1")}], "no_unit_id"),
        ([unit(1, variant("v1", price="ask us"))], "price_unreadable"),
        ([unit(1, variant("v1", price=None))], "price_unreadable"),
        ([unit(1, variant("v1", price="1 CHF")), unit(2, variant("v2"))], "currency_mixed"),
    ],
)
def test_what_would_have_to_be_guessed_is_parked(units: list[dict[str, Any]], fault: str) -> None:
    node = shipment(*units)
    read = read_shipment(node)
    assert (read.order, read.fault, read.external_id, read.raw) == (None, fault, "s1", node)


def test_a_page_with_a_hole_is_no_page() -> None:
    with pytest.raises(ChannelUnavailableError):
        read_page({"shipments": {"nodes": [{"id": "s1"}, None]}}, "shipments")
    with pytest.raises(ChannelUnavailableError):
        read_shipment({"id": None})


def test_a_shop_of_the_directory_keeps_what_is_said_of_it() -> None:
    told = {
        "id": "v1",
        "slug": "a-shop",
        "name": None,
        "street": "Grand-Rue",
        "streetNumber": "3",
        "city": "Wiltz",
    }
    found = read_shop({**told, "active": False, "country": {"iso": "LU"}})
    assert found is not None
    assert (found.name, found.street, found.city, found.country) == ("a-shop", "Grand-Rue 3", "Wiltz", "LU")
    assert not found.is_active
    assert read_shop({"id": "v1", "slug": None}) is None

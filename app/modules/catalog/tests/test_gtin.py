import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import ean, isbn

from app.modules.catalog.contracts import (
    GtinError,
    GtinFault,
    display_gtin,
    gtin_check_digit,
    is_in_store_gtin,
    parse_gtin,
)

digits = st.text("0123456789", min_size=7, max_size=13)


@given(digits)
def test_check_digit_is_that_of_stdnum(body: str) -> None:
    assert gtin_check_digit(body) == ean.calc_check_digit(body)


@given(st.text("0123456789", min_size=1, max_size=16))
def test_a_number_is_accepted_exactly_when_stdnum_accepts_it(text: str) -> None:
    accepted = ean.is_valid(text) if len(text) != 10 else isbn.is_valid(text)
    if not text.strip("0"):
        accepted = False
    try:
        gtin = parse_gtin(text)
    except GtinError:
        assert not accepted
    else:
        assert accepted
        assert len(gtin) == 14
        assert gtin.endswith(text) or len(text) == 10


@given(st.text())
def test_any_text_gives_a_gtin_or_a_gtin_error(text: str) -> None:
    try:
        gtin = parse_gtin(text)
    except GtinError:
        return
    assert ean.is_valid(gtin)


@given(st.text("0123456789", min_size=9, max_size=9))
def test_isbn_10_becomes_its_978_form(body: str) -> None:
    isbn_10 = body + isbn._calc_isbn10_check_digit(body)
    assert parse_gtin(isbn_10) == "0" + isbn.to_isbn13(isbn_10)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("6.29104E+12", GtinFault.SCIENTIFIC),
        ("6,29104e+12", GtinFault.SCIENTIFIC),
        ("5E12", GtinFault.SCIENTIFIC),
        ("6291041500213.0", GtinFault.DECIMAL),
        ("6291041500213,00", GtinFault.DECIMAL),
        ("4006381333932", GtinFault.CHECK_DIGIT),
        ("0306406153", GtinFault.CHECK_DIGIT),
        ("12345", GtinFault.LENGTH),
        ("123456789012345", GtinFault.LENGTH),
        ("0000000000000", GtinFault.MALFORMED),
        ("400638133393A", GtinFault.MALFORMED),
        ("٤٠٠٦٣٨١٣٣٣٩٣١", GtinFault.MALFORMED),
        ("²²²²²²²²", GtinFault.MALFORMED),
        ("", GtinFault.MALFORMED),
    ],
)
def test_faults(text: str, fault: GtinFault) -> None:
    with pytest.raises(GtinError) as caught:
        parse_gtin(text)
    assert caught.value.fault is fault


@pytest.mark.parametrize(
    ("text", "native"),
    [
        ("96385074", "96385074"),
        ("614141999996", "614141999996"),
        ("0614141999996", "614141999996"),
        ("4006381333931", "4006381333931"),
        (" 978-3-16-148410-0 ", "9783161484100"),
        ("10614141999993", "10614141999993"),
        ("080442957X", "9780804429573"),
    ],
)
def test_native_length(text: str, native: str) -> None:
    assert display_gtin(parse_gtin(text)) == native
    assert parse_gtin(native) == parse_gtin(text)


@pytest.mark.parametrize("body", ["020000000000", "040000000001", "210000000003", "290000000004", "2000001"])
def test_in_store_ranges(body: str) -> None:
    assert is_in_store_gtin(parse_gtin(body + gtin_check_digit(body)))


@pytest.mark.parametrize("body", ["400638133393", "030000000001", "123456789012", "9638507", "06141419999"])
def test_numbers_that_identify_a_product(body: str) -> None:
    assert not is_in_store_gtin(parse_gtin(body + gtin_check_digit(body)))

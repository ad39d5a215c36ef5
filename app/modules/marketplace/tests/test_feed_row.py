import random
import re
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from babel.messages.pofile import read_po
from hypothesis import given
from hypothesis import strategies as st

from app.core.i18n import LANGUAGES
from app.modules.marketplace.adapters import feed_errors
from app.modules.marketplace.adapters.feed_errors import FeedColumnsDuplicateError, FeedColumnsMissingError
from app.modules.marketplace.adapters.feed_reader import RawRow, detect_format, read_header, read_rows
from app.modules.marketplace.enums import RowErrorCode
from app.modules.marketplace.services.feed_row import ROW_COLUMNS, RowError, RowParser, compile_header
from app.modules.marketplace.services.feed_values import BadValueError, parse_images, price_parser
from bench.feeds import COLUMNS, DIRT, clean_row, write_feed

LOCALES = Path(__file__).parents[1] / "locales"
GOOD = {
    "id": "A-1",
    "title": "Chair",
    "description": "A chair.",
    "link": "https://shop.example/a-1",
    "image_link": "http://img.example/a-1.jpg",
    "availability": "in_stock",
    "price": "15.00 EUR",
}
price = price_parser("EUR")
# A lone surrogate can come out of a decoder, but into no database.
text = st.text(st.characters() | st.just("\ud800"))


def parse(cells: dict[str, str], language: str = "en") -> dict[str, Any] | list[RowError]:
    parsed = RowParser(compile_header(list(cells)), language=language).parse(raw(list(cells.values())))
    return parsed if isinstance(parsed, list) else dict(zip(ROW_COLUMNS, parsed, strict=True))


def raw(cells: list[str], problem: RowErrorCode | None = None) -> RawRow:
    return RawRow(7, cells, 100, 9, problem)


def parsed(**cells: str) -> dict[str, Any]:
    row = parse(GOOD | cells)
    assert isinstance(row, dict), row
    return row


def faults(**cells: str) -> list[tuple[str, str]]:
    errors = parse(GOOD | cells)
    assert isinstance(errors, list), errors
    assert {error.line for error in errors} == {7}
    return [(error.column, error.code) for error in errors]


def price_or_fault(text: str) -> object:
    try:
        return price(text)
    except BadValueError as error:
        return error.code


def test_a_plain_row() -> None:
    row = parsed()
    expected = {
        "external_id": "A-1",
        "title": "Chair",
        "description": "A chair.",
        "link": "https://shop.example/a-1",
        "image_link": "http://img.example/a-1.jpg",
        "availability": "in_stock",
        "price_cents": 1500,
        "currency": "EUR",
        "condition": "new",
        "is_adult": False,
        "is_bundle": False,
        "additional_image_links": [],
        "custom_labels": [],
        "raw": GOOD,
    }
    assert {name: value for name, value in row.items() if value is not None} == expected


PLACES = {
    "additional_image_link": ("https://a.example/1,2.jpg, http://b.example/3", "additional_image_links"),
    "availability_date": ("2026-12-01T10:00+01:00", "availability_date"),
    "gtin": ("4006381333931", "gtin"),
    "identifier_exists": ("No", "identifier_exists"),
    "condition": ("Used", "condition"),
    "adult": ("TRUE", "is_adult"),
    "multipack": ("12", "multipack"),
    "is_bundle": ("yes", "is_bundle"),
    "age_group": ("kids", "age_group"),
    "gender": ("Women", "gender"),
    "google_product_category": ("Furniture", "google_category"),
    "energy_efficiency_class": ("A", "energy_class"),
    "min_energy_efficiency_class": ("A+++", "min_energy_class"),
    "max_energy_efficiency_class": ("G", "max_energy_class"),
    "custom_label_0": ("first", "custom_labels"),
    "custom_label_2": ("third", "custom_labels"),
}
TEXTS = [
    *(
        "mpn",
        "brand",
        "color",
        "material",
        "pattern",
        "size",
        "size_type",
        "size_system",
        "item_group_id",
    ),
    *("product_type", "unit_pricing_measure", "unit_pricing_base_measure", "shipping", "shipping_label"),
    *("shipping_weight", "shipping_size"),
]


def test_every_column_has_its_place() -> None:
    row = parsed(**{name: text for name, (text, _) in PLACES.items()}, **{name: name for name in TEXTS})
    assert [row[name] for name in TEXTS] == TEXTS
    assert {column: row[column] for _, column in PLACES.values()} == {
        "additional_image_links": ["https://a.example/1,2.jpg", "http://b.example/3"],
        "availability_date": date(2026, 12, 1),
        "gtin": "04006381333931",
        "identifier_exists": False,
        "condition": "used",
        "is_adult": True,
        "multipack": 12,
        "is_bundle": True,
        "age_group": "kids",
        "gender": "female",
        "google_category": "Furniture",
        "energy_class": "A",
        "min_energy_class": "A+++",
        "max_energy_class": "G",
        "custom_labels": ["first", "", "third"],
    }


def test_sale() -> None:
    row = parsed(sale_price="12,5", sale_price_effective_date="2026-05-01T08:00+0200/2026-05-31")
    assert row["sale_price_cents"] == 1250
    assert row["sale_starts_at"] == datetime(2026, 5, 1, 6, tzinfo=UTC)
    assert row["sale_ends_at"] == datetime(2026, 6, 1, tzinfo=UTC)


def test_texts_are_cleaned() -> None:
    row = parsed(title=" Red\r\n\x07chair\u200b ", description="One\tof\r\ntwo\x1f\ud800", note=" a\nb ")
    assert row["title"] == "Red chair"
    assert row["description"] == "One\tof\ntwo"
    assert row["raw"]["note"] == "a b"


def test_local_words_for_yes_and_no() -> None:
    for language, yes in (("fr", "Oui"), ("de", "ja"), ("lb", "jo"), ("en", "yes"), ("fr", "yes")):
        row = parse(GOOD | {"adult": yes}, language)
        assert isinstance(row, dict)
        assert row["is_adult"] is True
    assert isinstance(parse(GOOD | {"adult": "oui"}, "de"), list)


@pytest.mark.parametrize(
    "word", ["in_stock", "In Stock", "out of stock", "PREORDER", "pre-order", "backorder"]
)
def test_availability(word: str) -> None:
    expected = word.lower().replace(" ", "_").replace("-", "")
    assert parsed(availability=word)["availability"] == expected


@pytest.mark.parametrize(
    ("column", "value", "code"),
    [
        ("id", "", "required_empty"),
        ("title", " \t", "required_empty"),
        ("price", "", "required_empty"),
        ("description", "", "required_empty"),
        ("availability", "", "required_empty"),
        ("id", "x" * 51, "text_too_long"),
        ("title", "x" * 151, "text_too_long"),
        ("description", "x" * 5001, "text_too_long"),
        ("link", "https://a.example/" + "x" * 2000, "text_too_long"),
        ("custom_label_3", "x" * 101, "text_too_long"),
        ("title", "a\0b", "nul_character"),
        ("brand", "#N/A", "spreadsheet_error"),
        ("price", "#ref!", "spreadsheet_error"),
        ("link", "www.shop.example", "url_malformed"),
        ("link", "javascript:alert(1)", "url_malformed"),
        ("link", "https://", "url_malformed"),
        ("image_link", "https://a.example/b c.jpg", "url_malformed"),
        ("additional_image_link", ",".join(["https://a.example"] * 11), "too_many_images"),
        ("additional_image_link", "a.jpg,https://a.example", "url_malformed"),
        ("additional_image_link", "https://a.example/" + "x" * 2000, "text_too_long"),
        ("availability", "soon", "value_unknown"),
        ("condition", "antique", "value_unknown"),
        ("gender", "chair", "value_unknown"),
        ("age_group", "old", "value_unknown"),
        ("adult", "2", "boolean_malformed"),
        ("multipack", "1", "multipack_malformed"),
        ("multipack", "2.5", "multipack_malformed"),
        ("multipack", "9" * 5000, "text_too_long"),
        ("availability_date", "31.12.2026", "date_malformed"),
        ("sale_price_effective_date", "2026-05-01", "sale_dates_malformed"),
        ("sale_price_effective_date", "2026-05-02/2026-05-01", "sale_dates_order"),
        ("sale_price_effective_date", "0001-01-01T00:00+02:00/9999-12-31", "sale_dates_malformed"),
        ("gtin", "6.29104E+12", "gtin_scientific"),
        ("gtin", "6291041500213.0", "gtin_decimal"),
        ("gtin", "7.61E+12", "gtin_scientific"),
        ("gtin", "7,61E+12", "gtin_scientific"),
        ("gtin", "12345670"[1:], "gtin_length"),
        ("gtin", "1234565", "gtin_zeros_lost"),
        ("gtin", "306406152", "gtin_zeros_lost"),
        ("gtin", "12345678905"[:-1] + "5", "gtin_zeros_lost"),
        ("gtin", "12345678904", "gtin_length"),
        ("gtin", '="4006381333931"', "gtin_malformed"),
        ("gtin", "4006381333932", "gtin_check_digit"),
        ("gtin", "123", "gtin_length"),
        ("gtin", "none", "gtin_malformed"),
        ("price", "on request", "price_malformed"),
        ("price", "=A1*2", "price_malformed"),
        ("price", "15,00 / 12,00", "price_malformed"),
        ("price", "from 15.00", "price_malformed"),
        ("price", "EUR 5 EUR", "price_malformed"),
        ("price", "15.00 EURO", "price_malformed"),
        ("price", "1.234.50", "price_malformed"),
        ("price", "1,23,456.00", "price_malformed"),
        ("price", "1,234 EUR", "price_ambiguous"),
        ("price", "1.234", "price_ambiguous"),
        ("price", "-5.00 EUR", "price_negative"),
        ("price", "EUR −5", "price_negative"),
        ("price", "0,00", "price_zero"),
        ("price", "15.9999 EUR", "price_decimals"),
        ("price", "0.999", "price_decimals"),
        ("price", "1234.505", "price_decimals"),
        ("price", "1 234.505", "price_decimals"),
        ("price", "100000000.00", "price_too_large"),
        ("price", "5.00 XYZ", "currency_unknown"),
        ("price", "500 JPY", "currency_unknown"),
        ("sale_price", "15.00 EUR", "sale_price_not_lower"),
        ("sale_price", "12.00 CHF", "sale_price_currency"),
    ],
)
def test_bad_cells(column: str, value: str, code: str) -> None:
    assert faults(**{column: value}) == [(column, code)]


def test_all_errors_of_a_row_are_told_in_the_order_of_its_columns() -> None:
    assert faults(gtin="1", id="", price="x", title="", adult="y") == [
        ("id", "required_empty"),
        ("title", "required_empty"),
        ("price", "price_malformed"),
        ("gtin", "gtin_length"),
        ("adult", "boolean_malformed"),
    ]


def test_rows_out_of_shape() -> None:
    parser = RowParser(compile_header(["id", "title", "price"]), language="en")
    assert isinstance(parser.parse(raw(["1", "a", "5.00", "", ""])), tuple)
    for cells in (["1", "a"], ["1", "a", "5.00", "x"], []):
        [error] = parser.parse(raw(cells))
        assert (error.code, error.column) == (RowErrorCode.WRONG_CELL_COUNT, "")
        assert error.params == {"line": 7, "last_line": 8, "found": len(cells), "expected": 3}
    [error] = parser.parse(raw(["y" * 999], RowErrorCode.STRAY_QUOTE))
    assert (error.code, error.value) == (RowErrorCode.STRAY_QUOTE, "y" * 200)


def test_header_names() -> None:
    header = compile_header(["\ufeffID", " g:Image Link", "Sale-Price", "TITLE", "g:price", "My note", ""])
    assert header.names == ("id", "image_link", "sale_price", "title", "price", "my_note", "column_7")
    assert header.unknown == ("my_note", "column_7")
    assert header.missing == ("description", "link", "availability")


def test_header_errors() -> None:
    with pytest.raises(FeedColumnsMissingError) as missing:
        compile_header(["sku", "Title"])
    assert missing.value.params == {"columns": "id, price", "found": "sku, title"}
    with pytest.raises(FeedColumnsDuplicateError) as duplicate:
        compile_header(["id", "title", "price", "g:Price", "ID"])
    assert duplicate.value.params == {"columns": "id, price"}


@given(st.lists(text, min_size=len(COLUMNS), max_size=len(COLUMNS)))
def test_any_text_gives_a_row_or_errors(cells: list[str]) -> None:
    result = RowParser(compile_header(COLUMNS), language="fr").parse(raw(cells))
    assert isinstance(result, list)
    assert all(error.code in RowErrorCode and error.column in COLUMNS for error in result)


@given(st.sampled_from(COLUMNS), text | st.from_regex(r"[0-9 .,'€EUR+/:T-]{1,30}"))
def test_any_text_in_one_cell(column: str, text: str) -> None:
    cells = clean_row(1, "fr", random.Random(1)) | {column: text}
    result = RowParser(compile_header(COLUMNS), language="fr").parse(raw(list(cells.values())))
    if isinstance(result, list):
        assert {error.column for error in result} <= {column, "sale_price"}
    else:
        assert len(result) == len(ROW_COLUMNS)


@given(
    st.integers(1, 9_999_999_999),
    st.sampled_from(
        [("", "."), ("", ","), (",", "."), (".", ","), (" ", ","), ("\u202f", ","), ("'", "."), ("’", ".")]
    ),
    st.sampled_from(["{} EUR", "EUR {}", "{}", "{}€", "€ {}", "{} eur", "{}\u00a0€"]),
)
def test_prices_in_every_spelling(cents: int, marks: tuple[str, str], frame: str) -> None:
    group, point = marks
    whole = f"{cents // 100:,}".replace(",", group)
    assert price(frame.format(f"{whole}{point}{cents % 100:02d}")) == (cents, "EUR")


@given(st.from_regex(r"[0-9]{1,6}([.,][0-9]{1,5})?", fullmatch=True))
def test_prices_are_those_of_decimal(text: str) -> None:
    amount = Decimal(text.replace(",", ".")) * 100
    expected: object = (amount, "EUR")
    decimals = re.split("[.,]", text + ".")[1]
    if len(decimals) > 2:
        thousands = len(decimals) == 3 and re.fullmatch("[1-9][0-9]{0,2}[.,].*", text)
        expected = RowErrorCode.PRICE_AMBIGUOUS if thousands else RowErrorCode.PRICE_DECIMALS
    elif amount == 0:
        expected = RowErrorCode.PRICE_ZERO
    assert price_or_fault(text) == expected


@given(st.text(st.sampled_from("https:/,; .a"), max_size=60))
def test_images_are_addresses(text: str) -> None:
    try:
        images = parse_images(text)
    except BadValueError:
        return
    assert all(re.fullmatch(r"https?://\S+", image) for image in images)


@pytest.mark.parametrize("language", ["en", "fr", "de"])
def test_the_parser_reports_what_the_generator_spoilt(tmp_path: Path, language: str) -> None:
    path = tmp_path / "feed.tsv"
    truth = write_feed(path, rows=1500, language=language, seed=5, dirty_share=0.2)
    fmt = detect_format(path)
    parser = RowParser(compile_header(read_header(path, fmt)), language=language)
    seen: dict[int, tuple[str, str]] = {}
    rows = 0
    for row in read_rows(path, fmt):
        rows += 1
        result = parser.parse(row)
        if isinstance(result, list):
            [error] = result
            seen[error.line] = (error.column, error.code)
    assert rows == truth.rows
    assert seen == truth.dirty
    assert {code for _, code in seen.values()} == {code for code, _, _ in DIRT}


def test_a_seed_always_writes_the_same_feed(tmp_path: Path) -> None:
    first, again, other = tmp_path / "1", tmp_path / "2", tmp_path / "3"
    assert write_feed(first, rows=50, language="en", seed=1) == write_feed(
        again, rows=50, language="en", seed=1
    )
    write_feed(other, rows=50, language="en", seed=2)
    assert first.read_bytes() == again.read_bytes() != other.read_bytes()


def test_every_code_has_its_texts() -> None:
    codes = {f"marketplace.row_errors.{code}" for code in RowErrorCode}
    errors = [kind for kind in vars(feed_errors).values() if hasattr(kind, "text")]
    codes |= {f"errors.{error.code}{end}" for error in errors for end in ("", ".title")}
    placeholders = []
    for language in LANGUAGES:
        with (LOCALES / f"{language}.po").open("rb") as file:
            every = {str(entry.id): str(entry.string) for entry in read_po(file) if entry.id}
        assert codes <= set(every)
        assert {key for key in every if key.startswith("marketplace.row_errors.")} <= codes
        texts = {key: every[key] for key in codes}
        assert all(texts.values())
        placeholders.append({key: set(re.findall(r"%\((\w+)\)s", text)) for key, text in texts.items()})
        if language == "en":
            assert {error.text for error in errors} <= set(texts.values())
    assert all(found == placeholders[0] for found in placeholders)


def test_errors_carry_what_their_texts_need(tmp_path: Path) -> None:
    with (LOCALES / "en.po").open("rb") as file:
        texts = {str(entry.id): str(entry.string) for entry in read_po(file)}
    path = tmp_path / "feed.tsv"
    write_feed(path, rows=400, language="en", seed=3, dirty_share=1)
    fmt = detect_format(path)
    parser = RowParser(compile_header(read_header(path, fmt)), language="en")
    for row in read_rows(path, fmt):
        for error in parser.parse(row):
            text = texts[f"marketplace.row_errors.{error.code}"]
            filled = text % {"column": error.column, "value": error.value, **error.params}
            assert "%(" not in filled

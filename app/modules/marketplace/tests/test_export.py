"""The catalogue becomes a feed again."""

import csv
from datetime import UTC, date, datetime
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from app.modules.catalog.contracts import ExportRow, gtin_check_digit
from app.modules.marketplace.adapters.feed_reader import RawRow
from app.modules.marketplace.services import feed_columns, feed_rule_service
from app.modules.marketplace.services.export_service import CELLS, export_file_name
from app.modules.marketplace.services.feed_columns import COLUMN_FIELDS, attributes_of, copied_fields
from app.modules.marketplace.services.feed_row import ROW_COLUMNS, RowParser, compile_header
from app.modules.marketplace.services.feed_rule_service import RuleDraft
from app.modules.marketplace.services.feed_rules import Rule
from app.modules.marketplace.tests.conftest import GOOD, Shop, counts, feed, row
from app.tasks.dispatcher import dispatch
from app.tasks.models import Job
from app.tasks.runner import run_until_idle
from bench.feeds import write_feed


def export(shop: Shop, folder: Path, languages: str) -> Job:
    arguments = {"languages": languages, "folder": str(folder)}
    task = "app.modules.marketplace.tasks.export.export_vendor_products_to_folder"
    with shop.session() as session:
        job_id = dispatch(session, task, kwargs=arguments, vendor_id=shop.vendor_id).id
    assert run_until_idle(["default"], timeout_seconds=30)
    with shop.session() as session:
        return session.get_one(Job, job_id)


def test_importing_an_export_changes_nothing_and_the_bytes_stay_the_same(shop: Shop, tmp_path: Path) -> None:
    for language in ("en", "fr"):
        write_feed(tmp_path / language, rows=200, language=language, seed=3, dirty_share=0)
        shop.run(tmp_path / language, language=language)
    before = shop.rows("SELECT * FROM products ORDER BY sku")
    job = export(shop, tmp_path / "out", "en,fr")
    names = [export_file_name("MOSELLE", language) for language in ("en", "fr")]
    assert names[1] == "MOSELLE_letzshop_export_fr.tsv"
    assert job.result == {
        "files": [str(tmp_path / "out" / name) for name in names],
        "rows": 400,
        "excluded": 0,
        "differences": {language: {"new": 200, "changed": 0, "gone": 0} for language in ("en", "fr")},
    }
    assert (job.progress_done, job.progress_total) == (2, 2)
    files = {name: (tmp_path / "out" / name).read_bytes() for name in names}

    for language, name in zip(("en", "fr"), names, strict=True):
        done = shop.run(tmp_path / "out" / name, language=language)
        assert (done.row.problem, counts(done)) == (None, (0, 0, 200, 0))
    assert shop.rows("SELECT * FROM products ORDER BY sku") == before
    export(shop, tmp_path / "out", "en,fr")
    assert {name: (tmp_path / "out" / name).read_bytes() for name in names} == files


def test_an_export_says_what_the_product_is(shop: Shop, tmp_path: Path) -> None:
    shop.run(feed([row(2, gtin="96385074", sale_price="7.05 EUR"), row(1), {**GOOD, "id": "a-0"}]))
    shop.rows("UPDATE products SET is_active = false WHERE sku = 'a-0'")
    shop.run(feed([row(9)]), language="de")
    export(shop, tmp_path, "en")
    with (tmp_path / "MOSELLE_letzshop_export_en.tsv").open(encoding="utf-8", newline="") as handle:
        first, second = csv.DictReader(handle, delimiter="\t")
    assert (first["id"], second["id"]) == ("A-1", "A-2")
    assert (second["price"], second["sale_price"], second["gtin"]) == ("15.00 EUR", "7.05 EUR", "96385074")
    assert (second["default_tax_rate"], second["delivery_method"]) == ("17", "nationwide")


def test_columns_that_must_be_filled_are_left_out_when_nothing_has_a_value(
    shop: Shop, tmp_path: Path
) -> None:
    shop.run(b"id,title,price\nA-1,Chair,15.00\n")
    export(shop, tmp_path, "en")
    file = tmp_path / "MOSELLE_letzshop_export_en.tsv"
    assert "availability\t" not in file.read_text("utf-8").splitlines()[0]
    assert counts(shop.run(file)) == (0, 0, 1, 0)


def test_a_lone_carriage_return_does_not_break_a_row(shop: Shop, tmp_path: Path) -> None:
    shop.run(feed([row(1), row(2)]))
    shop.rows("UPDATE products SET color = E'red\\rblue' WHERE sku = 'A-1'")
    export(shop, tmp_path, "en")
    with (tmp_path / "MOSELLE_letzshop_export_en.tsv").open(encoding="utf-8", newline="") as handle:
        assert [line["color"] for line in csv.DictReader(handle, delimiter="\t")] == ["red\rblue", ""]


def test_rules_change_cells_and_leave_products_out(shop: Shop, tmp_path: Path) -> None:
    shop.run(b"id,title,price,brand\nA-1,Chair,15.00,\nA-2,Chair,15.00,Minett\nA-3,Chair,15.00,\n")
    rules = [
        Rule("", "Out", "all", [{"column": "id", "op": "equals", "value": "A-3"}], {"kind": "exclude"}),
        Rule(
            *("", "Brand", "all", [{"column": "brand", "op": "equals", "value": "Minett"}]),
            {"kind": "set", "column": "availability", "value": "backorder"},
        ),
    ]
    with shop.session() as session:
        for rule in rules:
            draft = RuleDraft("export", rule, language="en")
            feed_rule_service.create_rule(session, draft, vendor_id=shop.vendor_id)
    job = export(shop, tmp_path, "en,fr")
    assert job.result is not None
    assert (job.result["rows"], job.result["excluded"]) == (2, 1)
    file = tmp_path / "MOSELLE_letzshop_export_en.tsv"
    first = file.read_bytes()
    with file.open(encoding="utf-8", newline="") as handle:
        lines = list(csv.DictReader(handle, delimiter="\t"))
    assert [(line["id"], line["availability"]) for line in lines] == [("A-1", ""), ("A-2", "backorder")]
    export(shop, tmp_path, "en")
    assert file.read_bytes() == first


def test_every_column_of_the_parser_has_its_fields() -> None:
    named = {field for fields in COLUMN_FIELDS.values() for field in fields}
    assert named == set(ROW_COLUMNS) - {"raw", "row_hash"}
    header = compile_header([*COLUMN_FIELDS, "supplier_note"])
    assert header.unknown == ("supplier_note",)
    assert "supplier_note" not in feed_columns.present_fields(header.names)
    assert set(CELLS) == set(COLUMN_FIELDS)


words = st.text("abcé,'\"-", min_size=1, max_size=20).map(str.strip).filter(bool)
urls = st.text("abc,/?=", max_size=20).map(lambda tail: f"https://shop.example/{tail}x")
moments = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)).map(
    lambda moment: moment.replace(microsecond=0)
)
gtins = (
    st.integers(10**6, 10**11)
    .map(lambda number: str(number).zfill(13))
    .map(lambda body: body + gtin_check_digit(body))
)
optional_words = st.none() | words


@given(
    st.builds(
        ExportRow,
        sku=words,
        title=words,
        description=words,
        link=urls,
        gtin=st.none() | gtins,
        mpn=optional_words,
        brand=optional_words,
        condition=st.sampled_from(["new", "refurbished", "used"]),
        availability=st.sampled_from(["in_stock", "out_of_stock", "preorder", "backorder"]),
        availability_date=st.none() | st.dates(date(2020, 1, 1), date(2030, 1, 1)),
        price_cents=st.integers(1000, 9_999_999_999),
        currency=st.sampled_from(["EUR", "CHF"]),
        sale_price_cents=st.none() | st.integers(1, 999),
        sale_starts_at=st.none(),
        sale_ends_at=st.none(),
        image_link=urls,
        additional_image_links=st.lists(urls, max_size=3),
        item_group_id=optional_words,
        product_type=optional_words,
        google_category=optional_words,
        color=optional_words,
        size=optional_words,
        gender=st.sampled_from([None, "male", "unisex"]),
        age_group=st.sampled_from([None, "adult", "kids"]),
        material=optional_words,
        pattern=optional_words,
        attributes=st.fixed_dictionaries(
            {},
            optional={
                "multipack": st.integers(2, 100_000),
                "identifier_exists": st.booleans(),
                "is_adult": st.just(True),
                "shipping": words,
                "energy_class": st.just("B"),
                "custom_labels": st.lists(words, min_size=1, max_size=5),
            },
        ),
    ),
    st.none() | moments,
)
def test_what_is_written_is_read_back(product: ExportRow, starts_at: datetime | None) -> None:
    if starts_at:
        product = product._replace(sale_starts_at=starts_at, sale_ends_at=starts_at.replace(year=2031))
    parser = RowParser(compile_header(list(CELLS)), language="en")
    parsed = parser.parse(RawRow(2, [cell(product) for cell in CELLS.values()], 0, 3))
    assert isinstance(parsed, tuple), parsed
    assert ExportRow(*copied_fields(parsed), attributes_of(parsed)) == product

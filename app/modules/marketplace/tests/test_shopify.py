import csv
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.modules.marketplace.adapters.detect import prepare
from app.modules.marketplace.adapters.feed_errors import FeedNoRowsError, FeedNothingForSaleError
from app.modules.marketplace.adapters.html_text import html_to_text
from app.modules.marketplace.adapters.prepared import read_prepared
from app.modules.marketplace.adapters.shop_values import short_id
from app.modules.marketplace.adapters.shopify import MAX_PRODUCT_ROWS
from app.modules.marketplace.enums import RowErrorCode
from app.modules.marketplace.services.feed_row import RowParser, compile_header
from app.modules.marketplace.tests.prepared_rows import FIXTURES, dicts, fixture_rows

EXPORT = "shopify_products.csv"
HEADER = [
    "Handle",
    "Title",
    "Option1 Name",
    "Option1 Value",
    "Variant SKU",
    "Variant Price",
    "Image Src",
    "Status",
]
FILES = "https://cdn.shop.example/s/files/1/0712/4410/files/"


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, str]]:
    return fixture_rows(EXPORT, tmp_path_factory.mktemp("shopify"))


def export(tmp_path: Path, lines: list[list[str]], header: list[str] = HEADER) -> Path:
    path = tmp_path / "export.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *lines])
    return path


def test_a_variant_has_the_products_fields_and_its_own(rows: dict[str, dict[str, str]]) -> None:
    assert rows["MW-0001"] == {
        "id": "MW-0001",
        "title": "Pullover aus Merinowolle - S / Rot / Merino",
        "description": "Warm, weich und ohne Kratzen.\n\n- 100 % Merino\n- Handwäsche & liegend trocknen",
        "image_link": f"{FILES}pullover-rot.jpg?v=17",
        "additional_image_link": f"{FILES}pullover-blau.jpg?v=17,{FILES}pullover-detail.jpg?v=17",
        "availability": "in_stock",
        "price": "109.00",
        "sale_price": "89.00",
        "gtin": "5901234000017",
        "brand": "Moselwerk",
        "item_group_id": "merino-pullover",
        "color": "Rot",
        "size": "S",
        "material": "Merino",
        "pattern": "",
        "google_product_category": "Apparel & Accessories > Clothing > Shirts & Tops",
        "product_type": "Strick",
        "shipping_weight": "350.0 g",
        "mpn": "",
        "gender": "female",
        "age_group": "",
        "condition": "",
        "custom_label_0": "",
        "tags": "neu, winter",
        "line": "2",
    }
    assert rows["MW-0006"]["title"] == "Pullover aus Merinowolle - L / Blau / Merino"
    assert rows["MW-0006"]["gender"] == "female"


def test_stock_and_policy_give_the_availability(rows: dict[str, dict[str, str]]) -> None:
    found = {
        id_: rows[id_]["availability"] for id_ in ("MW-0001", "MW-0003", "MW-0005", "MW-0020", "MW-0042")
    }
    assert list(found.values()) == ["in_stock", "out_of_stock", "backorder", "in_stock", "backorder"]


def test_a_single_variant_has_no_group_and_no_option(rows: dict[str, dict[str, str]]) -> None:
    cup = rows["MW-0007"]
    assert (cup["title"], cup["item_group_id"]) == ("Becher, emailliert", "")
    assert cup["additional_image_link"] == f"{FILES}becher-2.jpg,{FILES}becher-3.jpg"


def test_a_price_to_compare_with_counts_only_if_it_is_higher(rows: dict[str, dict[str, str]]) -> None:
    prices = [(rows[id_]["price"], rows[id_]["sale_price"]) for id_ in ("MW-0008", "MW-0009", "MW-0039")]
    assert prices == [("149.00", "129.00"), ("129.00", ""), ("6.50", "")]


def test_ids_without_a_sku_are_short_and_stable(rows: dict[str, dict[str, str]]) -> None:
    teas = [row for row in rows.values() if row["title"].startswith("Kräutertee")]
    handle = "tee-krauter-ohne-sku-mit-einem-sehr-langen-namen-fur-den-link"
    assert [tea["id"] for tea in teas] == [short_id(f"{handle}-50 g"), short_id(f"{handle}-100 g")]
    assert {tea["item_group_id"] for tea in teas} == {short_id(handle)}
    assert all(len(tea["id"]) == 50 for tea in teas)


def test_only_as_many_pictures_as_a_feed_may_have(rows: dict[str, dict[str, str]]) -> None:
    poster = rows["MW-0045"]
    assert poster["image_link"].endswith("poster-1.jpg")
    assert len(poster["additional_image_link"].split(",")) == 10


def test_what_is_not_for_sale_is_left_out_and_counted(tmp_path: Path) -> None:
    feed = prepare(FIXTURES / EXPORT, tmp_path)
    assert feed.left_out == {"archived": 1, "draft": 1, "gift_card": 1, "unpublished": 1}
    assert (feed.profile, feed.is_converted) == ("shopify", True)
    assert not {"MW-0015", "MW-0016", "MW-0017"} & {row["id"] for row in dicts(feed)}


def test_the_rows_are_those_of_a_feed(tmp_path: Path) -> None:
    for name, bad in ((EXPORT, [17]), ("shopify_products_2025.csv", [])):
        feed = prepare(FIXTURES / name, tmp_path)
        parser = RowParser(compile_header(feed.header), language="de")
        results = [parser.parse(raw) for raw in read_prepared(feed)]
        assert [errors[0].line for errors in results if isinstance(errors, list)] == bad
        assert len(results) > len(bad)


def test_newer_names_of_the_columns(tmp_path: Path) -> None:
    rows = fixture_rows("shopify_products_2025.csv", tmp_path)
    assert rows["TS-1"]["unit_pricing_measure"] == "750ml"
    assert (rows["TS-1"]["price"], rows["TS-1"]["sale_price"]) == ("5.50", "4.80")
    assert (rows["TS-1"]["availability"], rows["TS-2"]["availability"]) == ("backorder", "in_stock")
    assert rows["TS-2"]["mpn"] == "TS750"
    assert rows["TS-2"]["title"] == "Traubensaft - 0,25 l"


def test_the_same_export_gives_the_same_bytes(tmp_path: Path) -> None:
    one, two = prepare(FIXTURES / EXPORT, tmp_path / "1"), prepare(FIXTURES / EXPORT, tmp_path / "2")
    assert one.path.read_bytes() == two.path.read_bytes()


def test_reading_goes_on_at_any_row(tmp_path: Path) -> None:
    feed = prepare(FIXTURES / EXPORT, tmp_path)
    rows = list(read_prepared(feed))
    for number, row in enumerate(rows, start=1):
        assert list(read_prepared(feed, start=row.end)) == rows[number:]


def test_bad_lines_keep_their_place_and_their_reason(tmp_path: Path) -> None:
    path = export(tmp_path, [["a", "A", "Size", "S", "1", "5.00", "", "active"], ["b", "B"]])
    with path.open("a") as file:
        file.write('c,"C" x,,,3,5.00,,active\nd,D,,,4,5.00,,active\n')
    feed = prepare(path, tmp_path)
    assert [(row.line, row.problem) for row in read_prepared(feed)] == [
        (3, RowErrorCode.WRONG_CELL_COUNT),
        (4, RowErrorCode.STRAY_QUOTE),
        (2, None),
        (5, None),
    ]
    [error] = RowParser(compile_header(feed.header), language="en").parse(next(iter(read_prepared(feed))))
    assert error.params == {"line": 3, "last_line": 3, "found": 2, "expected": 8}


def test_a_product_of_endless_rows_is_one_error(tmp_path: Path) -> None:
    lines = [["a", "A" if n == 0 else "", "Size", str(n), f"A-{n}", "5.00", "", ""] for n in range(8000)]
    path = export(tmp_path, [*lines, ["b", "B", "", "", "B-1", "5.00", "", ""]])
    tracemalloc.start()
    feed = prepare(path, tmp_path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    first, second = read_prepared(feed)
    assert (first.line, first.problem, first.cells) == (2, RowErrorCode.PRODUCT_TOO_LARGE, ["a"])
    assert first.params == {"limit": MAX_PRODUCT_ROWS, "rows": 8000}
    assert second.cells[0] == "B-1"
    assert peak < 24 << 20


def test_exports_with_nothing_to_sell(tmp_path: Path) -> None:
    with pytest.raises(FeedNothingForSaleError) as caught:
        prepare(export(tmp_path, [["a", "A", "", "", "1", "5.00", "", "draft"]] * 2), tmp_path)
    assert caught.value.params == {"count": 1}
    with pytest.raises(FeedNoRowsError):
        prepare(export(tmp_path, []), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["export.csv"]


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("plain, 5 < 6", "plain, 5 < 6"),
        ("<p>One</p><p>Two</p>", "One\n\nTwo"),
        ("a<br/>b<BR>c", "a\nb\nc"),
        ("<ul>\n<li>x</li>\n<li>y</li>\n</ul>", "- x\n- y"),
        ("<table><tr><td>Höhe</td><td>4&nbsp;cm</td></tr></table>", "Höhe 4 cm"),
        ("a<!-- <b>no</b> -->b<style>p{}</style>c<SCRIPT>x('<p>')</Script>d", "a b c d"),
        ("a<!-- never ends <p>b", "a"),
        ("<a title=\"1 > 0\" href='x'>link</a> &lt;b&gt; &amp;amp;", "link <b> &amp;"),
        ('<p class="open>text</p>', "text"),
        ("I <3 soap & water", "I <3 soap & water"),
    ],
)
def test_descriptions_become_text(markup: str, text: str) -> None:
    assert html_to_text(markup) == text


def test_long_descriptions_are_cut_after_a_word() -> None:
    text = html_to_text("<p>" + "wool " * 3000 + "</p>")
    assert len(text) <= 5000
    assert text.endswith("wool…")


@given(
    st.lists(
        st.sampled_from(["<", ">", "<a", "<!--", "<p>", '"', "'", "x", " ", "&lt;", "<script", "</"]),
        max_size=400,
    )
)
def test_any_markup_becomes_text(parts: list[str]) -> None:
    assert len(html_to_text("".join(parts) * 30)) <= 5000

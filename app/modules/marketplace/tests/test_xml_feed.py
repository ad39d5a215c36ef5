import codecs
import csv
import io
import tracemalloc
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.modules.marketplace.adapters.detect import prepare
from app.modules.marketplace.adapters.feed_errors import (
    FeedColumnsUnmappedError,
    FeedEncodingError,
    FeedError,
    FeedIsWebPageError,
    FeedTooManyColumnsError,
    FeedXmlBrokenError,
    FeedXmlCutOffError,
    FeedXmlItemTooLargeError,
    FeedXmlNoItemsError,
    FeedXmlUnsafeError,
)
from app.modules.marketplace.adapters.prepared import read_prepared
from app.modules.marketplace.adapters.xml_feed import MAX_FIELDS, MAX_ITEM_BYTES
from app.modules.marketplace.tests.prepared_rows import dicts

HEADER = ["id", "title", "description", "price"]
DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>'
GOOGLE = 'xmlns:g="http://base.google.com/ns/1.0"'
ITEM = "<item><g:id>1</g:id><title>Chair</title><g:price>15.00 EUR</g:price></item>"


def rss(items: str) -> str:
    return f'{DECLARATION}\n<rss version="2.0" {GOOGLE}><channel><title>Shop</title>\n{items}</channel></rss>'


def rows_of(tmp_path: Path, content: str | bytes, **options: Any) -> list[dict[str, str]]:
    path = tmp_path / "feed.xml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return dicts(prepare(path, tmp_path, **options))


def test_an_rss_feed(tmp_path: Path) -> None:
    items = """<item>
      <title>Page title</title><g:title>Chair &amp; table</g:title><link>https://shop.example/1?a=1&amp;b=2</link>
      <g:id>A-1</g:id><description><![CDATA[<p>Oak & ash</p>]]></description>
      <g:price>15.00 EUR</g:price><media:content url="x" xmlns:media="m"/>
      <g:additional_image_link>https://img.example/1.jpg</g:additional_image_link>
      <g:additional_image_link>https://img.example/2.jpg</g:additional_image_link>
      <g:shipping><g:country>LU</g:country><g:service>Post</g:service><g:price>4.95 EUR</g:price></g:shipping>
      <g:shipping><g:country>BE</g:country><g:price>6.00 EUR</g:price></g:shipping>
    </item>
    <item><g:id>A-2</g:id><title>Bench</title><title>Second</title><g:price>9.00 EUR</g:price></item>"""
    first, second = rows_of(tmp_path, rss(items))
    assert (first["line"], second["line"]) == ("1", "2")
    assert first["title"] == "Chair & table"
    assert first["link"] == "https://shop.example/1?a=1&b=2"
    assert first["description"] == "<p>Oak & ash</p>"
    assert first["additional_image_link"] == "https://img.example/1.jpg,https://img.example/2.jpg"
    assert first["shipping"] == "LU::Post:4.95 EUR,BE:::6.00 EUR"
    assert second["title"] == "Bench"
    assert second["shipping"] == ""


def test_an_atom_feed(tmp_path: Path) -> None:
    content = f"""{DECLARATION}<feed xmlns="http://www.w3.org/2005/Atom" xmlns:c="http://base.google.com/ns/1.0">
    <id>tag:shop</id><entry><id>tag:shop,1</id><c:id>A-1</c:id><title>Chair</title><c:price>15.00 EUR</c:price>
    <link rel="self" href="https://shop.example/self"/><link href="https://shop.example/1"/>
    <summary>Oak</summary></entry></feed>"""
    [row] = rows_of(tmp_path, content)
    assert (row["id"], row["link"], row["description"]) == ("A-1", "https://shop.example/1", "Oak")


def test_a_plain_list_is_mapped(tmp_path: Path) -> None:
    content = f"""\n{DECLARATION}<Products><Product><SKU>1</SKU><Name>Chair</Name>
    <Price currency="EUR">15.00</Price><Text>Made of <b>oak</b>.</Text></Product></Products>"""
    with pytest.raises(FeedColumnsUnmappedError) as caught:
        rows_of(tmp_path, content)
    assert caught.value.params == {"columns": "id, title", "found": "price, sku, name, text"}
    mapping = {"sku": "id", "name": "title", "text": "description"}
    assert rows_of(tmp_path, content, mapping=mapping) == [
        {"id": "1", "title": "Chair", "price": "15.00 EUR", "description": "Made of oak.", "line": "1"}
    ]


text = st.text(
    st.characters(codec="utf-8", exclude_categories=["C"]) | st.sampled_from("<>&\"';\t"), max_size=30
)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(text, text, text, text), min_size=1, max_size=6), st.sampled_from(["utf-8", "utf-16"])
)
def test_xml_and_csv_of_the_same_rows_are_equal(
    tmp_path: Path, rows: list[tuple[str, ...]], encoding: str
) -> None:
    table = [["1", "x", "y", "z"], *([cell.strip() for cell in row] for row in rows)]
    table = [row for row in table if any(row)]
    items = "".join(
        "<item>" + "".join(f"<g:{name}>{escape(cell)}</g:{name}>" for name, cell in zip(HEADER, row, strict=True))
        + "</item>"
        for row in table
    )  # fmt: skip
    document = rss(items).replace("UTF-8", encoding).encode(encoding)
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\n").writerows([HEADER, *table])
    (tmp_path / "feed.csv").write_text(out.getvalue(), newline="")
    expected = [row.cells for row in read_prepared(prepare(tmp_path / "feed.csv", tmp_path))]
    found = rows_of(tmp_path, document)
    assert [[row[name] for name in HEADER] for row in found] == expected


LAUGHS = '<!DOCTYPE rss [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
EXTERNAL = '<!DOCTYPE rss SYSTEM "file:///etc/passwd">'


@pytest.mark.parametrize(
    ("content", "error", "params"),
    [
        (rss(ITEM).replace("<rss", f"{LAUGHS}<rss"), FeedXmlUnsafeError, {"line": 2}),
        (rss(ITEM).replace("<rss", f"{EXTERNAL}<rss"), FeedXmlUnsafeError, {"line": 2}),
        (f"{DECLARATION}<!DOCTYPE html><html/>", FeedIsWebPageError, {}),
        (rss(ITEM)[:-30], FeedXmlCutOffError, {"line": 3}),
        (rss(ITEM * 3)[:200], FeedXmlCutOffError, {"line": 3}),
        (rss(ITEM + "<item><title>Salt & pepper</title></item>"), FeedXmlBrokenError, {"line": 3}),
        (rss("\n\n<item><title>a</titel></item>"), FeedXmlBrokenError, {"line": 5}),
        (rss(ITEM.replace("Chair", "&nbsp;")), FeedXmlBrokenError, {"line": 3}),
        (rss(""), FeedXmlNoItemsError, {"root": "rss"}),
        ("<opml><outline/></opml>", FeedXmlNoItemsError, {"root": "opml"}),
        (rss(f"\n{ITEM}").replace("Chair", "Café").encode("cp1252"), FeedEncodingError, None),
        (rss("<a>" * 100 + "</a>" * 100), FeedXmlBrokenError, {"line": 3}),
        (rss(f"<item>{'<a>' * 100}"), FeedXmlBrokenError, {"line": 3}),
        (
            rss("<item>" + "x" * 2 * MAX_ITEM_BYTES),
            FeedXmlItemTooLargeError,
            {"line": 3, "limit": MAX_ITEM_BYTES},
        ),
        (rss(f'<item a="{"x" * 3 * MAX_ITEM_BYTES}"/>'), FeedXmlItemTooLargeError, None),
        (rss("<item>" + "".join(f"<f{n}/>" for n in range(MAX_FIELDS + 1))), FeedTooManyColumnsError, None),
    ],
)
def test_xml_that_is_refused(
    tmp_path: Path, content: str | bytes, error: type[FeedError], params: dict[str, Any] | None
) -> None:
    with pytest.raises(error) as caught:
        rows_of(tmp_path, content)
    assert params is None or caught.value.params == params
    assert [path.name for path in tmp_path.iterdir()] == ["feed.xml"]


@pytest.mark.parametrize(
    ("declared", "real"),
    [
        ("utf8", "utf-8"),
        ("utf-16", "utf-8"),
        ("x-unknown", "utf-8"),
        ("shift_jis", "utf-8"),
        ("ISO-8859-1", "utf-8"),
        ("ISO-8859-1", "iso-8859-1"),
        ("windows-1252", "cp1252"),
        ("UTF-8", "utf-8-sig"),
    ],
)
def test_declared_encodings(tmp_path: Path, declared: str, real: str) -> None:
    content = rss(ITEM.replace("Chair", "Café à Esch"))
    assert rows_of(tmp_path, content.replace("UTF-8", declared).encode(real))[0]["title"] == "Café à Esch"


def test_utf_16_with_a_byte_order_mark(tmp_path: Path) -> None:
    content = rss(ITEM.replace("Chair", "Café")).replace("UTF-8", "UTF-16")
    assert rows_of(tmp_path, codecs.BOM_UTF16_BE + content.encode("utf-16-be"))[0]["title"] == "Café"


def test_memory_does_not_grow_with_the_feed(tmp_path: Path) -> None:
    path = tmp_path / "feed.xml"
    with path.open("w") as file:
        file.write(rss("").removesuffix("</channel></rss>"))
        for number in range(5_000):
            description = "<description>" + "Made of oak. " * 80 + "</description></item>"
            file.write(ITEM.replace(">1<", f">{number}<").replace("</item>", description))
        file.write("</channel></rss>")
    assert path.stat().st_size > 5 << 20
    tracemalloc.start()
    feed = prepare(path, tmp_path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2 << 20
    assert sum(1 for _ in read_prepared(feed)) == 5_000

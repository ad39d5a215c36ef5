import gzip
from pathlib import Path
from typing import Any

import pytest

from app.modules.marketplace.adapters.detect import detect_profile, look, prepare
from app.modules.marketplace.adapters.feed_errors import (
    FeedColumnsUnmappedError,
    FeedEmptyError,
    FeedEncodingError,
    FeedError,
    FeedIsWebPageError,
    FeedLineTooLongError,
    FeedNoRowsError,
    FeedNotATableError,
    FeedNulBytesError,
)
from app.modules.marketplace.adapters.feed_reader import MAX_RECORD_BYTES, RawRow
from app.modules.marketplace.adapters.prepared import read_prepared
from app.modules.marketplace.enums import RowErrorCode
from app.modules.marketplace.tests.prepared_rows import FIXTURES, dicts

SHOPIFY = (FIXTURES / "shopify_products.csv").read_bytes()
WOO = (FIXTURES / "woocommerce_products_fr.csv").read_bytes()
GOOGLE = b"id;title;price\n1;Chair;15.00\n"


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("header", "profile"),
    [
        (["ID", "Title", "g:price"], "google"),
        (["id", "title", "preis"], "table"),
        (["Handle", "Title", "Option1 Name", "Variant Price"], "shopify"),
        (["Title", "URL handle", "Option1 name", "Price"], "shopify"),
        (["ID", "Type", "SKU", "Name", "Published", "Regular price"], "woocommerce"),
        (["ID", "Typ", "Artikelnummer", "Name", "Veröffentlicht", "Regulärer Preis"], "woocommerce"),
        (["ID", "Type", "UGS", "Nom", "Publié", "Tarif régulier"], "woocommerce"),
        (["sku", "type", "name", "price"], "table"),
    ],
)
def test_profiles(header: list[str], profile: str) -> None:
    assert detect_profile(header) == profile


def test_a_plain_feed_is_read_in_place(tmp_path: Path) -> None:
    path = write(tmp_path / "feed", GOOGLE)
    feed = prepare(path, tmp_path / "folder")
    assert (feed.path, feed.profile, feed.is_converted) == (path, "google", False)
    assert list(read_prepared(feed)) == [RawRow(2, ["1", "Chair", "15.00"], 29, 3)]
    assert not (tmp_path / "folder").exists()


def test_a_table_wants_a_mapping(tmp_path: Path) -> None:
    path = write(tmp_path / "feed", b"Nr;Titel;Preis\n1;Stuhl;15,00\n")
    with pytest.raises(FeedColumnsUnmappedError) as caught:
        prepare(path, tmp_path)
    assert caught.value.params == {"columns": "id, title, price", "found": "Nr, Titel, Preis"}
    with pytest.raises(FeedColumnsUnmappedError):
        prepare(path, tmp_path, mapping={"Nr": "id", "Titel": "title"})
    feed = prepare(path, tmp_path, mapping={"Nr": "id", "Titel": "title", "Preis": "price"})
    assert (feed.header, feed.path, feed.profile) == (["id", "title", "price"], path, "table")
    assert dicts(feed) == [{"id": "1", "title": "Stuhl", "price": "15,00", "line": "2"}]


def test_a_profile_can_be_chosen(tmp_path: Path) -> None:
    path = write(tmp_path / "feed", SHOPIFY)
    mapping = {"Variant SKU": "id", "Variant Price": "price"}
    feed = prepare(path, tmp_path, profile="table", mapping=mapping)
    assert (feed.path, feed.profile, feed.is_converted) == (path, "table", False)
    assert {"id", "title", "price"} <= set(feed.header)


def test_a_packed_export_leaves_only_the_converted_file(tmp_path: Path) -> None:
    feed = prepare(write(tmp_path / "feed", gzip.compress(SHOPIFY, mtime=0)), tmp_path / "1")
    plain = prepare(write(tmp_path / "feed", SHOPIFY), tmp_path / "2")
    assert feed.path.read_bytes() == plain.path.read_bytes()
    assert [path.name for path in (tmp_path / "1").iterdir()] == [feed.path.name]


def test_a_look_at_a_file(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    path = write(tmp_path / "feed", gzip.compress("Nr;Größe\n1;M\n2\n".encode("cp1252"), mtime=0))
    found = look(path, tmp_path / "folder")
    assert (found.profile, found.header, found.rows) == ("table", ["Nr", "Größe"], [["1", "M"], ["2"]])
    assert look(write(tmp_path / "feed", WOO), tmp_path / "folder").profile == "woocommerce"
    assert list((tmp_path / "folder").iterdir()) == []


@pytest.mark.parametrize(
    ("content", "error", "params"),
    [
        (b"", FeedEmptyError, {}),
        (gzip.compress(b"", mtime=0), FeedEmptyError, {}),
        (b"id;title;price\n", FeedNoRowsError, {}),
        (b"id;title;price\n;;\n", FeedNoRowsError, {}),
        (WOO.splitlines()[0] + b"\n", FeedNoRowsError, {}),
        (b"<!doctype html><p>Sign in</p>", FeedIsWebPageError, {}),
        (b'{"products": []}', FeedNotATableError, {"kind": "JSON"}),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", FeedNotATableError, {"kind": "Excel"}),
        (b"7z\xbc\xaf\x27\x1c" + bytes(50), FeedNotATableError, {"kind": "7-Zip"}),
        (SHOPIFY + b"x,\0\n", FeedNulBytesError, {"line": SHOPIFY.count(b"\n") + 1}),
        (
            WOO + "Café".encode("cp1252"),
            FeedEncodingError,
            {"line": WOO.count(b"\n") + 1, "encoding": "utf-8"},
        ),
        (WOO + b"1," + b"x" * 2 * MAX_RECORD_BYTES, FeedLineTooLongError, None),
    ],
)
def test_what_cannot_be_prepared_leaves_nothing(
    tmp_path: Path, content: bytes, error: type[FeedError], params: dict[str, Any] | None
) -> None:
    path = write(tmp_path / "feed", content)
    with pytest.raises(error) as caught:
        prepare(path, tmp_path)
    if params is None:
        params = {"line": WOO.count(b"\n") + 1, "limit": MAX_RECORD_BYTES}
    assert caught.value.params == params
    assert [path.name for path in tmp_path.iterdir()] == ["feed"]


def test_a_line_of_100_megabytes(tmp_path: Path) -> None:
    path = tmp_path / "feed"
    with path.open("wb") as file:
        file.write(SHOPIFY)
        file.seek(100 << 20)
        file.write(b"\n")
    with pytest.raises((FeedLineTooLongError, FeedNulBytesError)):
        prepare(path, tmp_path)


def test_rows_that_are_too_large_once_converted(tmp_path: Path) -> None:
    item = "<item><id>1</id><title>a</title><price>1</price>" + f"<note>{'x' * 70_000}</note>" * 2 + "</item>"
    feed = prepare(write(tmp_path / "feed", f"<rss>{item}</rss>".encode()), tmp_path)
    [row] = read_prepared(feed)
    assert (row.line, row.problem, row.cells) == (1, RowErrorCode.CELL_TOO_LARGE, ["1"])

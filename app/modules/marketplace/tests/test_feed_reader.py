import contextlib
import csv
import io
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.modules.marketplace.adapters.feed_errors import (
    FeedEmptyError,
    FeedEncodingError,
    FeedError,
    FeedIsWebPageError,
    FeedLineTooLongError,
    FeedNotATableError,
    FeedNulBytesError,
    FeedQuotesError,
)
from app.modules.marketplace.adapters.feed_reader import (
    HEAD_BYTES,
    MAX_RECORD_BYTES,
    FeedFormat,
    detect_format,
    read_header,
    read_rows,
)
from app.modules.marketplace.enums import RowErrorCode

ENCODINGS = {"utf-8": "utf-8", "utf-8-sig": "utf-8-sig", "utf-16": "utf-16", "cp1252": "cp1252"}
HEADER = ["id", "title", "price"]

# Every character that all four encodings have, and many that need quotes.
cell = st.text(st.sampled_from('abcé€ü "\t;,\n-') | st.characters(codec="latin-1", exclude_categories=["C"]))
table = st.lists(st.lists(cell, min_size=3, max_size=3), max_size=12)

properties = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def write(path: Path, content: str | bytes, encoding: str = "utf-8") -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
    return path


def as_csv(rows: list[list[str]], delimiter: str, line_end: str = "\n") -> str:
    text = io.StringIO(newline="")
    # The writer does not see that a line feed needs quotes when lines end with carriage returns.
    quoting = csv.QUOTE_ALL if line_end == "\r" else csv.QUOTE_MINIMAL
    csv.writer(text, delimiter=delimiter, lineterminator=line_end, quoting=quoting).writerows([HEADER, *rows])
    return text.getvalue()


def problems(path: Path) -> list[tuple[int, RowErrorCode | None]]:
    return [(row.line, row.problem) for row in read_rows(path, detect_format(path))]


@properties
@given(
    table,
    st.sampled_from("\t;,"),
    st.sampled_from(sorted(ENCODINGS)),
    st.sampled_from(["\n", "\r\n", "\r"]),
)
def test_what_was_written_is_read(
    tmp_path: Path, rows: list[list[str]], delimiter: Any, encoding: Any, line_end: str
) -> None:
    path = write(tmp_path / "feed", as_csv(rows, delimiter, line_end), ENCODINGS[encoding])
    fmt = FeedFormat(encoding, delimiter)
    assert read_header(path, fmt) == HEADER
    found = list(read_rows(path, fmt))
    assert [row.cells for row in found] == [row for row in rows if any(row)]
    # By chance the letters of other encodings can be those of UTF-8.
    if encoding != "cp1252":
        assert detect_format(path).delimiter == delimiter


@properties
@given(table, st.sampled_from("\t;,"), st.sampled_from(sorted(ENCODINGS)), st.sampled_from(["\n", "\r\n"]))
def test_reading_goes_on_at_any_position(
    tmp_path: Path, rows: list[list[str]], delimiter: Any, encoding: Any, line_end: str
) -> None:
    path = write(tmp_path / "feed", as_csv(rows, delimiter, line_end), ENCODINGS[encoding])
    fmt = FeedFormat(encoding, delimiter)
    found = list(read_rows(path, fmt))
    for number, row in enumerate(found, start=1):
        assert list(read_rows(path, fmt, start=row.end)) == found[number:]


@properties
@given(st.lists(st.text(st.sampled_from('ab";\n\r')), max_size=30), st.integers(0, 40))
def test_any_content_is_read_or_refused_and_resumed(tmp_path: Path, parts: list[str], at: int) -> None:
    path = write(tmp_path / "feed", "id;title;price\n" + "".join(parts))
    fmt = detect_format(path)
    found = list(read_rows(path, fmt))
    lines = [row.line for row in found]
    assert lines == sorted(set(lines))
    if found:
        at %= len(found)
        assert list(read_rows(path, fmt, start=found[at].end)) == found[at + 1 :]


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(tmp_path: Path, content: bytes) -> None:
    path = write(tmp_path / "feed", content)
    with contextlib.suppress(FeedError):
        assert all(row.line > 1 for row in read_rows(path, detect_format(path)))


@pytest.mark.parametrize(
    ("content", "encoding", "delimiter"),
    [
        (b"id\ttitle\tprice, net\n", "utf-8", "\t"),
        ("id;titre;prix\n1;café;2,50".encode(), "utf-8", ";"),
        ("id;titre;prix\n1;café;2,50".encode("cp1252"), "cp1252", ";"),
        ('id,"a;b;c;d",price\n'.encode("utf-8-sig"), "utf-8-sig", ","),
        ("id\ttitle\n".encode("utf-16"), "utf-16", "\t"),
        (b"\xfe\xff" + "id;titel;preis\n".encode("utf-16-be"), "utf-16", ";"),
        (b'# Required, one, two, three\n"# Optional"\nid\ttitle\n', "utf-8", "\t"),
    ],
)
def test_format(tmp_path: Path, content: bytes, encoding: str, delimiter: str) -> None:
    path = write(tmp_path / "feed", content)
    assert detect_format(path) == FeedFormat(encoding, delimiter)  # type: ignore[arg-type]
    assert read_header(path, detect_format(path))[0] == "id"


def test_a_character_across_the_end_of_the_head(tmp_path: Path) -> None:
    line = "1;" + "x" * 996 + "\n"
    head = "id;title\n" + line * (HEAD_BYTES // len(line) - 1)
    head += "x" * (HEAD_BYTES - 1 - len(head)) + "é;1\n"
    path = write(tmp_path / "feed", head)
    assert path.read_bytes()[HEAD_BYTES - 1 : HEAD_BYTES + 1] == "é".encode()
    assert detect_format(path).encoding == "utf-8"


@pytest.mark.parametrize(
    ("content", "error", "params"),
    [
        (b"", FeedEmptyError, {}),
        (b"\xef\xbb\xbf \n\n", FeedEmptyError, {}),
        (b"# only remarks\n", FeedEmptyError, {}),
        (b";;;\n;;;\n", FeedEmptyError, {}),
        (b"\n<!DOCTYPE html><html><body>Sign in</body></html>", FeedIsWebPageError, {}),
        (b'<?xml version="1.0"?><rss/>', FeedNotATableError, {"kind": "XML"}),
        (b'[{"id": 1}]', FeedNotATableError, {"kind": "JSON"}),
        (b"PK\x03\x04rest of a workbook", FeedNotATableError, {"kind": "Excel or ZIP"}),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1old workbook", FeedNotATableError, {"kind": "Excel"}),
        (b"\x1f\x8b\x08\x00", FeedNotATableError, {"kind": "gzip"}),
        (b"id;title\n1;a\n2;\0b\n", FeedNulBytesError, {"line": 3}),
        ("id;title\n".encode("utf-16-le"), FeedNulBytesError, {"line": 1}),
        (b'\n"id;title\n1;a\n', FeedQuotesError, {"line": 2}),
        (b"\xff\xfei\0d\0;\0\x00\xdc", FeedEncodingError, {"line": 1, "encoding": "utf-16"}),
        (b"id;title\n1;\x81\n", FeedEncodingError, {"line": 2, "encoding": "cp1252"}),
    ],
)
def test_files_that_cannot_be_read(
    tmp_path: Path, content: bytes, error: type[FeedError], params: dict[str, Any]
) -> None:
    path = write(tmp_path / "feed", content)
    with pytest.raises(error) as caught:
        list(read_rows(path, detect_format(path)))
    assert caught.value.params == params
    assert "%(" not in str(caught.value)


def test_a_header_alone_gives_no_rows(tmp_path: Path) -> None:
    path = write(tmp_path / "feed", "id;title;price")
    assert list(read_rows(path, detect_format(path))) == []


def test_bytes_of_another_encoding_further_down_are_named(tmp_path: Path) -> None:
    good = "1;café\n".encode()
    rows = HEAD_BYTES // len(good) + 100
    path = write(tmp_path / "feed", b"id;title\n" + good * rows + "2;café\n".encode("cp1252"))
    with pytest.raises(FeedEncodingError) as caught:
        list(read_rows(path, detect_format(path)))
    assert caught.value.params == {"line": rows + 2, "encoding": "utf-8"}


@pytest.mark.parametrize(
    ("lines", "params"),
    [
        (["é".encode()] * 3 + ["ü".encode("cp1252")], {"line": 5, "encoding": "utf-8"}),
        (["ü".encode("cp1252")] + ["é".encode()] * 3, {"line": 2, "encoding": "utf-8"}),
    ],
)
def test_a_mixture_of_encodings_is_refused(
    tmp_path: Path, lines: list[bytes], params: dict[str, Any]
) -> None:
    path = write(tmp_path / "feed", b"\n".join([b"id;title", *(b"1;" + line for line in lines)]))
    with pytest.raises(FeedEncodingError) as caught:
        detect_format(path)
    assert caught.value.params == params


def test_an_endless_line_is_refused_without_reading_it_whole(tmp_path: Path) -> None:
    path = write(tmp_path / "feed", b"id;title\n1;" + b"x" * (40 * MAX_RECORD_BYTES))
    fmt = detect_format(path)
    tracemalloc.start()
    with pytest.raises(FeedLineTooLongError) as caught:
        list(read_rows(path, fmt))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert caught.value.params == {"line": 2, "limit": MAX_RECORD_BYTES}
    assert peak < 8 * MAX_RECORD_BYTES


def test_broken_quotes_cost_their_own_row_only(tmp_path: Path) -> None:
    titles = ["fine", '"Best" chair', "fine", '"Best chair', "fine", '27" screen', '"open', "fine"]
    content = "id\ttitle\n" + "".join(f"{number}\t{title}\n" for number, title in enumerate(titles))
    assert problems(write(tmp_path / "feed", content)) == [
        (2, None),
        (3, RowErrorCode.STRAY_QUOTE),
        (4, None),
        (5, RowErrorCode.STRAY_QUOTE),
        (6, None),
        (7, None),
        (8, RowErrorCode.UNCLOSED_QUOTE),
        (9, None),
    ]


def test_a_quote_that_never_closes_in_a_large_file_costs_one_row(tmp_path: Path) -> None:
    content = 'id;title\n1;"open\n' + "2;fine and long enough to fill the file\n" * 60_000
    found = problems(write(tmp_path / "feed", content))
    assert found[0] == (2, RowErrorCode.UNCLOSED_QUOTE)
    assert len(found) == 60_001
    assert {problem for _, problem in found[1:]} == {None}


def test_a_file_of_broken_quotes_is_given_up(tmp_path: Path) -> None:
    # Each line opens a quote that the next one closes: every row would be a megabyte, read for nothing.
    path = write(tmp_path / "feed", 'id;title\n1;"\n' + 'x";"y\n' * 400_000)
    with pytest.raises(FeedQuotesError):
        problems(path)


def test_line_breaks_and_cells_out_of_measure(tmp_path: Path) -> None:
    content = "id;title\n1;one\rtwo\n2;" + "x" * 200_000 + "\n3;fine\n"
    assert problems(write(tmp_path / "feed", content)) == [
        (2, RowErrorCode.STRAY_LINE_BREAK),
        (3, RowErrorCode.CELL_TOO_LARGE),
        (4, None),
    ]


def test_blank_rows_are_left_out_and_counted(tmp_path: Path) -> None:
    path = write(tmp_path / "feed", 'id;title\r\n\r\n1;"two\r\nlines"\r\n;\r\n2;b')
    found = list(read_rows(path, detect_format(path)))
    assert [(row.line, row.cells) for row in found] == [(3, ["1", "two\r\nlines"]), (6, ["2", "b"])]
    assert found[-1].end.offset == path.stat().st_size

"""Reads product feeds (CSV or TSV) as a stream of raw rows, each with its exact place in the file.

Memory stays constant whatever the file holds: a line and a record have at most `MAX_RECORD_BYTES`. A row
whose quotation marks do not match is reported by itself, and reading goes on with the next line.
"""

import codecs
import csv
import io
import re
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, Literal, NamedTuple

from app.modules.marketplace.adapters.feed_errors import (
    FeedEmptyError,
    FeedEncodingError,
    FeedIsWebPageError,
    FeedLineTooLongError,
    FeedNotATableError,
    FeedNulBytesError,
    FeedQuotesError,
)
from app.modules.marketplace.enums import RowErrorCode

MAX_RECORD_BYTES = 1 << 20
HEAD_BYTES = 1 << 20
_SAMPLE_BYTES = 1 << 16
# Rows with broken quotes are read again from their second line. A file made of nothing else must not
# keep a worker busy: after this many bytes read twice the file as a whole is refused.
MAX_REREAD_BYTES = 16 << 20

Encoding = Literal["utf-8", "utf-8-sig", "utf-16", "cp1252"]
Delimiter = Literal["\t", ";", ","]

_BOMS: dict[Encoding, tuple[bytes, ...]] = {
    "utf-8-sig": (codecs.BOM_UTF8,),
    "utf-16": (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE),
}
_OTHER_FORMATS = (
    (b"PK\x03\x04", "Excel or ZIP"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "Excel"),
    (b"\x1f\x8b", "gzip"),
    (b"7z\xbc\xaf\x27\x1c", "7-Zip"),
    (b"Rar!\x1a\x07", "RAR"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\x00", "xz"),
    (b"%PDF", "PDF"),
)
_NO_PARAMS: dict[str, Any] = {}
_PAGES = ("<!doctype html", "<html", "<head", "<body")
_FIRST_LINE_ENDS_BARE = re.compile(rb"[^\r\n]*\r(?!\n)")
_DELIMITERS: tuple[Delimiter, ...] = ("\t", ";", ",")


@dataclass(frozen=True, slots=True)
class FeedFormat:
    """How the bytes of a feed are to be read; what kind of line ends it has does not matter."""

    encoding: Encoding
    delimiter: Delimiter


class Position(NamedTuple):
    """A place between two records: ``offset`` in bytes, ``line`` is the number of the line that follows."""

    offset: int
    line: int


class RawRow(NamedTuple):
    """One record as it stands in the file.

    ``line`` is the physical line at which it starts (the file begins with line 1), ``end`` the place after
    it, from which `read_rows` can go on. With a ``problem`` the only cell is the text of that line, and
    ``params`` are what the problem's text needs.
    """

    line: int
    cells: list[str]
    end_offset: int
    end_line: int
    problem: RowErrorCode | None = None
    params: dict[str, Any] = _NO_PARAMS

    @property
    def end(self) -> Position:
        return Position(self.end_offset, self.end_line)


class _EndlessRecordError(csv.Error):
    pass


def detect_format(path: Path) -> FeedFormat:
    """Encoding (byte order mark, else UTF-8, else Windows-1252) and delimiter (by the header line) of a file.

    Raises a `FeedError` if the file is empty or is something else than a text table.
    """
    with path.open("rb") as handle:
        head = handle.read(HEAD_BYTES)
    for magic, kind in _OTHER_FORMATS:
        if head.startswith(magic):
            raise FeedNotATableError(kind=kind)
    encoding = _encoding_of(head)
    if encoding != "utf-16" and b"\0" in head:
        raise FeedNulBytesError(line=head.count(b"\n", 0, head.index(b"\0")) + 1)
    text = head.decode(encoding, errors="replace").strip()
    if not text:
        raise FeedEmptyError
    _refuse_markup(text[:1000].lower())
    header = next((line for line in text.splitlines() if not _is_remark(line)), "")
    outside_quotes = "".join(header.split('"')[::2])
    return FeedFormat(encoding, max(_DELIMITERS, key=outside_quotes.count))


def starts_xml(path: Path) -> bool:
    """Whether a file looks like XML, and not like a web page."""
    with path.open("rb") as handle:
        head = handle.read(_SAMPLE_BYTES)
    encoding = "utf-16" if head.startswith(_BOMS["utf-16"]) else "utf-8-sig"
    text = head.decode(encoding, errors="replace").lstrip()[:1000].lower()
    return text.startswith("<") and not text.startswith(_PAGES)


def read_header(path: Path, fmt: FeedFormat) -> list[str]:
    """The cells of the header line, as they stand in the file."""
    return _header(path, fmt).cells


def read_rows(path: Path, fmt: FeedFormat, *, start: Position | None = None) -> Iterator[RawRow]:
    """Yields the records after the header, or from ``start`` (the ``end`` of an earlier row) on.

    Blank rows are left out. Raises a `FeedError` where the file cannot be read any further.
    """
    position: Position | None = _header(path, fmt).end if start is None else start
    reread = 0
    while position is not None:
        bad = yield from _scan(path, fmt, position)
        position = bad.row.end if bad else None
        if bad:
            reread += bad.bytes_read
            if reread > MAX_REREAD_BYTES:
                raise FeedQuotesError(line=bad.row.line)
            yield bad.row


class _BadRecord(NamedTuple):
    row: RawRow
    bytes_read: int


class _Lines:
    """The decoded physical lines of a file from ``position`` on; ``offset`` and ``line`` follow along."""

    __slots__ = ("_encoding", "_path", "at_end", "line", "offset", "record_offset")

    def __init__(self, path: Path, fmt: FeedFormat, position: Position) -> None:
        self._path = path
        self._encoding = "utf-8" if fmt.encoding == "utf-8-sig" else fmt.encoding
        self.offset, self.line = position
        self.record_offset = self.offset
        self.at_end = False

    def __iter__(self) -> Iterator[str]:
        with self._path.open("rb") as handle:
            head = handle.read(_SAMPLE_BYTES)
            if self.offset == 0:
                self.offset = self.record_offset = _bom_length(head)
            handle.seek(self.offset)
            try:
                if self._encoding == "utf-16":
                    big_endian = head.startswith(codecs.BOM_UTF16_BE)
                    yield from self._from_text(handle, "utf-16-be" if big_endian else "utf-16-le")
                elif _FIRST_LINE_ENDS_BARE.match(head):
                    yield from self._from_text(handle, self._encoding)
                else:
                    yield from self._from_bytes(handle)
            except UnicodeDecodeError:
                raise FeedEncodingError(line=self.line, encoding=self._encoding) from None
        self.at_end = True

    def _from_bytes(self, handle: BinaryIO) -> Iterator[str]:
        encoding = self._encoding
        for data in iter(partial(handle.readline, MAX_RECORD_BYTES + 1), b""):
            text = data.decode(encoding) if len(data) <= MAX_RECORD_BYTES else ""
            self._advance(len(data), b"\0" in data)
            yield text

    def _from_text(self, handle: BinaryIO, encoding: str) -> Iterator[str]:
        # Slower, but right where a line end is not the byte 10: UTF-16, and files with bare carriage returns.
        with io.TextIOWrapper(handle, encoding, newline="") as lines:
            for text in iter(partial(lines.readline, MAX_RECORD_BYTES + 1), ""):
                self._advance(len(text.encode(encoding)), "\0" in text)
                yield text

    def _advance(self, size: int, has_nul: bool) -> None:
        if size > MAX_RECORD_BYTES:
            raise FeedLineTooLongError(line=self.line, limit=MAX_RECORD_BYTES)
        if has_nul:
            raise FeedNulBytesError(line=self.line)
        self.offset += size
        self.line += 1
        if self.offset - self.record_offset > MAX_RECORD_BYTES:
            raise _EndlessRecordError


def _scan(path: Path, fmt: FeedFormat, start: Position) -> Generator[RawRow, None, _BadRecord | None]:
    """Yields records until the end of the file (returns None) or the first one with broken quotes."""
    lines = _Lines(path, fmt, start)
    line, offset = lines.line, lines.offset
    try:
        for cells in csv.reader(lines, delimiter=fmt.delimiter, strict=True):
            end_line, end_offset = lines.line, lines.offset
            if any(cells):
                yield RawRow(line, cells, end_offset, end_line)
            line, offset = end_line, end_offset
            lines.record_offset = end_offset
    except csv.Error as error:
        return _bad_record(path, fmt, Position(offset, line), lines, error)
    return None


def _bad_record(path: Path, fmt: FeedFormat, start: Position, lines: _Lines, error: csv.Error) -> _BadRecord:
    bytes_read = lines.offset - start.offset
    endless = lines.at_end or isinstance(error, _EndlessRecordError) or bytes_read > csv.field_size_limit()
    first = _Lines(path, fmt, start)
    text = next(iter(first)).rstrip("\r\n")
    if '"' in text:
        problem = RowErrorCode.UNCLOSED_QUOTE if endless else RowErrorCode.STRAY_QUOTE
    else:
        problem = RowErrorCode.STRAY_LINE_BREAK if "\r" in text else RowErrorCode.CELL_TOO_LARGE
    return _BadRecord(RawRow(start.line, [text], first.offset, first.line, problem), bytes_read)


def _header(path: Path, fmt: FeedFormat) -> RawRow:
    lines = _Lines(path, fmt, Position(0, 1))
    start = Position(0, 1)
    for text in lines:
        if not _is_remark(text):
            break
        start = Position(lines.offset, lines.line)
    try:
        return next(_scan(path, fmt, start))
    except StopIteration as stop:
        if stop.value is None:
            raise FeedEmptyError from None
        raise FeedQuotesError(line=stop.value.row.line) from None


def _is_remark(line: str) -> bool:
    """Templates of some catalogues explain their columns in lines like this above the header."""
    return not line.strip() or line.startswith(("#", '"#'))


def _encoding_of(head: bytes) -> Encoding:
    for encoding, boms in _BOMS.items():
        if head.startswith(boms):
            return encoding
    try:
        # The head may end within a character.
        codecs.getincrementaldecoder("utf-8")().decode(head, final=len(head) < HEAD_BYTES)
    except UnicodeDecodeError:
        _refuse_mixture(head)
        return "cp1252"
    return "utf-8"


def _refuse_mixture(head: bytes) -> None:
    """A file of UTF-8 with a few lines of another encoding would be imported with broken letters everywhere.

    A few lines that only look like UTF-8 are no mixture: "Â°" can be meant.
    """
    lines = head.split(b"\n")
    if len(head) == HEAD_BYTES:
        lines.pop()
    odd = [number for number, line in enumerate(lines, start=1) if not line.isascii() and not _is_utf8(line)]
    if odd and sum(not line.isascii() for line in lines) > 2 * len(odd):
        raise FeedEncodingError(line=odd[0], encoding="utf-8")


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def _bom_length(head: bytes) -> int:
    return next((len(bom) for boms in _BOMS.values() for bom in boms if head.startswith(bom)), 0)


def _refuse_markup(start: str) -> None:
    if start.startswith(_PAGES):
        raise FeedIsWebPageError
    if start.startswith("<"):
        raise FeedNotATableError(kind="XML")
    if start.startswith(("{", "[")):
        raise FeedNotATableError(kind="JSON")

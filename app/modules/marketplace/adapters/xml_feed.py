"""Product feeds in XML: RSS ``<item>``, Atom ``<entry>`` and plain lists of ``<product>``.

The parser is expat itself, with a handler that refuses any document type: without one there are no entities
but the five of XML, and nothing outside the file is ever read. The file is read twice, first for the names of
the fields, then for the products; memory holds one product.
"""

import codecs
import re
from pathlib import Path
from typing import Any, BinaryIO, NoReturn
from xml.parsers import expat

from app.modules.marketplace.adapters.columns import COLUMNS, LISTS, column_name
from app.modules.marketplace.adapters.feed_errors import (
    FeedEncodingError,
    FeedIsWebPageError,
    FeedTooManyColumnsError,
    FeedXmlBrokenError,
    FeedXmlCutOffError,
    FeedXmlItemTooLargeError,
    FeedXmlNoItemsError,
    FeedXmlUnsafeError,
)
from app.modules.marketplace.adapters.prepared import MAX_ROW_CHARS, TableWriter, write_table

MAX_ITEM_BYTES = 1 << 20
MAX_FIELDS = 300
_MAX_DEPTH = 64
_CHUNK = 1 << 16
_HEAD = 1 << 20
_ITEMS = frozenset({"item", "entry", "product"})
# The Atom names of what the other formats call by the columns' names.
_ALIASES = {"summary": "description", "content": "description"}
_SHIPPING = ("country", "region", "service", "price")
_GOOGLE = "base.google.com"
_DECLARED = re.compile(rb"""<\?xml[^>]{0,200}?\sencoding\s*=\s*["']([A-Za-z0-9._:-]{1,40})["']""")
_SINGLE_BYTE = ("iso8859", "cp125", "ascii", "latin", "cp437", "cp850", "koi8", "mac")
_KNOWN = frozenset(COLUMNS)
_BOMS = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def convert_xml(path: Path, target: Path) -> tuple[list[str], TableWriter]:
    """Write the products of an XML feed as a table; its columns, and the writer with the counts.

    Columns are those that any product has: Google's in our order, then all others as they first appear. The
    line of a row is the number of its product. Raises a `FeedError` and writes nothing if the XML is broken.
    """
    encoding = _encoding_of(path)
    names = _Names(path, encoding)
    names.read()
    if not names.items:
        raise FeedXmlNoItemsError(root=names.root[:100])
    known = [name for name in COLUMNS if name in names.columns]
    columns = known + [name for name in names.columns if name not in COLUMNS]
    writer = write_table(target, columns, lambda table: _Products(path, encoding, columns, table).read())
    return columns, writer


class _Document:
    """One pass over the file: knows where products begin and end, and keeps every measure."""

    def __init__(self, path: Path, encoding: str | None) -> None:
        self._path = path
        self._depth = 0
        # Where the fields of the current product are; 0 outside of products.
        self._field_depth = 0
        self._item_at = self._item_line = 0
        self._google = {"g"}
        self._columns_of: dict[str, tuple[str, int]] = {}
        self._texts: list[str] = []
        self._blank_bytes = self._blank_lines = 0
        self.items = 0
        self.root = ""
        self._parser = parser = expat.ParserCreate(encoding)
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = self._refuse_doctype
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end

    def read(self) -> None:
        """Raises a `FeedError` where the document breaks a rule."""
        parser, fed = self._parser, 0
        with self._path.open("rb") as file:
            self._skip_blanks(file)
            try:
                while chunk := file.read(_CHUNK):
                    parser.Parse(chunk, False)
                    fed += len(chunk)
                    begin = self._item_at if self._field_depth else max(parser.CurrentByteIndex, 0)
                    if fed - begin > MAX_ITEM_BYTES + _CHUNK:
                        line = self._item_line if self._field_depth else self._line()
                        raise FeedXmlItemTooLargeError(line=line, limit=MAX_ITEM_BYTES)
                    if not self._field_depth:
                        self._texts.clear()
            except expat.ExpatError as error:
                self._explain(error)
            except (LookupError, ValueError):
                raise FeedXmlBrokenError(line=self._line()) from None
        try:
            parser.Parse(b"", True)
        except expat.ExpatError as error:
            raise FeedXmlCutOffError(line=self._blank_lines + error.lineno) from None

    def _skip_blanks(self, file: BinaryIO) -> None:
        """Shops write blank lines before the declaration, where XML has none."""
        head = file.read(_CHUNK)
        self._blank_bytes = len(head) - len(head.lstrip(b" \t\r\n"))
        self._blank_lines = head.count(b"\n", 0, self._blank_bytes)
        file.seek(self._blank_bytes)

    def _line(self) -> int:
        return self._blank_lines + self._parser.CurrentLineNumber

    def _explain(self, error: expat.ExpatError) -> NoReturn:
        with self._path.open("rb") as file:
            file.seek(max(self._parser.ErrorByteIndex, 0) + self._blank_bytes)
            byte = file.read(1)
        if error.code == expat.errors.codes[expat.errors.XML_ERROR_INVALID_TOKEN] and byte >= b"\x80":
            raise FeedEncodingError(line=self._blank_lines + error.lineno, encoding="utf-8") from None
        raise FeedXmlBrokenError(line=self._blank_lines + error.lineno) from None

    def _refuse_doctype(self, name: str, *_: Any) -> None:
        if name.lower() == "html":
            raise FeedIsWebPageError
        raise FeedXmlUnsafeError(line=self._line())

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        self._depth = depth = self._depth + 1
        if depth == self._field_depth:
            self._open_field(tag, attributes)
        elif not self._field_depth:
            self._outside(tag, attributes)
        elif depth > _MAX_DEPTH:
            raise FeedXmlBrokenError(line=self._line())
        else:
            self._open_part()

    def _outside(self, tag: str, attributes: dict[str, str]) -> None:
        self.root = self.root or tag
        for name, value in attributes.items():
            if name.startswith("xmlns:") and _GOOGLE in value:
                self._google.add(name[len("xmlns:") :])
        if tag.rpartition(":")[2].lower() in _ITEMS and self._depth > 1:
            self._field_depth = self._depth + 1
            self._item_at = self._parser.CurrentByteIndex
            self._item_line = self._line()
            self.items += 1
        elif self._depth > _MAX_DEPTH:
            raise FeedXmlBrokenError(line=self._line())

    def _end(self, tag: str) -> None:
        depth = self._depth
        self._depth = depth - 1
        if depth == self._field_depth:
            self._close_field()
        elif self._field_depth:
            if depth > self._field_depth:
                self._close_part(tag)
            else:
                self._field_depth = 0
                self._close_item()

    def _column_of(self, tag: str) -> tuple[str, int]:
        """Column and rank: ``g:title`` stands above a ``title`` beside it, and that above Atom's other names."""
        if tag not in self._columns_of:
            prefix, _, local = tag.rpartition(":")
            if prefix in self._google:
                found = column_name(local, 1), 2
            elif prefix:
                found = column_name(f"{prefix}_{local}", 1), 1
            else:
                name = column_name(local, 1)
                found = (_ALIASES[name], 0) if name in _ALIASES else (name, 1)
            self._columns_of[tag] = found
            if len(self._columns_of) > MAX_FIELDS:
                raise FeedTooManyColumnsError(limit=MAX_FIELDS)
        return self._columns_of[tag]

    # What a pass does with fields and their parts; by default it passes them over.

    def _open_field(self, tag: str, _attributes: dict[str, str]) -> None:
        """The start tag of a direct child of a product."""

    def _open_part(self) -> None:
        """The start tag of anything inside a field."""

    def _close_field(self) -> None:
        """The end tag of a field."""

    def _close_part(self, tag: str) -> None:
        """The end tag of anything inside a field."""

    def _close_item(self) -> None:
        """The end tag of a product."""


class _Names(_Document):
    """The columns that the products of a document have."""

    def __init__(self, path: Path, encoding: str | None) -> None:
        super().__init__(path, encoding)
        self.columns: dict[str, None] = {}
        self._tags: set[str] = set()

    def _open_field(self, tag: str, _attributes: dict[str, str]) -> None:
        if tag not in self._tags:
            self._tags.add(tag)
            self.columns[self._column_of(tag)[0]] = None


class _Products(_Document):
    """Writes the products of a document as rows."""

    def __init__(self, path: Path, encoding: str | None, columns: list[str], table: TableWriter) -> None:
        super().__init__(path, encoding)
        self._place = {name: place for place, name in enumerate(columns)}
        self._blank = [""] * len(columns)
        self._table = table
        self._new_item()
        # No function of ours: this is called twice for each tag.
        self._parser.CharacterDataHandler = self._texts.append

    def _new_item(self) -> None:
        self._cells = list(self._blank)
        self._ranks: dict[str, int] = {}
        self._tag = ""
        self._attributes: dict[str, str] = {}
        self._parts: list[tuple[str, str]] = []
        self._part_at = -1

    def _open_field(self, tag: str, attributes: dict[str, str]) -> None:
        self._tag = tag
        self._texts.clear()
        self._attributes = attributes

    def _open_part(self) -> None:
        self._part_at = len(self._texts)

    def _close_part(self, tag: str) -> None:
        if self._part_at >= 0:
            self._parts.append((tag.rpartition(":")[2], "".join(self._texts[self._part_at :]).strip()))
            self._part_at = -1

    def _close_field(self) -> None:
        column, rank = self._columns_of.get(self._tag) or self._column_of(self._tag)
        if self._parts:
            text = self._join_parts(column)
            self._parts, self._part_at = [], -1
        else:
            text = "".join(self._texts).strip()
        if self._attributes:
            text = self._with_attributes(text)
        if not text:
            return
        former = self._ranks.get(column, -1)
        if rank > former:
            self._cells[self._place[column]] = text
            self._ranks[column] = rank
        elif rank == former:
            self._append(column, text)

    def _with_attributes(self, text: str) -> str:
        """Atom writes addresses, and some shops the currency, as an attribute."""
        if not text and self._attributes.get("rel", "alternate") == "alternate":
            return self._attributes.get("href", "")
        currency = self._attributes.get("currency")
        return f"{text} {currency}" if currency and text else text

    def _join_parts(self, column: str) -> str:
        """ "LU::Post:4.95 EUR" of ``<shipping>``'s parts; a text with mark-up in it is given as it is."""
        parts = "".join(text for _, text in self._parts)
        everything = "".join("".join(self._texts).split())
        if everything != "".join(parts.split()):
            return "".join(self._texts).strip()
        if column in ("title", "description"):
            return " ".join(text for _, text in self._parts)
        if column == "shipping":
            named = dict(self._parts)
            return ":".join(named.get(name, "") for name in _SHIPPING)
        return ":".join(text for _, text in self._parts)

    def _append(self, column: str, text: str) -> None:
        """A field that occurs again: lists grow, of everything else the first one counts."""
        place = self._place[column]
        if (column in LISTS or column not in _KNOWN) and len(self._cells[place]) < MAX_ROW_CHARS:
            self._cells[place] += f",{text}"

    def _close_item(self) -> None:
        self._table.row(self.items, self._cells)
        self._new_item()


def _encoding_of(path: Path) -> str | None:
    """What to tell the parser: None where the file says it rightly, else what its bytes are.

    Declarations that name an unknown encoding, or one that the bytes contradict, are passed over.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if head.startswith(_BOMS) or b"\0" in head[:64]:
        return None
    declared = _DECLARED.match(head.lstrip())
    try:
        name = codecs.lookup(declared[1].decode()).name if declared else "utf-8"
    except LookupError:
        return "utf-8"
    if name.startswith(_SINGLE_BYTE) and (head.isascii() or not _is_utf8(head)):
        return None
    return "utf-8"


def _is_utf8(head: bytes) -> bool:
    try:
        # The head may end within a character.
        codecs.getincrementaldecoder("utf-8")().decode(head, final=len(head) < _HEAD)
    except UnicodeDecodeError:
        return False
    return True

"""Rows of a list as CSV that spreadsheets open right, and that no cell can turn into a formula."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from app.core.i18n import translate
from app.modules.pagekit.list_state import ListState
from app.modules.pagekit.lists import Column, ListSpec

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_BOM = "\ufeff"


def separator(language: str) -> str:
    """Spreadsheets of languages with a decimal comma expect semicolons."""
    return "," if language == "en" else ";"


def media_type(language: str) -> str:
    """The content type of the file."""
    return f"text/csv; charset=utf-8; header=present; separator={ord(separator(language))}"


def csv_lines(
    spec: ListSpec, state: ListState, chunks: Iterable[Sequence[Any]], language: str
) -> Iterator[str]:
    """The columns that ``state`` shows: a heading line, then the rows of each chunk. UTF-8 with a byte order mark."""
    columns = [spec.column(name) for name in state.shown(spec)]
    yield _BOM + _line([translate(language, column.label_key) for column in columns], language)
    for rows in chunks:
        yield "".join(_line([_cell(column, row, language) for column in columns], language) for row in rows)


def _line(cells: Sequence[str], language: str) -> str:
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=separator(language), lineterminator="\r\n").writerow(cells)
    return out.getvalue()


def _cell(column: Column, row: Any, language: str) -> str:
    value = column.of(row)
    if value is None:
        return ""
    if column.kind == "money":
        amount = f"{Decimal(value) / 100:.2f}"
        return amount if language == "en" else amount.replace(".", ",")
    if isinstance(value, bool):
        return translate(language, "ui.yes" if value else "ui.no")
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, list | tuple):
        value = ", ".join(str(item) for item in value)
    text = translate(language, f"{column.text_prefix}.{value}") if column.text_prefix else str(value)
    is_number = column.kind == "number"
    return f"'{text}" if text.startswith(_FORMULA) and not is_number else text

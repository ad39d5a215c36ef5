"""Rows that were not imported: storing them, showing them, and giving them back as a file to correct."""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from sqlalchemy import delete, select, text
from sqlalchemy.orm import Session

from app.core.database import (
    COPY_NULL,
    Scope,
    copy_array,
    copy_line,
    copy_text,
    temporary_table,
    unit_of_work,
)
from app.core.i18n import translate
from app.modules.marketplace.adapters.feed_reader import RawRow
from app.modules.marketplace.models.import_job import FeedImport, FeedRowError
from app.modules.marketplace.services.feed_row import RowError

ERROR_COLUMN = "Error"
CURRENT_VENDOR = "nullif(current_setting('app.vendor_id', true), '')::uuid"
_ROWS_PER_FETCH = 500
_MOST_COUNTED = 20_000
_COLUMNS = {
    "line": "integer",
    "external_id": "text",
    "cells": "text[]",
    "errors": "jsonb",
}

# A spreadsheet runs cells that begin like this as formulas; plain numbers it does not.
_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_NUMBER = re.compile(r"[+-]?[0-9]+(?:[.,][0-9]+)?")
_NEUTRALISED = re.compile(r"'+[=+\-@\t\r]")


class FailedRow(NamedTuple):
    """One row that cannot be imported, ready to be stored."""

    line: int
    external_id: str | None
    cells: list[str]
    errors: str


@dataclass(frozen=True, slots=True)
class ShownError:
    """One line of the error table."""

    line: int
    external_id: str
    column: str
    value: str
    text: str


def failed_row(raw: RawRow, id_place: int, errors: Sequence[RowError]) -> FailedRow:
    """What is kept of a bad row; ``id_place`` is where its id stands."""
    cells = [_storable(cell) for cell in raw.cells]
    listed = [
        {"column": error.column, "code": error.code, "value": _storable(error.value), "params": error.params}
        for error in errors
    ]
    external_id = cells[id_place].strip()[:50] if not raw.problem and id_place < len(cells) else ""
    return FailedRow(raw.line, external_id or None, cells, orjson.dumps(listed).decode())


def restored(raw: RawRow) -> RawRow:
    """A row of a file of failed rows, with its cells as they were before they were made safe for spreadsheets."""
    return raw._replace(cells=[restore(cell) for cell in raw.cells])


def store_failed_rows(session: Session, import_id: UUID, rows: Iterable[FailedRow]) -> None:
    """Write bad rows of an import, in bulk."""
    lines = [
        copy_line([str(row.line), row.external_id or COPY_NULL, copy_array(row.cells), row.errors]) + "\n"
        for row in rows
    ]
    temporary_table(session, "feed_failed_rows", _COLUMNS)
    copy_text(session, "feed_failed_rows", _COLUMNS, "".join(lines).encode())
    session.execute(
        text(
            "INSERT INTO feed_row_errors (vendor_id, import_id, line, external_id, cells, errors) "
            f"SELECT {CURRENT_VENDOR}, :import_id, line, external_id, cells, errors FROM pg_temp.feed_failed_rows"
        ),
        {"import_id": import_id},
    )


def forget_failed_rows(session: Session, import_id: UUID) -> None:
    """Remove what an earlier attempt of an import has written."""
    session.execute(delete(FeedRowError).where(FeedRowError.import_id == import_id))


def list_errors(
    session: Session, import_id: UUID, *, language: str, limit: int, code: str | None = None
) -> list[ShownError]:
    """The first errors of an import, or those of one code, with their texts in ``language``."""
    statement = (
        select(FeedRowError.line, FeedRowError.external_id, FeedRowError.errors)
        .where(FeedRowError.import_id == import_id)
        .order_by(FeedRowError.line)
        .limit(limit)
    )
    if code:
        statement = statement.where(FeedRowError.errors.contains([{"code": code}]))
    rows = session.execute(statement)
    shown = [
        ShownError(
            row.line, row.external_id or "", error["column"], error["value"], error_text(language, error)
        )
        for row in rows
        for error in row.errors
        if code is None or error["code"] == code
    ]
    return shown[:limit]


def count_codes(session: Session, import_id: UUID) -> list[tuple[str, int]]:
    """The kinds of errors among the first rows that failed, with how many there are; the most frequent first."""
    counted = text(
        """
        SELECT error ->> 'code' AS code, count(*) AS found
        FROM (SELECT errors FROM feed_row_errors WHERE import_id = :import_id ORDER BY line LIMIT :most) failed,
             jsonb_array_elements(failed.errors) error
        GROUP BY 1 ORDER BY 2 DESC, 1
        """
    )
    found = session.execute(counted, {"import_id": import_id, "most": _MOST_COUNTED})
    return [(str(row.code), int(row.found)) for row in found]


def list_failed(session: Session, import_id: UUID, *, after: int, limit: int) -> Sequence[FeedRowError]:
    """Rows of an import that failed, behind a line."""
    statement = select(FeedRowError).where(FeedRowError.import_id == import_id, FeedRowError.line > after)
    return session.scalars(statement.order_by(FeedRowError.line).limit(limit)).all()


def error_text(language: str, error: dict[str, Any]) -> str:
    """What is wrong and what to do."""
    params = {**error["params"], "column": error["column"], "value": error["value"]}
    return translate(language, f"marketplace.row_errors.{error['code']}", **params)


def failed_rows_csv(scope: Scope, import_id: UUID, *, language: str) -> Iterator[bytes]:
    """The bad rows as a file like the original with one more column, "Error"; corrected, it can be imported alone.

    UTF-8 with a byte order mark and the original's delimiter. Cells that a spreadsheet would run as a formula get a
    leading apostrophe, which the import of such a file takes off again. Opens its own transaction.
    """
    with unit_of_work(scope) as session:
        source = session.get_one(FeedImport, import_id)
        header = source.header or []
        kept = [place for place, name in enumerate(header) if not is_error_column(name)]
        lines = io.StringIO(newline="")
        writer = csv.writer(lines, delimiter=source.delimiter or ",", lineterminator="\r\n")
        writer.writerow([*(header[place] for place in kept), ERROR_COLUMN])
        rows = session.execute(
            select(FeedRowError.cells, FeedRowError.errors)
            .where(FeedRowError.import_id == import_id)
            .order_by(FeedRowError.line),
            execution_options={"yield_per": _ROWS_PER_FETCH},
        )
        yield b"\xef\xbb\xbf"
        for part in rows.partitions():
            for row in part:
                # Cells beyond the header stand behind the error, so that it is in its column.
                cells = [row.cells[place] if place < len(row.cells) else "" for place in kept]
                message = " ".join(error_text(language, error) for error in row.errors)
                written = [*cells, message, *row.cells[len(header) :]]
                writer.writerow([neutralise(cell) for cell in written])
            yield _take(lines)
        yield _take(lines)


def is_error_column(name: str) -> bool:
    """Whether a column of a file is the one that ``failed_rows_csv`` added."""
    return name.strip().lower() == ERROR_COLUMN.lower()


def neutralise(cell: str) -> str:
    """The cell with an apostrophe before what a spreadsheet would run as a formula."""
    return f"'{cell}" if _FORMULA.match(cell) and not _NUMBER.fullmatch(cell) else cell


def restore(cell: str) -> str:
    """Undo ``neutralise``."""
    return cell[1:] if _NEUTRALISED.match(cell) else cell


def _take(lines: io.StringIO) -> bytes:
    taken = lines.getvalue().encode()
    lines.seek(0)
    lines.truncate()
    return taken


def _storable(cell: str) -> str:
    if cell.isascii() and "\0" not in cell:
        return cell
    return cell.replace("\0", "\ufffd").encode("utf-8", "replace").decode()

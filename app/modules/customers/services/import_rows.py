"""Reading a file of customers: its rows, each either understood or with what is wrong with it."""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from app.core import clock
from app.core.errors import FieldError, ValidationFailedError
from app.core.i18n import LANGUAGES
from app.modules.customers.enums import ConsentPurpose
from app.modules.customers.services.customer_edit_service import FIELDS
from app.modules.customers.services.customer_service import normalise_email

ADDRESS = ("line1", "line2", "postcode", "city", "country")
SOURCES = ("person", "phone", "mail", "shop")
CONSENTS = tuple(f"{one}{part}" for one in ConsentPurpose for part in ("", "_at", "_source"))
COLUMNS = (*FIELDS, *ADDRESS, *CONSENTS)
MAX_ROWS, MAX_BYTES = 20_000, 4 << 20
IMPORTED = "import"
_MAX_CELL, _MAX_EMAIL, _MAX_IGNORED = 200, 254, 20
_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s.]+(\.[^@\s.]+)+")
_COUNTRY = re.compile(r"[A-Z]{2}")
_ANSWERS = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}


class _FaultError(ValueError):
    """A row cannot be taken over."""

    def __init__(self, fault: str, column: str | None) -> None:
        super().__init__(fault)
        self.fault, self.column = fault, column


@dataclass(frozen=True, slots=True)
class Row:
    """One row. ``line``: its number in the file, as an editor counts; ``given``: fields, ``address`` and ``consents``
    as JSON; ``fault``: why it cannot be taken over, and ``column`` where."""

    line: int
    email_norm: str | None
    given: dict[str, Any]
    fault: str | None = None
    column: str | None = None


@dataclass(slots=True)
class CustomerFile:
    """The rows of a file, and the columns that mean nothing here."""

    rows: list[Row] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)


def read_customers(content: bytes) -> CustomerFile:
    """The rows of a CSV file with columns of COLUMNS, of which ``email`` must be there, in any order, separated by
    comma, semicolon or tab. Raises ValidationFailedError for what is no such file or too large."""
    if len(content) > MAX_BYTES:
        raise _refused("too_large", max=MAX_BYTES >> 20)
    try:
        content_text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        content_text = content.decode("cp1252", errors="replace")
    delimiter = max(",;\t", key=content_text.partition("\n")[0].count)
    reader = csv.reader(io.StringIO(content_text, newline=""), delimiter=delimiter, strict=True)
    found = CustomerFile()
    seen: set[str] = set()
    try:
        names = [name.strip().lower() for name in next(reader, [])]
        if "email" not in names or len(set(names)) < len(names):
            raise _refused("columns")
        found.ignored = [name[:60] for name in names if name not in COLUMNS and name][:_MAX_IGNORED]
        for line, values in _records(reader):
            if len(found.rows) == MAX_ROWS:
                raise _refused("too_long", max=MAX_ROWS)
            found.rows.append(_row(line, names, values, seen))
    except csv.Error:
        raise _refused("unreadable", line=reader.line_num) from None
    if not found.rows:
        raise _refused("empty")
    return found


def _records(reader: Any) -> Iterator[tuple[int, list[str]]]:
    """Records that say anything, with the line on which each begins: a quoted cell may run over several."""
    line = reader.line_num + 1
    for values in reader:
        if any(value.strip() for value in values):
            yield line, values
        line = reader.line_num + 1


def _row(line: int, names: Sequence[str], values: Sequence[str], seen: set[str]) -> Row:
    cells = {name: value.strip() for name, value in zip(names, values, strict=False) if name in COLUMNS}
    email_norm = normalise_email(cells.get("email", "")[:_MAX_EMAIL])
    try:
        if len(values) > len(names):
            raise _FaultError("too_many_cells", None)
        given = _understand(cells)
        if email_norm in seen:
            raise _FaultError("twice", "email")
    except _FaultError as error:
        return Row(line, email_norm, {}, error.fault, error.column)
    seen.add(email_norm or "")
    return Row(line, email_norm, given)


def _understand(cells: Mapping[str, str]) -> dict[str, Any]:
    for name, value in cells.items():
        if len(value) > (_MAX_EMAIL if name == "email" else _MAX_CELL):
            raise _FaultError("too_long", name)
        if any(ord(sign) < ord(" ") for sign in value):
            raise _FaultError("signs", name)
    if not _EMAIL.fullmatch(cells.get("email", "")):
        raise _FaultError("email", "email")
    given: dict[str, Any] = {name: cells[name] for name in FIELDS if cells.get(name)}
    if "language" in given:
        given["language"] = given["language"].lower()
        if given["language"] not in LANGUAGES:
            raise _FaultError("language", "language")
    return given | {"address": _address(cells), "consents": list(_consents(cells))}


def _address(cells: Mapping[str, str]) -> dict[str, str] | None:
    address = {name: cells[name] for name in ADDRESS if cells.get(name)}
    if not address:
        return None
    for name in ("line1", "postcode", "city", "country"):
        if name not in address:
            raise _FaultError("address", name)
    address["country"] = address["country"].upper()
    if not _COUNTRY.fullmatch(address["country"]):
        raise _FaultError("country", "country")
    return address


def _consents(cells: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """Nobody has agreed without a day and a way; who takes it back needs neither."""
    for purpose in ConsentPurpose:
        said = cells.get(purpose, "").lower()
        at, source = cells.get(f"{purpose}_at", ""), cells.get(f"{purpose}_source", "").lower()
        if not said:
            continue
        if said not in _ANSWERS:
            raise _FaultError("answer", purpose)
        if source not in SOURCES and (source or _ANSWERS[said]):
            raise _FaultError("source", f"{purpose}_source")
        if not at and _ANSWERS[said]:
            raise _FaultError("day", f"{purpose}_at")
        yield {
            "purpose": purpose.value,
            "is_granted": _ANSWERS[said],
            "source": source or IMPORTED,
            "at": _moment(at, f"{purpose}_at") if at else None,
        }


def _moment(said: str, column: str) -> str:
    try:
        moment = datetime.fromisoformat(said)
    except ValueError:
        raise _FaultError("day", column) from None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    if moment > clock.now() or moment.year < 1970:
        raise _FaultError("future" if moment.year >= 1970 else "day", column)
    return moment.astimezone(UTC).isoformat()


def _refused(code: str, **params: int) -> ValidationFailedError:
    return ValidationFailedError(errors=[FieldError("file", code, f"customers.import_file.{code}", params)])

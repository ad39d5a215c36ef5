"""One run of an import: a feed, part by part, becomes staging rows and the catalogue.

Every part is one round of set-based SQL. The first row of an id wins, later ones are errors; a row whose staging hash
is equal is unchanged and costs no more than that look. All counts come from the database.
"""

import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from hashlib import blake2b
from itertools import islice
from typing import IO, Any
from uuid import UUID

import orjson
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.core import clock
from app.core.config import get_settings
from app.core.database import bulk_load
from app.core.ids import new_id
from app.core.storage import get_storage
from app.modules.catalog import facade as catalog
from app.modules.catalog.contracts import INTAKE_COLUMNS
from app.modules.marketplace.adapters.feed_reader import (
    Position,
    RawRow,
    detect_format,
    read_header,
    read_rows,
)
from app.modules.marketplace.enums import ErrorPolicy, Marketplace, RowErrorCode
from app.modules.marketplace.exceptions import FeedNoRowsError
from app.modules.marketplace.services import import_service, row_error_service
from app.modules.marketplace.services.feed_columns import attributes_of, copied_fields, present_fields
from app.modules.marketplace.services.feed_row import (
    ROW_COLUMNS,
    ParsedRow,
    RowError,
    RowParser,
    compile_header,
)
from app.modules.marketplace.services.row_error_service import CURRENT_VENDOR, FailedRow

CHUNK_ROWS = 5000
_EXTERNAL_ID, _RAW, _HASH = (ROW_COLUMNS.index(name) for name in ("external_id", "raw", "row_hash"))
_KEY_COLUMNS = {"line": "integer", "external_id": "text", "row_hash": "bytea"}
_ROW_COLUMNS = {**INTAKE_COLUMNS, "raw": "jsonb", "row_hash": "bytea"}

# LIMIT keeps the planner to one probe of the key per row, however little it knows about a temporary table.
_FATES = text(
    f"""
    WITH first AS (
        INSERT INTO feed_import_seen (vendor_id, import_id, external_id, line)
        SELECT DISTINCT ON (external_id) {CURRENT_VENDOR}, :import_id, external_id, line
        FROM pg_temp.feed_keys ORDER BY external_id, line
        ON CONFLICT DO NOTHING RETURNING line
    )
    SELECT k.line, first.line IS NULL AS is_duplicate
    FROM pg_temp.feed_keys k LEFT JOIN first ON first.line = k.line
    LEFT JOIN LATERAL (
        SELECT m.row_hash FROM marketplace_products m
        WHERE m.vendor_id = {CURRENT_VENDOR} AND m.marketplace = :marketplace AND m.language = :language
          AND m.external_id = k.external_id
        LIMIT 1
    ) known ON true
    WHERE first.line IS NULL OR known.row_hash IS DISTINCT FROM k.row_hash
    """
)
# In portions, so that no statement grows with the file.
_FORGET_SEEN = text(
    f"""
    WITH gone AS (
        DELETE FROM feed_import_seen WHERE vendor_id = {CURRENT_VENDOR} AND (import_id, external_id) IN (
            SELECT import_id, external_id FROM feed_import_seen WHERE vendor_id = {CURRENT_VENDOR} LIMIT 100000)
        RETURNING 1
    )
    SELECT count(*) FROM gone
    """
)
_STAGED = ("raw", "row_hash", "title", "price_cents", "currency", "gtin", "availability")
_STAGE = text(
    f"""
    INSERT INTO marketplace_products (id, vendor_id, marketplace, language, external_id, {", ".join(_STAGED)},
                                      import_id, created_at, updated_at)
    SELECT id, {CURRENT_VENDOR}, :marketplace, :language, sku, {", ".join(_STAGED)}, :import_id, :now, :now
    FROM pg_temp.feed_rows ORDER BY sku
    ON CONFLICT (vendor_id, marketplace, language, external_id) DO UPDATE SET
        {", ".join(f"{name} = excluded.{name}" for name in _STAGED)},
        import_id = excluded.import_id, updated_at = excluded.updated_at
    """
)
_FILL = text(
    f"INSERT INTO pg_temp.catalog_intake ({', '.join(INTAKE_COLUMNS)}) "
    f"SELECT {', '.join(INTAKE_COLUMNS)} FROM pg_temp.feed_rows"
)


@dataclass(slots=True)
class Counts:
    """What became of the rows so far; ``rows`` is the sum of the others."""

    rows: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    failed: int = 0


@dataclass(slots=True)
class _Part:
    """One part of the file, parsed."""

    raws: dict[int, RawRow] = field(default_factory=dict)
    good: dict[int, ParsedRow] = field(default_factory=dict)
    failed: list[FailedRow] = field(default_factory=list)


class ImportRun:
    """One attempt at an import, in the job's session. ``checkpoint`` is what ``cursor`` gave before a crash."""

    def __init__(self, session: Session, import_id: UUID, checkpoint: dict[str, Any] | None) -> None:
        self._session = session
        self._import_id = import_id
        self._started = time.monotonic()
        self._spool: IO[bytes] | None = None
        self._position: Position | None = None
        self._seconds = 0.0
        self.counts = Counts()
        row = import_service.get_import(session, import_id).row
        self.storage_key = row.storage_key
        self._url, self._vendor_id = row.url, row.vendor_id
        self._language, self._policy = row.language, row.policy
        self._is_dry_run = row.is_dry_run
        self.is_atomic = row.is_dry_run or row.policy == ErrorPolicy.ALL_OR_NOTHING
        if checkpoint:
            self._position = Position(*checkpoint["position"])
            self._seconds = checkpoint["seconds"]
            self.counts = Counts(**checkpoint["counts"])

    @property
    def cursor(self) -> dict[str, Any] | None:
        """Where to go on after a crash; none before the first part, and never for what is all or nothing."""
        if self._position is None or self.is_atomic:
            return None
        return {"position": list(self._position), "seconds": self._elapsed(), "counts": asdict(self.counts)}

    @property
    def bytes_done(self) -> int:
        """How much of the file is behind us."""
        return self._position.offset if self._position else 0

    def fetch(self) -> None:
        """Fetch the file from its address into the store. Called with no transaction open; raises AppErrors."""
        self.storage_key = import_service.fetch_source(self._import_id, self._vendor_id, self._url or "")

    def open(self) -> int:
        """Find out how to read the file and note it; its size. Raises a FeedError for what is no product feed."""
        assert self.storage_key is not None
        self._path = get_storage(get_settings()).path(self.storage_key)
        self._format = detect_format(self._path)
        cells = read_header(self._path, self._format)
        header = compile_header(cells)
        self._parser = RowParser(header, language=self._language)
        self._fields = present_fields(header.names)
        self._id_place = header.names.index("id")
        self._is_correction = "error" in header.names
        known = sorted(set(header.names) - set(header.unknown))
        self._columns_hash = blake2b(orjson.dumps(known), digest_size=8).digest()
        size = self._path.stat().st_size
        import_service.note(
            self._session,
            self._import_id,
            storage_key=self.storage_key,
            encoding=self._format.encoding,
            delimiter=self._format.delimiter,
            header=cells,
            unknown_columns=list(header.unknown),
            bytes=size,
            problem=None,
        )
        if self._position is None:
            self._forget_former_attempts()
        return size

    def parts(self) -> Iterator[None]:
        """Import the file, part by part; the caller commits, or shows progress, at each step."""
        if self.is_atomic:
            self._spool = tempfile.TemporaryFile(prefix="wizamart-rows-")  # noqa: SIM115 - closed in close()
        rows = read_rows(self._path, self._format, start=self._position)
        while raws := list(islice(rows, CHUNK_ROWS)):
            self._import_part(raws)
            yield
        if not self.counts.rows:
            raise FeedNoRowsError

    @property
    def must_discard(self) -> bool:
        """Whether what the parts wrote must be undone, before ``finish``: dry runs, and any error of all or nothing."""
        return self._is_dry_run or self.is_refused

    @property
    def is_refused(self) -> bool:
        """Whether bad rows keep everything out."""
        return not self._is_dry_run and self._policy == ErrorPolicy.ALL_OR_NOTHING and self.counts.failed > 0

    def finish(self) -> dict[str, Any]:
        """Note the outcome, and the bad rows of an atomic run; the job's result."""
        if self._spool is not None:
            self._store_spooled(self._spool)
        self._forget_seen()
        self._note_counts()
        return asdict(self.counts)

    def close(self) -> None:
        """Let go of temporary files."""
        if self._spool is not None:
            self._spool.close()

    def _import_part(self, raws: list[RawRow]) -> None:
        part = self._parse(raws)
        changed = self._changed_lines(part)
        self.counts.rows += len(raws)
        self.counts.failed += len(part.failed)
        self.counts.unchanged += len(part.good) - len(changed)
        if changed:
            self._merge(part, changed)
        self._keep_failed(part.failed)
        self._position = raws[-1].end
        if not self.is_atomic:
            self._note_counts()

    def _parse(self, raws: Iterable[RawRow]) -> _Part:
        part = _Part()
        for raw in raws:
            if self._is_correction:
                raw = raw._replace(cells=[row_error_service.restore(cell) for cell in raw.cells])
            part.raws[raw.line] = raw
            parsed = self._parser.parse(raw)
            if isinstance(parsed, list):
                part.failed.append(row_error_service.failed_row(raw, self._id_place, parsed))
            else:
                part.good[raw.line] = parsed
        return part

    def _changed_lines(self, part: _Part) -> list[int]:
        """Lines to import, after taking out duplicates (which become errors) and what is as it was."""
        keys = ((line, row[_EXTERNAL_ID], self._hash(row)) for line, row in part.good.items())
        bulk_load(self._session, "feed_keys", _KEY_COLUMNS, keys)
        changed = []
        for line, is_duplicate in self._session.execute(_FATES, self._values()).all():
            if is_duplicate:
                value = part.good.pop(line)[_EXTERNAL_ID]
                error = RowError(line, "id", RowErrorCode.DUPLICATE_ID, value, {})
                part.failed.append(row_error_service.failed_row(part.raws[line], self._id_place, [error]))
            else:
                changed.append(line)
        return sorted(changed)

    def _merge(self, part: _Part, lines: list[int]) -> None:
        bulk_load(self._session, "feed_rows", _ROW_COLUMNS, (self._loaded(n, part.good[n]) for n in lines))
        self._session.execute(_STAGE, self._values())
        intake = catalog.open_intake(self._session, language=self._language)
        self._session.execute(_FILL)
        merged = catalog.merge_intake(self._session, intake, columns=self._fields)
        self.counts.created += merged.created
        self.counts.updated += merged.updated
        self.counts.unchanged += merged.unchanged

    def _loaded(self, line: int, row: ParsedRow) -> tuple[object, ...]:
        attributes = orjson.dumps(attributes_of(row)).decode()
        raw = orjson.dumps(row[_RAW]).decode()
        return (line, new_id(), *copied_fields(row), attributes, raw, self._hash(row))

    def _hash(self, row: ParsedRow) -> bytes:
        # With the columns: an empty cell clears a field, a column that is not there leaves it.
        hashed: bytes = row[_HASH]
        return hashed + self._columns_hash

    def _values(self) -> dict[str, Any]:
        return {
            "import_id": self._import_id,
            "marketplace": Marketplace.LETZSHOP.value,
            "language": self._language,
            "now": clock.now(),
        }

    def _keep_failed(self, failed: list[FailedRow]) -> None:
        if self._spool is not None:
            self._spool.writelines(orjson.dumps(tuple(row)) + b"\n" for row in failed)
        elif failed:
            row_error_service.store_failed_rows(self._session, self._import_id, failed)

    def _store_spooled(self, spool: IO[bytes]) -> None:
        spool.seek(0)
        while lines := list(islice(spool, CHUNK_ROWS)):
            rows = (FailedRow(*orjson.loads(line)) for line in lines)
            row_error_service.store_failed_rows(self._session, self._import_id, rows)

    def _note_counts(self) -> None:
        import_service.note(
            self._session, self._import_id, **asdict(self.counts), seconds=round(self._elapsed(), 3)
        )

    def _forget_former_attempts(self) -> None:
        row_error_service.forget_failed_rows(self._session, self._import_id)
        self._forget_seen()

    def _forget_seen(self) -> None:
        """One import of a vendor runs at a time: all ids there are, are of this run or of one that was stopped."""
        while self._session.execute(_FORGET_SEEN).scalar_one():
            pass

    def _elapsed(self) -> float:
        return self._seconds + time.monotonic() - self._started

"""One run of an import: a feed, part by part, becomes the feed's rows and the catalogue.

A feed that was imported before is checked first, as a whole: it is read and compared, and the guard decides before
anything is written. Every part is one round of set-based SQL. The first row of an id wins, later ones are errors; a row
whose hash is equal is unchanged and costs no more than that look. All counts come from the database.
"""

import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from typing import IO, Any
from uuid import UUID

import orjson
from sqlalchemy.orm import Session

from app.core import clock
from app.core.database import commit_lazily, copy_text
from app.modules.catalog import facade as catalog
from app.modules.marketplace.adapters.feed_errors import FeedNoRowsError
from app.modules.marketplace.adapters.feed_reader import Position
from app.modules.marketplace.adapters.prepared import read_prepared
from app.modules.marketplace.enums import ErrorPolicy, Marketplace, RowErrorCode
from app.modules.marketplace.services import (
    feed_file_service,
    feed_order_service,
    feed_service,
    import_service,
    row_error_service,
)
from app.modules.marketplace.services.import_parts import Part, Sorted, ahead, read_parts
from app.modules.marketplace.services.import_rows import LINE_COLUMNS, RowReader
from app.modules.marketplace.services.import_sql import MORE_COLUMNS, ImportSql
from app.modules.marketplace.services.row_error_service import FailedRow
from app.modules.marketplace.services.row_pipeline import RowPipeline

_SPOOLED_ROWS = 5000
CHECK, WRITE = "checking", "importing"
_START: dict[str, Any] = {
    "phase": "",
    "is_known": True,
    "is_checked": False,
    "position": None,
    "seconds": 0.0,
    "fill": {},
    "counts": {},
}


@dataclass(slots=True)
class Counts:
    """What became of the rows so far."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    excluded: int = 0
    failed: int = 0
    missing: int = 0  # rows that the feed has no longer
    changed: int = 0  # found by the check, still to be written

    @property
    def rows(self) -> int:
        """All that were decided on."""
        return self.created + self.updated + self.unchanged + self.excluded + self.failed


class ImportRun:
    """One attempt at an import, in the job's session. ``checkpoint`` is what ``cursor`` gave before a crash."""

    def __init__(self, session: Session, import_id: UUID, checkpoint: dict[str, Any] | None) -> None:
        self._session = session
        self._started = time.monotonic()
        self._spool: IO[bytes] | None = None
        self._findings: list[dict[str, Any]] = []
        self.row = import_service.get_import(session, import_id).row
        self._feed = feed_service.get_feed(session, self.row.feed_id)
        self.is_atomic = self.row.is_dry_run or self.row.policy == ErrorPolicy.ALL_OR_NOTHING
        self._values = {
            "import_id": import_id,
            "feed_id": self._feed.id,
            "marketplace": Marketplace.LETZSHOP.value,
            "language": self._feed.language,
            "now": clock.now(),
        }
        self._sql = ImportSql(session, self._values)
        self._begin(checkpoint)

    def _begin(self, checkpoint: dict[str, Any] | None) -> None:
        checkpoint = _START | (checkpoint or {})
        if checkpoint["phase"] and checkpoint["is_known"] and not self._sql.was_seen():
            checkpoint = _START  # the database crashed: begin again
        self._is_known: bool = checkpoint["is_known"]
        self._is_checked: bool = checkpoint["is_checked"]
        self.phase = checkpoint["phase"]
        self._position = Position(*checkpoint["position"]) if checkpoint["position"] else None
        self._seconds: float = checkpoint["seconds"]
        self._fill: dict[str, int] = dict(checkpoint["fill"])
        self.counts = Counts(**checkpoint["counts"])

    @property
    def cursor(self) -> dict[str, Any] | None:
        """Where to go on after a crash; none before the first part, and never for what is all or nothing."""
        if not self.phase or self.is_atomic:
            return None
        return {
            "phase": self.phase,
            "is_known": self._is_known,
            "is_checked": self._is_checked,
            "position": list(self._position) if self._position else None,
            "seconds": self._elapsed(),
            "fill": self._fill,
            "counts": asdict(self.counts),
        }

    @property
    def next_phase(self) -> str:
        """What is done next with the file."""
        return self.phase or (CHECK if self._is_checked else WRITE)

    @property
    def progress(self) -> tuple[int, int]:
        """Bytes that are behind us, and all there are to read: a feed that is checked first is read twice."""
        read = self._position.offset if self._position else 0
        if self._is_checked and self.phase == WRITE:
            read += self._size
        return read, self._size * (2 if self._is_checked else 1)

    def fetch(self) -> bool:
        """Fetch the file from its address into the store. False: it is still the file that was imported last.

        Called with no transaction open; raises AppErrors.
        """
        return feed_file_service.fetch_file(self.row, self._feed)

    def stay(self) -> dict[str, Any]:
        """Note that the address has nothing new; the job's result."""
        self.row.is_not_modified = True
        return {"is_not_modified": True}

    def open(self) -> None:
        """Find out how to read the file and note it. Raises a FeedError for what is no product feed."""
        prepared = feed_file_service.prepare_file(self.row, self._feed)
        reading = feed_service.reading_of(self._session, self._feed)
        self._prepared = prepared
        self._pipeline = RowPipeline(prepared.header, reading)
        self._is_correction = "error" in self._pipeline.names
        self._size = prepared.path.stat().st_size
        self._others = feed_order_service.other_feeds(self._session, self._feed)
        self._keeps_blanks = reading.keeps_blanks
        self._reader = RowReader(self._pipeline, keeps_blanks=reading.keeps_blanks)
        import_service.note(
            self._session,
            self.row.id,
            unknown_columns=list(self._pipeline.unknown),
            bytes=self._size,
            problem=None,
        )
        if not self.phase:
            self._is_known = feed_service.has_rows(self._session, self._feed.id)
            self._is_checked = self._is_known and not self._is_correction
            row_error_service.forget_failed_rows(self._session, self.row.id)
            self._sql.forget_seen()

    def steps(self) -> Iterator[None]:
        """Import the file; the caller commits, or shows progress, at each step. Raises FeedGuardError."""
        if self.is_atomic:
            self._spool = tempfile.TemporaryFile(prefix="wizamart-rows-")  # noqa: SIM115 - closed in close()
        if self._is_checked and self.phase != WRITE:
            yield from self._read(CHECK)
            self._guard()
            self._position = None
        if not self._is_checked or self.counts.changed:
            yield from self._read(WRITE)
        if not self.counts.rows:
            raise FeedNoRowsError
        if self._is_checked:
            yield from self._mark_lost()

    @property
    def must_discard(self) -> bool:
        """Whether what the steps wrote must be undone, before ``finish``: dry runs, and any error of all or nothing."""
        return self.row.is_dry_run or self.is_refused

    @property
    def is_refused(self) -> bool:
        """Whether bad rows keep everything out."""
        is_strict = self.row.policy == ErrorPolicy.ALL_OR_NOTHING
        return not self.row.is_dry_run and is_strict and self.counts.failed > 0

    def finish(self) -> dict[str, Any]:
        """Note the outcome, and the bad rows of an atomic run; the job's result."""
        if self._spool is not None:
            self._store_spooled(self._spool)
        self._sql.forget_seen()
        self._note_counts()
        import_service.note(self._session, self.row.id, findings=self._findings or None)
        feed_file_service.forget_prepared(self.row)
        if not self.must_discard:
            feed_service.note_imported(self._session, self.row, is_whole=not self._is_correction)
        done = asdict(self.counts)
        del done["changed"]
        return {"rows": self.counts.rows, **done}

    def close(self) -> None:
        """Let go of temporary files."""
        if self._spool is not None:
            self._spool.close()

    def _read(self, phase: str) -> Iterator[None]:
        if self.phase != phase:
            self.phase, self._position = phase, None
        rows = read_prepared(self._prepared, start=self._position)
        rows = map(row_error_service.restored, rows) if self._is_correction else rows
        import_part = self._check_part if phase == CHECK else self._write_part
        made = read_parts(rows, self._reader, are_new=not self._is_known)
        with ahead(made) as parts:
            for part in parts:
                if not self.is_atomic:
                    commit_lazily(self._session)
                import_part(part)
                self._position = part.end
                if not self.is_atomic:
                    self._note_counts()
                yield

    def _check_part(self, part: Part) -> None:
        """Count what is to be done, and note what cannot be imported."""
        changed = self._changed(part, is_first_look=True)
        self.counts.changed += len(changed)

    def _write_part(self, part: Part) -> None:
        lines = self._changed(part, is_first_look=not self._is_checked) if self._is_known else self._new(part)
        if lines:
            self._merge(part, lines)

    def _new(self, part: Part) -> list[bytes]:
        """The rows to import, as lines for COPY, of a feed that had none; all others are counted, and errors kept."""
        assert part.found
        taken = self._sql.taken(external_id for external_id, _ in part.keys.values())
        found = part.sort(taken) if taken else part.found
        self._count(part, found, unchanged=0)
        return found.lines

    def _changed(self, part: Part, *, is_first_look: bool) -> list[bytes]:
        """The rows to import, as lines for COPY. At the first look all others are counted, and errors kept."""
        fates = self._sql.fates(part.key_lines, is_first_look=is_first_look)
        found = Sorted([], part.without_id())
        excluded = []
        decided: dict[str, int] = {}  # ids whose first row is bad: a later one may be the first good one
        for fate in fates:
            external_id, row_hash = part.keys[fate.line]
            if fate.is_duplicate and decided.get(external_id, 0) >= 0:
                found.bad.append(part.refused(fate.line, RowErrorCode.DUPLICATE_ID))
                continue
            outcome = self._reader.read(part.raws[fate.line], row_hash)
            if isinstance(outcome, list):
                found.bad.append(self._reader.failed(part.raws[fate.line], outcome))
                decided[external_id] = -fate.line
                continue
            if external_id in decided:
                decided[external_id] = fate.line
            if outcome is None:
                excluded.append(external_id)
            else:
                found.lines.append(outcome)
        self._sql.decide(decided)
        self._sql.unsee(excluded)
        if is_first_look:
            found.excluded = len(excluded)
            self._count(part, found, unchanged=len(part.keys) - len(fates))
        return found.lines

    def _count(self, part: Part, found: Sorted, *, unchanged: int) -> None:
        self.counts.excluded += found.excluded
        self.counts.failed += len(found.bad)
        self.counts.unchanged += unchanged
        for name, filled in zip(self._pipeline.names, part.filled, strict=False):
            self._fill[name] = self._fill.get(name, 0) + filled
        self._keep_failed(found.bad)

    def _keep_failed(self, rows: Sequence[FailedRow]) -> None:
        if self._spool is not None:
            self._spool.writelines(orjson.dumps(tuple(row)) + b"\n" for row in rows)
        elif rows:
            row_error_service.store_failed_rows(self._session, self.row.id, rows)

    def _merge(self, part: Part, lines: list[bytes]) -> None:
        intake = catalog.open_intake(self._session, language=self._feed.language, more_columns=MORE_COLUMNS)
        copy_text(self._session, intake.table, LINE_COLUMNS, b"".join(lines))
        if self._others:
            self._sql.keep_others(intake, self._others)
        merged = catalog.merge_intake(self._session, intake, columns=self._pipeline.fields)
        if self._is_known or merged.created < len(lines):
            self._sql.keep_before(intake)
        self._sql.stage(intake, are_new=not self._is_known)
        self.counts.created += merged.created
        self.counts.updated += merged.updated
        self.counts.unchanged += merged.unchanged
        self._refuse(part, merged.over_limit)

    def _refuse(self, part: Part, lines: Sequence[int]) -> None:
        """Rows that the vendor's plan has no room for: they are tried again whenever the feed is read."""
        self.counts.failed += len(lines)
        self._keep_failed([part.refused(line, RowErrorCode.OVER_LIMIT) for line in lines])

    def _guard(self) -> None:
        now = {"rows": self.counts.rows + self.counts.changed, "column_fill": self._fill}
        keeps = self._keeps_blanks
        self._findings = import_service.check_losses(self._session, self.row, now, keeps_blanks=keeps)

    def _mark_lost(self) -> Iterator[None]:
        while True:
            found, alone = self._sql.take_lost()
            if not found:
                return
            self.counts.missing += found
            if self._feed.missing_rows == "out_of_stock" and alone:
                self._sql.keep_availability(catalog.sell_out(self._session, alone))
            if not self.is_atomic:
                self._note_counts()
            yield

    def _store_spooled(self, spool: IO[bytes]) -> None:
        spool.seek(0)
        while lines := list(islice(spool, _SPOOLED_ROWS)):
            rows = (FailedRow(*orjson.loads(line)) for line in lines)
            row_error_service.store_failed_rows(self._session, self.row.id, rows)

    def _note_counts(self) -> None:
        seconds = round(self._elapsed(), 3)
        import_service.note_counts(self._session, self.row.id, self.counts, self._fill, seconds)

    def _elapsed(self) -> float:
        return self._seconds + time.monotonic() - self._started

"""Imports as other modules start them and see them."""

from pathlib import Path
from uuid import UUID

from sqlalchemy.orm import Session

from app.modules.marketplace.contracts import ImportReport
from app.modules.marketplace.services.import_service import ImportRequest, get_import, start_import


def import_file(session: Session, path: Path, *, language: str) -> UUID:
    """Queue the import of a file into the vendor's first feed of the language; the import's id.

    The file is stored at once. Raises TooLargeError.
    """
    return start_import(session, ImportRequest(language, source_name=path.name, content=path)).id


def report_import(session: Session, import_id: UUID) -> ImportReport:
    """How an import of the vendor stands. Raises ImportNotFoundError."""
    row, job = get_import(session, import_id)
    return ImportReport(
        job.state if job else "forgotten",
        job.started_at if job else None,
        job.finished_at if job else None,
        row.rows,
        row.created,
        row.updated,
        row.unchanged,
        row.excluded,
        row.failed,
        row.problem["code"] if row.problem else None,
    )

"""A month's documents for the accountant: a journal as CSV, and everything in one archive."""

import csv
import io
from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from tempfile import TemporaryFile
from typing import Any, NamedTuple
from uuid import UUID
from zipfile import ZIP_DEFLATED, ZipFile

from babel.dates import format_skeleton
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.config import get_settings
from app.core.errors import NotFoundError
from app.core.i18n import locale_of
from app.core.ids import new_id, to_public
from app.core.storage import get_storage
from app.modules.orders.exceptions import DocumentNotFoundError
from app.modules.orders.models.document import Document, DocumentExport, DocumentTax
from app.modules.orders.services.document_files_service import file_of
from app.modules.tenancy.facade import record_audit
from app.tasks.dispatcher import dispatch
from app.tasks.models import Job

PREFIX = "dxp"
JOURNAL_COLUMNS = (
    *("issued_on", "supplied_on", "kind", "number", "corrects", "order", "customer", "vat_number", "country"),
    *("regime", "category", "rate", "net", "vat", "gross", "currency"),
)
_TASK = "app.modules.orders.tasks.documents.write_archive"
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_BOM = "\ufeff"
_BATCH = 100


class ExportWithJob(NamedTuple):
    """An archive and the record of its work."""

    row: DocumentExport
    job: Job | None


def month_name(language: str, month: date) -> str:
    """A month as people of this language write it."""
    return str(format_skeleton("yMMMM", month, locale=locale_of(language)))


def end_of(month: date) -> date:
    """The first day of the month after."""
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


def journal(session: Session, month: date) -> Iterator[str]:
    """Lines of CSV: for each document issued in the month one line per category and rate, credit notes negative.

    Amounts have a point and two decimals, days are ISO. The first line names the columns (JOURNAL_COLUMNS).
    """
    yield _BOM + journal_line(JOURNAL_COLUMNS)
    corrected = {row.id: row.number for row in _issued_in(session, month) if row.kind == "invoice"}
    for document in _issued_in(session, month):
        taxes = session.scalars(
            select(DocumentTax)
            .where(DocumentTax.document_id == document.id)
            .order_by(DocumentTax.tax_rate_bp)
        )
        sign = 1 if document.kind == "invoice" else -1
        of = document.corrects_id and (
            corrected.get(document.corrects_id) or _number(session, document.corrects_id)
        )
        for tax in taxes:
            net, vat = sign * tax.net_cents, sign * tax.vat_cents
            yield journal_line(
                [
                    f"{document.issued_on}",
                    f"{document.supplied_on}",
                    document.kind,
                    document.number or "",
                    of or "",
                    document.order_number,
                    document.buyer.get("name", ""),
                    document.buyer.get("vat_number", ""),
                    document.ship_country,
                    document.regime,
                    tax.tax_category,
                    _decimal(tax.tax_rate_bp),
                    _decimal(net),
                    _decimal(vat),
                    _decimal(net + vat),
                    document.currency,
                ]
            )


def _number(session: Session, document_id: UUID) -> str | None:
    return session.scalar(select(Document.number).where(Document.id == document_id))


def _issued_in(session: Session, month: date) -> Sequence[Document]:
    return session.scalars(
        select(Document)
        .where(Document.issued_on >= month, Document.issued_on < end_of(month))
        .order_by(Document.issued_on, Document.kind, Document.number)
    ).all()


def journal_line(cells: Sequence[str]) -> str:
    """A line of CSV whose texts no spreadsheet runs as formulas."""
    out = io.StringIO(newline="")
    # Amounts may begin with a minus; texts that would be formulas may not.
    safe = [f"'{cell}" if cell.startswith(_FORMULA) and not _is_number(cell) else cell for cell in cells]
    csv.writer(out, delimiter=";", lineterminator="\r\n").writerow(safe)
    return out.getvalue()


def _is_number(cell: str) -> bool:
    return cell.removeprefix("-").replace(".", "", 1).isdigit()


def _decimal(hundredths: int) -> str:
    return f"{Decimal(hundredths).scaleb(-2):.2f}"


def start_archive(session: Session, vendor_id: UUID, month: date, user_id: UUID | None) -> DocumentExport:
    """Queue the archive of a month in the caller's transaction."""
    row = DocumentExport(id=new_id(), vendor_id=vendor_id, month=month, created_by=user_id)
    session.add(row)
    session.flush()
    arguments = {"document_export_id": row.id}
    row.job_id = dispatch(session, _TASK, kwargs=arguments, vendor_id=vendor_id, created_by=user_id).id
    session.flush()
    target = to_public(PREFIX, row.id)
    record_audit(session, "orders.archive_asked", vendor_id=vendor_id, target=target, month=f"{month:%Y-%m}")
    return row


def write_archive(session: Session, export_id: UUID) -> Iterator[tuple[int, int]]:
    """Write the archive: the journal, and the PDF and UBL of each document. Yields how many of how many are done."""
    row = get_export(session, export_id).row
    documents = _issued_in(session, row.month)
    with TemporaryFile() as made:
        with ZipFile(made, "w", ZIP_DEFLATED) as archive:
            archive.writestr(f"journal-{row.month:%Y-%m}.csv", "".join(journal(session, row.month)))
            for done, document in enumerate(documents, start=1):
                archive.write(file_of(document, "pdf"), f"pdf/{document.number}.pdf")
                archive.write(file_of(document, "ubl"), f"ubl/{document.number}.xml")
                if done % _BATCH == 0:
                    yield done, len(documents)
        made.seek(0)
        key = f"orders/{row.vendor_id}/archives/{row.id}.zip"
        stored = get_storage(get_settings()).save(key, made)
    row.documents, row.storage_key, row.bytes = len(documents), stored.key, stored.bytes
    session.flush()
    yield len(documents), len(documents)


def get_export(session: Session, export_id: UUID) -> ExportWithJob:
    """One archive. Raises DocumentNotFoundError."""
    statement = select(DocumentExport, Job).outerjoin(Job, Job.id == DocumentExport.job_id)
    found = session.execute(statement.where(DocumentExport.id == export_id)).one_or_none()
    if found is None:
        raise DocumentNotFoundError
    return ExportWithJob(*found)


def select_exports() -> Any:
    """All archives."""
    return select(
        DocumentExport.id,
        DocumentExport.month,
        DocumentExport.documents,
        DocumentExport.bytes,
        DocumentExport.created_at,
        Job.state.label("state"),
    ).outerjoin(Job, Job.id == DocumentExport.job_id)


def has_file(row: DocumentExport) -> bool:
    """Whether the archive can be fetched."""
    if row.storage_key is None:
        return False
    try:
        get_storage(get_settings()).path(row.storage_key)
    except NotFoundError:
        return False
    return True

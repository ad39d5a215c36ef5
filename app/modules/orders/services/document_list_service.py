"""Documents as lists and pages show them."""

from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from app.core.ids import to_public
from app.modules.orders.exceptions import DocumentNotFoundError
from app.modules.orders.models.document import Document
from app.modules.tenancy.facade import record_audit
from app.tasks.models import Job

PREFIX = "doc"
# A draft that the rules refused is told apart from one that waits.
STATE = case((Document.failure.is_not(None), "refused"), else_=Document.status)
BUYER = func.coalesce(Document.buyer["name"].astext, "")


class DocumentWithJob(NamedTuple):
    """A document and the job that issues it."""

    row: Document
    job: Job | None


def select_documents() -> Any:
    """All documents, amounts of credit notes negative."""
    sign = case((Document.kind == "invoice", 1), else_=-1)
    return select(
        Document.id,
        Document.kind,
        STATE.label("state"),
        Document.number,
        Document.order_id,
        Document.order_number,
        Document.issued_on,
        Document.supplied_on,
        Document.due_on,
        Document.created_at,
        BUYER.label("buyer"),
        Document.regime,
        Document.ship_country,
        Document.currency,
        Document.version,
        (sign * Document.net_cents).label("net_cents"),
        (sign * Document.vat_cents).label("vat_cents"),
        (sign * Document.gross_cents).label("gross_cents"),
    )


def get_document(session: Session, document_id: UUID) -> DocumentWithJob:
    """One document. Raises DocumentNotFoundError."""
    statement = select(Document, Job).outerjoin(Job, Job.id == Document.job_id)
    found = session.execute(statement.where(Document.id == document_id)).one_or_none()
    if found is None:
        raise DocumentNotFoundError
    return DocumentWithJob(*found)


def list_of_order(session: Session, order_id: UUID) -> list[Document]:
    """The documents of an order, in the order they were made."""
    found = select(Document).where(Document.order_id == order_id).order_by(Document.id)
    return list(session.scalars(found))


def delete_draft(session: Session, document_id: UUID) -> None:
    """Throw a draft away. Raises DocumentNotFoundError; an issued document stays."""
    document = get_document(session, document_id).row
    if document.status == "issued":
        raise DocumentNotFoundError
    session.delete(document)
    session.flush()
    target = to_public(PREFIX, document_id)
    record_audit(session, "orders.draft_deleted", vendor_id=document.vendor_id, target=target)

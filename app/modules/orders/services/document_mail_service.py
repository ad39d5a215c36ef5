"""Issued documents by mail, to the buyer: at once where the vendor wants that, and whenever somebody asks."""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.i18n import format_money, translate
from app.core.mail import Attachment, Mail
from app.modules.orders.contracts import By
from app.modules.orders.enums import Source
from app.modules.orders.exceptions import DocumentNotFoundError
from app.modules.orders.models.document import Document
from app.modules.orders.services.document_draft_service import refuse
from app.modules.orders.services.document_files_service import file_of
from app.modules.orders.services.state_service import lock_order, note
from app.tasks.dispatcher import dispatch

_TASK = "app.modules.orders.tasks.documents.mail_document"


def ask_to_mail(session: Session, documents: Iterable[Document], user_id: UUID | None) -> int:
    """Have each document mailed by a job, where the buyer has an address; returns how many.

    Who is asked twice before the first mail has gone gets one.
    """
    chosen = [one for one in documents if one.status == "issued" and one.buyer.get("email")]
    for one in chosen:
        dispatch(
            session,
            _TASK,
            kwargs={"document_id": one.id},
            vendor_id=one.vendor_id,
            unique_key=f"orders:document_mail:{one.id}",
            created_by=user_id,
        )
    return len(chosen)


def mail_once_more(session: Session, document: Document, user_id: UUID | None) -> None:
    """Have an issued document mailed. Raises DocumentRefusedError where the buyer gave no address."""
    if not ask_to_mail(session, [document], user_id):
        raise refuse("no_email")


def write(session: Session, document_id: UUID) -> Mail:
    """The mail, in the document's language, with the PDF. Raises DocumentNotFoundError."""
    document = _issued(session, document_id)
    seller, language = document.seller, document.language
    params = {
        "kind": translate(language, f"orders.document_kinds.{document.kind}"),
        "number": document.number,
        "order": document.order_number,
        "seller": seller["name"],
        "amount": format_money(language, document.gross_cents, document.currency),
    }
    paper = Attachment(f"{document.number}.pdf", "application/pdf", file_of(document, "pdf").read_bytes())
    return Mail(
        document.buyer["email"],
        translate(language, "orders.document_mail.subject", **params),
        translate(language, "orders.document_mail.text", **params),
        headers={"Reply-To": seller["email"]} if seller.get("email") else {},
        attachments=(paper,),
    )


def note_sent(session: Session, document_id: UUID, user_id: UUID | None) -> None:
    """Write into the order's history that the buyer was sent the document."""
    document = _issued(session, document_id)
    by = By(Source.USER if user_id else Source.TASK, user_id)
    order = lock_order(session, document.order_id)
    note(session, order, "document_mailed", by, document_id=str(document.id), number=document.number)


def _issued(session: Session, document_id: UUID) -> Document:
    document = session.get(Document, document_id)
    if document is None or document.status != "issued":
        raise DocumentNotFoundError
    return document

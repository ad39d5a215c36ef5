"""Issuing documents: checked against the rules of EN 16931, numbered without gaps, printed and stored for good."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.core import clock
from app.core.config import get_settings
from app.core.ids import to_public
from app.core.storage import get_storage
from app.modules.orders.adapters import press
from app.modules.orders.models.document import Document, NumberSeries
from app.modules.orders.services.document_files_service import FORMS
from app.modules.orders.services.document_mail_service import ask_to_mail
from app.modules.orders.services.document_paper_service import Issue, draft_issue, paper_of
from app.modules.orders.services.invoice_settings_service import get_complete
from app.modules.tenancy.facade import record_audit
from app.tasks.dispatcher import dispatch

PREFIX = "doc"
MOST_AT_ONCE = 50
_ZONE = "Europe/Luxembourg"
_TASK = "app.modules.orders.tasks.documents.issue_documents"
_MARKS = {"invoice": "", "credit_note": "C"}


@dataclass(frozen=True, slots=True)
class Outcome:
    """How many documents were issued, and how many the rules refused (their ``failure`` says why)."""

    issued: int
    refused: int


def issue(session: Session, document_ids: Collection[UUID]) -> Outcome:
    """Issue drafts of the session's vendor, in the order they were made; what is issued already stays as it is.

    A draft that breaks a rule gets no number. Raises `press.PressError`.
    """
    drafts = session.scalars(
        select(Document)
        .where(Document.id.in_(document_ids), Document.status == "draft")
        .order_by(Document.created_at, Document.id)
        .with_for_update()
    ).all()
    if not drafts:
        return Outcome(0, 0)
    today = clock.today(_ZONE)
    broken = press.check([paper_of(session, draft, draft_issue(today)) for draft in drafts])
    for draft, rules in zip(drafts, broken, strict=True):
        draft.failure = "\n".join(rules) or None
    session.flush()
    passed = [draft for draft, rules in zip(drafts, broken, strict=True) if not rules]
    _issue(session, passed, today)
    return Outcome(len(passed), len(drafts) - len(passed))


def _issue(session: Session, drafts: Sequence[Document], today: date) -> None:
    if not drafts:
        return
    settings = get_complete(session, drafts[0].vendor_id)
    due = today + timedelta(days=settings.due_days)
    issues = [
        Issue(_take_number(session, draft, settings.prefix, today.year), today, due) for draft in drafts
    ]
    papers = [paper_of(session, draft, one) for draft, one in zip(drafts, issues, strict=True)]
    with press.printed(papers) as folder:
        for place, (draft, one) in enumerate(zip(drafts, issues, strict=True)):
            _keep(draft, one, {form: folder / f"{place}.{form}" for form in FORMS})
    session.flush()
    for draft in drafts:
        details: dict[str, Any] = {"number": draft.number, "kind": draft.kind}
        for target in (to_public(PREFIX, draft.id), to_public("ord", draft.order_id)):
            record_audit(
                session, "orders.document_issued", vendor_id=draft.vendor_id, target=target, **details
            )
    if settings.is_mailed:
        ask_to_mail(session, drafts, None)


def _take_number(session: Session, draft: Document, prefix: str, year: int) -> str:
    """The next number of the vendor's series of this kind and year; nobody else gets one until the transaction ends."""
    statement = (
        insert(NumberSeries)
        .values(vendor_id=draft.vendor_id, kind=draft.kind, year=year, last_number=1)
        .on_conflict_do_update(
            index_elements=["vendor_id", "kind", "year"],
            set_={"last_number": NumberSeries.last_number + 1},
        )
        .returning(NumberSeries.last_number)
    )
    return f"{prefix}{_MARKS[draft.kind]}{year}-{session.execute(statement).scalar_one():05d}"


def _keep(document: Document, one: Issue, files: dict[str, Path]) -> None:
    """Store the files and say all that only an issued document has, in one change."""
    storage = get_storage(get_settings())
    for form, file in files.items():
        key = f"orders/{document.vendor_id}/documents/{one.issued_on.year}/{document.id}.{form}"
        setattr(document, f"{form}_sha256", storage.save(key, file).sha256)
        setattr(document, f"{form}_key", key)
    document.status, document.failure = "issued", None
    document.number, document.issued_on, document.due_on = one.number, one.issued_on, one.due_on
    document.issued_at = clock.now()


def ask_to_issue(
    session: Session, vendor_id: UUID, documents: Sequence[Document], user_id: UUID | None
) -> None:
    """Have drafts issued by jobs of the session's vendor; each document names its job."""
    drafts = [document for document in documents if document.status == "draft"]
    for start in range(0, len(drafts), MOST_AT_ONCE):
        some = drafts[start : start + MOST_AT_ONCE]
        job = dispatch(
            session,
            _TASK,
            kwargs={"document_ids": ",".join(str(document.id) for document in some)},
            vendor_id=vendor_id,
            created_by=user_id,
        )
        for document in some:
            document.job_id = job.id
    session.flush()

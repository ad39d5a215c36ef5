"""Invoices and credit notes: the list, one of them, and what is done there."""

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from fastapi import Form, Response
from fastapi.responses import FileResponse
from sqlalchemy import or_
from sqlalchemy.orm import Session

from app.core.errors import AppError, NotFoundError
from app.core.ids import to_public
from app.modules.orders.exceptions import DocumentNotFoundError
from app.modules.orders.models.document import Document
from app.modules.orders.services import (
    document_draft_service,
    document_files_service,
    document_issue_service,
    document_list_service,
    document_mail_service,
)
from app.modules.orders.services.document_list_service import BUYER, PREFIX, STATE
from app.modules.orders.services.document_page_service import KINDS, TONES, document_blocks
from app.modules.pagekit.details import Action, Block, Detail, show_detail
from app.modules.pagekit.job_view import JobView
from app.modules.pagekit.list_page import mount_list
from app.modules.pagekit.lists import BulkAction, BulkOutcome, Column, Filter, Link, ListSpec, View
from app.modules.pages import PageContext
from app.modules.routing import AreaRouter, public_id

router = AreaRouter("vendor")

VIEW, ISSUE = "orders.documents.view", "orders.documents.issue"
_MEDIA = {"pdf": "application/pdf", "cii": "application/xml", "ubl": "application/xml"}


def _issue_many(session: Session, ids: Sequence[UUID]) -> BulkOutcome:
    drafts = [document_list_service.get_document(session, key).row for key in ids]
    open_ones = [draft for draft in drafts if draft.status == "draft"]
    if open_ones:
        document_issue_service.ask_to_issue(session, open_ones[0].vendor_id, open_ones, None)
    failed = {draft.id: "orders.documents.is_issued" for draft in drafts if draft.status == "issued"}
    return BulkOutcome(len(open_ones), failed)


mount_list(
    router,
    ListSpec(
        "orders.vendor.documents",
        "orders.documents",
        lambda _session, _language: document_list_service.select_documents(),
        Document.id,
        columns=(
            Column(
                "number",
                "orders.document_fields.number",
                "code",
                value=lambda row: row.number or "–",  # also what a row without one is called to those who cannot see
                sort=Document.number,
            ),
            Column("kind", "orders.document_fields.kind", text_prefix="orders.document_kinds"),
            Column("buyer", "orders.document_fields.buyer", sort=BUYER),
            Column("order_number", "orders.document_fields.order", "code", sort=Document.order_number),
            Column("gross_cents", "orders.document_fields.gross", "money", sort=Document.gross_cents),
            Column("vat_cents", "orders.document_fields.vat", "money", is_default=False),
            Column("net_cents", "orders.document_fields.net", "money", is_default=False),
            Column("state", "orders.document_fields.state", "badge", text_prefix="orders.document_states", tones=TONES),
            Column("issued_on", "orders.document_fields.issued_on", "date", sort=Document.issued_on),
            Column(
                "created_at",
                "orders.document_fields.created_at",
                "datetime",
                sort=Document.created_at,
                is_default=False,
            ),
            Column("regime", "orders.document_fields.regime", text_prefix="orders.regimes", is_default=False),
            Column("ship_country", "orders.document_fields.country", is_default=False),
        ),
        default_sort="-created_at",
        search=lambda words: or_(
            Document.number.icontains(words, autoescape=True),
            Document.order_number.icontains(words, autoescape=True),
            BUYER.icontains(words, autoescape=True),
        ),
        filters=(
            Filter(
                "kind",
                "orders.document_fields.kind",
                lambda chosen: Document.kind.in_(chosen),
                options=[(kind, f"orders.document_kinds.{kind}") for kind in KINDS],
            ),
            Filter(
                "state",
                "orders.document_fields.state",
                lambda chosen: STATE.in_(chosen),
                options=[(state, f"orders.document_states.{state}") for state in TONES],
            ),
            Filter("from", "orders.document_fields.from", lambda days: Document.issued_on >= days[0], "date_from"),
            Filter("until", "orders.document_fields.until", lambda days: Document.issued_on <= days[0], "date_to"),
        ),
        views=(
            View("drafts", "orders.documents.drafts", "state=draft&state=refused"),
            View("credit_notes", "orders.documents.credit_notes", "kind=credit_note"),
        ),
        bulk=(BulkAction("issue", "orders.documents.issue", ISSUE, _issue_many, "badge-check"),),
        actions=(
            Link("orders.document_pages.document_exports", "orders.vendor.document_exports", VIEW, "archive"),
            Link("orders.document_pages.oss_report", "orders.vendor.oss_report", VIEW, "globe"),
            Link("orders.document_pages.vat_rates", "orders.vendor.vat_rates", VIEW, "percent"),
            Link(
                "orders.document_pages.invoice_settings",
                "orders.vendor.invoice_settings",
                "orders.settings.edit",
                "settings",
            ),
        ),
        row_page="orders.vendor.document",
        row_id="document_id",
        prefix=PREFIX,
        icon="receipt",
        has_intro=True,
        is_in_palette=True,
    ),
)  # fmt: skip


@router.page("orders.vendor.document")
def document(ctx: PageContext, document_id: str) -> Response:
    """One document: what it charges, whom, and its files."""
    found, job = document_list_service.get_document(ctx.session, public_id(PREFIX, document_id))
    is_draft = found.status == "draft"
    view = JobView.of(job, ctx.t("orders.documents.issuing")) if job and is_draft else None
    is_active = view is not None and view.is_active
    state = "refused" if found.failure else found.status
    kind = ctx.t(f"orders.document_kinds.{found.kind}")
    blocks = document_blocks(ctx, found)
    if found.failure or view is not None:
        progress = {"view": view, "failure": found.failure}
        title = ctx.t("orders.documents.issuing")
        blocks.append(
            Block("progress", title, template="orders/documents/progress.html", context=progress, order=5)
        )
    return show_detail(
        ctx,
        Detail(
            found.id,
            f"{kind} {found.number}" if found.number else ctx.t("orders.documents.draft_of", kind=kind),
            blocks,
            subtitle=ctx.t("orders.documents.of_order", number=found.order_number),
            back=(ctx.url("orders.vendor.documents"), ctx.t("orders.document_pages.documents")),
            badges=[(TONES[state], ctx.t(f"orders.document_states.{state}"))],
            actions=_actions(ctx, found, document_id, is_active=is_active),
            more=_more(ctx, found, document_id),
            target=document_id,
            refresh=is_active,
            raw=found,
        ),
    )


def _actions(ctx: PageContext, found: Document, document_id: str, *, is_active: bool) -> list[Action]:
    url = ctx.url("orders.vendor.document", document_id=document_id)
    if found.status == "issued":
        return [Action(ctx.t("orders.documents.pdf"), f"{url}/pdf", "file-down", "primary", is_post=False)]
    if ISSUE not in ctx.who.permissions or is_active:
        return []
    confirm = ctx.t("orders.documents.issue_confirm")
    return [
        Action(ctx.t("orders.documents.issue"), f"{url}/issue", "badge-check", "primary", confirm=confirm)
    ]


def _more(ctx: PageContext, found: Document, document_id: str) -> list[Action]:
    url = ctx.url("orders.vendor.document", document_id=document_id)
    if found.status == "issued":
        return [
            Action(ctx.t(f"orders.documents.{form}"), f"{url}/{form}", "braces", is_post=False)
            for form in ("ubl", "cii")
        ] + _mail(ctx, found, url)
    if ISSUE not in ctx.who.permissions:
        return []
    return [Action(ctx.t("orders.documents.delete_draft"), f"{url}/delete", "trash-2", "danger")]


def _mail(ctx: PageContext, found: Document, url: str) -> list[Action]:
    if ISSUE not in ctx.who.permissions or not found.buyer.get("email"):
        return []
    confirm = ctx.t("orders.documents.mail_confirm", address=found.buyer["email"])
    return [Action(ctx.t("orders.documents.mail"), f"{url}/mail", "send", confirm=confirm)]


@router.action("/invoices/{document_id}/mail", permission=ISSUE)
def mail(ctx: PageContext, document_id: str) -> Response:
    """Send an issued document to the buyer."""
    found = document_list_service.get_document(ctx.session, public_id(PREFIX, document_id)).row
    document_mail_service.mail_once_more(ctx.session, found, ctx.who.user_id)
    ctx.flash("success", "orders.documents.mail_asked")
    return ctx.redirect("orders.vendor.document", document_id=document_id)


@router.action("/invoices/{document_id}/issue", permission=ISSUE)
def issue(ctx: PageContext, document_id: str) -> Response:
    """Have a draft checked, numbered and printed."""
    found = document_list_service.get_document(ctx.session, public_id(PREFIX, document_id)).row
    document_issue_service.ask_to_issue(ctx.session, ctx.vendor.id, [found], ctx.who.user_id)
    ctx.flash("success", "orders.documents.asked")
    return ctx.redirect("orders.vendor.document", document_id=document_id)


@router.action("/invoices/{document_id}/delete", permission=ISSUE)
def delete(ctx: PageContext, document_id: str) -> Response:
    """Throw a draft away."""
    document_list_service.delete_draft(ctx.session, public_id(PREFIX, document_id))
    ctx.flash("success", "orders.documents.deleted")
    return ctx.redirect("orders.vendor.documents")


@router.action("/invoices/{document_id}/pdf", permission=VIEW, method="GET")
def download_pdf(ctx: PageContext, document_id: str) -> Response:
    """The PDF of an issued document, with the invoice as data inside."""
    return _file(ctx, document_id, "pdf")


@router.action("/invoices/{document_id}/ubl", permission=VIEW, method="GET")
def download_ubl(ctx: PageContext, document_id: str) -> Response:
    """An issued document as Peppol UBL."""
    return _file(ctx, document_id, "ubl")


@router.action("/invoices/{document_id}/cii", permission=VIEW, method="GET")
def download_cii(ctx: PageContext, document_id: str) -> Response:
    """An issued document as CII."""
    return _file(ctx, document_id, "cii")


def _file(ctx: PageContext, document_id: str, form: str) -> Response:
    found = document_list_service.get_document(ctx.session, public_id(PREFIX, document_id)).row
    if found.status != "issued":
        ctx.flash("info", "orders.documents.not_issued")
        return ctx.redirect("orders.vendor.document", document_id=document_id)
    path = document_files_service.file_of(found, form)
    ending = "pdf" if form == "pdf" else f"{form}.xml"
    return ctx.finish(FileResponse(path, media_type=_MEDIA[form], filename=f"{found.number}.{ending}"))


@router.action("/orders/{order_id}/documents", permission=ISSUE)
def create(
    ctx: PageContext,
    order_id: str,
    kind: Annotated[str, Form()] = "invoice",
    refund_id: Annotated[str, Form()] = "",
) -> Response:
    """Draft an order's invoice, the credit note of a refund, or one for what was cancelled since."""
    key = public_id("ord", order_id)
    try:
        made = _make(ctx, key, kind, refund_id)
    except NotFoundError:
        raise
    except AppError as error:
        ctx.flash("error", error.message_key, **error.params)
        return ctx.redirect("orders.vendor.order", order_id=order_id)
    return ctx.redirect("orders.vendor.document", document_id=to_public(PREFIX, made.id))


def _make(ctx: PageContext, order_id: UUID, kind: str, refund_id: str) -> Document:
    if kind == "invoice":
        return document_draft_service.draft_invoice(ctx.session, order_id)
    if kind == "credit_note":
        return document_draft_service.draft_credit_note(ctx.session, public_id("ref", refund_id))
    if kind == "correction":
        return document_draft_service.draft_correction(
            ctx.session, order_id, ctx.t("orders.documents.cancelled")
        )
    raise DocumentNotFoundError

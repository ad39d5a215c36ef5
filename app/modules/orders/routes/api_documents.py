"""Documents in the API."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Query

from app.core.errors import FieldError, ValidationFailedError
from app.core.ids import to_public
from app.modules.api import ApiContext, ApiRouter, Page, key_of
from app.modules.api.answers import shown
from app.modules.api.pages import read_spec
from app.modules.orders.models.document import Document
from app.modules.orders.schemas.documents import (
    DocumentDetails,
    DocumentItem,
    DocumentQuery,
    DocumentTaxItem,
    NewDocument,
)
from app.modules.orders.services import document_draft_service, document_issue_service, document_list_service
from app.modules.orders.services.document_list_service import PREFIX, STATE
from app.modules.orders.services.document_paper_service import read
from app.modules.pagekit.lists import Column, Filter, ListSpec

router = ApiRouter()

_VIEW, _ISSUE = "orders.documents.view", "orders.documents.issue"
_LIST = ListSpec(
    "orders.vendor.documents",
    "orders.documents",
    lambda _session, _language: document_list_service.select_documents(),
    Document.id,
    columns=(Column("created_at", "orders.document_fields.created_at", "datetime", sort=Document.id),),
    default_sort="-created_at",
    filters=(
        Filter("kind", "orders.document_fields.kind", lambda chosen: Document.kind.in_(chosen)),
        Filter("state", "orders.document_fields.state", lambda chosen: STATE.in_(chosen)),
    ),
)


def _item(row: Any) -> DocumentItem:
    return shown(DocumentItem, row, PREFIX, order_id=to_public("ord", row.order_id))


def _details(ctx: ApiContext, document: Document) -> DocumentDetails:
    sign = 1 if document.kind == "invoice" else -1
    taxes = [
        DocumentTaxItem(
            tax_category=tax.tax_category,
            tax_rate_bp=tax.tax_rate_bp,
            net_cents=sign * tax.net_cents,
            vat_cents=sign * tax.vat_cents,
        )
        for tax in read(ctx.session, document).taxes
    ]
    amounts: Mapping[str, Any] = {
        name: sign * getattr(document, name) for name in ("net_cents", "vat_cents", "gross_cents")
    }
    return shown(
        DocumentDetails,
        document,
        PREFIX,
        state="refused" if document.failure else document.status,
        order_id=to_public("ord", document.order_id),
        corrects_id=to_public(PREFIX, document.corrects_id) if document.corrects_id else None,
        taxes=taxes,
        **amounts,
    )


@router.vendor("GET", "/documents", permission=_VIEW)
def documents_list(ctx: ApiContext, query: Annotated[DocumentQuery, Query()]) -> Page[DocumentItem]:
    """List invoices and credit notes."""
    return read_spec(ctx, _LIST, query, _item)


@router.vendor("GET", "/documents/{document_id}", permission=_VIEW)
def documents_get(ctx: ApiContext, document_id: str) -> DocumentDetails:
    """Get a document with its sums by rate."""
    return _details(ctx, document_list_service.get_document(ctx.session, key_of(PREFIX, document_id)).row)


@router.vendor("POST", "/documents", permission=_ISSUE, status=201, needs_key=True)
def documents_create(ctx: ApiContext, wanted: NewDocument) -> DocumentDetails:
    """Draft the invoice of an order, or the credit note of a refund.

    Asking again gives the draft anew, or the document that is issued.
    """
    if (wanted.order_id is None) == (wanted.refund_id is None):
        error = FieldError("order_id", "required", "errors.orders.document_of_one", {})
        raise ValidationFailedError(errors=[error])
    if wanted.order_id is not None:
        document = document_draft_service.draft_invoice(ctx.session, key_of("ord", wanted.order_id))
    else:
        document = document_draft_service.draft_credit_note(
            ctx.session, key_of("ref", wanted.refund_id or "")
        )
    return _details(ctx, document)


@router.vendor("POST", "/documents/{document_id}/issue", permission=_ISSUE, status=202)
def documents_issue(ctx: ApiContext, document_id: str) -> DocumentDetails:
    """Have a draft checked against EN 16931, numbered, printed and stored.

    The answer comes at once; the document's state says when it is done.
    """
    document = document_list_service.get_document(ctx.session, key_of(PREFIX, document_id)).row
    document_issue_service.ask_to_issue(ctx.session, ctx.vendor.id, [document], ctx.principal.user_id)
    return _details(ctx, document)

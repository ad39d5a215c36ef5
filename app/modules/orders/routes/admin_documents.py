"""Invoices and credit notes of all vendors, for the operator to look at."""

from typing import Any

from fastapi import Response
from sqlalchemy import ColumnElement, Select, or_

from app.modules.orders.models.document import Document
from app.modules.orders.services import document_list_service
from app.modules.orders.services.document_list_service import PREFIX, STATE
from app.modules.orders.services.document_page_service import KINDS, TONES, document_blocks
from app.modules.pagekit.details import Detail, show_detail
from app.modules.pagekit.list_page import mount_list
from app.modules.pagekit.lists import Column, Filter, ListSpec, View
from app.modules.pages import PageContext
from app.modules.routing import AreaRouter, public_id
from app.modules.tenancy.facade import find_vendor, vendor_names

router = AreaRouter("admin")
_F = "orders.document_fields"
_VENDORS = vendor_names()


def _documents(*_: object) -> Select[Any]:
    found: Select[Any] = document_list_service.select_documents()
    return found.add_columns(_VENDORS.c.name.label("vendor_name")).join(
        _VENDORS, _VENDORS.c.id == Document.vendor_id
    )


def _matching(words: str) -> ColumnElement[bool]:
    return or_(
        Document.number.icontains(words, autoescape=True),
        Document.order_number.icontains(words, autoescape=True),
        _VENDORS.c.name.icontains(words, autoescape=True),
        _VENDORS.c.code.icontains(words, autoescape=True),
    )


mount_list(
    router,
    ListSpec(
        "orders.admin.documents",
        "orders.documents",
        _documents,
        Document.id,
        columns=(
            Column(
                "number", f"{_F}.number", "code", value=lambda row: row.number or "–", sort=Document.number
            ),
            Column("vendor_name", "orders.fields.vendor", sort=_VENDORS.c.name, is_wide=True),
            Column("kind", f"{_F}.kind", text_prefix="orders.document_kinds"),
            Column("order_number", f"{_F}.order", "code"),
            Column("gross_cents", f"{_F}.gross", "money", sort=Document.gross_cents),
            Column("vat_cents", f"{_F}.vat", "money", is_default=False),
            Column("regime", f"{_F}.regime", text_prefix="orders.regimes"),
            Column("state", f"{_F}.state", "badge", text_prefix="orders.document_states", tones=TONES),
            Column("issued_on", f"{_F}.issued_on", "date", sort=Document.issued_on),
            Column("created_at", f"{_F}.created_at", "datetime", sort=Document.created_at, is_default=False),
        ),
        default_sort="-created_at",
        search=_matching,
        filters=(
            Filter(
                "kind",
                f"{_F}.kind",
                lambda chosen: Document.kind.in_(chosen),
                options=[(kind, f"orders.document_kinds.{kind}") for kind in KINDS],
            ),
            Filter(
                "state",
                f"{_F}.state",
                lambda chosen: STATE.in_(chosen),
                options=[(state, f"orders.document_states.{state}") for state in TONES],
            ),
            Filter("from", f"{_F}.from", lambda days: Document.issued_on >= days[0], "date_from"),
            Filter("until", f"{_F}.until", lambda days: Document.issued_on <= days[0], "date_to"),
        ),
        views=(View("refused", "orders.document_states.refused", "state=refused"),),
        row_page="orders.admin.document",
        row_id="document_id",
        prefix=PREFIX,
        icon="receipt",
    ),
)


@router.page("orders.admin.document")
def document(ctx: PageContext, document_id: str) -> Response:
    """One document as its vendor sees it, to look at only."""
    found, _ = document_list_service.get_document(ctx.session, public_id(PREFIX, document_id))
    vendor = find_vendor(vendor_id=found.vendor_id)
    state = "refused" if found.failure else found.status
    kind = ctx.t(f"orders.document_kinds.{found.kind}")
    return show_detail(
        ctx,
        Detail(
            found.id,
            f"{kind} {found.number}" if found.number else ctx.t("orders.documents.draft_of", kind=kind),
            document_blocks(ctx, found),
            subtitle=vendor.name if vendor else None,
            back=(ctx.url("orders.admin.documents"), ctx.t("orders.document_pages.documents")),
            badges=[(TONES[state], ctx.t(f"orders.document_states.{state}"))],
            target=document_id,
            notice=("warning", found.failure) if found.failure else None,
            raw=found,
        ),
    )

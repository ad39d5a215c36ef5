"""The documents of an order, as a block of its page."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.core.i18n import format_money
from app.core.ids import to_public
from app.modules.orders.enums import OrderStatus
from app.modules.orders.models.document import Document
from app.modules.orders.models.order import Order
from app.modules.orders.models.refund import Refund
from app.modules.orders.services import document_list_service, home_parts_service, invoice_settings_service
from app.modules.pagekit.details import Block
from app.modules.pages import PageContext

_TONES = {"draft": "neutral", "refused": "danger", "issued": "success"}


def blocks(ctx: PageContext, page_id: str, record_id: UUID) -> Sequence[Block]:
    """On an order's page its documents; on others what orders show there."""
    if page_id != "orders.vendor.order" or "orders.documents.view" not in ctx.who.permissions:
        return home_parts_service.blocks(ctx, page_id, record_id)
    order = ctx.session.get(Order, record_id)
    if order is None:
        return ()
    found = document_list_service.list_of_order(ctx.session, record_id)
    context = {
        "rows": [_row(ctx, document) for document in found],
        "acts": _acts(ctx, order, found),
        "url": f"{ctx.url('orders.vendor.order', order_id=to_public('ord', record_id))}/documents",
        "note": _note(ctx, order),
    }
    title = ctx.t("orders.document_pages.documents")
    own = Block(
        "documents",
        title,
        template="orders/documents/of_order.html",
        context=context,
        column="side",
        order=40,
    )
    return (*home_parts_service.blocks(ctx, page_id, record_id), own)


def _row(ctx: PageContext, document: Document) -> dict[str, Any]:
    state = "refused" if document.failure else document.status
    kind = ctx.t(f"orders.document_kinds.{document.kind}")
    sign = 1 if document.kind == "invoice" else -1
    return {
        "label": f"{kind} {document.number or ''}".strip(),
        "url": ctx.url("orders.vendor.document", document_id=to_public("doc", document.id)),
        "state": ctx.t(f"orders.document_states.{state}"),
        "tone": _TONES[state],
        "amount": format_money(ctx.language, sign * document.gross_cents, document.currency),
    }


def _acts(ctx: PageContext, order: Order, found: Sequence[Document]) -> list[tuple[str, dict[str, str]]]:
    """What can be made now: label and fields of each button."""
    if "orders.documents.issue" not in ctx.who.permissions or _note(ctx, order):
        return []
    invoice = next((one for one in found if one.kind == "invoice"), None)
    if invoice is None:
        return [(ctx.t("orders.documents.make_invoice"), {"kind": "invoice"})]
    if invoice.status != "issued":
        return []
    noted = {one.refund_id for one in found}
    refunds = ctx.session.scalars(select(Refund).where(Refund.order_id == order.id).order_by(Refund.id))
    acts = [
        (
            ctx.t("orders.documents.make_credit_note", number=refund.number),
            {"kind": "credit_note", "refund_id": to_public("ref", refund.id)},
        )
        for refund in refunds
        if refund.id not in noted
    ]
    if order.cancelled_cents and not any(
        one.kind == "credit_note" and one.refund_id is None for one in found
    ):
        acts.append((ctx.t("orders.documents.make_correction"), {"kind": "correction"}))
    return acts


def _note(ctx: PageContext, order: Order) -> str:
    """Why there is nothing to make."""
    if order.status == OrderStatus.PENDING:
        return ctx.t("orders.documents.after_confirming")
    settings = invoice_settings_service.find_settings(ctx.session, order.vendor_id)
    return ctx.t("orders.documents.settings_missing") if invoice_settings_service.missing(settings) else ""

"""Writing down what a document will say: invoices from orders, credit notes from refunds and cancellations."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from app.core import clock
from app.core.i18n import LANGUAGES, translate
from app.core.ids import new_id
from app.core.money import vat_of_gross
from app.modules.orders.enums import OrderStatus
from app.modules.orders.exceptions import DocumentRefusedError, OrderNotFoundError
from app.modules.orders.models.document import Document, DocumentLine, DocumentTax
from app.modules.orders.models.order import Order, OrderLine
from app.modules.orders.models.refund import Refund, RefundLine
from app.modules.orders.models.tax import InvoiceSettings
from app.modules.orders.services import invoice_settings_service
from app.modules.orders.services.document_paper_service import country_name
from app.modules.orders.services.line_amounts import charged
from app.modules.orders.services.oss_total_service import ZONE
from app.modules.orders.services.tax_service import Regime, find_vat_number

SIMPLIFIED_CENTS = 10_000
"""Up to this gross amount an invoice need not name the buyer."""
_AT_HOME = (Regime.DOMESTIC, Regime.ORIGIN, Regime.EXEMPT)


@dataclass(frozen=True, slots=True)
class _Part:
    """So many of an order's line, for so much."""

    line: OrderLine
    quantity: int
    gross_cents: int
    vat_cents: int


def refuse(reason: str, **params: Any) -> DocumentRefusedError:
    """The error that says why there can be no document."""
    return DocumentRefusedError(reason, message_key=f"errors.orders.document_{reason}", **params)


def draft_invoice(session: Session, order_id: UUID) -> Document:
    """The invoice of an order: the issued one, else a draft of what the order charges now.

    Raises OrderNotFoundError, and DocumentRefusedError for an order that is not confirmed, was cancelled, or charges
    nothing.
    """
    order = _order(session, order_id)
    found = find_invoice(session, order_id)
    if found is not None and found.status == "issued":
        return found
    if order.status in (OrderStatus.PENDING, OrderStatus.CANCELLED):
        raise refuse("order_not_confirmed")
    parts = [_Part(line, *charged(line)) for line in _lines(session, order_id)]
    document = _document(session, order, "invoice", document_id=_discard(session, found))
    document.paid_cents = sum(part.gross_cents for part in parts) if order.paid_at else 0
    return _write(session, document, parts)


def draft_credit_note(session: Session, refund_id: UUID) -> Document:
    """The credit note of a refund: the issued one, else a draft.

    Raises DocumentRefusedError when there is no such refund, or its order's invoice is not issued.
    """
    refund = session.get(Refund, refund_id)
    if refund is None:
        raise refuse("no_refund")
    found = session.scalar(select(Document).where(Document.refund_id == refund_id))
    if found is not None and found.status == "issued":
        return found
    order = _order(session, refund.order_id)
    lines = {line.id: line for line in _lines(session, order.id)}
    rows = session.scalars(select(RefundLine).where(RefundLine.refund_id == refund_id))
    parts = [_Part(lines[row.line_id], row.quantity, row.gross_cents, row.vat_cents) for row in rows]
    document = _credit_note(session, order, document_id=_discard(session, found))
    document.refund_id, document.reason = refund_id, refund.reason
    return _write(session, document, sorted(parts, key=lambda part: part.line.position))


def draft_correction(session: Session, order_id: UUID, reason: str) -> Document:
    """A credit note for what was cancelled of an order after its invoice was issued.

    Raises DocumentRefusedError when nothing was, or the invoice is not issued.
    """
    order = _order(session, order_id)
    document = _credit_note(session, order)
    balances = _balances(session, order_id)
    parts = [_over(line, *balances.get(line.id, (0, 0, 0))) for line in _lines(session, order_id)]
    document.reason = reason
    return _write(session, document, [part for part in parts if part.gross_cents > 0])


def find_invoice(session: Session, order_id: UUID) -> Document | None:
    """The order's invoice, issued or not."""
    return session.scalar(select(Document).where(Document.order_id == order_id, Document.kind == "invoice"))


def _order(session: Session, order_id: UUID) -> Order:
    order = session.get(Order, order_id)
    if order is None:
        raise OrderNotFoundError
    return order


def _lines(session: Session, order_id: UUID) -> Sequence[OrderLine]:
    return session.scalars(
        select(OrderLine).where(OrderLine.order_id == order_id).order_by(OrderLine.position)
    ).all()


def _balances(session: Session, order_id: UUID) -> dict[UUID, tuple[int, int, int]]:
    """Quantity, gross and VAT that the invoice charges for each line, less what was corrected since; refunds aside."""
    sign = case((Document.kind == "invoice", 1), else_=-1)
    amounts = (DocumentLine.quantity, DocumentLine.gross_cents, DocumentLine.vat_cents)
    rows = session.execute(
        select(DocumentLine.order_line_id, *(func.sum(sign * one) for one in amounts))
        .join(Document, Document.id == DocumentLine.document_id)
        .where(Document.order_id == order_id, Document.refund_id.is_(None))
        .group_by(DocumentLine.order_line_id)
    )
    return {key: (int(quantity), int(gross), int(vat)) for key, quantity, gross, vat in rows}


def _over(line: OrderLine, quantity: int, gross: int, vat: int) -> _Part:
    """What documents charge for a line beyond what the order does; what was refunded has notes of its own."""
    due_quantity, due_gross, _ = charged(line)
    due_gross = max(due_gross, line.refunded_cents)
    due_vat = vat_of_gross(due_gross, line.tax_rate_bp)
    return _Part(line, max(quantity - due_quantity, 0), gross - due_gross, vat - due_vat)


def _discard(session: Session, draft: Document | None) -> UUID:
    """Take a draft away, to write it anew under its id."""
    if draft is None:
        return new_id()
    session.delete(draft)
    session.flush()
    return draft.id


def _credit_note(session: Session, order: Order, document_id: UUID | None = None) -> Document:
    invoice = find_invoice(session, order.id)
    if invoice is None or invoice.status != "issued":
        raise refuse("no_invoice")
    document = _document(session, order, "credit_note", document_id or new_id())
    document.corrects_id, document.buyer, document.language = invoice.id, invoice.buyer, invoice.language
    return document


def _document(session: Session, order: Order, kind: str, document_id: UUID) -> Document:
    settings = invoice_settings_service.get_complete(session, order.vendor_id)
    language = order.buyer.get("language") or ""
    language = language if language in LANGUAGES else "fr"
    return Document(
        id=document_id,
        vendor_id=order.vendor_id,
        kind=kind,
        order_id=order.id,
        order_number=order.number,
        supplied_on=_supplied_on(order),
        language=language,
        currency=order.currency,
        seller=invoice_settings_service.seller_of(settings),
        buyer=_buyer(order, settings),
        regime=order.regime,
        ship_country=order.ship_country or settings.country,
        is_simplified=False,
        mentions=[],
        footer=settings.footers.get(language) or None,
    )


def _supplied_on(order: Order) -> date:
    moment = order.shipped_at or clock.now()
    return moment.astimezone(ZONE).date()


def _buyer(order: Order, settings: InvoiceSettings) -> dict[str, Any]:
    """Who it is made out to: the billing address, else the delivery's, with the buyer's VAT number."""
    address = order.billing_address or order.shipping_address or {}
    who = order.buyer
    name = " ".join(filter(None, [who.get("first_name"), who.get("last_name")]))
    company = who.get("company_name") or address.get("company")
    found = {
        "name": company or name or address.get("name"),
        "contact": name if company else None,
        "email": who.get("email"),
        "vat_number": find_vat_number(who.get("vat_number")),
        "country": address.get("country") or order.ship_country or settings.country,
        **{part: address.get(part) for part in ("line1", "line2", "postcode", "city")},
    }
    return {key: value for key, value in found.items() if value}


def _write(session: Session, document: Document, parts: Sequence[_Part]) -> Document:
    """Store the document with its lines and sums."""
    parts = [part for part in parts if part.gross_cents > 0 or part.quantity > 0]
    if not parts:
        raise refuse("nothing_to_charge")
    lines = [_line(document, place, part) for place, part in enumerate(parts, start=1)]
    document.gross_cents = sum(line.gross_cents for line in lines)
    document.net_cents = sum(line.net_cents for line in lines)
    document.vat_cents = sum(line.vat_cents for line in lines)
    is_named = {"name", "line1", "city"} <= document.buyer.keys()
    document.is_simplified = (
        document.gross_cents <= SIMPLIFIED_CENTS and document.regime in _AT_HOME and not is_named
    )
    if not is_named and not document.is_simplified:
        raise refuse("buyer_address")
    document.mentions = _mentions(document, {line.tax_category for line in lines})
    session.add(document)
    session.flush()
    session.add_all([*lines, *_taxes(document, lines)])
    session.flush()
    return document


def _line(document: Document, place: int, part: _Part) -> DocumentLine:
    line = part.line
    quantity = part.quantity or 1  # an allowance: money back, the goods stay
    is_charge = document.kind == "invoice"
    unit = line.unit_price_cents if is_charge else part.gross_cents // quantity
    return DocumentLine(
        vendor_id=document.vendor_id,
        document_id=document.id,
        position=place,
        order_line_id=line.id,
        title=line.title,
        sku=line.sku,
        gtin=line.gtin,
        quantity=quantity,
        unit_price_cents=unit,
        discount_cents=quantity * unit - part.gross_cents if is_charge else 0,
        gross_cents=part.gross_cents,
        net_cents=part.gross_cents - part.vat_cents,
        vat_cents=part.vat_cents,
        tax_rate_bp=line.tax_rate_bp,
        tax_category=line.tax_category,
    )


def _taxes(document: Document, lines: Iterable[DocumentLine]) -> list[DocumentTax]:
    sums: dict[tuple[str, int], DocumentTax] = {}
    for line in lines:
        key = line.tax_category, line.tax_rate_bp
        tax = sums.setdefault(
            key,
            DocumentTax(
                vendor_id=document.vendor_id,
                document_id=document.id,
                tax_category=line.tax_category,
                tax_rate_bp=line.tax_rate_bp,
                net_cents=0,
                vat_cents=0,
            ),
        )
        tax.net_cents += line.net_cents
        tax.vat_cents += line.vat_cents
    return list(sums.values())


def _mentions(document: Document, categories: set[str]) -> list[str]:
    """The sentences that the law asks for, in the document's language."""
    keys = [f"orders.mentions.{category}" for category in ("K", "AE", "G", "E") if category in categories]
    if document.regime == Regime.OSS:
        keys.append("orders.mentions.oss")
    if document.is_simplified:
        keys.append("orders.mentions.simplified")
    state = country_name(document.language, document.ship_country)
    return [translate(document.language, key, state=state) for key in keys]

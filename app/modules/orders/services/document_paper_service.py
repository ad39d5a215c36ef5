"""A document as the press prints it: its data, and every text and amount in the document's language."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core import clock
from app.core.i18n import format_date, format_money, format_number, locale_of, translate
from app.core.money import vat_of_gross
from app.modules.catalog.contracts import display_gtin
from app.modules.orders.models.document import Document, DocumentLine, DocumentTax
from app.modules.orders.models.order import Order
from app.modules.orders.services.invoice_settings_service import find_settings

_COPIED = (
    *("kind", "language", "currency", "order_number", "mentions", "footer", "reason", "is_simplified"),
    *("net_cents", "vat_cents", "gross_cents", "paid_cents"),
)
_LINE = (
    *("position", "title", "sku", "quantity", "unit_price_cents", "discount_cents"),
    *("gross_cents", "net_cents", "vat_cents", "tax_rate_bp", "tax_category"),
)
_TAX = ("tax_category", "tax_rate_bp", "net_cents", "vat_cents")
_DRAFT = "0"
_PERCENT = Decimal(100)


@dataclass(frozen=True, slots=True)
class Issue:
    """What a document gets when it is issued."""

    number: str
    issued_on: date
    due_on: date


@dataclass(frozen=True, slots=True)
class Written:
    """A document with its parts."""

    document: Document
    lines: Sequence[DocumentLine]
    taxes: Sequence[DocumentTax]
    corrected: Document | None
    order: Order

    @property
    def totals(self) -> list[tuple[str, int, bool]]:
        """Message key, amount and whether it stands out, of each sum."""
        document = self.document
        sums = [
            ("orders.paper.net", document.net_cents, False),
            ("orders.paper.vat", document.vat_cents, False),
            ("orders.paper.gross", document.gross_cents, True),
        ]
        if document.paid_cents:
            sums += [
                ("orders.paper.paid", document.paid_cents, False),
                ("orders.paper.due", document.gross_cents - document.paid_cents, True),
            ]
        return sums


def read(session: Session, document: Document) -> Written:
    """A document with what belongs to it."""
    of_document = DocumentLine.document_id == document.id
    lines = session.scalars(select(DocumentLine).where(of_document).order_by(DocumentLine.position)).all()
    taxes = session.scalars(
        select(DocumentTax)
        .where(DocumentTax.document_id == document.id)
        .order_by(DocumentTax.tax_rate_bp.desc(), DocumentTax.tax_category)
    ).all()
    corrected = session.get(Document, document.corrects_id) if document.corrects_id else None
    order = session.get(Order, document.order_id)
    assert order is not None
    return Written(document, lines, taxes, corrected, order)


def paper_of(session: Session, document: Document, issue: Issue) -> dict[str, Any]:
    """All that the press needs, as JSON has it."""
    written = read(session, document)
    corrected = written.corrected
    paper: dict[str, Any] = {name: getattr(document, name) for name in _COPIED}
    paper |= {
        "number": issue.number,
        "issued_on": issue.issued_on.isoformat(),
        "due_on": issue.due_on.isoformat(),
        "supplied_on": document.supplied_on.isoformat(),
        "timestamp": int(clock.now().timestamp()),
        "seller": _seller(document),
        "buyer": {"name": _text(document, "orders.paper.consumer"), **document.buyer},
        "ship_to": {**(written.order.shipping_address or {}), "country": document.ship_country},
        "corrects": None,
        "lines": [_data(line) for line in written.lines],
        "taxes": [{name: getattr(tax, name) for name in _TAX} for tax in written.taxes],
    }
    if corrected is not None and corrected.issued_on is not None:
        paper["corrects"] = {"number": corrected.number, "issued_on": corrected.issued_on.isoformat()}
    paper["labels"] = _labels(document, issue)
    paper["shown"] = _shown(session, written, issue)
    return paper


def draft_issue(on: date) -> Issue:
    """What stands in place of number and dates while a draft is checked."""
    return Issue(_DRAFT, on, on)


def percent(language: str, basis_points: int) -> str:
    """A rate as people write it."""
    return f"{format_number(language, (Decimal(basis_points) / _PERCENT).normalize() + 0)} %"


def country_name(language: str, code: str) -> str:
    """A state's name in a language; its code where there is none."""
    return str(locale_of(language).territories.get(code, code))


def _text(document: Document, key: str, **params: Any) -> str:
    return translate(document.language, key, **params)


def _data(line: DocumentLine) -> dict[str, Any]:
    return {
        **{name: getattr(line, name) for name in _LINE},
        "gtin": display_gtin(line.gtin) if line.gtin else None,
    }


def _seller(document: Document) -> dict[str, Any]:
    seller = document.seller
    permit = seller.get("business_permit")
    legal = _text(document, "orders.paper.permit", number=permit) if permit else None
    return {**seller, "legal_info": legal}


def _labels(document: Document, issue: Issue) -> dict[str, Any]:
    kind = _text(document, f"orders.document_kinds.{document.kind}")
    day = format_date(document.language, issue.due_on)
    terms = (
        "orders.paper.paid_already" if document.paid_cents >= document.gross_cents else "orders.paper.due_by"
    )
    if document.kind == "credit_note":
        terms = "orders.paper.credited"
    columns = ("title", "quantity", "unit_net", "rate", "line_net", "line_gross")
    return {
        "title": f"{kind} {issue.number}",
        "kind": kind,
        "payment_terms": _text(document, terms, day=day),
        **{name: _text(document, f"orders.paper.{name}") for name in ("page", "buyer", "ship_to")},
        "columns": [_text(document, f"orders.paper.{name}") for name in columns],
        "tax_columns": [_text(document, f"orders.paper.{name}") for name in ("rate", "base", "vat")],
    }


def _shown(session: Session, written: Written, issue: Issue) -> dict[str, Any]:
    document = written.document

    def money(cents: int) -> str:
        return format_money(document.language, cents, document.currency)

    seller = document.seller
    return {
        "seller": [*_address(document, seller), *filter(None, [seller.get("phone"), seller.get("email")])],
        "seller_footer": _registers(document),
        "buyer": [
            *filter(None, [document.buyer.get("name")]),
            *_address(document, document.buyer),
            *_vat(document),
        ],
        "ship_to": _ship_to(written),
        "facts": _facts(session, written, issue),
        "lines": [_shown_line(document, line) for line in written.lines],
        "taxes": [
            {"rate": _rate(document, tax), "net": money(tax.net_cents), "vat": money(tax.vat_cents)}
            for tax in written.taxes
        ],
        "totals": [
            {"label": _text(document, key), "value": money(cents), "is_strong": strong}
            for key, cents, strong in written.totals
        ],
        "payment": _payment(document, issue),
    }


def _address(document: Document, party: dict[str, Any]) -> list[str]:
    country = party.get("country")
    town = " ".join(filter(None, [party.get("postcode"), party.get("city")]))
    lines = [party.get("contact"), party.get("line1"), party.get("line2"), town]
    if country:
        lines.append(country_name(document.language, country))
    return [line for line in lines if line]


def _vat(document: Document) -> list[str]:
    number = document.buyer.get("vat_number")
    return [_text(document, "orders.paper.vat_number", number=number)] if number else []


def _registers(document: Document) -> list[str]:
    seller = document.seller
    known = (("vat_number", "vat_number"), ("trade_register", "register"), ("business_permit", "permit"))
    numbers = [
        _text(document, f"orders.paper.{key}", number=seller[name]) for name, key in known if name in seller
    ]
    bank = [f"IBAN {seller['iban']}"] if "iban" in seller else []
    return [" · ".join([seller["name"], *_address(document, seller)]), " · ".join([*numbers, *bank])]


def _ship_to(written: Written) -> list[str]:
    """Where it went, if that is not where the buyer is."""
    address = written.order.shipping_address or {}
    lines = [*filter(None, [address.get("name")]), *_address(written.document, address)]
    is_same = address.get("line1") == written.document.buyer.get("line1")
    return [] if is_same or not address.get("line1") else lines


def _facts(session: Session, written: Written, issue: Issue) -> list[list[str]]:
    document, corrected = written.document, written.corrected
    facts = [("issued_on", format_date(document.language, issue.issued_on))]
    if document.supplied_on != issue.issued_on:
        facts.append(("supplied_on", format_date(document.language, document.supplied_on)))
    facts.append(("order", document.order_number))
    if corrected is not None and corrected.issued_on is not None:
        day = format_date(document.language, corrected.issued_on)
        facts += [("corrects", f"{corrected.number}"), ("corrects_of", day)]
    elif issue.due_on != issue.issued_on:
        facts.append(("due_on", format_date(document.language, issue.due_on)))
    if document.reason:
        facts.append(("reason", document.reason))
    settings = find_settings(session, document.vendor_id)
    if document.regime == "oss" and settings and settings.oss_since:
        facts.append(("scheme", _text(document, "orders.paper.oss")))
    return [[_text(document, f"orders.paper.{key}"), value] for key, value in facts]


def _shown_line(document: Document, line: DocumentLine) -> dict[str, str]:
    def money(cents: int) -> str:
        return format_money(document.language, cents, document.currency)

    notes = [line.sku] if line.sku else []
    if line.discount_cents:
        notes.append(_text(document, "orders.paper.discount", amount=money(line.discount_cents)))
    return {
        "title": line.title,
        "note": " · ".join(notes),
        "quantity": format_number(document.language, line.quantity),
        "unit_net": _unit_net(document, line),
        "rate": _rate(document, line),
        "net": money(line.net_cents),
        "gross": money(line.gross_cents),
    }


def _unit_net(document: Document, line: DocumentLine) -> str:
    """The price of one without VAT, before discounts; with four decimals where cents are not exact."""
    gross = line.gross_cents + line.discount_cents
    net = gross - vat_of_gross(gross, line.tax_rate_bp)
    if net % line.quantity == 0:
        return format_money(document.language, net // line.quantity, document.currency)
    exact = (Decimal(net) / _PERCENT / line.quantity).quantize(Decimal("0.0001"))
    return f"{format_number(document.language, exact)} {document.currency}"


def _rate(document: Document, part: DocumentLine | DocumentTax) -> str:
    if part.tax_category in ("S", "Z"):
        return percent(document.language, part.tax_rate_bp)
    return _text(document, f"orders.paper.category_{part.tax_category}")


def _payment(document: Document, issue: Issue) -> list[str]:
    seller = document.seller
    is_paid = document.paid_cents >= document.gross_cents
    if document.kind != "invoice" or is_paid or "iban" not in seller:
        return [] if document.kind != "invoice" else [_labels(document, issue)["payment_terms"]]
    bank = f"IBAN {seller['iban']}" + (f" · BIC {seller['bic']}" if "bic" in seller else "")
    return [
        _labels(document, issue)["payment_terms"],
        bank,
        _text(document, "orders.paper.quote", number=issue.number),
    ]

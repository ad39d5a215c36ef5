"""Writing a new order: one statement, which also takes the number."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import ColumnElement, func, text
from sqlalchemy.orm import Session

from app.core import clock
from app.core.ids import new_id
from app.modules.orders.contracts import By, NewOrder
from app.modules.orders.enums import Decision, ExceptionKind, ExceptionStatus, HeldFor, MatchKind, OrderStatus
from app.modules.orders.services.match_service import Match
from app.modules.orders.services.price_service import Priced, PricedLine

_FIRST_NUMBER = 1001
_WORD = re.compile(r"[^\W_]+")
_COUNTERS = (
    *("cancelled_quantity", "shipped_quantity", "returned_quantity"),
    *("refunded_quantity", "refunded_cents"),
)
# The number is taken here and kept until the transaction ends, so everything else is done before. Columns that the JSON
# leaves out are null.
_WRITE = text(
    """
    WITH counter AS (
        INSERT INTO order_counters AS c (vendor_id, last_number) VALUES (:vendor_id, :first_number)
        ON CONFLICT (vendor_id) DO UPDATE SET last_number = c.last_number + 1
        RETURNING last_number::text AS number
    ), head AS (
        INSERT INTO orders
        SELECT o.* FROM counter, jsonb_populate_record(
            NULL::orders,
            CAST(:head AS jsonb) || jsonb_build_object(
                'number', number,
                'search_vector', to_tsvector('simple', unaccent(number || ' ' || CAST(:words AS text)))::text
            )
        ) o
        RETURNING number
    ), lines AS (
        INSERT INTO order_lines SELECT * FROM jsonb_populate_recordset(NULL::order_lines, CAST(:lines AS jsonb))
    ), history AS (
        INSERT INTO order_history SELECT * FROM jsonb_populate_recordset(NULL::order_history, CAST(:history AS jsonb))
    ), exceptions AS (
        INSERT INTO order_exceptions
        SELECT * FROM jsonb_populate_recordset(NULL::order_exceptions, CAST(:exceptions AS jsonb))
    ), payloads AS (
        INSERT INTO order_payloads
        SELECT * FROM jsonb_populate_recordset(NULL::order_payloads, CAST(:payloads AS jsonb))
    )
    SELECT number FROM head
    """
)


@dataclass(frozen=True, slots=True)
class DraftLine:
    """A line to write; without a product it is shipping, or waits for one."""

    id: UUID
    position: int
    amounts: PricedLine
    product_id: UUID | None = None
    sku: str | None = None
    gtin: str | None = None
    image_link: str | None = None
    external_unit_ids: tuple[str, ...] = ()
    match: Match | None = None


@dataclass(frozen=True, slots=True)
class Fault:
    """An exception to write."""

    id: UUID
    line_id: UUID
    kind: ExceptionKind
    key: tuple[MatchKind, str] | None = None
    candidates: tuple[dict[str, Any], ...] = ()
    available: int | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """An order to write."""

    order_id: UUID
    vendor_id: UUID
    customer_id: UUID | None
    new: NewOrder
    priced: Priced
    regime: str
    placed_at: datetime
    held_for: HeldFor | None


def write_order(
    session: Session, draft: Draft, lines: Sequence[DraftLine], faults: Sequence[Fault], by: By
) -> str:
    """Write an order with all that belongs to it; returns its number."""
    now = clock.now()
    history = [_history(draft, said, by, now) for said in _said(draft, faults)]
    values = {
        "vendor_id": draft.vendor_id,
        "first_number": _FIRST_NUMBER,
        "words": search_words(*_words(draft.new), *(line.sku for line in lines)),
        "head": _json(_head_values(draft, len(faults), now)),
        "lines": _json([_line_values(draft, line, now) for line in lines]),
        "history": _json(history),
        "exceptions": _json([_fault_values(draft, fault, now) for fault in faults]),
        "payloads": _json(_payloads(draft, now)),
    }
    number: str = session.execute(_WRITE, values).scalar_one()
    return number


def search_words(*texts: str | None) -> str:
    """Texts as single words, as they are looked for; accents are taken off in the database."""
    return " ".join(_WORD.findall(" ".join(filter(None, texts))))


def vector_of(words: str | ColumnElement[str]) -> ColumnElement[Any]:
    """What search looks in."""
    return func.to_tsvector("simple", func.unaccent(words))


def _words(new: NewOrder) -> Sequence[str | None]:
    buyer = new.buyer
    return (
        *(new.external_number, new.external_id, buyer.name),
        *(buyer.company_name, buyer.email, buyer.phone),
    )


def _json(value: object) -> str:
    return orjson.dumps(value).decode()


def _head_values(draft: Draft, open_faults: int, now: datetime) -> dict[str, Any]:
    new, priced = draft.new, draft.priced
    shipping, billing = new.shipping_address, new.billing_address
    country = next((one.country for one in (shipping, billing) if one and one.country), None)
    return {
        "id": draft.order_id,
        "vendor_id": draft.vendor_id,
        "channel": new.channel,
        "external_id": new.external_id,
        "external_number": new.external_number,
        "customer_id": draft.customer_id,
        "buyer": new.buyer.to_json(),
        "shipping_address": shipping.to_json() if shipping else None,
        "billing_address": billing.to_json() if billing else None,
        "email_norm": (new.buyer.email or "").strip().casefold() or None,
        "ship_country": country.upper() if country else None,
        "currency": new.currency,
        "status": OrderStatus.PENDING,
        "regime": draft.regime,
        "goods_cents": priced.goods_cents,
        "discount_cents": priced.discount_cents,
        "shipping_cents": priced.shipping_cents,
        "total_cents": priced.total_cents,
        "vat_cents": priced.vat_cents,
        "paid_at": draft.placed_at if new.is_paid else None,
        "payment_method": new.payment_method,
        "placed_at": draft.placed_at,
        "confirm_before": new.confirm_before,
        "held_for": draft.held_for,
        "customer_note": new.customer_note,
        "cancelled_cents": 0,
        "refunded_cents": 0,
        "pending_exceptions": open_faults,
        **_fresh(now),
    }


def _fresh(now: datetime) -> dict[str, Any]:
    return {"created_at": now, "updated_at": now, "version": 1}


def _line_values(draft: Draft, line: DraftLine, now: datetime) -> dict[str, Any]:
    amounts = line.amounts
    return {
        "id": line.id,
        "vendor_id": draft.vendor_id,
        "order_id": draft.order_id,
        "position": line.position,
        "kind": amounts.kind,
        "product_id": line.product_id,
        "sku": line.sku,
        "gtin": line.gtin,
        "title": amounts.title,
        "image_link": line.image_link,
        "quantity": amounts.quantity,
        "unit_price_cents": amounts.unit_price_cents,
        "discount_cents": amounts.discount_cents,
        "gross_cents": amounts.gross_cents,
        "net_cents": amounts.gross_cents - amounts.vat_cents,
        "vat_cents": amounts.vat_cents,
        "tax_rate_bp": amounts.tax_rate_bp,
        "tax_category": amounts.tax_category,
        "tax_class": amounts.tax_class,
        "external_unit_ids": line.external_unit_ids,
        "decision": Decision.PENDING,
        **dict.fromkeys(_COUNTERS, 0),
        **_fresh(now),
    }


def _said(draft: Draft, faults: Sequence[Fault]) -> Iterable[tuple[str, dict[str, Any]]]:
    yield "placed", {"channel": draft.new.channel}
    if draft.held_for:
        yield "held", {"reason": draft.held_for}
    for fault in faults:
        yield "exception_opened", {"line_id": str(fault.line_id), "exception": fault.kind}


def _history(draft: Draft, said: tuple[str, dict[str, Any]], by: By, now: datetime) -> dict[str, Any]:
    kind, data = said
    return {
        "id": new_id(),
        "at": now,
        "vendor_id": draft.vendor_id,
        "order_id": draft.order_id,
        "kind": kind,
        "from_status": None,
        "to_status": OrderStatus.PENDING if kind == "placed" else None,
        "source": by.source,
        "user_id": by.user_id,
        "data": data,
    }


def _fault_values(draft: Draft, fault: Fault, now: datetime) -> dict[str, Any]:
    kind, value = fault.key or (None, None)
    return {
        "id": fault.id,
        "vendor_id": draft.vendor_id,
        "order_id": draft.order_id,
        "line_id": fault.line_id,
        "kind": fault.kind,
        "match_kind": kind,
        "match_value": value,
        "candidates": fault.candidates,
        "available": fault.available,
        "status": ExceptionStatus.PENDING,
        **_fresh(now),
    }


def _payloads(draft: Draft, now: datetime) -> list[dict[str, Any]]:
    if draft.new.raw is None:
        return []
    values = {"id": new_id(), "vendor_id": draft.vendor_id, "order_id": draft.order_id}
    return [{**values, "revision": 1, "payload": draft.new.raw, "received_at": now}]

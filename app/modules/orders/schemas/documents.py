"""Documents in the API."""

from datetime import date, datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from app.modules.api import Input, ListQuery, Versioned, example, id_pattern

_ITEM: dict[str, Any] = {
    "id": "doc_01m838cj1be8a8mtx8xj3yxfvz",
    "kind": "invoice",
    "state": "issued",
    "number": "2026-00001",
    "order_id": "ord_01m838cj1be8a8mtx8xj3yxfvz",
    "order_number": "1001",
    "regime": "oss",
    "ship_country": "BE",
    "currency": "EUR",
    "net_cents": 3540,
    "vat_cents": 460,
    "gross_cents": 4000,
    "issued_on": "2026-11-23",
    "supplied_on": "2026-11-22",
    "due_on": "2026-12-07",
    "created_at": "2026-11-23T07:00:00.000000Z",
    "version": 2,
}
_TAX: dict[str, Any] = {"tax_category": "S", "tax_rate_bp": 2100, "net_cents": 1653, "vat_cents": 347}


class DocumentItem(Versioned):
    """An invoice or credit note as lists show it. Amounts of credit notes are negative."""

    model_config = example(**_ITEM)

    id: str
    kind: Literal["invoice", "credit_note"]
    state: Literal["draft", "refused", "issued"]
    number: str | None = Field(description="Null until it is issued.")
    order_id: str
    order_number: str
    regime: str
    ship_country: str
    currency: str
    net_cents: int
    vat_cents: int
    gross_cents: int
    issued_on: date | None
    supplied_on: date
    due_on: date | None
    created_at: datetime


class DocumentTaxItem(BaseModel):
    """The sum of the lines of one category and rate (basis points)."""

    tax_category: str
    tax_rate_bp: int
    net_cents: int
    vat_cents: int


class DocumentDetails(DocumentItem):
    """A document with its sums, and why it was not issued."""

    model_config = example(
        **_ITEM
        | {
            "language": "fr",
            "corrects_id": None,
            "reason": None,
            "failure": None,
            "pdf_sha256": "0" * 64,
            "taxes": [_TAX],
        }
    )

    language: str
    corrects_id: str | None
    reason: str | None
    failure: str | None = Field(description="Rules of EN 16931 that a draft breaks, one a line.")
    pdf_sha256: str | None
    taxes: list[DocumentTaxItem]


class NewDocument(Input):
    """Which document to draft: an order's invoice, or the credit note of a refund."""

    model_config = example(order_id="ord_01m838cj1be8a8mtx8xj3yxfvz")

    order_id: str | None = Field(None, pattern=id_pattern("ord"), description="For an invoice.")
    refund_id: str | None = Field(None, pattern=id_pattern("ref"), description="For a credit note.")


class DocumentQuery(ListQuery):
    """Filters of the list of documents."""

    kind: list[Literal["invoice", "credit_note"]] | None = Field(None, max_length=2)
    state: list[Literal["draft", "refused", "issued"]] | None = Field(None, max_length=3)
    sort: Literal["created_at", "-created_at"] = Field(
        "-created_at", description="With `-` in front: descending."
    )

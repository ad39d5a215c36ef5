"""Plans, subscriptions and their invoices in the API."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from app.modules.api import Cents, Input, ListQuery, Versioned, example, id_pattern, left_out
from app.modules.billing.enums import Interval, InvoiceKind, InvoiceStatus, SubscriptionStatus

_WHEN = "2026-11-23T07:00:00Z"
_TIER_ID, _VENDOR_ID = "tir_01m838cj1be8a8mtx8xj3yxfvz", "vnd_01m838cj1be8a8mtx8xj3yxfvz"
_SUBSCRIPTION_ID = "sub_01m838cj1be8a8mtx8xj3yxfvz"
_LIMITS = Field(
    description="By feature; null is without limit, 0 none, of what a plan includes or not 1 and 0."
)
_Name = Annotated[str, Field(max_length=80)]
_TIER: dict[str, Any] = {
    "id": _TIER_ID,
    "code": "business",
    "names": {"en": "Business", "fr": "Business"},
    "order_index": 3,
    "monthly_cents": 19900,
    "annual_cents": 199000,
    "currency": "EUR",
    "is_public": True,
    "archived_at": None,
}
_SUBSCRIPTION: dict[str, Any] = {
    "id": _SUBSCRIPTION_ID,
    "vendor_id": _VENDOR_ID,
    "tier_code": "business",
    "interval": "month",
    "status": "active",
    "price_cents": 19900,
    "currency": "EUR",
    "trial_ends_at": _WHEN,
    "period_start": _WHEN,
    "period_end": "2026-12-23T07:00:00Z",
    "ends_at": None,
    "is_billed_by_stripe": False,
}
_INVOICE: dict[str, Any] = {
    "id": "bin_01m838cj1be8a8mtx8xj3yxfvz",
    "vendor_id": _VENDOR_ID,
    "number": "MOSELLE-00001",
    "kind": "cycle",
    "status": "open",
    "currency": "EUR",
    "total_cents": 19900,
    "tax_cents": 0,
    "paid_cents": 0,
    "period_start": _WHEN,
    "period_end": "2026-12-23T07:00:00Z",
    "issued_at": _WHEN,
    "due_at": "2026-12-07T07:00:00Z",
    "paid_at": None,
    "hosted_url": None,
    "pdf_url": None,
    "version": 1,
}


class TierItem(BaseModel):
    """A plan as lists show it."""

    model_config = example(**_TIER, subscriptions=12)

    id: str
    code: str
    names: dict[str, str] = Field(description="By language.")
    order_index: int
    monthly_cents: int
    annual_cents: int
    currency: str
    is_public: bool = Field(description="Shown to everybody.")
    archived_at: datetime | None = Field(description="Since when it is not sold any more.")
    subscriptions: int = Field(description="How many vendors have it.")


class TierDetails(Versioned):
    """A plan."""

    model_config = example(**_TIER, limits={"catalog.products": None, "tenancy.team_members": 10}, version=2)

    id: str
    code: str
    names: dict[str, str] = Field(description="By language.")
    order_index: int
    monthly_cents: int
    annual_cents: int
    currency: str
    is_public: bool = Field(description="Shown to everybody.")
    archived_at: datetime | None = Field(description="Since when it is not sold any more.")
    limits: dict[str, int | None] = _LIMITS


class TierQuery(ListQuery):
    """Search, filter and order of the list of plans."""

    q: str | None = Field(None, max_length=200)
    state: list[Literal["sold", "hidden", "archived"]] | None = Field(None, max_length=3)
    sort: Literal["order_index", "-order_index", "code", "-code"] = "order_index"


class Names(Input):
    """What a plan is called, by language."""

    model_config = example(en="Business", fr="Entreprise")

    en: Annotated[str, Field(min_length=1, max_length=80, pattern=r"\S")]
    fr: _Name = ""
    de: _Name = ""
    lb: _Name = ""


class TierChange(Input):
    """What is to be different; what is left out stays. Prices hold for periods that begin later."""

    model_config = example(monthly_cents=20900, annual_cents=209000)

    names: Names = left_out()
    order_index: Annotated[int, Field(ge=0, le=10_000)] = left_out()
    monthly_cents: Cents = left_out()
    annual_cents: Cents = left_out()
    is_public: bool = left_out()


class SubscriptionDetails(BaseModel):
    """What a vendor pays for."""

    model_config = example(**_SUBSCRIPTION)

    id: str
    vendor_id: str
    tier_code: str
    interval: Interval
    status: SubscriptionStatus
    price_cents: int = Field(description="Of a period, without add-ons.")
    currency: str
    trial_ends_at: datetime | None
    period_start: datetime
    period_end: datetime
    ends_at: datetime | None = Field(description="When access ends if nobody does anything.")
    is_billed_by_stripe: bool


class SubscriptionQuery(ListQuery):
    """Search, filters and order of the list of subscriptions."""

    q: str | None = Field(None, max_length=200)
    status: list[SubscriptionStatus] | None = Field(None, max_length=5)
    tier: list[Annotated[str, Field(pattern=id_pattern("tir"))]] | None = Field(None, max_length=50)
    interval: list[Interval] | None = Field(None, max_length=2)
    sort: Literal["vendor_name", "-vendor_name", "period_end", "-period_end"] = "vendor_name"


class UsageItem(BaseModel):
    """How much of a feature is used."""

    feature_code: str
    used: int
    limit: int | None = Field(description="null: without limit.")
    percent: int | None
    state: Literal["unlimited", "ok", "near", "full", "over"]


class UsageList(BaseModel):
    """How much of each feature of the plan is used."""

    model_config = example(
        data=[{"feature_code": "catalog.products", "used": 170, "limit": 200, "percent": 85, "state": "near"}]
    )

    data: list[UsageItem]


class InvoiceDetails(Versioned):
    """An invoice of the operator's to a vendor."""

    model_config = example(**_INVOICE)

    id: str
    vendor_id: str
    number: str | None
    kind: InvoiceKind
    status: InvoiceStatus
    currency: str
    total_cents: int
    tax_cents: int
    paid_cents: int
    period_start: datetime
    period_end: datetime
    issued_at: datetime | None
    due_at: datetime | None
    paid_at: datetime | None
    hosted_url: str | None = Field(description="Where it can be paid.")
    pdf_url: str | None


class InvoiceQuery(ListQuery):
    """Filters and order of the list of invoices."""

    status: list[InvoiceStatus] | None = Field(None, max_length=5)
    kind: list[InvoiceKind] | None = Field(None, max_length=4)
    sort: Literal["created_at", "-created_at"] = "-created_at"


class InvoiceChange(Input):
    """What became of an open invoice that Stripe does not collect."""

    model_config = example(status="paid")

    status: Literal["paid", "void"]

"""Orders in the API."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, Field, StringConstraints

from app.modules.api import WHOLE, Cents, Input, ListQuery, Versioned, example, id_pattern
from app.modules.orders.enums import Decision, ExceptionKind, ExceptionStatus, LineKind, OrderStatus

_WHEN = "2026-11-23T07:00:00Z"
ORDER_ID, LINE_ID = "ord_01m838cj1be8a8mtx8xj3yxfvz", "oln_01m838cj1be8a8mtx8xj3yxfvz"
PRODUCT_ID = "prd_01m838cj1be8a8mtx8xj3yxfvz"
_Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
_Email = Annotated[str, Field(max_length=254, pattern=r"^[^@\s]+@[^@\s]+$")]
_Country = Annotated[
    str,
    Field(
        pattern="^[A-Z]{2}$",
        description="ISO 3166 alpha-2; Greece is GR.",
        json_schema_extra={"format": "country"},
    ),
]
Quantity = Annotated[int, Field(ge=1, le=1_000_000), WHOLE]
LineId = Annotated[str, Field(pattern=id_pattern("oln"))]
Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]
_BUYER: dict[str, Any] = {
    "email": "anne@mail.example",
    "first_name": "Anne",
    "last_name": "Weber",
    "company_name": None,
    "vat_number": None,
    "phone": None,
    "language": "fr",
}
_ADDRESS: dict[str, Any] = {
    "name": "Anne Weber",
    "company": None,
    "line1": "1, rue du Fort",
    "line2": None,
    "postcode": "L-2226",
    "city": "Luxembourg",
    "country": "LU",
    "phone": None,
}
_LINE: dict[str, Any] = {
    "id": LINE_ID,
    "kind": "product",
    "product_id": PRODUCT_ID,
    "sku": "SKU-1",
    "gtin": "6291041500213",
    "title": "Parapluie pliable, bleu",
    "quantity": 2,
    "unit_price_cents": 2490,
    "discount_cents": 0,
    "gross_cents": 4980,
    "net_cents": 4256,
    "vat_cents": 724,
    "tax_rate_bp": 1700,
    "tax_category": "S",
    "decision": "pending",
    "decline_reason": None,
    "cancelled_quantity": 0,
    "shipped_quantity": 0,
    "returned_quantity": 0,
    "refunded_quantity": 0,
    "refunded_cents": 0,
    "external_unit_ids": [],
}
_EXCEPTION: dict[str, Any] = {
    "id": "oex_01m838cj1be8a8mtx8xj3yxfvz",
    "order_id": ORDER_ID,
    "line_id": LINE_ID,
    "kind": "product_not_found",
    "status": "pending",
    "match_kind": "gtin",
    "match_value": "06291041500213",
    "candidates": [],
    "available": None,
    "product_id": None,
    "resolved_at": None,
}
_ITEM: dict[str, Any] = {
    "id": ORDER_ID,
    "vendor_id": "vnd_01m838cj1be8a8mtx8xj3yxfvz",
    "number": "1001",
    "channel": "direct",
    "external_id": None,
    "external_number": None,
    "customer_id": "cus_01m838cj1be8a8mtx8xj3yxfvz",
    "status": "pending",
    "currency": "EUR",
    "total_cents": 4980,
    "cancelled_cents": 0,
    "refunded_cents": 0,
    "ship_country": "LU",
    "pending_exceptions": 0,
    "held_for": None,
    "paid_at": None,
    "placed_at": _WHEN,
    "confirm_before": None,
    "updated_at": _WHEN,
    "version": 1,
}


class OrderItem(Versioned):
    """An order as lists show it."""

    model_config = example(**_ITEM)

    id: str
    vendor_id: str
    number: str
    channel: str = Field(description="`direct` for the shop's own, else the marketplace.")
    external_id: str | None
    external_number: str | None
    customer_id: str | None
    status: OrderStatus
    currency: str
    total_cents: int = Field(description="What was ordered, VAT included.")
    cancelled_cents: int = Field(description="What of it will not be charged.")
    refunded_cents: int
    ship_country: str | None
    pending_exceptions: int = Field(description="How many bar its confirmation.")
    held_for: Literal["plan", "buyer"] | None
    paid_at: datetime | None
    placed_at: datetime
    confirm_before: datetime | None
    updated_at: datetime


class BuyerShown(BaseModel):
    """Who ordered, as it was said then."""

    email: str | None
    first_name: str | None
    last_name: str | None
    company_name: str | None
    vat_number: str | None
    phone: str | None
    language: str


class AddressShown(BaseModel):
    """An address as it was given then."""

    name: str | None
    company: str | None
    line1: str | None
    line2: str | None
    postcode: str | None
    city: str | None
    country: str | None
    phone: str | None


class LineShown(BaseModel):
    """A line: so many of a product, or a part of the shipping. Amounts are gross cents unless they say otherwise."""

    id: str
    kind: LineKind
    product_id: str | None
    sku: str | None
    gtin: str | None
    title: str
    quantity: int
    unit_price_cents: int
    discount_cents: int = Field(description="Its own discount with its share of the order's.")
    gross_cents: int
    net_cents: int
    vat_cents: int
    tax_rate_bp: int = Field(description="In basis points: 1700 is 17 %.")
    tax_category: str = Field(description="Of EN 16931: S, Z, E, AE, K, G or O.")
    decision: Decision
    decline_reason: str | None
    cancelled_quantity: int
    shipped_quantity: int
    returned_quantity: int
    refunded_quantity: int
    refunded_cents: int
    external_unit_ids: list[str]


class CandidateShown(BaseModel):
    """A product that a line may mean, and by what."""

    product_id: str
    sku: str
    gtin: str | None
    title: str
    reason: Literal["sku", "gtin", "archived"]


class ExceptionShown(BaseModel):
    """Why a line cannot be sent as it is."""

    model_config = example(**_EXCEPTION)

    id: str
    order_id: str
    line_id: str
    kind: ExceptionKind
    status: ExceptionStatus
    match_kind: Literal["gtin", "sku"] | None
    match_value: str | None = Field(description="What no product is found for.")
    candidates: list[CandidateShown]
    available: int | None = Field(description="How many there were, where stock is short.")
    product_id: str | None
    resolved_at: datetime | None


class OrderDetails(OrderItem):
    """All of an order."""

    model_config = example(
        **_ITEM
        | {
            "regime": "domestic",
            "goods_cents": 4980,
            "discount_cents": 0,
            "shipping_cents": 0,
            "vat_cents": 724,
            "payment_method": None,
            "customer_note": None,
            "buyer": _BUYER,
            "shipping_address": _ADDRESS,
            "billing_address": None,
            "confirmed_at": None,
            "shipped_at": None,
            "delivered_at": None,
            "cancelled_at": None,
            "lines": [_LINE],
            "exceptions": [],
        }
    )

    regime: str = Field(description="Whose VAT it bears.")
    goods_cents: int
    discount_cents: int
    shipping_cents: int
    vat_cents: int
    payment_method: str | None
    customer_note: str | None
    buyer: BuyerShown
    shipping_address: AddressShown | None
    billing_address: AddressShown | None
    confirmed_at: datetime | None
    shipped_at: datetime | None
    delivered_at: datetime | None
    cancelled_at: datetime | None
    lines: list[LineShown]
    exceptions: list[ExceptionShown]


class OrderPlaced(BaseModel):
    """What became of an order that was placed; all of it is at `Location`."""

    model_config = example(
        id=ORDER_ID,
        number="1001",
        status="pending",
        is_new=True,
        total_cents=4980,
        pending_exceptions=0,
        held_for=None,
    )

    id: str
    number: str
    status: OrderStatus
    is_new: bool = Field(description="False: the channel had placed it before.")
    total_cents: int = Field(description="VAT included.")
    pending_exceptions: int = Field(description="How many bar its confirmation.")
    held_for: Literal["plan", "buyer"] | None


class OrderQuery(ListQuery):
    """Search, filters and order of the list of orders."""

    q: str | None = Field(
        None,
        max_length=200,
        description="Words that number, buyer, e-mail, SKU or tracking number begin with.",
    )
    status: list[OrderStatus] | None = Field(None, max_length=7)
    channel: str | None = Field(None, max_length=50)
    held: list[Literal["yes", "no"]] | None = Field(None, max_length=2)
    sort: Literal["placed_at", "-placed_at"] = Field(
        "-placed_at", description="With `-` in front: descending."
    )


class BuyerGiven(Input):
    """Who orders; without an e-mail address and a name there is no customer."""

    model_config = example(**_BUYER)

    email: _Email | None = None
    first_name: _Text | None = None
    last_name: _Text | None = None
    company_name: _Text | None = None
    vat_number: _Text | None = None
    phone: _Text | None = None
    language: Literal["en", "fr", "de", "lb"] = "fr"


class AddressGiven(Input):
    """A postal address."""

    model_config = example(**_ADDRESS)

    name: _Text | None = None
    company: _Text | None = None
    line1: _Text | None = None
    line2: _Text | None = None
    postcode: _Text | None = None
    city: _Text | None = None
    country: _Country | None = None
    phone: _Text | None = None


class LineGiven(Input):
    """So many of a product: by its id, or by SKU or GTIN as a marketplace names it."""

    model_config = example(product_id=PRODUCT_ID, quantity=2, unit_price_cents=2490)

    product_id: str | None = Field(None, pattern=id_pattern("prd"))
    sku: _Text | None = None
    gtin: _Text | None = None
    title: Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)] = Field(
        "", description="That of the product, if left out."
    )
    quantity: Quantity
    unit_price_cents: Cents = Field(description="VAT included.")
    discount_cents: Cents = 0
    tax_class: Literal["standard", "intermediate", "reduced", "super_reduced", "zero"] | None = None
    external_unit_ids: list[_Text] = Field([], max_length=1000)


class OrderGiven(Input):
    """An order to place. Amounts are cents, VAT included."""

    model_config = example(
        buyer=_BUYER,
        shipping_address=_ADDRESS,
        lines=[{"product_id": PRODUCT_ID, "quantity": 2, "unit_price_cents": 2490}],
    )

    channel: str = Field("direct", pattern="^[a-z][a-z0-9_-]{0,39}$")
    external_id: _Text | None = Field(None, description="An order of a channel is placed once for each.")
    external_number: _Text | None = None
    buyer: BuyerGiven
    shipping_address: AddressGiven | None = None
    billing_address: AddressGiven | None = None
    lines: list[LineGiven] = Field(min_length=1, max_length=500)
    currency: Literal["EUR"] = "EUR"
    shipping_cents: Cents = 0
    discount_cents: Cents = Field(0, description="Off the goods of the whole order.")
    placed_at: AwareDatetime | None = None
    confirm_before: AwareDatetime | None = None
    customer_note: Annotated[str, Field(max_length=2000)] | None = None
    payment_method: _Text | None = None
    is_paid: bool = Field(False, strict=True)
    when_short: Literal["refuse", "exception"] = Field(
        "refuse", description="Whether too little stock refuses the order, or is an exception of it."
    )

"""Customers in the API."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, StringConstraints

from app.modules.api import Input, ListQuery, Versioned, example, left_out
from app.modules.customers.enums import ConsentPurpose, CustomerStatus, RequestKind

CustomerSort = Literal[
    "created_at",
    "-created_at",
    "email",
    "-email",
    "orders_count",
    "-orders_count",
    "spent_cents",
    "-spent_cents",
    "last_order_at",
    "-last_order_at",
]
Language = Literal["en", "fr", "de", "lb"]
Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=r"\S")]
Email = Annotated[
    str,
    Field(
        max_length=254,
        pattern=r"^[A-Za-z0-9._%+-]{1,64}@([A-Za-z0-9]+(-+[A-Za-z0-9]+)*\.)+[A-Za-z][A-Za-z0-9]*(-+[A-Za-z0-9]+)*$",
    ),
]
_WHEN = "2026-11-23T07:00:00Z"
_ID = "cus_01m838cj1be8a8mtx8xj3yxfvz"
_ITEM: dict[str, Any] = {
    "id": _ID,
    "name": "Léa Muller",
    "email": "lea.muller@mail.example",
    "first_name": "Léa",
    "last_name": "Muller",
    "company_name": None,
    "vat_number": None,
    "phone": "+352 621 123 456",
    "language": "fr",
    "status": "inactive",
    "source_channel": "letzshop",
    "orders_count": 3,
    "spent_cents": 12990,
    "first_order_at": _WHEN,
    "last_order_at": _WHEN,
    "created_at": _WHEN,
    "updated_at": _WHEN,
    "version": 2,
}
_ADDRESS: dict[str, Any] = {
    "name": "Léa Muller",
    "company": None,
    "line1": "12, rue du Fossé",
    "line2": None,
    "postcode": "L-1536",
    "city": "Luxembourg",
    "country": "LU",
    "phone": None,
}
_CONSENT: dict[str, Any] = {"purpose": "newsletter", "is_granted": True, "source": "shop", "at": _WHEN}


class CustomerItem(Versioned):
    """A customer as lists show it."""

    model_config = example(**_ITEM)

    id: str
    name: str = Field(description="First and last name, else the company's, else the e-mail address.")
    email: str | None
    first_name: str | None
    last_name: str | None
    company_name: str | None
    vat_number: str | None
    phone: str | None
    language: str
    status: CustomerStatus
    source_channel: str = Field(description="Where the customer became known.")
    orders_count: int
    spent_cents: int = Field(description="Gross, in euro cents, less what was cancelled or refunded.")
    first_order_at: datetime | None
    last_order_at: datetime | None
    created_at: datetime
    updated_at: datetime


class AddressFields(BaseModel):
    """A postal address."""

    name: str | None
    company: str | None
    line1: str | None
    line2: str | None
    postcode: str | None
    city: str | None
    country: str | None = Field(description="ISO 3166 alpha-2.")
    phone: str | None


class AddressItem(AddressFields):
    """An entry of the address book."""

    model_config = example(
        id="adr_01m838cj1be8a8mtx8xj3yxfvz", **_ADDRESS, is_shipping_default=True, is_billing_default=True
    )

    id: str
    is_shipping_default: bool
    is_billing_default: bool


class ConsentItem(BaseModel):
    """The newest word on one purpose."""

    model_config = example(**_CONSENT)

    purpose: ConsentPurpose
    is_granted: bool
    source: str
    at: datetime


class CustomerDetails(CustomerItem):
    """A customer with addresses and consents."""

    model_config = example(
        **_ITEM,
        blocked_reason=None,
        erased_at=None,
        addresses=[
            {
                "id": "adr_01m838cj1be8a8mtx8xj3yxfvz",
                **_ADDRESS,
                "is_shipping_default": True,
                "is_billing_default": True,
            }
        ],
        consents=[_CONSENT],
    )

    blocked_reason: str | None
    erased_at: datetime | None
    addresses: list[AddressItem]
    consents: list[ConsentItem]


class CustomerQuery(ListQuery):
    """Parameters of the list of customers."""

    q: str | None = Field(
        None, max_length=200, description="Words of name, company, e-mail, phone or VAT number."
    )
    sort: CustomerSort = "-created_at"
    status: list[CustomerStatus] | None = None
    ordered: list[Literal["yes", "no"]] | None = Field(None, description="Whether they have orders.")
    company: list[Literal["yes", "no"]] | None = Field(None, description="Whether they are companies.")
    channel: str | None = Field(None, max_length=50)


class NewCustomer(Input):
    """A customer to make; a name or an e-mail address is needed."""

    model_config = example(
        email="lea.muller@mail.example", first_name="Léa", last_name="Muller", language="fr"
    )

    email: Email | None = None
    first_name: Line | None = None
    last_name: Line | None = None
    company_name: Line | None = None
    vat_number: Line | None = None
    phone: Line | None = None
    language: Language = "fr"


class CustomerChange(Input):
    """What is to change; what is left out stays, null empties."""

    model_config = example(phone="+352 621 123 456", company_name=None)

    email: Email | None = left_out()
    first_name: Line | None = left_out()
    last_name: Line | None = left_out()
    company_name: Line | None = left_out()
    vat_number: Line | None = left_out()
    phone: Line | None = left_out()
    language: Language = left_out()


class NewAddress(Input):
    """An address for the book."""

    model_config = example(**_ADDRESS, is_shipping_default=True, is_billing_default=False)

    name: Line | None = None
    company: Line | None = None
    line1: Line
    line2: Line | None = None
    postcode: Line
    city: Line
    country: str = Field(pattern=r"^[A-Z]{2}$")
    phone: Line | None = None
    is_shipping_default: bool = Field(False, strict=True)
    is_billing_default: bool = Field(False, strict=True)


class NewConsent(Input):
    """What a customer said to a purpose."""

    model_config = example(purpose="newsletter", is_granted=True, source="shop")

    purpose: ConsentPurpose
    is_granted: bool = Field(strict=True)
    source: Literal["person", "phone", "mail", "shop"]


class NewDataRequest(Input):
    """A copy of what is stored of a customer, or its erasure."""

    model_config = example(kind="erase", reason="Asked for it by e-mail")

    kind: RequestKind
    reason: Line


class DataRequestDetails(BaseModel):
    """What was asked, and how far it is."""

    model_config = example(
        id="cdr_01m838cj1be8a8mtx8xj3yxfvz", customer_id=_ID, kind="erase", state="queued", created_at=_WHEN
    )

    id: str
    customer_id: str
    kind: RequestKind
    state: str = Field(description="waiting, refused, queued, running, succeeded, failed or cancelled.")
    created_at: datetime

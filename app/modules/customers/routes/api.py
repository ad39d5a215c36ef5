"""Customers in the API."""

from typing import Annotated, Any

from fastapi import Query

from app.core.ids import to_public
from app.modules.api import ApiContext, ApiRouter, Page, key_of
from app.modules.api.answers import shown
from app.modules.api.pages import read_list
from app.modules.customers.contracts import Address, full_name
from app.modules.customers.models.customer import Customer
from app.modules.customers.schemas.customers import (
    AddressItem,
    ConsentItem,
    CustomerChange,
    CustomerDetails,
    CustomerItem,
    CustomerQuery,
    DataRequestDetails,
    NewAddress,
    NewConsent,
    NewCustomer,
    NewDataRequest,
)
from app.modules.customers.services import customer_edit_service, data_request_service
from app.modules.customers.services.customer_service import PREFIX, get_row
from app.modules.customers.services.data_request_service import REQUEST_PREFIX, RequestWithJob

router = ApiRouter()

_VIEW, _EDIT, _DATA = "customers.customers.view", "customers.customers.edit", "customers.data.manage"
_DEFAULTS = ("is_shipping_default", "is_billing_default")


@router.vendor("GET", "/customers", permission=_VIEW)
def customers_list(ctx: ApiContext, query: Annotated[CustomerQuery, Query()]) -> Page[CustomerItem]:
    """List customers.

    Who was erased, or merged into another, is left out.
    """
    return read_list(
        ctx,
        "customers.vendor.customers",
        query,
        lambda row: shown(CustomerItem, row, PREFIX, name=row.name or ""),
    )


@router.vendor("GET", "/customers/{customer_id}", permission=_VIEW)
def customers_get(ctx: ApiContext, customer_id: str) -> CustomerDetails:
    """Get a customer with addresses and consents."""
    return _details(ctx, _row(ctx, customer_id))


@router.vendor("POST", "/customers", permission=_EDIT, status=201)
def customers_create(ctx: ApiContext, customer: NewCustomer) -> CustomerDetails:
    """Make a customer."""
    made = customer_edit_service.create_customer(ctx.session, ctx.vendor.id, customer.model_dump())
    ctx.location(f"/vendor/customers/{to_public(PREFIX, made.id)}")
    return _details(ctx, made)


@router.vendor("PATCH", "/customers/{customer_id}", permission=_EDIT, needs_version=True)
def customers_update(ctx: ApiContext, customer_id: str, change: CustomerChange) -> CustomerDetails:
    """Change a customer."""
    row = _row(ctx, customer_id)
    ctx.check_version(row.version)
    customer_edit_service.change_customer(ctx.session, row, change.model_dump(exclude_unset=True))
    return _details(ctx, row)


@router.vendor("POST", "/customers/{customer_id}/addresses", permission=_EDIT, status=201)
def addresses_create(ctx: ApiContext, customer_id: str, address: NewAddress) -> CustomerDetails:
    """Put an address into the book of a customer."""
    row = _row(ctx, customer_id)
    given = address.model_dump()
    defaults = {name: given.pop(name) for name in _DEFAULTS}
    customer_edit_service.save_address(ctx.session, row.id, Address(**given), **defaults)
    return _details(ctx, row)


@router.vendor("POST", "/customers/{customer_id}/consents", permission=_EDIT, status=201)
def consents_create(ctx: ApiContext, customer_id: str, consent: NewConsent) -> CustomerDetails:
    """Note that a customer agreed to something, or took it back."""
    row = _row(ctx, customer_id)
    customer_edit_service.record_consent(
        ctx.session, row, consent.purpose, consent.is_granted, source=consent.source
    )
    return _details(ctx, row)


@router.vendor(
    "POST", "/customers/{customer_id}/data-requests", permission=_DATA, status=202, in_read_only=True
)
def data_requests_create(ctx: ApiContext, customer_id: str, wanted: NewDataRequest) -> DataRequestDetails:
    """Have a customer's data copied or erased, in all modules; books are kept.

    The file of a copy is on the customer's page for a week.
    """
    asked = data_request_service.ask(
        ctx.session,
        _row(ctx, customer_id),
        wanted.kind,
        user_id=ctx.principal.user_id,
        reason=wanted.reason,
    )
    ctx.location(f"/vendor/data-requests/{to_public(REQUEST_PREFIX, asked.id)}")
    return _request(data_request_service.get_request(ctx.session, asked.id))


@router.vendor("GET", "/data-requests/{data_request_id}", permission=_DATA)
def data_requests_get(ctx: ApiContext, data_request_id: str) -> DataRequestDetails:
    """Get how far a copy or an erasure is."""
    return _request(data_request_service.get_request(ctx.session, key_of(REQUEST_PREFIX, data_request_id)))


def _row(ctx: ApiContext, customer_id: str) -> Customer:
    return get_row(ctx.session, key_of(PREFIX, customer_id))


def _request(found: RequestWithJob) -> DataRequestDetails:
    customer_id = to_public(PREFIX, found.row.customer_id)
    return shown(DataRequestDetails, found.row, REQUEST_PREFIX, customer_id=customer_id, state=found.state)


def _details(ctx: ApiContext, row: Customer) -> CustomerDetails:
    addresses = [
        AddressItem(
            id=to_public("adr", one.id),
            **one.address.to_json(),
            is_shipping_default=one.is_shipping_default,
            is_billing_default=one.is_billing_default,
        )
        for one in customer_edit_service.list_addresses(ctx.session, row.id)
    ]
    consents: list[Any] = [
        ConsentItem(**{name: getattr(one, name) for name in ConsentItem.model_fields})
        for one in customer_edit_service.list_consents(ctx.session, row.id)
    ]
    name = full_name(row) or row.company_name or row.email or ""
    return shown(CustomerDetails, row, PREFIX, name=name, addresses=addresses, consents=consents)

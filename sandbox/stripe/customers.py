"""Customers."""

from typing import Any

from sandbox.store import Object
from sandbox.stripe.account import Account
from sandbox.stripe.errors import missing
from sandbox.stripe.expand import includes
from sandbox.stripe.forms import Params, Spec
from sandbox.stripe.lists import PAGING, list_of, page
from sandbox.stripe.operations import assign, metadata, operation

ADDRESS: Spec = dict.fromkeys(("city", "country", "line1", "line2", "postal_code", "state"), str)
_FIELDS: dict[str, Spec] = {
    "address": ADDRESS,
    "balance": int,
    "description": str,
    "email": str,
    "invoice_prefix": str,
    "invoice_settings": {"default_payment_method": str, "footer": str},
    "metadata": dict,
    "name": str,
    "phone": str,
    "preferred_locales": [str],
    "tax_exempt": ("none", "exempt", "reverse"),
}
_PLAIN = ("address", "balance", "description", "email", "name", "phone", "preferred_locales", "tax_exempt")


@operation("POST", "/v1/customers", {**_FIELDS, "payment_method": str, "test_clock": str})
def create(account: Account, params: Params) -> Object:
    clock = params.get("test_clock")
    if clock:
        account.moment = account.get("test_helpers.test_clock", clock, "test_clock")["frozen_time"]
    customer: Object = {
        "id": account.new_id("cus", 14),
        "object": "customer",
        "address": None,
        "balance": 0,
        "created": account.now(),
        "currency": None,
        "customer_account": None,
        "default_source": None,
        "delinquent": False,
        "description": None,
        "email": None,
        "invoice_prefix": None,
        "invoice_settings": {
            "custom_fields": None,
            "default_payment_method": None,
            "footer": None,
            "rendering_options": None,
        },
        "livemode": False,
        "metadata": {},
        "name": None,
        "next_invoice_sequence": 1,
        "phone": None,
        "preferred_locales": [],
        "shipping": None,
        "tax_exempt": "none",
        "test_clock": clock or None,
    }
    customer["invoice_prefix"] = params.get("invoice_prefix") or customer["id"][-8:].upper()
    account.create(customer)
    if params.get("payment_method"):
        from sandbox.stripe.payment_methods import attach_to

        attach_to(account, params["payment_method"], customer)
    _apply(account, customer, params)
    account.store.save(customer)
    account.emit("customer.created", customer)
    return customer


def _apply(account: Account, customer: Object, params: Params) -> None:
    assign(customer, params, *_PLAIN)
    customer["metadata"] = metadata(customer["metadata"], params.get("metadata"))
    settings = dict(customer["invoice_settings"])
    given: Any = params.get("invoice_settings") or {}
    if given.get("default_payment_method"):
        from sandbox.stripe.payment_methods import method_of

        method = method_of(account, given["default_payment_method"], customer["id"])
        given = {**given, "default_payment_method": method["id"]}
    assign(settings, given, "default_payment_method", "footer")
    customer["invoice_settings"] = settings


@operation("GET", "/v1/customers/{id}")
def retrieve(account: Account, _params: Params, customer_id: str) -> Object:
    return account.get("customer", customer_id)


@operation("POST", "/v1/customers/{id}", _FIELDS)
def update(account: Account, params: Params, customer_id: str) -> Object:
    customer = _present(account, customer_id)
    _apply(account, customer, params)
    return account.change(customer, "customer.updated")


@operation("DELETE", "/v1/customers/{id}")
def delete(account: Account, _params: Params, customer_id: str) -> Object:
    from sandbox.stripe.subscriptions import end

    customer = _present(account, customer_id)
    for subscription in account.store.find("subscription", customer=customer_id):
        if subscription["status"] not in ("canceled", "incomplete_expired"):
            end(account, subscription, "cancellation_requested")
    account.emit("customer.deleted", customer)
    account.store.save(
        {"id": customer_id, "object": "customer", "deleted": True, "created": customer["created"]}
    )
    return {"id": customer_id, "object": "customer", "deleted": True}


def _present(account: Account, customer_id: str) -> Object:
    customer = account.get("customer", customer_id)
    if customer.get("deleted"):
        raise missing("customer", customer_id)
    return customer


@operation("GET", "/v1/customers", {**PAGING, "email": str, "test_clock": str})
def list_all(account: Account, params: Params) -> Object:
    return page(
        account,
        "customer",
        params,
        "/v1/customers",
        email=params.get("email"),
        test_clock=params.get("test_clock"),
    )


@includes("customer", "subscriptions")
def _subscriptions(account: Account, customer: Object) -> Object:
    rows = [
        row
        for row in account.store.find("subscription", customer=customer["id"])
        if row["status"] not in ("canceled", "incomplete_expired")
    ]
    return list_of(rows[::-1], f"/v1/customers/{customer['id']}/subscriptions")

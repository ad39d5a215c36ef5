"""Payment methods: cards by number, token or test name."""

import hashlib
from typing import Any

from sandbox.store import Object
from sandbox.stripe.account import Account
from sandbox.stripe.cards import TOKENS, Card, card_of, decline, is_valid_number
from sandbox.stripe.customers import ADDRESS
from sandbox.stripe.errors import StripeError, invalid, missing
from sandbox.stripe.forms import Params, Spec
from sandbox.stripe.lists import PAGING, page
from sandbox.stripe.operations import metadata, need, operation

BILLING_DETAILS: Spec = {"address": ADDRESS, "email": str, "name": str, "phone": str}
_CARD: Spec = {"number": str, "exp_month": int, "exp_year": int, "cvc": str, "token": str}


def make(account: Account, card: Card, details: Params, *, year: int = 2034, month: int = 12) -> Object:
    """A payment method of a card; not attached yet."""
    value: Object = {
        "id": account.new_id("pm"),
        "object": "payment_method",
        "allow_redisplay": "unspecified",
        "billing_details": {
            "address": details.get("address") or dict.fromkeys(ADDRESS),
            "email": details.get("email") or None,
            "name": details.get("name") or None,
            "phone": details.get("phone") or None,
            "tax_id": None,
        },
        "card": _card(card, year, month),
        "created": account.now(),
        "customer": None,
        "customer_account": None,
        "livemode": False,
        "metadata": {},
        "type": "card",
        "_number": card.number,
        "_is_authenticated": False,  # when it was saved: counts for payments off session
        "_is_confirmed": False,  # by the bank just now: counts for the payment that follows
    }
    return account.create(value)


def _card(card: Card, year: int, month: int) -> Object:
    return {
        "brand": card.brand,
        "checks": {
            "address_line1_check": None,
            "address_postal_code_check": None,
            "cvc_check": "pass",
        },
        "country": "LU",
        "display_brand": card.brand,
        "exp_month": month,
        "exp_year": year,
        "fingerprint": hashlib.sha256(card.number.encode()).hexdigest()[:16],
        "funding": "credit",
        "generated_from": None,
        "last4": card.number[-4:],
        "networks": {"available": [card.brand], "preferred": None},
        "regulated_status": "unregulated",
        "three_d_secure_usage": {"supported": True},
        "wallet": None,
    }


@operation(
    "POST",
    "/v1/payment_methods",
    {"type": ("card",), "card": _CARD, "billing_details": BILLING_DETAILS, "metadata": dict},
)
def create(account: Account, params: Params) -> Object:
    need(params, "type", "card")
    given: Any = params["card"]
    if "token" in given:
        if given["token"] not in TOKENS:
            raise missing("token", given["token"], "card[token]")
        value = make(account, TOKENS[given["token"]], params.get("billing_details") or {})
    else:
        need(given, "number", "exp_month", "exp_year")
        if not is_valid_number(given["number"]):
            raise StripeError(
                402,
                "Your card number is incorrect.",
                kind="card_error",
                code="incorrect_number",
                param="number",
            )
        value = make(
            account,
            card_of(given["number"]),
            params.get("billing_details") or {},
            year=given["exp_year"],
            month=given["exp_month"],
        )
    return account.change(value, None, metadata=metadata({}, params.get("metadata")))


def method_of(
    account: Account, method_id: str, customer_id: str | None = None, param: str = "payment_method"
) -> Object:
    """The payment method, or a new one of a test name such as ``pm_card_visa``; of this customer, if given."""
    if method_id in TOKENS:
        method = make(account, TOKENS[method_id], {})
        return (
            attach_to(account, method["id"], account.get("customer", customer_id)) if customer_id else method
        )
    method = account.get("payment_method", method_id, param)
    if customer_id and method["customer"] != customer_id:
        raise invalid(
            f"The customer does not have a payment method with the ID {method_id}. "
            "The payment method must be attached to the customer.",
            param,
            "resource_missing",
        )
    return method


def attach_to(account: Account, method_id: str, customer: Object) -> Object:
    """Attach a method or test name to a customer; the card may decline."""
    method = (
        make(account, TOKENS[method_id], {})
        if method_id in TOKENS
        else account.get("payment_method", method_id)
    )
    if method["customer"] == customer["id"]:
        return method
    if method["customer"] is not None:
        raise invalid("The payment method you provided has already been attached to a customer.")
    if code := card_of(method["_number"]).attach:
        raise declined(code)
    return account.change(method, "payment_method.attached", customer=customer["id"])


def declined(code: str, **fields: Any) -> StripeError:
    """402 for a decline code."""
    name, message = decline(code)
    return StripeError(
        402,
        message,
        kind="card_error",
        code=name,
        decline_code=code if name in ("card_declined", "authentication_required") else None,
        **fields,
    )


@operation("GET", "/v1/payment_methods/{id}")
def retrieve(account: Account, _params: Params, method_id: str) -> Object:
    return account.get("payment_method", method_id)


@operation(
    "POST",
    "/v1/payment_methods/{id}",
    {
        "billing_details": BILLING_DETAILS,
        "card": {"exp_month": int, "exp_year": int},
        "metadata": dict,
        "allow_redisplay": ("always", "limited", "unspecified"),
    },
)
def update(account: Account, params: Params, method_id: str) -> Object:
    method = account.get("payment_method", method_id)
    method["billing_details"] = {**method["billing_details"], **(params.get("billing_details") or {})}
    method["card"] = {**method["card"], **(params.get("card") or {})}
    method["metadata"] = metadata(method["metadata"], params.get("metadata"))
    method["allow_redisplay"] = params.get("allow_redisplay", method["allow_redisplay"])
    return account.change(method, "payment_method.updated")


@operation("POST", "/v1/payment_methods/{id}/attach", {"customer": str})
def attach(account: Account, params: Params, method_id: str) -> Object:
    need(params, "customer")
    return attach_to(account, method_id, account.get("customer", params["customer"], "customer"))


@operation("POST", "/v1/payment_methods/{id}/detach")
def detach(account: Account, _params: Params, method_id: str) -> Object:
    method = account.get("payment_method", method_id)
    customer_id = method["customer"]
    if customer_id is None:
        raise invalid(
            "The payment method you provided is not attached to a customer so detachment is impossible."
        )
    customer = account.get("customer", customer_id)
    if customer["invoice_settings"]["default_payment_method"] == method_id:
        settings = {**customer["invoice_settings"], "default_payment_method": None}
        account.change(customer, "customer.updated", invoice_settings=settings)
    for subscription in account.store.find("subscription", default_payment_method=method_id):
        account.change(subscription, "customer.subscription.updated", default_payment_method=None)
    return account.change(method, "payment_method.detached", customer=None)


@operation("GET", "/v1/payment_methods", {**PAGING, "customer": str, "type": str})
def list_all(account: Account, params: Params) -> Object:
    return page(
        account,
        "payment_method",
        params,
        "/v1/payment_methods",
        customer=params.get("customer"),
        type=params.get("type"),
    )


@operation("GET", "/v1/customers/{id}/payment_methods", {**PAGING, "type": str})
def list_of_customer(account: Account, params: Params, customer_id: str) -> Object:
    account.get("customer", customer_id)
    url = f"/v1/customers/{customer_id}/payment_methods"
    return page(account, "payment_method", params, url, customer=customer_id, type=params.get("type"))

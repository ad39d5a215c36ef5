"""Checkout sessions: made by the API, completed on the hosted page."""

from typing import Any

from sandbox.store import Object
from sandbox.stripe import intents, setup_intents, subscriptions
from sandbox.stripe.account import Account, action
from sandbox.stripe.calendar import DAY
from sandbox.stripe.catalogue import INLINE_PRICE, make_price
from sandbox.stripe.customers import create as create_customer
from sandbox.stripe.errors import invalid
from sandbox.stripe.expand import includes
from sandbox.stripe.forms import Params, Spec
from sandbox.stripe.lines import product_name
from sandbox.stripe.lists import PAGING, list_of, page
from sandbox.stripe.operations import metadata, need, operation
from sandbox.stripe.payment_methods import attach_to, declined

_SUBSCRIPTION: Spec = {
    "billing_cycle_anchor": int,
    "billing_mode": {"type": ("flexible",)},
    "description": str,
    "metadata": dict,
    "trial_end": int,
    "trial_period_days": int,
    "trial_settings": {"end_behavior": {"missing_payment_method": ("cancel", "create_invoice", "pause")}},
}
_CREATE: dict[str, Spec] = {
    "billing_address_collection": ("auto", "required"),
    "cancel_url": str,
    "client_reference_id": str,
    "currency": str,
    "customer": str,
    "customer_creation": ("always", "if_required"),
    "customer_email": str,
    "customer_update": {"address": ("auto", "never"), "name": ("auto", "never")},
    "expires_at": int,
    "line_items": [{"price": str, "price_data": INLINE_PRICE, "quantity": int}],
    "locale": str,
    "metadata": dict,
    "mode": ("payment", "setup", "subscription"),
    "payment_intent_data": {
        "capture_method": ("automatic", "automatic_async", "manual"),
        "description": str,
        "metadata": dict,
        "receipt_email": str,
        "setup_future_usage": ("off_session", "on_session"),
    },
    "payment_method_collection": ("always", "if_required"),
    "payment_method_types": [str],
    "setup_intent_data": {"description": str, "metadata": dict},
    "submit_type": ("auto", "book", "donate", "pay", "subscribe"),
    "subscription_data": _SUBSCRIPTION,
    "success_url": str,
    "ui_mode": ("hosted_page",),
}
_NOTHING = (
    "after_expiration",
    "allow_promotion_codes",
    "billing_address_collection",
    "cancel_url",
    "client_reference_id",
    "client_secret",
    "collected_information",
    "consent",
    "consent_collection",
    "currency_conversion",
    "customer_account",
    "customer_details",
    "customer_email",
    "invoice",
    "invoice_creation",
    "locale",
    "origin_context",
    "payment_intent",
    "payment_link",
    "payment_method_configuration_details",
    "permissions",
    "recovered_from",
    "setup_intent",
    "shipping_address_collection",
    "shipping_cost",
    "submit_type",
    "subscription",
    "total_details",
    "wallet_options",
)
_CUSTOM_TEXTS = ("after_submit", "shipping_address", "submit", "terms_of_service_acceptance")


@operation("POST", "/v1/checkout/sessions", _CREATE)
def create(account: Account, params: Params) -> Object:
    need(params, "mode", "success_url")
    mode = params["mode"]
    if params.get("customer"):
        account.get("customer", params["customer"], "customer")
    rows = _rows(account, params)
    total = 0 if _has_trial(params) else sum(row["price"]["unit_amount"] * row["quantity"] for row in rows)
    session_id = account.new_id("cs_test", 58)
    expires = params.get("expires_at", account.now() + DAY)
    session: Object = {
        "id": session_id,
        "object": "checkout.session",
        **dict.fromkeys(_NOTHING),
        "adaptive_pricing": {"enabled": False},
        "amount_subtotal": total if rows else None,
        "amount_total": total if rows else None,
        "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
        "cancel_url": params.get("cancel_url"),
        "client_reference_id": params.get("client_reference_id"),
        "created": account.now(),
        "currency": rows[0]["price"]["currency"] if rows else params.get("currency"),
        "custom_fields": [],
        "custom_text": dict.fromkeys(_CUSTOM_TEXTS),
        "customer": params.get("customer") or None,
        "customer_creation": _creation(params),
        "customer_email": params.get("customer_email"),
        "discounts": [],
        "expires_at": expires,
        "livemode": False,
        "locale": params.get("locale"),
        "metadata": metadata({}, params.get("metadata")),
        "mode": mode,
        "payment_method_collection": params.get("payment_method_collection", "always"),
        "payment_method_options": {},
        "payment_method_types": params.get("payment_method_types", ["card"]),
        "payment_status": "no_payment_required" if mode == "setup" else "unpaid",
        "phone_number_collection": {"enabled": False},
        "shipping_options": [],
        "status": "open",
        "success_url": params["success_url"],
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
        "ui_mode": "hosted_page",
        "url": f"{account.base_url}/pages/checkout/{session_id}",
        "_rows": rows,
        "_data": params.get(f"{mode}_data" if mode == "subscription" else f"{mode}_intent_data") or {},
        "_test_clock": None,
    }
    account.create(session)
    account.plan(session, expires, "expire_checkout")
    return session


def _creation(params: Params) -> str | None:
    if params.get("customer"):
        return None
    return str(
        params.get("customer_creation") or ("if_required" if params["mode"] == "payment" else "always")
    )


def _has_trial(params: Params) -> bool:
    data = params.get("subscription_data") or {}
    return bool(data.get("trial_period_days") or data.get("trial_end"))


def _rows(account: Account, params: Params) -> list[Object]:
    """The line items with their prices."""
    rows: list[Object] = []
    for number, given in enumerate(params.get("line_items") or []):
        if given.get("price_data"):
            price = make_price(account, {**given["price_data"], "active": False})
        else:
            need(given, "price")
            price = account.get("price", given["price"], f"line_items[{number}][price]")
        rows.append({"price": price, "quantity": given.get("quantity", 1)})
    if params["mode"] == "setup":
        return []
    if not rows:
        raise invalid("Missing required param: line_items.", "line_items", "parameter_missing")
    if params["mode"] == "payment" and any(row["price"]["recurring"] for row in rows):
        raise invalid(
            "You specified `payment` mode but passed a recurring price. Either switch to `subscription` mode or use "
            "only one-time prices.",
            "mode",
        )
    if params["mode"] == "subscription" and not any(row["price"]["recurring"] for row in rows):
        raise invalid("You must provide at least one recurring price in `subscription` mode.", "line_items")
    return rows


@operation("GET", "/v1/checkout/sessions/{id}")
def retrieve(account: Account, _params: Params, session_id: str) -> Object:
    return account.get("checkout.session", session_id)


@operation(
    "GET",
    "/v1/checkout/sessions",
    {**PAGING, "customer": str, "payment_intent": str, "subscription": str, "status": str},
)
def list_all(account: Account, params: Params) -> Object:
    names = ("customer", "payment_intent", "subscription", "status")
    fields: dict[str, Any] = {name: params.get(name) for name in names}
    return page(account, "checkout.session", params, "/v1/checkout/sessions", **fields)


@operation("POST", "/v1/checkout/sessions/{id}/expire")
def expire(account: Account, _params: Params, session_id: str) -> Object:
    session = account.get("checkout.session", session_id)
    if session["status"] != "open":
        raise invalid('Only Checkout Sessions with a status in ["open"] can be expired.')
    _expire(account, session)
    return session


@action("expire_checkout")
def _expire(account: Account, session: Object) -> None:
    if session["status"] == "open":
        account.store.unplan(session["id"])
        account.change(session, "checkout.session.expired", status="expired", url=None)


@includes("checkout.session", "line_items")
def _line_items(account: Account, session: Object) -> Object:
    rows = [
        {
            "id": f"li_{session['id'][8:28]}{number}",
            "object": "item",
            "amount_discount": 0,
            "amount_subtotal": row["price"]["unit_amount"] * row["quantity"],
            "amount_tax": 0,
            "amount_total": row["price"]["unit_amount"] * row["quantity"],
            "currency": row["price"]["currency"],
            "description": product_name(account, row["price"]),
            "price": row["price"],
            "quantity": row["quantity"],
        }
        for number, row in enumerate(session["_rows"])
    ]
    return list_of(rows, f"/v1/checkout/sessions/{session['id']}/line_items")


@operation("GET", "/v1/checkout/sessions/{id}/line_items", PAGING)
def list_line_items(account: Account, _params: Params, session_id: str) -> Object:
    found: Object = _line_items(account, account.get("checkout.session", session_id))
    return found


def complete(account: Account, session: Object, method: Object | None, person: Params) -> Object:
    """The customer has paid (or saved a card, or began a trial): make what the session is for. May raise a decline."""
    customer = _customer(account, session, person)
    is_kept = session["mode"] != "payment" or session["_data"].get("setup_future_usage")
    if method is not None and customer and is_kept:
        attach_to(account, method["id"], customer)
    fields = _FOR_MODE[session["mode"]](account, session, customer or {}, method)
    fields["customer"] = customer["id"] if customer else None
    fields["customer_details"] = {
        **dict.fromkeys(("address", "business_name", "individual_name", "phone")),
        "email": session["customer_email"] or person.get("email"),
        "name": person.get("name"),
        "tax_exempt": "none",
        "tax_ids": [],
        **{
            name: customer[name]
            for name in ("address", "email", "name", "phone")
            if customer and customer[name]
        },
    }
    account.store.unplan(session["id"])
    account.change(session, None, status="complete", url=None, **fields)
    account.emit("checkout.session.completed", session)
    return session


def _customer(account: Account, session: Object, person: Params) -> Object | None:
    """The customer; a guest who pays once is none."""
    if session["customer"]:
        return account.get("customer", session["customer"])
    if session["customer_creation"] == "if_required" and session["mode"] == "payment":
        return None
    email = session["customer_email"] or person.get("email")
    made: Object = create_customer(account, {"email": email or "", "name": person.get("name") or ""})
    account.change(session, None, customer=made["id"])
    return made


def _subscribe(account: Account, session: Object, customer: Object, method: Object | None) -> Object:
    once = [row for row in session["_rows"] if not row["price"]["recurring"]]
    if once:
        raise invalid("The stand-in does not cover one-time prices in a subscription checkout.", "line_items")
    params = {
        **session["_data"],
        "customer": customer["id"],
        "items": [{"price": row["price"]["id"], "quantity": row["quantity"]} for row in session["_rows"]],
        "payment_behavior": "error_if_incomplete",
    }
    if method is not None:
        params["default_payment_method"] = method["id"]
    made = subscriptions.create(account, params)
    total = account.get("invoice", made["latest_invoice"])["amount_paid"]
    return {
        "subscription": made["id"],
        "invoice": made["latest_invoice"],
        "payment_status": "paid" if total else "no_payment_required",
    }


def _pay(account: Account, session: Object, customer: Object, method: Object | None) -> Object:
    data = session["_data"]
    if session["payment_intent"]:
        intent = account.get("payment_intent", session["payment_intent"])
    else:
        asked = {
            "amount": session["amount_total"],
            "currency": session["currency"],
            "customer": customer.get("id"),
        }
        intent = intents.make(account, {**data, **asked})
        account.change(session, None, payment_intent=intent["id"])
    if method is not None and (code := intents.attempt(account, intent, method, is_off_session=False)):
        raise declined(code, keeps_effects=True)
    return {
        "payment_intent": intent["id"],
        "payment_status": "paid" if intent["status"] == "succeeded" else "unpaid",
    }


def _set_up(account: Account, session: Object, customer: Object, method: Object | None) -> Object:
    intent = setup_intents.create(account, {**session["_data"], "customer": customer["id"]})
    if method is not None and (error := setup_intents.attempt(account, intent, method)):
        raise error
    return {"setup_intent": intent["id"]}


_FOR_MODE = {"subscription": _subscribe, "payment": _pay, "setup": _set_up}

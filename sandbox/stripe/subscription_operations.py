"""What the API does with subscriptions and their items; previews."""

from sandbox.store import Object
from sandbox.stripe import changes, invoices, subscriptions
from sandbox.stripe.account import Account
from sandbox.stripe.catalogue import INLINE_PRICE
from sandbox.stripe.errors import invalid, missing
from sandbox.stripe.forms import Params, Spec
from sandbox.stripe.lines import proration
from sandbox.stripe.lists import PAGING, list_of, page
from sandbox.stripe.operations import metadata, need, operation

_NEW_ITEM: Spec = {"price": str, "price_data": INLINE_PRICE, "quantity": int, "metadata": dict}
_ITEM: Spec = {**_NEW_ITEM, "id": str, "deleted": bool}
_ANCHOR: Spec = {"type": ("now", "unchanged"), "timestamp": int}
_COMMON: dict[str, Spec] = {
    "cancel_at": str,
    "cancel_at_period_end": bool,
    "collection_method": ("charge_automatically", "send_invoice"),
    "days_until_due": int,
    "default_payment_method": str,
    "description": str,
    "metadata": dict,
    "off_session": bool,
    "payment_behavior": (
        "allow_incomplete",
        "default_incomplete",
        "error_if_incomplete",
        "pending_if_incomplete",
    ),
    "payment_settings": {
        "save_default_payment_method": ("off", "on_subscription"),
        "payment_method_types": [str],
    },
    "proration_behavior": ("always_invoice", "create_prorations", "none"),
    "trial_end": str,
    "trial_settings": {"end_behavior": {"missing_payment_method": ("cancel", "create_invoice", "pause")}},
}
CREATE: dict[str, Spec] = {
    **_COMMON,
    "billing_cycle_anchor": int,
    "billing_mode": {"type": ("flexible",)},
    "currency": str,
    "customer": str,
    "items": [_NEW_ITEM],
    "trial_period_days": int,
}
_DETAILS: Spec = {"comment": str, "feedback": str}
_UPDATE: dict[str, Spec] = {
    **_COMMON,
    "billing_cycle_anchor": _ANCHOR,
    "cancellation_details": _DETAILS,
    "items": [_ITEM],
    "proration_date": int,
}


@operation("POST", "/v1/subscriptions", CREATE)
def create(account: Account, params: Params) -> Object:
    return subscriptions.create(account, params)


@operation("GET", "/v1/subscriptions/{id}")
def retrieve(account: Account, _params: Params, subscription_id: str) -> Object:
    return account.get("subscription", subscription_id)


@operation("POST", "/v1/subscriptions/{id}", _UPDATE)
def update(account: Account, params: Params, subscription_id: str) -> Object:
    subscription = account.get("subscription", subscription_id)
    if subscription["status"] in subscriptions.ENDED and set(params) <= {"metadata"}:
        return account.change(
            subscription, None, metadata=metadata(subscription["metadata"], params.get("metadata"))
        )
    return changes.update(account, subscription, params)


@operation(
    "DELETE",
    "/v1/subscriptions/{id}",
    {"cancellation_details": _DETAILS, "invoice_now": bool, "prorate": bool},
)
def cancel(account: Account, params: Params, subscription_id: str) -> Object:
    subscription = account.get("subscription", subscription_id)
    if subscription["status"] in subscriptions.ENDED:
        raise missing("subscription", subscription_id)
    if params.get("cancellation_details"):
        subscription["cancellation_details"] = {
            **subscription["cancellation_details"],
            **params["cancellation_details"],
        }
    if params.get("prorate") and subscription["status"] != "trialing":
        for item in subscription["items"]["data"]:
            proration(account, subscription, item, account.now(), -1)
    subscriptions.end(account, subscription, "cancellation_requested")
    if params.get("invoice_now"):
        customer = account.get("customer", subscription["customer"])
        invoice = invoices.draft(account, customer, reason="subscription_update", subscription=subscription)
        if not account.is_preview:
            invoices.finalize(account, invoice)
            invoices.collect(account, invoice)
        account.change(subscription, None, latest_invoice=invoice["id"])
    return subscription


@operation(
    "GET",
    "/v1/subscriptions",
    {**PAGING, "customer": str, "price": str, "status": str, "collection_method": str, "test_clock": str},
)
def list_all(account: Account, params: Params) -> Object:
    status, price = params.get("status"), params.get("price")

    def keeps(row: Object) -> bool:
        is_ended = row["status"] in subscriptions.ENDED
        if price and all(item["price"]["id"] != price for item in row["items"]["data"]):
            return False
        return status == "all" or is_ended == (status == "ended") or row["status"] == status

    return page(
        account,
        "subscription",
        params,
        "/v1/subscriptions",
        keeps=keeps,
        customer=params.get("customer"),
        collection_method=params.get("collection_method"),
        test_clock=params.get("test_clock"),
        status=None if status in ("all", "ended") else status,
    )


# Items


def _of_item(account: Account, item_id: str) -> tuple[Object, Object]:
    query = "SELECT id FROM objects WHERE kind = 'subscription' AND instr(data, ?) ORDER BY seq DESC LIMIT 1"
    row = account.store.connection.execute(query, (f'"{item_id}"',)).fetchone()
    subscription = account.get("subscription", row[0]) if row else None
    for item in subscription["items"]["data"] if subscription else []:
        if subscription and item["id"] == item_id:
            return subscription, item
    raise missing("subscription_item", item_id)


_ITEM_CHANGE: dict[str, Spec] = {
    **_NEW_ITEM,
    "payment_behavior": _COMMON["payment_behavior"],
    "proration_behavior": _COMMON["proration_behavior"],
    "proration_date": int,
    "off_session": bool,
}
_OF_CHANGE = ("payment_behavior", "proration_behavior", "proration_date", "off_session")


def _change_item(account: Account, subscription: Object, item: Params, params: Params) -> Object:
    more = {name: params[name] for name in _OF_CHANGE if name in params}
    return changes.update(account, subscription, {**more, "items": [item]})


@operation("POST", "/v1/subscription_items", {**_ITEM_CHANGE, "subscription": str})
def create_item(account: Account, params: Params) -> Object:
    need(params, "subscription")
    subscription = account.get("subscription", params["subscription"], "subscription")
    given = {name: params[name] for name in _NEW_ITEM if name in params}
    after = _change_item(account, subscription, given, params)
    return dict(after["items"]["data"][-1])


@operation("GET", "/v1/subscription_items/{id}")
def retrieve_item(account: Account, _params: Params, item_id: str) -> Object:
    return _of_item(account, item_id)[1]


@operation("POST", "/v1/subscription_items/{id}", _ITEM_CHANGE)
def update_item(account: Account, params: Params, item_id: str) -> Object:
    subscription, _item = _of_item(account, item_id)
    given = {name: params[name] for name in _NEW_ITEM if name in params}
    _change_item(account, subscription, {"id": item_id, **given}, params)
    return _of_item(account, item_id)[1]


@operation(
    "DELETE",
    "/v1/subscription_items/{id}",
    {
        "proration_behavior": _COMMON["proration_behavior"],
        "proration_date": int,
        "payment_behavior": _COMMON["payment_behavior"],
    },
)
def delete_item(account: Account, params: Params, item_id: str) -> Object:
    subscription, _item = _of_item(account, item_id)
    _change_item(account, subscription, {"id": item_id, "deleted": True}, params)
    return {"id": item_id, "object": "subscription_item", "deleted": True}


@operation("GET", "/v1/subscription_items", {**PAGING, "subscription": str})
def list_items(account: Account, params: Params) -> Object:
    need(params, "subscription")
    rows = account.get("subscription", params["subscription"], "subscription")["items"]["data"]
    return list_of(
        rows[: params.get("limit", 10)], "/v1/subscription_items", len(rows) > params.get("limit", 10)
    )


# Previews

_CHANGE_PREVIEW: Spec = {
    "billing_cycle_anchor": _ANCHOR,
    "billing_mode": {"type": ("flexible",)},
    "cancel_at": str,
    "cancel_at_period_end": bool,
    "cancel_now": bool,
    "items": [_ITEM],
    "proration_behavior": _COMMON["proration_behavior"],
    "proration_date": int,
    "trial_end": str,
}


@operation(
    "POST",
    "/v1/invoices/create_preview",
    {"customer": str, "currency": str, "subscription": str, "subscription_details": _CHANGE_PREVIEW},
)
def create_preview(account: Account, params: Params) -> Object:
    details = dict(params.get("subscription_details") or {})
    details.pop("billing_mode", None)
    with account.store.rehearsal():
        made = _preview(account, params, details)
    shown = {**made, "id": f"upcoming_{made['id']}", "status": "draft"}
    shown["lines"] = {
        **made["lines"],
        "data": [{**line, "invoice": shown["id"]} for line in made["lines"]["data"]],
        "url": f"/v1/invoices/{shown['id']}/lines",
    }
    return shown


def _preview(account: Account, params: Params, details: Params) -> Object:
    if not params.get("subscription"):
        need(params, "customer")
        if not details.get("items"):
            raise invalid("You must pass a subscription, or subscription_details[items].", "subscription")
        account.is_preview = True
        details.pop("billing_cycle_anchor", None)
        new = subscriptions.create(account, {"customer": params["customer"], **details})
        return account.get("invoice", new["latest_invoice"])
    subscription = account.get("subscription", params["subscription"], "subscription")
    if details.pop("cancel_now", False):
        account.is_preview = True
        is_prorated = details.get("proration_behavior", "create_prorations") != "none"
        ended = cancel(account, {"prorate": is_prorated, "invoice_now": True}, subscription["id"])
        return account.get("invoice", ended["latest_invoice"])
    return changes.preview(account, subscription, details)

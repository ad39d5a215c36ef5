"""What the API does with invoices, invoice items and invoice payments."""

from sandbox.store import Object
from sandbox.stripe import intents, invoices
from sandbox.stripe.account import Account, public
from sandbox.stripe.errors import invalid
from sandbox.stripe.expand import includes
from sandbox.stripe.forms import Params
from sandbox.stripe.lines import pending
from sandbox.stripe.lists import PAGING, list_of, page
from sandbox.stripe.operations import assign, metadata, need, operation
from sandbox.stripe.payment_methods import method_of


@operation("GET", "/v1/invoices/{id}")
def retrieve(account: Account, _params: Params, invoice_id: str) -> Object:
    return account.get("invoice", invoice_id)


@operation(
    "GET",
    "/v1/invoices",
    {
        **PAGING,
        "customer": str,
        "subscription": str,
        "collection_method": str,
        "status": ("draft", "open", "paid", "uncollectible", "void"),
    },
)
def list_all(account: Account, params: Params) -> Object:
    return page(
        account,
        "invoice",
        params,
        "/v1/invoices",
        customer=params.get("customer"),
        _subscription=params.get("subscription"),
        status=params.get("status"),
        collection_method=params.get("collection_method"),
    )


@operation(
    "POST",
    "/v1/invoices",
    {
        "customer": str,
        "auto_advance": bool,
        "collection_method": ("charge_automatically", "send_invoice"),
        "days_until_due": int,
        "currency": str,
        "default_payment_method": str,
        "description": str,
        "metadata": dict,
        "pending_invoice_items_behavior": ("include",),
        "subscription": str,
    },
)
def create(account: Account, params: Params) -> Object:
    need(params, "customer")
    customer = account.get("customer", params["customer"], "customer")
    subscription = None
    if params.get("subscription"):
        subscription = account.get("subscription", params["subscription"], "subscription")
    value = invoices.draft(account, customer, reason="manual", subscription=subscription)
    assign(value, params, "collection_method", "description", "default_payment_method")
    if params.get("days_until_due"):
        value["due_date"] = account.now() + params["days_until_due"] * 86400
    value["auto_advance"] = params.get("auto_advance", False)
    value["metadata"] = metadata({}, params.get("metadata"))
    account.change(value, None)
    if value["auto_advance"]:
        invoices.schedule(account, value)
    return value


@operation(
    "POST",
    "/v1/invoices/{id}",
    {
        "auto_advance": bool,
        "default_payment_method": str,
        "description": str,
        "footer": str,
        "metadata": dict,
    },
)
def update(account: Account, params: Params, invoice_id: str) -> Object:
    value = account.get("invoice", invoice_id)
    assign(value, params, "auto_advance", "default_payment_method", "description", "footer")
    value["metadata"] = metadata(value["metadata"], params.get("metadata"))
    return account.change(value, "invoice.updated")


@operation("DELETE", "/v1/invoices/{id}")
def delete(account: Account, _params: Params, invoice_id: str) -> Object:
    value = account.get("invoice", invoice_id)
    if value["status"] != "draft" or value["_subscription"]:
        raise invalid("You can only delete draft invoices that no subscription has made.")
    account.store.unplan(invoice_id)
    account.emit("invoice.deleted", value)
    account.store.remove(invoice_id)
    return {"id": invoice_id, "object": "invoice", "deleted": True}


@operation("POST", "/v1/invoices/{id}/finalize", {"auto_advance": bool})
def finalize(account: Account, params: Params, invoice_id: str) -> Object:
    value = account.get("invoice", invoice_id)
    invoices.finalize(account, value)
    if params.get("auto_advance") and value["status"] == "open":
        account.change(value, None, auto_advance=True)
        invoices.collect(account, value)
    return value


@operation(
    "POST",
    "/v1/invoices/{id}/pay",
    {"payment_method": str, "off_session": bool, "paid_out_of_band": bool, "forgive": bool},
)
def pay(account: Account, params: Params, invoice_id: str) -> Object:
    value = account.get("invoice", invoice_id)
    if value["status"] == "draft":
        invoices.finalize(account, value)
    if value["status"] == "paid":
        if value["amount_due"] == 0 and value["status_transitions"]["paid_at"] == account.now():
            return value
        raise invalid("Invoice is already paid", code="invoice_already_paid")
    if value["status"] not in ("open", "uncollectible"):
        raise invalid(
            f"This invoice can no longer be paid: it is {value['status']}.", code="invoice_not_editable"
        )
    if params.get("paid_out_of_band"):
        intents.stop(account, account.get("payment_intent", value["_intent"]), "void_invoice")
        invoices.mark_paid(account, value, amount_off_stripe=value["amount_due"])
        return value
    account.change(value, None, status="open")
    method = invoices.method_for(account, value)
    if params.get("payment_method"):
        method = method_of(account, params["payment_method"], value["customer"])
    if method is None:
        raise invalid(
            "There is no `default_payment_method` set on this Customer or Invoice. "
            "Please set one, or send payment_method.",
        )
    invoices.collect(account, value, method, is_off_session=params.get("off_session", True), is_asked=True)
    if value["status"] == "open":
        intents.raise_if_failed(account.get("payment_intent", value["_intent"]))
        _raise_for_action(account, value)
    return account.get("invoice", invoice_id)


def _raise_for_action(account: Account, value: Object) -> None:
    from sandbox.stripe.errors import StripeError

    intent = account.get("payment_intent", value["_intent"])
    if intent["status"] == "requires_action":
        raise StripeError(
            402,
            "This payment requires additional user action before it can be completed successfully.",
            kind="card_error",
            code="invoice_payment_intent_requires_action",
            payment_intent=public(intent),
            keeps_effects=True,
        )


@operation("POST", "/v1/invoices/{id}/void")
def void(account: Account, _params: Params, invoice_id: str) -> Object:
    value = account.get("invoice", invoice_id)
    if value["_intent"]:
        intents.stop(account, account.get("payment_intent", value["_intent"]), "void_invoice")
    return invoices.void(account, value)


@operation("POST", "/v1/invoices/{id}/mark_uncollectible")
def mark_uncollectible(account: Account, _params: Params, invoice_id: str) -> Object:
    value = account.get("invoice", invoice_id)
    if value["status"] != "open":
        raise invalid("Only open invoices can be marked as uncollectible.")
    invoices.stop_collecting(account, value)
    value["status_transitions"] = {**value["status_transitions"], "marked_uncollectible_at": account.now()}
    return account.change(value, "invoice.marked_uncollectible", status="uncollectible")


@operation("GET", "/v1/invoices/{id}/lines", PAGING)
def list_lines(account: Account, params: Params, invoice_id: str) -> Object:
    rows = account.get("invoice", invoice_id)["lines"]["data"]
    ids = [row["id"] for row in rows]
    start = ids.index(params["starting_after"]) + 1 if params.get("starting_after") in ids else 0
    limit = params.get("limit", 10)
    return list_of(rows[start : start + limit], f"/v1/invoices/{invoice_id}/lines", len(rows) > start + limit)


@includes("invoice", "payments")
def _payments(account: Account, value: Object) -> Object:
    return list_of(account.store.find("invoice_payment", invoice=value["id"]), "/v1/invoice_payments")


@includes("invoice", "confirmation_secret")
def _secret(account: Account, value: Object) -> Object | None:
    if not value.get("_intent"):
        return None
    intent = account.get("payment_intent", value["_intent"])
    return {"client_secret": intent["client_secret"], "type": "payment_intent"}


@operation("GET", "/v1/invoice_payments/{id}")
def retrieve_payment(account: Account, _params: Params, payment_id: str) -> Object:
    return account.get("invoice_payment", payment_id)


@operation(
    "GET",
    "/v1/invoice_payments",
    {**PAGING, "invoice": str, "status": str, "payment": {"type": str, "payment_intent": str}},
)
def list_payments(account: Account, params: Params) -> Object:
    return page(
        account,
        "invoice_payment",
        params,
        "/v1/invoice_payments",
        invoice=params.get("invoice"),
        status=params.get("status"),
        payment__payment_intent=(params.get("payment") or {}).get("payment_intent"),
    )


@operation(
    "POST",
    "/v1/invoiceitems",
    {
        "customer": str,
        "amount": int,
        "currency": str,
        "description": str,
        "metadata": dict,
        "pricing": {"price": str},
        "quantity": int,
        "subscription": str,
        "period": {"start": int, "end": int},
    },
)
def create_item(account: Account, params: Params) -> Object:
    need(params, "customer")
    customer = account.get("customer", params["customer"], "customer")
    quantity = params.get("quantity", 1)
    if params.get("pricing"):
        price = account.get("price", params["pricing"]["price"], "pricing[price]")
    else:
        need(params, "amount", "currency")
        price = {
            "id": "",
            "product": "",
            "currency": params["currency"].lower(),
            "unit_amount": params["amount"],
            "unit_amount_decimal": str(params["amount"]),
        }
    period = params.get("period") or {"start": account.now(), "end": account.now()}
    value = pending(
        account,
        customer,
        amount=price["unit_amount"] * quantity,
        description=params.get("description"),
        period=(period["start"], period["end"]),
        price=price,
        quantity=quantity,
        subscription_id=params.get("subscription"),
    )
    return account.change(value, None, metadata=metadata({}, params.get("metadata")))


@operation("GET", "/v1/invoiceitems/{id}")
def retrieve_item(account: Account, _params: Params, item_id: str) -> Object:
    return account.get("invoiceitem", item_id)


@operation("DELETE", "/v1/invoiceitems/{id}")
def delete_item(account: Account, _params: Params, item_id: str) -> Object:
    value = account.get("invoiceitem", item_id)
    if value["invoice"]:
        raise invalid("This item is on an invoice already.")
    account.emit("invoiceitem.deleted", value)
    account.store.remove(item_id)
    return {"id": item_id, "object": "invoiceitem", "deleted": True}


@operation("GET", "/v1/invoiceitems", {**PAGING, "customer": str, "invoice": str, "pending": bool})
def list_items(account: Account, params: Params) -> Object:
    is_pending = params.get("pending")
    return page(
        account,
        "invoiceitem",
        params,
        "/v1/invoiceitems",
        keeps=lambda row: is_pending is None or (row["invoice"] is None) == is_pending,
        customer=params.get("customer"),
        invoice=params.get("invoice"),
    )

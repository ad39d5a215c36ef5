"""Invoices: made, finalised, paid, tried again, given up."""

from collections.abc import Callable

from sandbox.store import Object
from sandbox.stripe import intents
from sandbox.stripe.account import Account, action
from sandbox.stripe.calendar import DAY, HOUR
from sandbox.stripe.errors import invalid
from sandbox.stripe.lines import take_pending
from sandbox.stripe.lists import list_of

RETRY_DAYS = (3, 5, 7)
FINALIZE_AFTER = HOUR
# What subscriptions do when one of their invoices is paid, or an attempt fails (with the decline code).
ON_PAID: list[Callable[[Account, Object], None]] = []
ON_FAILED: list[Callable[[Account, Object, str], None]] = []


def draft(
    account: Account,
    customer: Object,
    *,
    reason: str,
    subscription: Object | None = None,
    period: tuple[int, int] | None = None,
    lines: list[Object] | None = None,
) -> Object:
    """A draft of these lines and of everything that waits for the next invoice."""
    invoice_id = account.new_id("in")
    subscription_id = subscription["id"] if subscription else None
    now = account.now()
    invoice = {
        **_blank(customer),
        "id": invoice_id,
        "billing_reason": reason,
        "created": now,
        "period_start": (period or (now, now))[0],
        "period_end": (period or (now, now))[1],
        "_subscription": subscription_id,
    }
    if subscription:
        invoice["default_payment_method"] = None
        invoice["collection_method"] = subscription["collection_method"]
        if subscription["days_until_due"] is not None:
            invoice["due_date"] = now + subscription["days_until_due"] * DAY
        invoice["parent"] = {
            "quote_details": None,
            "subscription_details": {
                "metadata": subscription["metadata"],
                "subscription": subscription_id,
                "subscription_proration_date": None,
            },
            "type": "subscription_details",
        }
    rows = take_pending(account, customer["id"], subscription_id, invoice_id) + (lines or [])
    for row in rows:
        row["invoice"] = invoice_id
    invoice["lines"] = list_of(rows, f"/v1/invoices/{invoice_id}/lines")
    invoice["currency"] = rows[0]["currency"] if rows else (customer["currency"] or "eur")
    add_up(invoice, customer)
    return account.create(invoice, "invoice.created")


def add_up(invoice: Object, customer: Object) -> None:
    """Totals of the lines, and what the customer's balance leaves to pay."""
    total = sum(line["amount"] for line in invoice["lines"]["data"])
    balance = customer["balance"]
    due = max(0, total + balance) if total > 0 else 0
    invoice.update(
        subtotal=total,
        subtotal_excluding_tax=total,
        total=total,
        total_excluding_tax=total,
        amount_due=due,
        amount_remaining=due,
        starting_balance=balance,
    )


_NULLS = (
    "account_tax_ids",
    "application",
    "automatically_finalizes_at",
    "custom_fields",
    "customer_account",
    "customer_shipping",
    "default_payment_method",
    "default_source",
    "description",
    "due_date",
    "effective_at",
    "ending_balance",
    "footer",
    "from_invoice",
    "hosted_invoice_url",
    "invoice_pdf",
    "last_finalization_error",
    "latest_revision",
    "next_payment_attempt",
    "number",
    "on_behalf_of",
    "parent",
    "receipt_number",
    "rendering",
    "shipping_cost",
    "shipping_details",
    "statement_descriptor",
    "threshold_reason",
    "webhooks_delivered_at",
)


_ZEROS = (
    "amount_overpaid",
    "amount_paid",
    "amount_shipping",
    "attempt_count",
    "post_payment_credit_notes_amount",
    "pre_payment_credit_notes_amount",
)


def _blank(customer: Object) -> Object:
    nobody = {"disabled_reason": None, "enabled": False, "liability": None, "provider": None, "status": None}
    return {
        "object": "invoice",
        **dict.fromkeys(_NULLS),
        **dict.fromkeys(_ZEROS, 0),
        "account_country": "LU",
        "account_name": "Wizamart sandbox",
        "attempted": False,
        "auto_advance": True,
        "automatic_tax": nobody,
        "collection_method": "charge_automatically",
        "customer": customer["id"],
        "customer_address": customer["address"],
        "customer_email": customer["email"],
        "customer_name": customer["name"],
        "customer_phone": customer["phone"],
        "customer_tax_exempt": customer["tax_exempt"],
        "customer_tax_ids": [],
        "default_tax_rates": [],
        "discounts": [],
        "issuer": {"type": "self"},
        "livemode": False,
        "metadata": {},
        "payment_settings": {
            "default_mandate": None,
            "payment_method_options": None,
            "payment_method_types": None,
        },
        "status": "draft",
        "status_transitions": dict.fromkeys(
            ("finalized_at", "marked_uncollectible_at", "paid_at", "voided_at")
        ),
        "test_clock": customer["test_clock"],
        "total_discount_amounts": [],
        "total_pretax_credit_amounts": [],
        "total_taxes": [],
        "_intent": None,
    }


def schedule(account: Account, invoice: Object) -> None:
    """Finalise and pay it by itself in an hour."""
    at = account.now() + FINALIZE_AFTER
    account.change(invoice, None, automatically_finalizes_at=at, auto_advance=True)
    account.plan(invoice, at, "finalize_invoice")


@action("finalize_invoice")
def _finalize_and_collect(account: Account, invoice: Object) -> None:
    if invoice["status"] == "draft" and invoice["auto_advance"]:
        finalize(account, invoice)
        if invoice["collection_method"] == "charge_automatically":
            collect(account, invoice)


def finalize(account: Account, invoice: Object) -> Object:
    """Draft to open, with a number; _NULLS to pay makes it paid."""
    if invoice["status"] != "draft":
        raise invalid("This invoice is already finalized, you can't re-finalize a non-draft invoice.")
    customer = account.get("customer", invoice["customer"])
    add_up(invoice, customer)
    balance_after = customer["balance"] + invoice["total"] - invoice["amount_due"]
    number = f"{customer['invoice_prefix']}-{customer['next_invoice_sequence']:04d}"
    account.store.unplan(invoice["id"], "finalize_invoice")
    account.change(
        customer,
        "customer.updated" if balance_after != customer["balance"] else None,
        balance=balance_after,
        next_invoice_sequence=customer["next_invoice_sequence"] + 1,
        currency=invoice["currency"],
    )
    page = f"{account.base_url}/pages/invoice/{invoice['id']}"
    invoice["status_transitions"] = {**invoice["status_transitions"], "finalized_at": account.now()}
    account.change(
        invoice,
        "invoice.finalized",
        number=number,
        status="open",
        effective_at=account.now(),
        ending_balance=balance_after,
        hosted_invoice_url=page,
        invoice_pdf=f"{page}.pdf",
        automatically_finalizes_at=None,
    )
    if invoice["amount_due"] == 0:
        mark_paid(account, invoice)
    else:
        _request_payment(account, invoice)
    return invoice


def _request_payment(account: Account, invoice: Object) -> None:
    due = invoice["amount_due"]
    intent = intents.make(
        account,
        {
            "amount": due,
            "currency": invoice["currency"],
            "customer": invoice["customer"],
            "description": "Subscription update" if invoice["_subscription"] else "Invoice",
            "_invoice": invoice["id"],
            "setup_future_usage": "off_session" if invoice["_subscription"] else None,
        },
    )
    account.change(invoice, None, _intent=intent["id"])
    account.create(
        {
            "id": account.new_id("inpay"),
            "object": "invoice_payment",
            "amount_paid": None,
            "amount_requested": due,
            "created": account.now(),
            "currency": invoice["currency"],
            "invoice": invoice["id"],
            "is_default": True,
            "livemode": False,
            "payment": {"payment_intent": intent["id"], "type": "payment_intent"},
            "status": "open",
            "status_transitions": {"canceled_at": None, "paid_at": None},
        }
    )


def method_for(account: Account, invoice: Object) -> Object | None:
    """The card that an invoice is charged to: its own, its subscription's, its customer's."""
    customer = account.get("customer", invoice["customer"])
    subscription = account.store.load(invoice["_subscription"]) if invoice["_subscription"] else None
    for method_id in (
        invoice["default_payment_method"],
        subscription and subscription["default_payment_method"],
        customer["invoice_settings"]["default_payment_method"],
    ):
        method = account.store.load(method_id) if method_id else None
        if method is not None and method["customer"] == invoice["customer"]:
            return method
    return None


@action("retry_invoice")
def _retry(account: Account, invoice: Object) -> None:
    if invoice["status"] == "open" and invoice["auto_advance"]:
        collect(account, invoice)


def collect(
    account: Account,
    invoice: Object,
    method: Object | None = None,
    *,
    is_off_session: bool = True,
    is_asked: bool = False,
) -> str | None:
    """Try to take the money for an open invoice. Returns the decline code, if any."""
    if invoice["status"] != "open":
        return None
    method = method or method_for(account, invoice)
    intent = account.get("payment_intent", invoice["_intent"])
    if method is None:
        code: str | None = "no_payment_method"
    else:
        code = intents.attempt(account, intent, method, is_off_session=is_off_session)
    if code is None:
        mark_paid(account, invoice)
        return None
    failed(account, invoice, code, is_asked=is_asked)
    return code


def failed(account: Account, invoice: Object, code: str, *, is_asked: bool = False) -> None:
    """An attempt failed: count it, and plan the next one."""
    count = invoice["attempt_count"] + (0 if is_asked and invoice["attempt_count"] else 1)
    plans = invoice["auto_advance"] and invoice["_subscription"] and count <= len(RETRY_DAYS)
    following = account.now() + RETRY_DAYS[count - 1] * DAY if plans else None
    if is_asked and invoice["next_payment_attempt"]:
        following = invoice["next_payment_attempt"]
    account.change(
        invoice, "invoice.updated", attempted=True, attempt_count=count, next_payment_attempt=following
    )
    account.emit("invoice.payment_failed", invoice)
    if code == "authentication_required":
        account.emit("invoice.payment_action_required", invoice)
    if following:
        account.plan(invoice, following, "retry_invoice")
    for listener in ON_FAILED:
        listener(account, invoice, code)


def mark_paid(account: Account, invoice: Object, *, amount_off_stripe: int = 0) -> None:
    """Open to paid."""
    account.store.unplan(invoice["id"])
    for payment in account.store.find("invoice_payment", invoice=invoice["id"]):
        moments = {"canceled_at": None, "paid_at": account.now()}
        if payment["status"] == "open" and not amount_off_stripe:
            account.change(
                payment,
                None,
                status="paid",
                amount_paid=payment["amount_requested"],
                status_transitions=moments,
            )
    invoice["status_transitions"] = {**invoice["status_transitions"], "paid_at": account.now()}
    account.change(
        invoice,
        "invoice.updated",
        status="paid",
        attempted=True,
        attempt_count=max(1, invoice["attempt_count"]) if invoice["amount_due"] else invoice["attempt_count"],
        amount_paid=0 if amount_off_stripe else invoice["amount_due"],
        amount_paid_off_stripe=amount_off_stripe,
        amount_remaining=0,
        next_payment_attempt=None,
        auto_advance=False,
    )
    account.emit("invoice.paid", invoice)
    account.emit("invoice.payment_succeeded", invoice)
    for listener in ON_PAID:
        listener(account, invoice)


def void(account: Account, invoice: Object) -> Object:
    """Open (or uncollectible) to void."""
    if invoice["status"] not in ("open", "uncollectible"):
        raise invalid(f"You can only void an open invoice; this one is {invoice['status']}.")
    stop_collecting(account, invoice)
    invoice["status_transitions"] = {**invoice["status_transitions"], "voided_at": account.now()}
    return account.change(invoice, "invoice.voided", status="void", amount_remaining=0)


def stop_collecting(account: Account, invoice: Object) -> None:
    """No attempt any more by itself."""
    account.store.unplan(invoice["id"])
    account.change(
        invoice, None, auto_advance=False, next_payment_attempt=None, automatically_finalizes_at=None
    )

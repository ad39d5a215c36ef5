"""Subscriptions and invoices as Stripe tells of them, read into shapes of ours.

Fields that are not known are passed over, those that an older or newer version does not have are done without.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from stripe import StripeClient

from app.core import clock
from app.modules.payments.exceptions import GatewayRefusedError
from app.modules.payments.facade import translated_errors

PAGE = 100
_ITS_SUBSCRIPTION = "parent.subscription_details.subscription.customer"
ENDED = frozenset({"canceled", "incomplete_expired"})
UNBEGUN = frozenset({"incomplete", "incomplete_expired"})


@dataclass(frozen=True, slots=True)
class RemoteItem:
    """One price that a subscription is for."""

    id: str
    price_id: str
    product_id: str
    interval: str
    quantity: int
    period_start: datetime | None
    period_end: datetime | None


@dataclass(frozen=True, slots=True)
class RemoteSubscription:
    """A subscription. ``read_at``: system time before it was asked for; ``status`` is Stripe's word."""

    id: str
    customer_id: str
    status: str
    items: tuple[RemoteItem, ...]
    anchor_at: datetime | None
    trial_ends_at: datetime | None
    is_ending: bool
    cancel_at: datetime | None
    cancelled_at: datetime | None
    has_payment_method: bool
    metadata: Mapping[str, str]
    latest_invoice_id: str | None
    read_at: datetime


@dataclass(frozen=True, slots=True)
class RemoteLine:
    """One line of an invoice."""

    text: str
    cents: int
    product_id: str
    is_proration: bool
    period_start: datetime | None
    period_end: datetime | None


@dataclass(frozen=True, slots=True)
class RemoteInvoice:
    """An invoice. ``settled_cents``: what was paid of it, or taken from the customer's balance."""

    id: str
    customer_id: str
    subscription_id: str | None
    status: str
    reason: str
    number: str | None
    currency: str
    total_cents: int
    due_cents: int
    tax_cents: int
    settled_cents: int
    lines: tuple[RemoteLine, ...]
    period_start: datetime
    period_end: datetime
    hosted_url: str | None
    pdf_url: str | None
    issued_at: datetime
    due_at: datetime | None
    paid_at: datetime | None


def read_subscription(client: StripeClient, subscription_id: str) -> RemoteSubscription | None:
    """A subscription as it is now; None where Stripe does not know it. Raises GatewayUnavailableError,
    GatewayRefusedError."""
    read_at = clock.system_now()
    try:
        with translated_errors():
            found = client.v1.subscriptions.retrieve(subscription_id, {"expand": ["customer"]}).to_dict()
            _complete_items(client, found)
    except GatewayRefusedError as error:
        if is_missing(error):
            return None
        raise
    return subscription_of(found, read_at)


def read_subscriptions(
    client: StripeClient, *, after: str | None = None, customer_id: str | None = None
) -> tuple[list[RemoteSubscription], bool]:
    """A page of those that have not ended, the newest first, and whether there are more; of one customer all."""
    params: dict[str, Any] = {"limit": PAGE, "expand": ["data.customer"]}
    if after:
        params["starting_after"] = after
    if customer_id:
        params |= {"customer": customer_id, "status": "all"}
    read_at = clock.system_now()
    with translated_errors():
        page = client.v1.subscriptions.list(params).to_dict()  # type: ignore[arg-type]
        for found in page["data"]:
            _complete_items(client, found)
    return [subscription_of(found, read_at) for found in page["data"]], bool(page.get("has_more"))


def read_invoice(client: StripeClient, invoice_id: str) -> RemoteInvoice | None:
    """An invoice as it is now; None where Stripe does not know it."""
    try:
        with translated_errors():
            return invoice_of(client.v1.invoices.retrieve(invoice_id).to_dict())
    except GatewayRefusedError as error:
        if is_missing(error):
            return None
        raise


def read_with_subscription(
    client: StripeClient, invoice_id: str
) -> tuple[RemoteInvoice | None, RemoteSubscription | None]:
    """An invoice and the subscription that it is for, read by one call; None for what there is not."""
    read_at = clock.system_now()
    try:
        with translated_errors():
            found = client.v1.invoices.retrieve(invoice_id, {"expand": [_ITS_SUBSCRIPTION]}).to_dict()
            subscription = _subscription_in(found)
            if subscription is not None:
                _complete_items(client, subscription)
    except GatewayRefusedError as error:
        if is_missing(error):
            return None, None
        raise
    return invoice_of(found), subscription_of(subscription, read_at) if subscription else None


def _subscription_in(invoice: Mapping[str, Any]) -> dict[str, Any] | None:
    details = (invoice.get("parent") or {}).get("subscription_details") or {}
    found = details.get("subscription")
    return found if isinstance(found, dict) else None


def read_invoices(
    client: StripeClient, *, after: str | None = None, **wanted: Any
) -> tuple[list[RemoteInvoice], bool]:
    """A page of invoices, the newest first, and whether there are more. ``wanted``: Stripe's own filters."""
    params: dict[str, Any] = {"limit": PAGE, **wanted}
    if after:
        params["starting_after"] = after
    with translated_errors():
        page = client.v1.invoices.list(params).to_dict()  # type: ignore[arg-type]
    return [invoice_of(found) for found in page["data"]], bool(page.get("has_more"))


def read_with_invoice(
    client: StripeClient, subscription_id: str
) -> tuple[tuple[RemoteSubscription, ...], tuple[RemoteInvoice, ...]]:
    """A subscription and its latest invoice, where there are any."""
    remote = read_subscription(client, subscription_id)
    if remote is None:
        return (), ()
    invoice = read_invoice(client, remote.latest_invoice_id) if remote.latest_invoice_id else None
    return (remote,), ((invoice,) if invoice else ())


def is_missing(error: GatewayRefusedError) -> bool:
    """Whether Stripe knows no such object."""
    return error.params.get("reason") == "resource_missing"


def _complete_items(client: StripeClient, found: dict[str, Any]) -> None:
    """A subscription shows ten of its items: ask for the others."""
    items = found.get("items") or {}
    if items.get("has_more"):
        rows = client.v1.subscription_items.list({"subscription": found["id"], "limit": PAGE})
        found["items"] = rows.to_dict()


def subscription_of(found: Mapping[str, Any], read_at: datetime) -> RemoteSubscription:
    """A subscription out of Stripe's object; its customer may be expanded."""
    customer = found.get("customer")
    settings = (customer.get("invoice_settings") or {}) if isinstance(customer, Mapping) else {}
    cards = (
        found.get("default_payment_method"),
        found.get("default_source"),
        settings.get("default_payment_method"),
        customer.get("default_source") if isinstance(customer, Mapping) else None,
    )
    return RemoteSubscription(
        id=str(found["id"]),
        customer_id=_id_of(customer) or "",
        status=str(found.get("status") or ""),
        items=tuple(_item_of(row, found) for row in (found.get("items") or {}).get("data") or ()),
        anchor_at=_moment(found.get("billing_cycle_anchor")),
        trial_ends_at=_moment(found.get("trial_end")),
        is_ending=bool(found.get("cancel_at_period_end")),
        cancel_at=_moment(found.get("cancel_at")),
        cancelled_at=_moment(found.get("canceled_at")),
        has_payment_method=any(cards),
        metadata={str(key): str(value) for key, value in (found.get("metadata") or {}).items()},
        latest_invoice_id=_id_of(found.get("latest_invoice")),
        read_at=read_at,
    )


def _item_of(row: Mapping[str, Any], subscription: Mapping[str, Any]) -> RemoteItem:
    price = row.get("price") or row.get("plan") or {}
    recurring = price.get("recurring") or price
    quantity = row.get("quantity")
    return RemoteItem(
        id=str(row["id"]),
        price_id=str(price.get("id") or ""),
        product_id=_id_of(price.get("product")) or "",
        interval=_interval(recurring),
        quantity=1 if quantity is None else int(quantity),
        # Before 2025 the period was the subscription's own.
        period_start=_moment(row.get("current_period_start") or subscription.get("current_period_start")),
        period_end=_moment(row.get("current_period_end") or subscription.get("current_period_end")),
    )


def _interval(recurring: Mapping[str, Any]) -> str:
    interval, count = str(recurring.get("interval") or ""), recurring.get("interval_count") or 1
    if count == 1:
        return interval
    return "year" if (interval, count) == ("month", 12) else f"{count} {interval}"


def invoice_of(found: Mapping[str, Any]) -> RemoteInvoice:
    """An invoice out of Stripe's object."""
    status, total = str(found.get("status") or ""), int(found.get("total") or 0)
    parent = (found.get("parent") or {}).get("subscription_details") or {}
    moments = found.get("status_transitions") or {}
    created = _moment(found.get("created")) or clock.now()
    taxes = [int(tax.get("amount") or 0) for tax in found.get("total_taxes") or ()]
    settled, left = int(found.get("amount_paid") or 0), found.get("amount_remaining")
    if status in ("open", "paid") and left is not None:
        settled = total - int(left)
    return RemoteInvoice(
        id=str(found["id"]),
        customer_id=_id_of(found.get("customer")) or "",
        subscription_id=_id_of(parent.get("subscription") or found.get("subscription")),
        status=status,
        reason=str(found.get("billing_reason") or ""),
        number=found.get("number"),
        currency=str(found.get("currency") or "eur").upper(),
        total_cents=total,
        due_cents=int(found.get("amount_due") or 0),
        tax_cents=sum(taxes) if taxes else int(found.get("tax") or 0),
        settled_cents=max(0, settled),
        lines=tuple(_line_of(line) for line in (found.get("lines") or {}).get("data") or ()),
        period_start=_moment(found.get("period_start")) or created,
        period_end=_moment(found.get("period_end")) or created,
        hosted_url=found.get("hosted_invoice_url"),
        pdf_url=found.get("invoice_pdf"),
        issued_at=_moment(moments.get("finalized_at")) or created,
        due_at=_moment(found.get("due_date")),
        paid_at=_moment(moments.get("paid_at")),
    )


def _line_of(line: Mapping[str, Any]) -> RemoteLine:
    parent = line.get("parent") or {}
    details = parent.get("subscription_item_details") or parent.get("invoice_item_details") or line
    priced = (line.get("pricing") or {}).get("price_details") or line.get("price") or {}
    period = line.get("period") or {}
    return RemoteLine(
        text=str(line.get("description") or ""),
        cents=int(line.get("amount") or 0),
        product_id=_id_of(priced.get("product")) or "",
        is_proration=bool(details.get("proration")),
        period_start=_moment(period.get("start")),
        period_end=_moment(period.get("end")),
    )


def _id_of(value: Any) -> str | None:
    """The id of what may be expanded."""
    found = value.get("id") if isinstance(value, Mapping) else value
    return str(found) if found else None


def _moment(value: Any) -> datetime | None:
    return datetime.fromtimestamp(int(value), UTC) if value else None


def main_item(items: Sequence[RemoteItem], tier_products: Mapping[str, Any]) -> RemoteItem | None:
    """The item that is the plan: the one whose product is a plan's."""
    return next((item for item in items if item.product_id in tier_products), None)

"""What is said to Stripe. Nothing here knows the database; every call may be made again with the same key.

Raise GatewayUnavailableError (later), GatewayRefusedError (param ``reason``: Stripe's code).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from stripe import StripeClient

from app.core.ids import to_public
from app.modules.billing.contracts import ChangePreview
from app.modules.billing.enums import Interval
from app.modules.billing.models.subscription_tier import Addon, SubscriptionTier
from app.modules.billing.services.addon_service import ADDON_PREFIX
from app.modules.billing.services.stripe_remote_service import (
    RemoteInvoice,
    RemoteItem,
    RemoteSubscription,
    invoice_of,
    is_missing,
)
from app.modules.billing.services.tier_service import TIER_PREFIX, name_of
from app.modules.payments.exceptions import GatewayRefusedError
from app.modules.payments.facade import translated_errors

# Names in the metadata of what we make: whose it is; a smaller plan that waits, as tier/interval@seconds.
SUBSCRIPTION_KEY, PLANNED_KEY = "wizamart_subscription", "wizamart_planned"
STRIPE_SUBSCRIPTION_KEY = "wizamart_stripe_subscription"
_LOCALES = frozenset({"en", "fr", "de"})
_MOST_PRICES = 1000  # of one product that are looked at


@dataclass(frozen=True, slots=True)
class Sold:
    """A plan or an add-on as it shall be at Stripe; ``cents`` by interval."""

    product_id: str
    name: str
    currency: str
    cents: Mapping[str, int]
    metadata: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Payer:
    """Who pays: a vendor."""

    name: str
    email: str | None
    language: str
    metadata: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Change:
    """Another plan for a subscription. ``at``: the second from which the difference counts (Unix)."""

    price_id: str
    is_now: bool
    at: int
    planned: str


def sold_tier(tier: SubscriptionTier) -> Sold:
    """A plan as it shall be at Stripe: one product, a price by month and one by year."""
    public_id = to_public(TIER_PREFIX, tier.id)
    cents = {Interval.MONTH.value: tier.monthly_cents, Interval.YEAR.value: tier.annual_cents}
    product_id = tier.stripe_product_id or f"wizamart_{public_id}"
    return Sold(product_id, name_of(tier.names, "en"), tier.currency, cents, {"wizamart_tier": public_id})


def sold_addon(addon: Addon) -> Sold:
    """An add-on as it shall be at Stripe: one product with one price."""
    public_id = to_public(ADDON_PREFIX, addon.id)
    product_id = addon.stripe_product_id or f"wizamart_{public_id}"
    return Sold(
        product_id,
        name_of(addon.names, "en"),
        addon.currency,
        {addon.interval: addon.price_cents},
        {"wizamart_addon": public_id},
    )


def sync_tier(client: StripeClient, sold: Sold) -> dict[str, str]:
    """Make product and prices at Stripe what is sold; the ids of the prices by interval.

    A price never changes: another one is made and the old one archived, which goes on for whoever subscribed to it.
    """
    with translated_errors():
        _ensure_product(client, sold)
        present = _prices(client, sold.product_id, is_active=True)
        kept: dict[str, str] = {}
        for interval, cents in sold.cents.items():
            found = next((price for price in present if _is_price(price, sold, interval, cents)), None)
            kept[interval] = found["id"] if found else _new_price(client, sold, interval, cents)
        for price in present:
            if price["id"] not in kept.values():
                client.v1.prices.update(price["id"], {"active": False})
    return kept


def _ensure_product(client: StripeClient, sold: Sold) -> None:
    metadata = dict(sold.metadata)
    try:
        with translated_errors():
            found = client.v1.products.retrieve(sold.product_id)
    except GatewayRefusedError as error:
        if not is_missing(error):
            raise
        client.v1.products.create(
            {"id": sold.product_id, "name": sold.name, "metadata": metadata},
            {"idempotency_key": f"{sold.product_id}:product"},
        )
        return
    if found.name != sold.name or not found.active:
        client.v1.products.update(sold.product_id, {"name": sold.name, "active": True})


def _prices(client: StripeClient, product_id: str, *, is_active: bool) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    page = client.v1.prices.list({"product": product_id, "active": is_active, "limit": 100})
    for price in page.auto_paging_iter():
        found.append(price.to_dict())
        if len(found) >= _MOST_PRICES:
            break
    return found


def _is_price(price: Mapping[str, Any], sold: Sold, interval: str, cents: int) -> bool:
    recurring = price.get("recurring") or {}
    every = (recurring.get("interval"), recurring.get("interval_count", 1))
    is_same = (price.get("unit_amount"), str(price.get("currency")).upper()) == (cents, sold.currency)
    return is_same and every == (interval, 1)


def _new_price(client: StripeClient, sold: Sold, interval: str, cents: int) -> str:
    """A price that was there before is taken again: its key would only give the old one's answer."""
    former = _prices(client, sold.product_id, is_active=False)
    found = next((price for price in former if _is_price(price, sold, interval, cents)), None)
    if found:
        client.v1.prices.update(found["id"], {"active": True})
        return str(found["id"])
    params: dict[str, Any] = {
        "product": sold.product_id,
        "currency": sold.currency.lower(),
        "unit_amount": cents,
        "recurring": {"interval": interval},
        "metadata": dict(sold.metadata),
    }
    key = f"{sold.product_id}:{interval}:{cents}:{sold.currency}"
    return client.v1.prices.create(params, {"idempotency_key": key}).id  # type: ignore[arg-type]


def make_customer(client: StripeClient, payer: Payer, key: str) -> str:
    """The vendor as a customer; its id."""
    params: dict[str, Any] = {
        "name": payer.name,
        "metadata": dict(payer.metadata),
        "preferred_locales": [payer.language],
    }
    if payer.email:
        params["email"] = payer.email
    with translated_errors():
        return client.v1.customers.create(params, {"idempotency_key": key}).id  # type: ignore[arg-type]


def close_checkouts(client: StripeClient, customer_id: str) -> None:
    """Nobody shall pay twice by two pages: those that are open are closed."""
    with translated_errors():
        found = client.v1.checkout.sessions.list({"customer": customer_id, "status": "open", "limit": 100})
        for session in found.data:
            if session.mode == "subscription":
                client.v1.checkout.sessions.expire(session.id)


def checkout_params(
    payer: Payer,
    customer_id: str,
    prices: Iterable[tuple[str, int]],
    return_url: str,
    trial_ends_at: datetime | None,
) -> dict[str, Any]:
    """A page that sells a subscription to these prices, each so many times."""
    names = dict(payer.metadata)
    data: dict[str, Any] = {"metadata": names, "billing_mode": {"type": "flexible"}}
    if trial_ends_at:
        data["trial_end"] = int(trial_ends_at.timestamp())
    return {
        "mode": "subscription",
        "customer": customer_id,
        "line_items": [{"price": price_id, "quantity": count} for price_id, count in prices],
        "subscription_data": data,
        **_page(payer, return_url, names),
    }


def card_params(
    payer: Payer, customer_id: str, subscription_id: str, currency: str, return_url: str
) -> dict[str, Any]:
    """A page that takes another payment method; the message of its completion makes it the subscription's."""
    names = {**payer.metadata, STRIPE_SUBSCRIPTION_KEY: subscription_id}
    return {
        "mode": "setup",
        "customer": customer_id,
        "currency": currency.lower(),
        **_page(payer, return_url, names),
    }


def _page(payer: Payer, return_url: str, names: dict[str, str]) -> dict[str, Any]:
    return {
        "success_url": return_url,
        "cancel_url": return_url,
        "client_reference_id": payer.metadata[SUBSCRIPTION_KEY],
        "metadata": names,
        "locale": payer.language if payer.language in _LOCALES else "auto",
    }


def change_params(remote: RemoteSubscription, item: RemoteItem, change: Change) -> dict[str, Any]:
    """Another price for the plan's item: at once and charged at once, or without charge and billed from the next
    period on. A trial only changes what it will cost."""
    params: dict[str, Any] = {
        "items": [{"id": item.id, "price": change.price_id}],
        "metadata": {PLANNED_KEY: change.planned},
        "proration_behavior": "none",
    }
    if change.is_now and remote.status != "trialing":
        params |= {
            "proration_behavior": "always_invoice",
            "proration_date": change.at,
            "payment_behavior": "error_if_incomplete",
        }
    return params


def preview_change(
    client: StripeClient, remote: RemoteSubscription, item: RemoteItem, change: Change
) -> RemoteInvoice:
    """The invoice that a change would make: at once, or the next one. Nothing is changed."""
    wanted = change_params(remote, item, change)
    kept = ("items", "proration_behavior", "proration_date")
    details = {name: wanted[name] for name in kept if name in wanted}
    params: dict[str, Any] = {"subscription": remote.id, "subscription_details": details}
    with translated_errors():
        made = client.v1.invoices.create_preview(params)  # type: ignore[arg-type]
    return invoice_of(made.to_dict())


def shown_preview(
    invoice: RemoteInvoice, tier_code: str, interval: str, *, starts_at: datetime, is_now: bool, cents: int
) -> dict[str, Any]:
    """A preview as JSON. ``cents``: what a period of the new plan costs."""
    is_charged = any(line.is_proration for line in invoice.lines) and is_now
    return {
        "tier_code": tier_code,
        "interval": interval,
        "is_now": is_now,
        "currency": invoice.currency,
        "due_now_cents": invoice.due_cents if is_charged else 0,
        "credit_cents": max(0, -invoice.total_cents) if is_charged else 0,
        "next_cents": cents if is_charged else invoice.due_cents,
        "starts_at": int(starts_at.timestamp()),
        "lines": [[line.text, line.cents] for line in invoice.lines],
    }


def read_preview(shown: Mapping[str, Any]) -> ChangePreview:
    """The same out of JSON."""
    lines = tuple((str(text), int(cents)) for text, cents in shown["lines"])
    starts_at = datetime.fromtimestamp(shown["starts_at"], UTC)
    return ChangePreview(**{**shown, "lines": lines, "starts_at": starts_at})


def cancel_params(
    remote: RemoteSubscription, item: RemoteItem | None, asked: Mapping[str, Any]
) -> dict[str, Any]:
    """End it when the plan's period ends. Add-ons of another interval would end it earlier or later."""
    why = {"comment": asked.get("reason"), "feedback": asked.get("feedback")}
    details = {name: value for name, value in why.items() if value}
    intervals = {one.interval for one in remote.items}
    if len(intervals) > 1 and item is not None and item.period_end is not None:
        moment = int(item.period_end.timestamp())
        return {"cancel_at": moment, "proration_behavior": "none", "cancellation_details": details}
    return {"cancel_at_period_end": True, "cancellation_details": details}


def keep_params(remote: RemoteSubscription) -> dict[str, Any]:
    """Take a cancellation back."""
    return (
        {"cancel_at_period_end": False}
        if remote.is_ending
        else {"cancel_at": "", "proration_behavior": "none"}
    )


def addon_params(
    remote: RemoteSubscription, products: Sequence[str], price_id: str | None, quantity: int
) -> dict[str, Any] | None:
    """So many of an add-on: more is charged at once, less is not given back. None: it is so already."""
    item = next((one for one in remote.items if one.product_id in products), None)
    present = item.quantity if item else 0
    if quantity == present:
        return None
    if item is None:
        row: dict[str, Any] = {"price": price_id, "quantity": quantity}
    elif quantity == 0:
        row = {"id": item.id, "deleted": True}
    else:
        row = {"id": item.id, "quantity": quantity}
    if quantity < present or remote.status == "trialing":
        return {"items": [row], "proration_behavior": "none"}
    return {
        "items": [row],
        "proration_behavior": "always_invoice",
        "payment_behavior": "error_if_incomplete",
    }


def trial_params(moment: int) -> dict[str, Any]:
    """Let the trial end at another second (Unix)."""
    return {"trial_end": moment, "proration_behavior": "none"}


def open_checkout(client: StripeClient, params: Mapping[str, Any], key: str) -> tuple[str, str]:
    """A Checkout page: its address and its id."""
    with translated_errors():
        made = client.v1.checkout.sessions.create(dict(params), {"idempotency_key": key})  # type: ignore[arg-type]
    return str(made.url), str(made.id)


def open_portal(client: StripeClient, params: Mapping[str, Any], key: str) -> str:
    """A page of the customer portal; its address."""
    with translated_errors():
        made = client.v1.billing_portal.sessions.create(dict(params), {"idempotency_key": key})  # type: ignore[arg-type]
    return str(made.url)


def update_subscription(
    client: StripeClient, subscription_id: str, params: Mapping[str, Any], key: str
) -> None:
    """Change a subscription; how it is then has to be read."""
    with translated_errors():
        client.v1.subscriptions.update(subscription_id, dict(params), {"idempotency_key": key})  # type: ignore[arg-type]


def pay_invoice(client: StripeClient, invoice_id: str, key: str) -> None:
    """Charge an open invoice to the card on file."""
    with translated_errors():
        client.v1.invoices.pay(invoice_id, {}, {"idempotency_key": key})


def cancel_now(client: StripeClient, subscription_id: str) -> None:
    """End a subscription at once; what was paid for the rest becomes the customer's balance."""
    try:
        with translated_errors():
            client.v1.subscriptions.cancel(subscription_id, {"prorate": True, "invoice_now": True})
    except GatewayRefusedError as error:
        if not is_missing(error):
            raise


def use_card(client: StripeClient, session: Mapping[str, Any]) -> list[str]:
    """Make the payment method that a page took the one of customer and subscription, and charge what is owed to it.

    Returns the invoices that were owed.
    """
    with translated_errors():
        intent = client.v1.setup_intents.retrieve(session["setup_intent"])
        method, key = str(intent.payment_method), str(session["id"])
        subscription_id = session["metadata"][STRIPE_SUBSCRIPTION_KEY]
        settings = {"invoice_settings": {"default_payment_method": method}}
        client.v1.customers.update(session["customer"], settings, {"idempotency_key": f"{key}:customer"})  # type: ignore[arg-type]
        client.v1.subscriptions.update(
            subscription_id, {"default_payment_method": method}, {"idempotency_key": f"{key}:subscription"}
        )
        owed = client.v1.invoices.list({"subscription": subscription_id, "status": "open", "limit": 100})
    for invoice in owed.data:
        try:
            pay_invoice(client, str(invoice.id), f"{key}:{invoice.id}")
        except GatewayRefusedError:
            continue  # it stays owed, as the subscription says
    return [str(invoice.id) for invoice in owed.data]

"""What a job does about a request: read inside transactions, said to Stripe between them, written down after it.

What is said is fixed in the row before it is said for the first time: with the same key Stripe accepts nothing else.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.orm import Session

from app.core import clock
from app.core.database import SYSTEM, acting_in
from app.core.ids import to_public
from app.modules.billing.enums import SubscriptionStatus
from app.modules.billing.models.remote import BillingRequest
from app.modules.billing.models.subscription import Subscription
from app.modules.billing.models.subscription_tier import Addon, SubscriptionTier
from app.modules.billing.services import (
    addon_service,
    stripe_apply_service,
    stripe_invoice_service,
    stripe_saying_service,
    stripe_service,
    tier_service,
)
from app.modules.billing.services.history_service import SUBSCRIPTION_PREFIX
from app.modules.billing.services.lock_service import locked_subscription
from app.modules.billing.services.stripe_remote_service import (
    RemoteInvoice,
    read_invoice,
    read_subscription,
    read_with_invoice,
)
from app.modules.billing.services.stripe_saying_service import Answer, Ready, Work
from app.modules.billing.services.stripe_service import Payer, Sold
from app.modules.payments.exceptions import GatewayRefusedError
from app.modules.payments.facade import stripe_client
from app.modules.tenancy.facade import find_vendor, list_users_with

_MAX_AGE = timedelta(hours=23)  # Stripe forgets keys after a day


def prepare(session: Session, vendor_id: UUID, request_id: UUID) -> Work | None:
    """A request that is to be done, in the vendor's scope; None when it is done or too old."""
    with locked_subscription(session, vendor_id) as local:
        row = _row(session, request_id)
        if row.finished_at is not None:
            return None
        if row.created_at < clock.now() - _MAX_AGE:
            _finish(row, Answer(error="unavailable"))
            return None
        act = str(row.arguments["act"])
        sold, tier_id, addons = _wanted(session, local, act, row.arguments)
        return Work(
            request_id=row.id,
            act=act,
            asked=row.arguments,
            said=row.arguments.get("said"),
            client=stripe_client(session, local.platform_id),
            payer=_payer(session, local),
            customer_id=local.stripe_customer_id,
            subscription_id=local.stripe_subscription_id,
            status=local.status,
            trial_ends_at=local.trial_ends_at,
            sold=sold,
            tier_id=tier_id,
            addons=addons,
            plans=_plans(session, local)
            | {one.product_id: key for key, one in sold.items() if key == tier_id},
        )


def make_ready(work: Work) -> Ready:
    """Make sure that what is sold is for sale at Stripe, and read the subscription. No transaction is open."""
    prices = {key: stripe_service.sync_tier(work.client, sold) for key, sold in work.sold.items()}
    customer_id = work.customer_id
    if work.act == "subscribe" and customer_id is None:
        customer_id = stripe_service.make_customer(work.client, work.payer, f"{work.key}:customer")
    elif work.act == "subscribe" and customer_id is not None:
        stripe_service.close_checkouts(work.client, customer_id)
    remote = read_subscription(work.client, work.subscription_id) if work.subscription_id else None
    return Ready(prices, customer_id, remote)


def keep_ready(session: Session, vendor_id: UUID, work: Work, ready: Ready) -> None:
    """Write down ids of products, prices and of the customer."""
    for key, prices in ready.prices.items():
        keep_prices(session, key, work.sold[key], prices)
    if ready.customer_id != work.customer_id:
        with locked_subscription(session, vendor_id) as local:
            local.stripe_customer_id = ready.customer_id


def keep_prices(session: Session, key: UUID, sold: Sold, prices: Mapping[str, str]) -> None:
    """The ids at Stripe of a plan or an add-on. Nobody's form becomes stale by it."""
    product: dict[str, Any] = {"stripe_product_id": sold.product_id}
    with acting_in(session, SYSTEM):
        if "wizamart_tier" in sold.metadata:
            ids = {
                "stripe_monthly_price_id": prices.get("month"),
                "stripe_annual_price_id": prices.get("year"),
            }
            session.execute(update(SubscriptionTier).where(SubscriptionTier.id == key).values(product | ids))
        else:
            only = {"stripe_price_id": next(iter(prices.values()))}
            session.execute(update(Addon).where(Addon.id == key).values(product | only))


def fix(session: Session, work: Work, ready: Ready) -> Mapping[str, Any]:
    """Decide what is said, and write it down. Raises NothingToSayError."""
    said = stripe_saying_service.decide(work, ready)
    row = _row(session, work.request_id)
    row.arguments = {**row.arguments, "said": said}
    return said


def say(work: Work, fixed: Mapping[str, Any]) -> Answer:
    """Say it, and read what has become of it. No transaction is open. Raises GatewayUnavailableError."""
    said = _in_order(fixed)
    answer = Answer()
    try:
        if "checkout" in said:
            url, page_id = stripe_service.open_checkout(work.client, said["checkout"], work.key)
            return Answer(url, page_id=page_id if work.act == "card" else None)
        if "portal" in said:
            return Answer(stripe_service.open_portal(work.client, said["portal"], work.key))
        if "pay" in said:
            stripe_service.pay_invoice(work.client, said["pay"], work.key)
        else:
            stripe_service.update_subscription(work.client, said["subscription"], said["update"], work.key)
    except GatewayRefusedError as error:
        answer = Answer(error=str(error.params.get("reason") or "other"))
    return _look(work, said, answer)


def record(session: Session, vendor_id: UUID, work: Work, answer: Answer) -> None:
    """Take over what was read, and close the request: one transaction."""
    with locked_subscription(session, vendor_id) as local:
        for remote in answer.subscriptions:
            if work.act == "cancel" and answer.error is None:
                local.cancel_reason = work.asked["reason"] or None
                local.cancel_feedback = work.asked.get("feedback")
                session.flush()
            stripe_apply_service.apply_subscription(session, remote)
        for invoice in answer.invoices:
            stripe_invoice_service.apply_invoice(session, invoice)
        _finish(_row(session, work.request_id), answer)


def _in_order(value: Any) -> Any:
    """The same with its names in one order: the database keeps another one, and what is repeated must be alike."""
    if isinstance(value, Mapping):
        return {name: _in_order(value[name]) for name in sorted(value)}
    return [_in_order(one) for one in value] if isinstance(value, list) else value


def _look(work: Work, said: Mapping[str, Any], answer: Answer) -> Answer:
    invoices: tuple[RemoteInvoice, ...] = ()
    if "pay" in said:
        invoice = read_invoice(work.client, said["pay"])
        invoices = (invoice,) if invoice else ()
        if invoice is not None and invoice.status == "paid":
            answer = Answer()
        elif invoice is not None:
            answer = Answer(invoice.hosted_url, error=answer.error)
        subscription_id = (invoice.subscription_id if invoice else None) or work.subscription_id
    else:
        subscription_id = said["subscription"]
    found = read_with_invoice(work.client, subscription_id) if subscription_id else ((), ())
    return Answer(answer.result_url, None, answer.error, found[0], (*invoices, *found[1]))


def _row(session: Session, request_id: UUID) -> BillingRequest:
    return session.get_one(BillingRequest, request_id, with_for_update=True, populate_existing=True)


def _finish(row: BillingRequest, answer: Answer) -> None:
    row.result_url, row.error, row.finished_at = answer.result_url, answer.error, clock.now()
    if answer.preview is not None:
        row.arguments = {**row.arguments, "preview": dict(answer.preview)}
    if answer.page_id is not None:
        row.arguments = {**row.arguments, "page": answer.page_id}


def _wanted(
    session: Session, local: Subscription, act: str, asked: Mapping[str, Any]
) -> tuple[dict[UUID, Sold], UUID | None, dict[UUID, int]]:
    """What has to be for sale: the plan, and add-ons with how many of each."""
    sold: dict[UUID, Sold] = {}
    addons: dict[UUID, int] = {}
    tier = None
    if "tier_code" in asked:
        tier = tier_service.find_tier(session, local.platform_id, asked["tier_code"])
    if tier is not None:
        sold[tier.id] = stripe_service.sold_tier(tier)
    if act == "addon":
        addons[UUID(asked["addon_id"])] = asked["quantity"]
    if act == "subscribe":
        now = clock.now()
        for row, addon in addon_service.list_booked(session, local.vendor_id):
            if row.ends_at is None and (row.started_at > now or local.status != SubscriptionStatus.EXPIRED):
                addons[addon.id] = row.quantity
    for key in addons:
        sold[key] = stripe_service.sold_addon(addon_service.get_addon(session, key))
    return sold, tier.id if tier else None, addons


def _plans(session: Session, local: Subscription) -> dict[str, UUID]:
    tiers = tier_service.list_tiers(session, local.platform_id, is_sold=False)
    return {tier.stripe_product_id: tier.id for tier in tiers if tier.stripe_product_id}


def _payer(session: Session, local: Subscription) -> Payer:
    vendor = find_vendor(vendor_id=local.vendor_id)
    people = list_users_with(session, local.vendor_id, "billing.manage_plan")
    return Payer(
        name=vendor.name if vendor else "",
        email=people[0].email if people else None,
        language=vendor.dashboard_language if vendor else "en",
        metadata={
            stripe_service.SUBSCRIPTION_KEY: to_public(SUBSCRIPTION_PREFIX, local.id),
        },
    )

"""Plans, subscriptions and invoices in the API: a vendor's own, and those of all vendors for the operator."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Query

from app.core.ids import to_public
from app.modules.api import ApiContext, ApiRouter, Page, key_of
from app.modules.api.answers import shown
from app.modules.api.pages import read_list, read_spec
from app.modules.billing.contracts import By, TierInput
from app.modules.billing.enums import ChangeSource
from app.modules.billing.models.invoice import BillingInvoice
from app.modules.billing.models.subscription import Subscription
from app.modules.billing.models.subscription_tier import SubscriptionTier
from app.modules.billing.schemas.billing import (
    InvoiceChange,
    InvoiceDetails,
    InvoiceQuery,
    SubscriptionDetails,
    SubscriptionQuery,
    TierChange,
    TierDetails,
    TierItem,
    TierQuery,
    UsageItem,
    UsageList,
)
from app.modules.billing.services import (
    invoice_service,
    settlement_service,
    stripe_request_service,
    subscription_service,
    tier_service,
    usage_service,
)
from app.modules.billing.services import operator_list_service as lists
from app.modules.billing.services.history_service import SUBSCRIPTION_PREFIX
from app.modules.billing.services.invoice_service import INVOICE_PREFIX
from app.modules.billing.services.tier_service import TIER_PREFIX
from app.modules.pagekit.lists import Column, Filter, ListSpec

router = ApiRouter()

# Keys are made in the order of time, and have an index.
_INVOICES = ListSpec(
    "billing.admin.invoices",
    "billing.admin.invoices",
    lists.select_invoices,
    BillingInvoice.id,
    columns=(Column("created_at", "billing.admin.fields.issued_at", "datetime", sort=BillingInvoice.id),),
    default_sort="-created_at",
    filters=(
        Filter("status", "billing.admin.fields.state", lambda chosen: BillingInvoice.status.in_(chosen)),
        Filter("kind", "billing.admin.fields.kind", lambda chosen: BillingInvoice.kind.in_(chosen)),
    ),
)


@router.admin("GET", "/billing/tiers", permission="billing.view_tiers")
def tiers_list(ctx: ApiContext, query: Annotated[TierQuery, Query()]) -> Page[TierItem]:
    """List plans."""
    return read_list(ctx, "billing.admin.tiers", query, lambda row: shown(TierItem, row, TIER_PREFIX))


@router.admin("GET", "/billing/tiers/{tier_id}", permission="billing.view_tiers")
def tiers_get(ctx: ApiContext, tier_id: str) -> TierDetails:
    """Get a plan with its limits."""
    return _tier(ctx, lists.get_tier(ctx.session, key_of(TIER_PREFIX, tier_id)))


@router.admin("PATCH", "/billing/tiers/{tier_id}", permission="billing.manage_tiers", needs_version=True)
def tiers_update(ctx: ApiContext, tier_id: str, change: TierChange) -> TierDetails:
    """Change the names, the prices or the place of a plan."""
    tier = lists.get_tier(ctx.session, key_of(TIER_PREFIX, tier_id))
    version = ctx.check_version(tier.version)
    present = {name: getattr(tier, name) for name in (*TierChange.model_fields, "currency")}
    wanted = present | change.model_dump(exclude_unset=True)
    values = TierInput(**wanted, limits=_limits(ctx, tier))
    return _tier(ctx, tier_service.update_tier(ctx.session, tier.id, values, version=version))


def _limits(ctx: ApiContext, tier: SubscriptionTier) -> Mapping[str, int | None]:
    return tier_service.limits_of(ctx.session, [tier.id])[tier.id]


def _tier(ctx: ApiContext, tier: SubscriptionTier) -> TierDetails:
    return shown(TierDetails, tier, TIER_PREFIX, limits=_limits(ctx, tier))


@router.admin("GET", "/billing/subscriptions", permission="billing.view_subscriptions")
def subscriptions_list(
    ctx: ApiContext, query: Annotated[SubscriptionQuery, Query()]
) -> Page[SubscriptionDetails]:
    """List subscriptions."""
    return read_list(ctx, "billing.admin.subscriptions", query, _shown)


@router.admin("GET", "/billing/subscriptions/{subscription_id}", permission="billing.view_subscriptions")
def subscriptions_get(ctx: ApiContext, subscription_id: str) -> SubscriptionDetails:
    """Get a subscription."""
    return _subscription(
        ctx, lists.get_subscription(ctx.session, key_of(SUBSCRIPTION_PREFIX, subscription_id))
    )


@router.vendor("GET", "/billing/subscription", permission="billing.view_plan")
def subscription_get(ctx: ApiContext) -> SubscriptionDetails:
    """Get the subscription of the shop."""
    return _subscription(ctx, subscription_service.get_subscription(ctx.session, ctx.vendor.id))


@router.vendor("GET", "/billing/usage", permission="billing.view_plan")
def usage_get(ctx: ApiContext) -> UsageList:
    """Get how much of the plan is used."""
    bars = usage_service.list_usage(ctx.session, ctx.vendor.id)
    return UsageList(
        data=[UsageItem(**{name: getattr(bar, name) for name in UsageItem.model_fields}) for bar in bars]
    )


def _subscription(ctx: ApiContext, found: Subscription) -> SubscriptionDetails:
    tier = tier_service.get_tier(ctx.session, found.tier_id)
    cents = tier_service.price_cents(tier, found.interval)
    return _shown(found, tier_code=tier.code, price_cents=cents, currency=tier.currency)


def _shown(row: Any, **given: Any) -> SubscriptionDetails:
    return shown(
        SubscriptionDetails,
        row,
        SUBSCRIPTION_PREFIX,
        vendor_id=to_public("vnd", row.vendor_id),
        ends_at=subscription_service.ends_at(row),
        is_billed_by_stripe=stripe_request_service.is_billed_by_stripe(row),
        **given,
    )


@router.both("GET", "/billing/invoices", permission="billing.view_invoices")
def invoices_list(ctx: ApiContext, query: Annotated[InvoiceQuery, Query()]) -> Page[InvoiceDetails]:
    """List invoices of the subscription."""
    return read_spec(ctx, _INVOICES, query, _invoice)


@router.both("GET", "/billing/invoices/{invoice_id}", permission="billing.view_invoices")
def invoices_get(ctx: ApiContext, invoice_id: str) -> InvoiceDetails:
    """Get an invoice of the subscription."""
    return _invoice(invoice_service.get_invoice(ctx.session, key_of(INVOICE_PREFIX, invoice_id)))


@router.admin(
    "PATCH", "/billing/invoices/{invoice_id}", permission="billing.manage_subscriptions", needs_version=True
)
def invoices_settle(ctx: ApiContext, invoice_id: str, change: InvoiceChange) -> InvoiceDetails:
    """Say that an open invoice was paid outside of Stripe, or need not be paid."""
    invoice = invoice_service.get_invoice(ctx.session, key_of(INVOICE_PREFIX, invoice_id))
    ctx.check_version(invoice.version)
    is_paid = change.status == "paid"
    settle = settlement_service.mark_invoice_paid if is_paid else settlement_service.void_invoice
    return _invoice(settle(ctx.session, invoice.id, By(ChangeSource.USER, ctx.principal.user_id)))


def _invoice(row: Any) -> InvoiceDetails:
    return shown(InvoiceDetails, row, INVOICE_PREFIX, vendor_id=to_public("vnd", row.vendor_id))

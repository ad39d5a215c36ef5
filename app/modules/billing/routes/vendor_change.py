"""Choosing another plan: all plans side by side, then what the change costs, then the change."""

from typing import Annotated

from fastapi import Form, Response

from app.core.i18n import format_date, format_money
from app.modules.billing.contracts import ChangePreview
from app.modules.billing.enums import Interval, SubscriptionStatus
from app.modules.billing.exceptions import ChangeWaitsError, PreviewStaleError
from app.modules.billing.models.subscription import Subscription
from app.modules.billing.models.subscription_tier import SubscriptionTier
from app.modules.billing.services import (
    offer_service,
    stripe_request_service,
    subscription_service,
    tier_service,
    usage_service,
)
from app.modules.billing.services.asking_service import asker, back_from_stripe, find_request, wait_for
from app.modules.billing.services.stripe_request_service import is_billed_by_stripe
from app.modules.pages import PageContext
from app.modules.routing import AreaRouter

router = AreaRouter("vendor")

_MANAGE = "billing.manage_plan"
_PAGE = "billing.vendor.change"


@router.page("billing.vendor.change")
def change(ctx: PageContext, interval: str = "", plan: str = "", preview: str = "") -> Response:
    """The plans; with ``plan`` what becoming it means, with ``preview`` also what Stripe says it costs."""
    found = subscription_service.find_subscription(ctx.session, ctx.vendor.id)
    if found is None:
        return ctx.render("billing/vendor/none.html")
    interval = interval if interval in set(Interval) else found.interval
    if plan:
        tier = tier_service.get_sold_tier(ctx.session, found.platform_id, plan)
        return _confirm(ctx, found, tier, interval, preview)
    return _choose(ctx, found, interval)


def _choose(ctx: PageContext, found: Subscription, interval: str) -> Response:
    tiers = tier_service.list_tiers(ctx.session, found.platform_id, is_public=True)
    present = tier_service.get_tier(ctx.session, found.tier_id)
    shown = list(tiers) if present in tiers else [present, *tiers]
    bars = usage_service.list_usage(ctx.session, ctx.vendor.id)
    return ctx.render(
        "billing/vendor/change.html",
        offers=offer_service.list_offers(ctx.session, shown, interval, ctx.language, bars),
        present=present.code if interval == found.interval else "",
        is_paid=_is_paid(found),
        is_trial=found.status == SubscriptionStatus.TRIAL,
        may_change=found.status in subscription_service.TRANSITIONS["change_tier"] or not _is_paid(found),
        interval=interval,
        intervals=[
            (ctx.t(f"billing.intervals.{one}"), ctx.url(_PAGE, interval=one.value), one == interval)
            for one in Interval
        ],
    )


def _confirm(
    ctx: PageContext, found: Subscription, tier: SubscriptionTier, interval: str, preview: str
) -> Response:
    shown = find_request(ctx, preview).preview if preview else None
    if shown is None and is_billed_by_stripe(found):
        return ctx.redirect(_PAGE, interval=interval)
    bars = usage_service.list_usage(ctx.session, ctx.vendor.id)
    (offer,) = offer_service.list_offers(ctx.session, [tier], interval, ctx.language, bars)
    return ctx.render(
        "billing/vendor/confirm.html",
        offer=offer,
        interval=interval,
        preview=preview,
        facts=_stripe_facts(ctx, shown) if shown else _facts(ctx, found, tier, interval),
        lines=[(text, format_money(ctx.language, cents, shown.currency)) for text, cents in shown.lines]
        if shown
        else [],
    )


def _stripe_facts(ctx: PageContext, shown: ChangePreview) -> list[tuple[str, str]]:
    """What is paid today, and what from then on."""

    def money(cents: int) -> str:
        return format_money(ctx.language, cents, shown.currency)

    start = format_date(ctx.language, shown.starts_at, "long", timezone=ctx.time_zone)
    facts = [(ctx.t("billing.change.starts"), ctx.t("billing.change.now") if shown.is_now else start)]
    facts.append((ctx.t("billing.change.due_now"), money(shown.due_now_cents)))
    if shown.credit_cents:
        facts.append((ctx.t("billing.change.credit"), money(shown.credit_cents)))
    then = ctx.t("billing.change.next_at", amount=money(shown.next_cents), date=start)
    return [*facts, (ctx.t("billing.change.next"), then)]


def _facts(
    ctx: PageContext, found: Subscription, tier: SubscriptionTier, interval: str
) -> list[tuple[str, str]]:
    """The same where Stripe does not bill: nothing is charged now."""
    present = tier_service.get_tier(ctx.session, found.tier_id)
    is_now = found.status == SubscriptionStatus.TRIAL or (
        interval == found.interval and tier.order_index > present.order_index
    )
    end = format_date(ctx.language, found.period_end, "long", timezone=ctx.time_zone)
    price = format_money(ctx.language, tier_service.price_cents(tier, interval), tier.currency)
    return [
        (ctx.t("billing.change.starts"), ctx.t("billing.change.now") if is_now else end),
        (ctx.t("billing.change.due_now"), format_money(ctx.language, 0, tier.currency)),
        (ctx.t("billing.change.next"), ctx.t("billing.change.next_at", amount=price, date=end)),
    ]


@router.action("/plan/change", permission=_MANAGE, in_read_only=True)
def choose(
    ctx: PageContext,
    plan: Annotated[str, Form()] = "",
    interval: Annotated[str, Form()] = "",
    pay: Annotated[str, Form()] = "",
) -> Response:
    """A plan was chosen: to the payment where nothing is paid yet, else to what the change costs."""
    found = subscription_service.get_subscription(ctx.session, ctx.vendor.id)
    interval = interval if interval in set(Interval) else found.interval
    if pay or (not _is_paid(found) and found.status != SubscriptionStatus.TRIAL):
        checkout = stripe_request_service.ask_checkout
        back = back_from_stripe(ctx)
        return wait_for(ctx, checkout(ctx.session, ctx.vendor.id, asker(ctx), plan, interval, back))
    try:
        asked = stripe_request_service.ask_preview(ctx.session, ctx.vendor.id, asker(ctx), plan, interval)
    except ChangeWaitsError as error:
        return _refused(ctx, error, "billing.vendor.plan")
    if asked is None:
        return ctx.redirect(_PAGE, plan=plan, interval=interval)
    return wait_for(ctx, asked)


@router.action("/plan/change/confirm", permission=_MANAGE, in_read_only=True)
def confirm(
    ctx: PageContext,
    plan: Annotated[str, Form()] = "",
    interval: Annotated[str, Form()] = "",
    preview: Annotated[str, Form()] = "",
) -> Response:
    """Change to the plan, for the amount that was shown."""
    preview_id = find_request(ctx, preview).id if preview else None
    ask = stripe_request_service.ask_change
    try:
        asked = ask(ctx.session, ctx.vendor.id, asker(ctx), plan, interval, preview_id=preview_id)
    except PreviewStaleError as error:
        return _refused(ctx, error, _PAGE)
    except ChangeWaitsError as error:
        return _refused(ctx, error, "billing.vendor.plan")
    return wait_for(ctx, asked, "billing.done.change")


def _refused(ctx: PageContext, error: ChangeWaitsError | PreviewStaleError, page_id: str) -> Response:
    ctx.flash("warning", error.message_key)
    return ctx.redirect(page_id)


def _is_paid(found: Subscription) -> bool:
    """Whether there is something to change; what is not paid yet, or no longer, begins with a payment."""
    if is_billed_by_stripe(found):
        return found.status != SubscriptionStatus.EXPIRED
    return found.status in (SubscriptionStatus.ACTIVE, SubscriptionStatus.CANCELLED)

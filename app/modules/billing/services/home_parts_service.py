"""What billing puts on home pages and above every page: what ends, what is owed, and what is nearly used up."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from app.core import clock
from app.core.i18n import ntranslate
from app.core.money import Money
from app.modules.billing.enums import SubscriptionStatus
from app.modules.billing.models.subscription import Subscription
from app.modules.billing.services import (
    operator_list_service,
    subscription_service,
    tier_service,
    usage_service,
)
from app.modules.billing.services.notice_service import plan_url
from app.modules.core.contracts import Tile, WorkItem
from app.modules.menu import find_page
from app.modules.pages import PageContext
from app.modules.shell import Alert

_TRIAL_DAYS = 7  # from then on its end stands above every page
_WARN_DAYS = 3
_ID = "billing.subscription"


def alerts(ctx: PageContext) -> Sequence[Alert]:
    """For a vendor's people: that the subscription has ended, ends soon, or is not paid."""
    if ctx.area != "vendor" or "billing.view_plan" not in ctx.who.permissions:
        return ()
    found = subscription_service.find_subscription(ctx.session, ctx.vendor.id)
    said = _say(ctx, found) if found else None
    if said is None:
        return ()
    tone, text = said
    return (Alert(_ID, tone, text, _url(ctx), ctx.t("billing.alerts.link")),)


def _say(ctx: PageContext, subscription: Subscription) -> tuple[str, str] | None:
    now, end = clock.now(), subscription_service.ends_at(subscription)
    if subscription_service.is_ended(subscription, now):
        return "danger", ctx.t("billing.alerts.expired")
    if end is None:
        return None
    days = _days(now, end)
    if subscription.status == SubscriptionStatus.PAST_DUE:
        return "danger", ntranslate(ctx.language, "billing.alerts.past_due", days)
    if subscription.status == SubscriptionStatus.CANCELLED:
        return "warning", ntranslate(ctx.language, "billing.alerts.cancelled", days)
    if days > _TRIAL_DAYS:
        return None
    return _tone(days), ntranslate(ctx.language, "billing.alerts.trial", days)


def worklist(ctx: PageContext, session: Session) -> Sequence[WorkItem]:
    """For a vendor's home page: what is owed, and limits of the plan that are nearly or wholly used up. For the
    operator's: what is overdue, and what is not the same at Stripe."""
    if ctx.area == "admin":
        return _operator_worklist(ctx, session)
    if "billing.view_plan" not in ctx.who.permissions:
        return ()
    found = []
    subscription = subscription_service.find_subscription(session, ctx.vendor.id)
    if subscription is not None and subscription.status == SubscriptionStatus.PAST_DUE:
        found.append(WorkItem(ctx.t("billing.worklist.past_due"), 1, _url(ctx), "danger"))
    bars = [
        bar
        for bar in usage_service.list_usage(session, ctx.vendor.id)
        if bar.state not in ("ok", "unlimited")
        and (bar.limit or bar.used)  # nought of nought: not in the plan
    ]
    if bars:
        names = ", ".join(ctx.t(bar.label_key) for bar in bars)
        is_full = any(bar.state != "near" for bar in bars)
        tone = "danger" if is_full else "warning"
        text = ctx.t("billing.worklist.full" if is_full else "billing.worklist.near", names=names)
        found.append(WorkItem(text, len(bars), _url(ctx), tone))
    return found


def _operator_worklist(ctx: PageContext, session: Session) -> Sequence[WorkItem]:
    found = []
    if "billing.view_invoices" in ctx.who.permissions:
        overdue = operator_list_service.count_overdue(session)
        found.append(("overdue", overdue, ctx.url("billing.admin.invoices", due="over")))
    if "billing.view_subscriptions" in ctx.who.permissions:
        differing = operator_list_service.count_differing(session)
        found.append(("differences", differing, ctx.url("billing.admin.differences")))
    return [
        WorkItem(ctx.t(f"billing.worklist.{name}"), count, url, "warning")
        for name, count, url in found
        if count
    ]


def vendor_tiles(ctx: PageContext, session: Session) -> Sequence[Tile]:
    """How many days of the trial are left."""
    if "billing.view_plan" not in ctx.who.permissions:
        return ()
    found = subscription_service.find_subscription(session, ctx.vendor.id)
    if found is None or found.status != SubscriptionStatus.TRIAL or found.trial_ends_at is None:
        return ()
    days = _days(clock.now(), found.trial_ends_at)
    return (Tile(ctx.t("billing.tiles.trial_days"), days, _url(ctx), _tone(days)),)


def admin_tiles(ctx: PageContext, session: Session) -> Sequence[Tile]:
    """How many subscriptions run, with what they bring in, and how many are past due."""
    page = find_page("admin", "subscriptions")
    if page is None or "billing.view_subscriptions" not in ctx.who.permissions:
        return ()
    counts = subscription_service.count_by_status(session)
    monthly = sum(one.monthly_cents for one in tier_service.figures(session).values())
    revenue = ctx.t("billing.tiles.revenue", amount=Money(monthly, "EUR").format(ctx.language))
    active, past_due = SubscriptionStatus.ACTIVE.value, SubscriptionStatus.PAST_DUE.value
    url = ctx.url(page.id)
    return (
        Tile(ctx.t("billing.tiles.active"), counts[active], f"{url}?status={active}", hint=revenue),
        Tile(
            ctx.t("billing.tiles.past_due"),
            counts[past_due],
            f"{url}?status={past_due}",
            "danger" if counts[past_due] else "neutral",
        ),
    )


def _url(ctx: PageContext) -> str:
    return plan_url(ctx.vendor.code) or f"/vendor/{ctx.vendor.code}"


def _days(now: datetime, end: datetime) -> int:
    """Days of the calendar (UTC) until then; 0 is today."""
    return max((end.date() - now.date()).days, 0)


def _tone(days: int) -> str:
    return "warning" if days <= _WARN_DAYS else "info"

"""The vendor's plan: what it is, what is used of it, and what can be done."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from fastapi import Response

from app.core import clock
from app.core.i18n import format_date, ntranslate
from app.core.ids import to_public
from app.modules.billing.enums import InvoiceStatus, SubscriptionStatus
from app.modules.billing.exceptions import NotBilledByStripeError
from app.modules.billing.models.subscription import Subscription, SubscriptionChange
from app.modules.billing.models.subscription_tier import Addon
from app.modules.billing.services import (
    addon_service,
    history_service,
    history_view_service,
    invoice_service,
    offer_service,
    stripe_request_service,
    subscription_service,
    tier_service,
    usage_service,
)
from app.modules.billing.services.asking_service import asker, lead_on
from app.modules.billing.services.stripe_request_service import is_billed_by_stripe
from app.modules.pagekit.details import Action, Block, Detail, Fact, show_detail
from app.modules.pages import PageContext
from app.modules.routing import AreaRouter
from app.tasks.models import Job, JobState

router = AreaRouter("vendor")

_MANAGE = "billing.manage_plan"
_PLAN = "billing.vendor.plan"
TONES = {
    "trial": "info",
    "active": "success",
    "past_due": "danger",
    "cancelled": "warning",
    "expired": "danger",
}
_RUNNING = (JobState.QUEUED, JobState.RUNNING)
_HISTORY = 20


@router.page("billing.vendor.plan")
def plan(ctx: PageContext, at: str = "", job: str = "") -> Response:
    """The plan at a glance. For who comes back from Stripe (``at``) the state is read again, by a ``job``."""
    found = subscription_service.find_subscription(ctx.session, ctx.vendor.id)
    if found is None:
        return ctx.render("billing/vendor/none.html")
    if at == "stripe":
        return _read_again(ctx)
    is_reading = _is_reading(ctx, job)
    if job and not is_reading and ctx.request.headers.get("hx-request"):
        return lead_on(ctx, ctx.url(_PLAN))  # the whole page: what stands above it may have changed, too
    notice = ("info", ctx.t("billing.plan.reading")) if is_reading else _notice(ctx, found)
    actions = _actions(ctx, found) if _MANAGE in ctx.who.permissions else []
    return show_detail(
        ctx,
        Detail(
            found.id,
            ctx.t("billing.pages.plan"),
            _blocks(ctx, found),
            badges=[(TONES[found.status], ctx.t(f"billing.status.{found.status}"))],
            actions=actions[:2],
            more=actions[2:],
            notice=notice,
            refresh=is_reading,
            raw=found,
        ),
    )


def _read_again(ctx: PageContext) -> Response:
    try:
        job_id = stripe_request_service.ask_sync(ctx.session, ctx.vendor.id, asker(ctx))
    except NotBilledByStripeError:
        return ctx.redirect(_PLAN)
    return ctx.redirect(_PLAN, job=str(job_id))


def _is_reading(ctx: PageContext, job: str) -> bool:
    try:
        row = ctx.session.get(Job, UUID(job)) if job else None
    except ValueError:
        return False
    return row is not None and row.vendor_id == ctx.vendor.id and row.state in _RUNNING


def _notice(ctx: PageContext, found: Subscription) -> tuple[str, str] | None:
    """What the state means; alerts of the shell say most already."""
    if found.status == SubscriptionStatus.EXPIRED:
        return "danger", ctx.t("billing.plan.expired")
    if found.status == SubscriptionStatus.CANCELLED:
        return "warning", ctx.t(
            "billing.plan.cancelled", date=_date(ctx, subscription_service.ends_at(found))
        )
    if found.status == SubscriptionStatus.TRIAL and not is_billed_by_stripe(found):
        return "info", ctx.t("billing.plan.trial", date=_date(ctx, found.trial_ends_at))
    return None


def _blocks(ctx: PageContext, found: Subscription) -> list[Block]:
    bars = usage_service.list_usage(ctx.session, ctx.vendor.id)
    booked = [
        (tier_service.name_of(addon.names, ctx.language), row.quantity, row.ends_at, _price(ctx, addon))
        for row, addon in addon_service.list_booked(ctx.session, ctx.vendor.id)
        if row.ends_at is None or row.ends_at > clock.now()
    ]
    blocks = [
        Block("plan", ctx.t("billing.plan.yours"), _facts(ctx, found)),
        _part(ctx, "usage", "billing.plan.usage", bars=bars),
        _part(ctx, "booked", "billing.pages.addons", "side", booked=booked),
        _part(ctx, "history", "billing.plan.history", "side", changes=_history(ctx, found)),
    ]
    if "billing.view_invoices" in ctx.who.permissions:
        invoices = invoice_service.list_invoices(ctx.session, ctx.vendor.id, limit=3)
        shown = [(to_public(invoice_service.INVOICE_PREFIX, one.id), one) for one in invoices]
        blocks.append(_part(ctx, "invoices", "billing.pages.invoices", invoices=shown))
    return blocks


def _history(ctx: PageContext, found: Subscription) -> list[tuple[SubscriptionChange, str | None]]:
    """What changed, with the plan that it changed to."""
    names = history_view_service.plan_names(ctx, found)
    return [
        (row, history_view_service.plan_in_words(ctx, names, row.to_value))
        for row in history_service.list_changes(ctx.session, ctx.vendor.id, limit=_HISTORY)
    ]


def _part(
    ctx: PageContext, name: str, title_key: str, column: Literal["main", "side"] = "main", **context: Any
) -> Block:
    return Block(
        name, ctx.t(title_key), template=f"billing/vendor/{name}.html", context=context, column=column
    )


def _facts(ctx: PageContext, found: Subscription) -> Sequence[Fact]:
    tier = tier_service.get_tier(ctx.session, found.tier_id)
    cents = tier_service.price_cents(tier, found.interval)
    price = offer_service.price_text(cents, tier.currency, found.interval, ctx.language)
    facts = [
        Fact(ctx.t("billing.fields.plan"), tier_service.name_of(tier.names, ctx.language)),
        Fact(ctx.t("billing.fields.price"), price),
        *_dates(ctx, found),
    ]
    if found.next_tier_id is not None and found.next_interval is not None:
        after = tier_service.get_tier(ctx.session, found.next_tier_id)
        cents = tier_service.price_cents(after, found.next_interval)
        words = ctx.t(
            "billing.plan.next",
            name=tier_service.name_of(after.names, ctx.language),
            price=offer_service.price_text(cents, after.currency, found.next_interval, ctx.language),
            date=_date(ctx, found.period_end),
        )
        facts.append(Fact(ctx.t("billing.fields.next_plan"), words))
    method = "card" if found.has_payment_method else "none"
    facts.append(Fact(ctx.t("billing.fields.payment_method"), ctx.t(f"billing.plan.method.{method}")))
    return facts


def _dates(ctx: PageContext, found: Subscription) -> Sequence[Fact]:
    """When what begins or ends, in the reader's time zone."""
    end = subscription_service.ends_at(found)
    if found.status == SubscriptionStatus.TRIAL and end is not None:
        return [Fact(ctx.t("billing.fields.trial_ends_at"), f"{_date(ctx, end)} ({_days_left(ctx, end)})")]
    if found.status == SubscriptionStatus.PAST_DUE and end is not None:
        return [Fact(ctx.t("billing.fields.pay_until"), f"{_date(ctx, end)} ({_days_left(ctx, end)})")]
    if found.status == SubscriptionStatus.CANCELLED:
        return [Fact(ctx.t("billing.fields.ends_at"), _date(ctx, end))]
    if found.status == SubscriptionStatus.ACTIVE:
        return [Fact(ctx.t("billing.fields.renews_at"), _date(ctx, found.period_end))]
    return []


def _actions(ctx: PageContext, found: Subscription) -> list[Action]:
    """What may be done now: the main one first."""
    url, status, is_stripe = ctx.url(_PLAN), SubscriptionStatus(found.status), is_billed_by_stripe(found)
    change = _link(ctx, "change", "billing.vendor.change", "layers")
    card = Action(ctx.t("billing.actions.card"), f"{url}/card", "credit-card")
    if status is SubscriptionStatus.EXPIRED:
        first = [_link(ctx, "choose", "billing.vendor.change", "layers")]
    elif status is SubscriptionStatus.CANCELLED:
        label = ctx.t("billing.actions.reactivate")
        first = [Action(label, f"{url}/reactivate", "undo-2", "primary")]
    elif status is SubscriptionStatus.PAST_DUE:
        first = (
            [*_payments(ctx), card]
            if is_stripe
            else [_link(ctx, "choose", "billing.vendor.change", "layers")]
        )
    else:
        is_free = status is SubscriptionStatus.TRIAL and not is_stripe
        first = [_link(ctx, "choose", "billing.vendor.change", "layers") if is_free else change]
        first.append(_link(ctx, "addons", "billing.vendor.addons", "puzzle"))
    more = [card] if is_stripe and status is not SubscriptionStatus.PAST_DUE else []
    if found.next_tier_id is not None:
        more.append(Action(ctx.t("billing.actions.keep_plan"), f"{url}/keep", "undo-2"))
    if found.stripe_customer_id is not None:
        more.append(Action(ctx.t("billing.actions.portal"), f"{url}/portal", "external-link"))
    if status in subscription_service.TRANSITIONS["cancel"]:
        more.append(_link(ctx, "cancel", "billing.vendor.cancel", "ban"))
    return [*first, *more]


def _payments(ctx: PageContext) -> list[Action]:
    """The way to pay the oldest open invoice."""
    is_open = [
        one
        for one in invoice_service.list_invoices(ctx.session, ctx.vendor.id)
        if one.status == InvoiceStatus.OPEN and one.stripe_invoice_id
    ]
    if not is_open:
        return []
    key = to_public(invoice_service.INVOICE_PREFIX, is_open[-1].id)
    url = ctx.url("billing.vendor.invoice", invoice_id=key)
    return [Action(ctx.t("billing.actions.pay"), f"{url}/pay", "credit-card", "primary")]


def _link(ctx: PageContext, name: str, page_id: str, icon: str) -> Action:
    variant: Literal["primary", "secondary"] = "primary" if name in ("choose", "change") else "secondary"
    return Action(ctx.t(f"billing.actions.{name}"), ctx.url(page_id), icon, variant, is_post=False)


def _price(ctx: PageContext, addon: Addon) -> str:
    return offer_service.price_text(addon.price_cents, addon.currency, addon.interval, ctx.language)


def _date(ctx: PageContext, moment: datetime | None) -> str:
    return format_date(ctx.language, moment, "long", timezone=ctx.time_zone) if moment else "–"


def _days_left(ctx: PageContext, end: datetime) -> str:
    return ntranslate(ctx.language, "billing.plan.days_left", max((end.date() - clock.now().date()).days, 0))

"""Subscriptions, for the operator: list, what differs from Stripe, one with all that belongs to it."""

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from fastapi import Response
from sqlalchemy.orm import Session

from app.core import clock
from app.core.errors import ConflictError
from app.core.i18n import format_date, format_money, has_message
from app.core.ids import to_public
from app.modules.billing.contracts import By
from app.modules.billing.enums import ChangeSource, Interval, SubscriptionStatus
from app.modules.billing.models.subscription import LimitOverride, Subscription
from app.modules.billing.services import (
    limit_service,
    operator_view_service,
    stripe_request_service,
    subscription_service,
    tier_service,
)
from app.modules.billing.services import operator_list_service as lists
from app.modules.billing.services.history_service import SUBSCRIPTION_PREFIX
from app.modules.billing.services.tier_service import TIER_PREFIX
from app.modules.pagekit.details import Action, Block, Detail, Fact, show_detail
from app.modules.pagekit.list_page import mount_list
from app.modules.pagekit.lists import BulkAction, BulkOutcome, Column, Filter, Link, ListSpec, View
from app.modules.pages import PageContext
from app.modules.routing import AreaRouter, public_id
from app.modules.tenancy.facade import find_vendor, list_platforms

router = AreaRouter("admin")
_VIEW, _MANAGE = "billing.view_subscriptions", "billing.manage_subscriptions"
_F = "billing.admin.fields"
_TONES = {
    "trial": "info",
    "active": "success",
    "past_due": "danger",
    "cancelled": "warning",
    "expired": "neutral",
}
_STATUSES = [(one.value, f"billing.status.{one}") for one in SubscriptionStatus]


def _tiers(ctx: PageContext) -> Sequence[tuple[str, str]]:
    platforms = {one.id for one in list_platforms(ctx.session)}
    return [
        (to_public(TIER_PREFIX, one.id), tier_service.name_of(one.names, ctx.language))
        for one in tier_service.list_tiers(ctx.session, is_sold=False)
        if one.platform_id in platforms
    ]


def _vendor_columns() -> tuple[Column, ...]:
    return (
        Column("vendor_name", f"{_F}.vendor", sort=lists.VENDORS.c.name, is_wide=True),
        Column("vendor_code", f"{_F}.code", "code", sort=lists.VENDORS.c.code),
        Column("tier_code", f"{_F}.tier", "code"),
        Column("status", f"{_F}.status", "badge", text_prefix="billing.status", tones=_TONES),
    )


mount_list(
    router,
    ListSpec(
        "billing.admin.subscriptions",
        "billing.admin.subscriptions",
        lists.select_subscriptions,
        Subscription.id,
        columns=(
            *_vendor_columns(),
            Column("interval", f"{_F}.interval", text_prefix="billing.intervals"),
            Column("price", f"{_F}.price", "money", lambda row: row.price_cents),
            Column("period_end", f"{_F}.period_end", "date", sort=Subscription.period_end),
            Column("ends_at", f"{_F}.access_ends", "date", subscription_service.ends_at),
            Column("is_at_stripe", f"{_F}.is_at_stripe", "flag", stripe_request_service.is_billed_by_stripe),
            Column("created_at", f"{_F}.since", "date", sort=Subscription.id, is_default=False),
        ),
        default_sort="vendor_name",
        search=lists.matching_vendors,
        filters=(
            Filter(
                "status",
                f"{_F}.status",
                lambda chosen: Subscription.status.in_(chosen),
                options=_STATUSES,
                has_counts=True,
            ),
            Filter("tier", f"{_F}.tier", lists.has_tier, options=_tiers),
            Filter(
                "interval",
                f"{_F}.interval",
                lambda chosen: Subscription.interval.in_(chosen),
                options=[(one.value, f"billing.intervals.{one}") for one in Interval],
            ),
            Filter(
                "trial_ends",
                f"{_F}.trial_ends",
                lists.trial_ends_within,
                options=[(days, f"billing.admin.within.{days}") for days in ("3", "7", "14")],
            ),
            Filter(
                "billed_by",
                f"{_F}.billed_by",
                lists.is_billed_by,
                options=[(one, f"billing.admin.billed_by.{one}") for one in ("stripe", "operator")],
            ),
        ),
        views=[
            View(one.value, f"billing.status.{one}", f"status={one}")
            for one in SubscriptionStatus
            if one != SubscriptionStatus.EXPIRED
        ],
        actions=(Link("billing.admin_pages.differences", "billing.admin.differences", _VIEW, "share-2"),),
        row_page="billing.admin.subscription",
        row_id="subscription_id",
        prefix=SUBSCRIPTION_PREFIX,
        enrich=lists.with_plans,
        icon="repeat",
        is_in_palette=True,
    ),
)


def _sync(session: Session, ids: Sequence[UUID]) -> BulkOutcome:
    """Have Stripe asked about each of them."""
    failed = {}
    for key in ids:
        try:
            found = lists.get_subscription(session, key)
            stripe_request_service.ask_sync(session, found.vendor_id, By(ChangeSource.USER))
        except ConflictError as error:
            failed[key] = error.message_key
    return BulkOutcome(len(ids) - len(failed), failed)


mount_list(
    router,
    ListSpec(
        "billing.admin.differences",
        "billing.admin.differences",
        lists.select_differing,
        Subscription.id,
        columns=(
            *_vendor_columns(),
            Column("differences", f"{_F}.differences", is_wide=True),
            Column("found_at", f"{_F}.found_at", "datetime"),
            Column("stripe_read_at", f"{_F}.read_at", "datetime", sort=Subscription.stripe_read_at),
        ),
        default_sort="vendor_name",
        search=lists.matching_vendors,
        bulk=(BulkAction("sync", "billing.admin.act.sync", _MANAGE, _sync, "refresh-cw"),),
        row_page="billing.admin.subscription",
        row_id="subscription_id",
        prefix=SUBSCRIPTION_PREFIX,
        enrich=lists.with_plans,
        icon="share-2",
        has_intro=True,
    ),
)


@router.page("billing.admin.subscription")
def subscription(ctx: PageContext, subscription_id: str) -> Response:
    """One subscription: plan, use, exceptions, add-ons, invoices, history, and what Stripe says."""
    found = lists.get_subscription(ctx.session, public_id(SUBSCRIPTION_PREFIX, subscription_id))
    vendor = find_vendor(vendor_id=found.vendor_id)
    here = ctx.url("billing.admin.subscription", subscription_id=subscription_id)
    may_manage = _MANAGE in ctx.who.permissions
    view, request = operator_view_service, operator_view_service.latest_request(ctx, found.vendor_id)
    blocks = [
        view.usage(ctx, found),
        view.overrides(ctx, found, here, may_manage=may_manage),
        view.addons(ctx, found),
        view.differences(ctx, found),
        view.history(ctx, found),
        _facts(ctx, found, vendor.name if vendor else subscription_id),
        view.at_stripe(ctx, found),
    ]
    if "billing.view_invoices" in ctx.who.permissions:
        blocks.append(view.invoices(ctx, found))
    return show_detail(
        ctx,
        Detail(
            found.id,
            vendor.name if vendor else subscription_id,
            [block for block in blocks if block],
            subtitle=vendor.code if vendor else None,
            back=(ctx.url("billing.admin.subscriptions"), ctx.t("billing.admin_pages.subscriptions")),
            badges=((_TONES[found.status], ctx.t(f"billing.status.{found.status}")),),
            actions=_actions(ctx, found, here) if may_manage else (),
            more=_more(ctx, found, here) if may_manage else (),
            target=subscription_id,
            notice=_notice(ctx, found, request),
            refresh=request is not None and request.state == "waiting",
            raw=found,
        ),
    )


def _notice(ctx: PageContext, found: Subscription, request: Any) -> tuple[str, str] | None:
    if request is not None and request.state == "waiting":
        return "info", ctx.t("billing.admin.waiting")
    if request is not None and request.state == "failed" and clock.now().date() == request.created_at.date():
        key = f"billing.request_errors.{request.error}"
        reason = ctx.t(key if has_message("en", key) else "billing.request_errors.other")
        return "danger", ctx.t("billing.admin.failed", reason=reason)
    if found.next_tier_id is not None:
        tier = tier_service.get_tier(ctx.session, found.next_tier_id)
        name = tier_service.name_of(tier.names, ctx.language)
        day = format_date(ctx.language, found.period_end, timezone=ctx.time_zone)
        return "info", ctx.t("billing.admin.next_plan", name=name, day=day)
    return None


def _facts(ctx: PageContext, found: Subscription, vendor: str) -> Block:
    tier = tier_service.get_tier(ctx.session, found.tier_id)
    cents = tier_service.price_cents(tier, found.interval)
    vendor_url = tier_url = None
    if "tenancy.vendors.view" in ctx.who.permissions:
        vendor_url = ctx.url("tenancy.admin.vendor", vendor_id=to_public("vnd", found.vendor_id))
    if "billing.view_tiers" in ctx.who.permissions:
        tier_url = ctx.url("billing.admin.tier", tier_id=to_public(TIER_PREFIX, tier.id))
    facts = [
        Fact(ctx.t(f"{_F}.vendor"), vendor, url=vendor_url),
        Fact(ctx.t(f"{_F}.tier"), tier_service.name_of(tier.names, ctx.language), url=tier_url),
        Fact(ctx.t(f"{_F}.price"), format_money(ctx.language, cents, tier.currency)),
        Fact(ctx.t(f"{_F}.interval"), ctx.t(f"billing.intervals.{found.interval}")),
        Fact(ctx.t(f"{_F}.period_start"), found.period_start, "datetime"),
        Fact(ctx.t(f"{_F}.period_end"), found.period_end, "datetime"),
        Fact(ctx.t(f"{_F}.access_ends"), subscription_service.ends_at(found), "datetime"),
    ]
    facts += [
        Fact(ctx.t(f"{_F}.{name}"), getattr(found, name), "datetime")
        for name in ("trial_ends_at", "past_due_since", "cancelled_at")
        if getattr(found, name) is not None
    ]
    if found.cancel_feedback:
        words = ctx.t(f"billing.cancel_feedback.{found.cancel_feedback}")
        facts.append(Fact(ctx.t("billing.cancel.feedback"), words))
    if found.cancel_reason:
        facts.append(Fact(ctx.t(f"{_F}.reason"), found.cancel_reason))
    return Block("facts", ctx.t("billing.admin.blocks.facts"), facts, column="side", order=10)


def _actions(ctx: PageContext, found: Subscription, here: str) -> list[Action]:
    can = _allowed(found)
    actions = []
    if stripe_request_service.is_billed_by_stripe(found):
        actions.append(Action(ctx.t("billing.admin.act.sync"), f"{here}/sync", "refresh-cw"))
    if can("extend_trial"):
        actions.append(_form(ctx, "trial", here, "calendar-clock"))
    if can("change_tier"):
        actions.append(_form(ctx, "plan", here, "layers", "primary"))
    elif can("reactivate") and not subscription_service.is_ended(found, clock.now()):
        actions.append(
            Action(ctx.t("billing.admin.act.reactivate"), f"{here}/reactivate", "undo-2", "primary")
        )
    return actions


def _more(ctx: PageContext, found: Subscription, here: str) -> list[Action]:
    can = _allowed(found)
    actions = [_form(ctx, "limit", here, "gauge")]
    if can("activate") and not stripe_request_service.is_billed_by_stripe(found):
        actions.append(_form(ctx, "activate", here, "play"))
    if can("cancel"):
        actions.append(_form(ctx, "cancel", here, "ban"))
    return actions


def _allowed(found: Subscription) -> Callable[[str], bool]:
    status = SubscriptionStatus(found.status)
    return lambda action: status in subscription_service.TRANSITIONS[action]


def _form(ctx: PageContext, name: str, here: str, icon: str, variant: Any = "secondary") -> Action:
    return Action(ctx.t(f"billing.admin.act.{name}"), f"{here}/{name}", icon, variant, is_post=False)


@router.action("/billing/subscriptions/{subscription_id}/sync", permission=_MANAGE)
def sync_subscription(ctx: PageContext, subscription_id: str) -> Response:
    """Have everything that Stripe knows of the vendor read again."""
    found = lists.get_subscription(ctx.session, public_id(SUBSCRIPTION_PREFIX, subscription_id))
    stripe_request_service.ask_sync(ctx.session, found.vendor_id, By(ChangeSource.USER, ctx.who.user_id))
    ctx.flash("info", "billing.admin.asked")
    return ctx.redirect("billing.admin.subscription", subscription_id=subscription_id)


@router.action("/billing/subscriptions/{subscription_id}/reactivate", permission=_MANAGE)
def reactivate_subscription(ctx: PageContext, subscription_id: str) -> Response:
    """Take a cancellation back."""
    found = lists.get_subscription(ctx.session, public_id(SUBSCRIPTION_PREFIX, subscription_id))
    by = By(ChangeSource.USER, ctx.who.user_id)
    asked = stripe_request_service.ask_reactivate(ctx.session, found.vendor_id, by)
    ctx.flash("info" if asked else "success", "billing.admin.asked" if asked else "billing.admin.done")
    return ctx.redirect("billing.admin.subscription", subscription_id=subscription_id)


@router.action("/billing/subscriptions/{subscription_id}/limits/{override_id}/remove", permission=_MANAGE)
def remove_override(ctx: PageContext, subscription_id: str, override_id: str) -> Response:
    """Let the plan's limit hold again."""
    found = lists.get_subscription(ctx.session, public_id(SUBSCRIPTION_PREFIX, subscription_id))
    row = ctx.session.get(LimitOverride, public_id(limit_service.OVERRIDE_PREFIX, override_id))
    if row is not None and row.vendor_id == found.vendor_id:  # twice the same button: gone already
        by = By(ChangeSource.USER, ctx.who.user_id)
        limit_service.remove_override(ctx.session, found.vendor_id, row.feature_code, by)
    ctx.flash("success", "billing.admin.done")
    return ctx.redirect("billing.admin.subscription", subscription_id=subscription_id)

"""Blocks of a subscription's page for operators: use, exceptions, add-ons, invoices, history, and Stripe's side."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from app.core.config import get_settings
from app.core.i18n import format_date, format_datetime, format_money, format_number
from app.core.ids import to_public
from app.modules.billing.contracts import RequestInfo
from app.modules.billing.models.remote import BillingRequest
from app.modules.billing.models.subscription import LimitOverride, Subscription, SubscriptionChange
from app.modules.billing.models.subscription_tier import Addon, SubscriptionTier
from app.modules.billing.services import (
    addon_service,
    history_service,
    history_view_service,
    invoice_service,
    limit_service,
    operator_list_service,
    stripe_request_service,
    tier_service,
    usage_service,
)
from app.modules.entitlements import features
from app.modules.pagekit.details import Action, Block, Fact
from app.modules.pages import PageContext
from app.modules.payments.facade import Provider, find_account
from app.modules.tenancy.facade import user_names

INVOICE_TONES = {
    "draft": "neutral",
    "open": "warning",
    "paid": "success",
    "void": "neutral",
    "uncollectible": "danger",
}
_USE_TONES = {"ok": "success", "near": "warning", "full": "danger", "over": "danger"}
_F = "billing.admin.fields"
_DASHBOARD = "https://dashboard.stripe.com"
Cell = str | Action | tuple[str, str] | None


@dataclass(frozen=True, slots=True)
class Line:
    """A row of a block: its heading, where that leads, and cells: a text, a badge (tone and text) or a button."""

    title: str
    cells: Sequence[Cell]
    url: str | None = None


def usage(ctx: PageContext, subscription: Subscription) -> Block:
    """How much of each feature is used, in words and as a percentage."""
    lines = []
    for bar in usage_service.list_usage(ctx.session, subscription.vendor_id):
        used = format_number(ctx.language, bar.used)
        limit = "" if bar.limit is None else format_number(ctx.language, bar.limit)
        words = ctx.t(bar.words_key, used=used, limit=limit)
        badge = None
        if bar.limit:  # nought of nought: not in the plan
            badge = (_USE_TONES[bar.state], ctx.t("ui.percent", percent=bar.percent))
        lines.append(Line(ctx.t(bar.label_key), [words, badge]))
    return _block(ctx, "usage", ["feature", "used", "percent"], lines, 10)


def overrides(ctx: PageContext, subscription: Subscription, here: str, *, may_manage: bool) -> Block:
    """The vendor's own limits, with a button to take each away."""
    rows = limit_service.list_overrides(ctx.session, subscription.vendor_id)
    names = user_names(ctx.session, {row.created_by for row in rows if row.created_by})
    lines = []
    for row in rows:
        until = (
            None
            if row.expires_at is None
            else format_date(ctx.language, row.expires_at, timezone=ctx.time_zone)
        )
        by = names.get(row.created_by) if row.created_by else None
        cells: list[Cell] = [_limit(ctx, row), row.reason, until or ctx.t("billing.admin.until_removed"), by]
        if may_manage:
            url = f"{here}/limits/{to_public(limit_service.OVERRIDE_PREFIX, row.id)}/remove"
            cells.append(Action(ctx.t("billing.admin.act.remove"), url, "trash-2"))
        lines.append(Line(feature_name(ctx, row.feature_code), cells))
    heads = ["feature", "limit", "reason", "expires_at", "by"]
    return _block(ctx, "overrides", heads, lines, 20, has_actions=may_manage)


def addons(ctx: PageContext, subscription: Subscription) -> Block:
    """What is booked on top of the plan."""
    lines = [
        Line(
            tier_service.name_of(addon.names, ctx.language),
            [
                format_number(ctx.language, row.quantity),
                format_money(ctx.language, row.quantity * addon.price_cents, addon.currency),
                ctx.t(f"billing.intervals.{addon.interval}"),
                format_date(ctx.language, row.started_at, timezone=ctx.time_zone),
                format_date(ctx.language, row.ends_at, timezone=ctx.time_zone) if row.ends_at else None,
            ],
            ctx.url("billing.admin.addon", addon_id=to_public(addon_service.ADDON_PREFIX, addon.id))
            if "billing.view_tiers" in ctx.who.permissions
            else None,
        )
        for row, addon in addon_service.list_booked(ctx.session, subscription.vendor_id)
    ]
    heads = ["addon", "quantity", "price", "interval", "started_at", "ends_at"]
    return _block(ctx, "booked", heads, lines, 30)


def invoices(ctx: PageContext, subscription: Subscription) -> Block:
    """The last invoices."""
    lines = [
        Line(
            row.number or "–",
            [
                ctx.t(f"billing.invoice_kinds.{row.kind}"),
                format_money(ctx.language, row.total_cents, row.currency),
                (INVOICE_TONES[row.status], ctx.t(f"billing.invoice_status.{row.status}")),
                format_date(ctx.language, row.issued_at, timezone=ctx.time_zone) if row.issued_at else None,
            ],
            ctx.url("billing.admin.invoice", invoice_id=to_public(invoice_service.INVOICE_PREFIX, row.id)),
        )
        for row in invoice_service.list_invoices(ctx.session, subscription.vendor_id, limit=12)
    ]
    return _block(ctx, "invoices", ["number", "kind", "total", "state", "issued_at"], lines, 40)


def history(ctx: PageContext, subscription: Subscription) -> Block:
    """What became of the subscription, and who or what did it."""
    rows = history_service.list_changes(ctx.session, subscription.vendor_id)
    names = user_names(ctx.session, {row.user_id for row in rows if row.user_id})
    plans = history_view_service.plan_names(ctx, subscription)
    lines = [
        Line(
            ctx.t(f"billing.changes.{row.kind}"),
            [
                _change(ctx, row, plans),
                (names.get(row.user_id) if row.user_id else None)
                or ctx.t(f"billing.admin.source.{row.source}"),
                format_datetime(ctx.language, row.at, ctx.time_zone),
            ],
        )
        for row in rows
    ]
    return _block(ctx, "history", ["change", "details", "by", "at"], lines, 60)


def differences(ctx: PageContext, subscription: Subscription) -> Block | None:
    """What was not the same at Stripe; nothing where that never was so."""
    rows = operator_list_service.list_differences(ctx.session, subscription)
    if not rows:
        return None
    unset = ctx.t("billing.admin.unset")
    lines = [
        Line(
            row.field,
            [
                row.local_value or unset,
                row.remote_value or unset,
                format_datetime(ctx.language, row.found_at, ctx.time_zone),
                ("success", format_datetime(ctx.language, row.resolved_at, ctx.time_zone))
                if row.resolved_at
                else ("warning", ctx.t("billing.admin.open")),
            ],
        )
        for row in rows
    ]
    return _block(ctx, "differences", ["field", "here", "there", "found_at", "resolved_at"], lines, 50)


def at_stripe(ctx: PageContext, subscription: Subscription) -> Block:
    """The names at Stripe, with links to its pages, and when it was last asked."""
    root = _dashboard(ctx, subscription)
    customer, remote = subscription.stripe_customer_id, subscription.stripe_subscription_id
    card = ctx.t("ui.yes" if subscription.has_payment_method else "ui.no")
    facts = [
        Fact(
            ctx.t(f"{_F}.customer"),
            customer,
            "code",
            f"{root}/customers/{customer}" if root and customer else None,
        ),
        Fact(
            ctx.t(f"{_F}.remote"),
            remote,
            "code",
            f"{root}/subscriptions/{remote}" if root and remote else None,
        ),
        Fact(ctx.t(f"{_F}.has_payment_method"), card),
        Fact(ctx.t(f"{_F}.read_at"), subscription.stripe_read_at, "datetime"),
    ]
    return Block("stripe", "Stripe", facts, column="side", order=20)


def latest_request(ctx: PageContext, vendor_id: UUID) -> RequestInfo | None:
    """What was last asked of Stripe for a vendor."""
    newest = (
        select(BillingRequest.id)
        .where(BillingRequest.vendor_id == vendor_id)
        .order_by(BillingRequest.id.desc())
    )
    request_id = ctx.session.scalar(newest.limit(1))
    return stripe_request_service.find_request(ctx.session, vendor_id, request_id) if request_id else None


def limits_in_words(ctx: PageContext, tier: SubscriptionTier) -> list[Fact]:
    """What a plan holds of each feature."""
    known = tier_service.limits_of(ctx.session, [tier.id])[tier.id]
    facts = []
    for one in features().values():
        limit = known.get(one.code, one.default_limit)
        if one.kind == "binary":
            text = ctx.t("ui.no" if limit == 0 else "ui.yes")
        else:
            text = ctx.t("billing.admin.unlimited") if limit is None else format_number(ctx.language, limit)
        facts.append(Fact(ctx.t(one.label_key), text))
    return facts


def offer_actions(ctx: PageContext, offer: SubscriptionTier | Addon, here: str) -> list[Action]:
    """What else may be done with a plan or an add-on, whose page is at ``here``."""
    is_sold = offer.archived_at is None
    act, icon = ("archive", "archive") if is_sold else ("restore", "archive-restore")
    return [
        Action(ctx.t("billing.admin.act.tell_stripe"), f"{here}/sync", "refresh-cw"),
        Action(ctx.t(f"billing.admin.act.{act}"), f"{here}/{act}", icon),
    ]


def feature_name(ctx: PageContext, code: str) -> str:
    """What a feature is called; its code where no installed module declares it."""
    feature = features().get(code)
    return ctx.t(feature.label_key) if feature else code


def _limit(ctx: PageContext, row: LimitOverride) -> str:
    if row.limit_value is None:
        return ctx.t("billing.admin.unlimited")
    return format_number(ctx.language, row.limit_value)


def _change(ctx: PageContext, row: SubscriptionChange, plans: Mapping[str, str]) -> str:
    values = [
        history_view_service.in_words(ctx, plans, value) for value in (row.from_value, row.to_value) if value
    ]
    parts = [" → ".join(values)] if values else []
    if "feature" in row.details:
        parts.insert(0, feature_name(ctx, row.details["feature"]))
    if row.details.get("feedback"):
        parts.append(ctx.t(f"billing.cancel_feedback.{row.details['feedback']}"))
    parts += [str(row.details[name]) for name in ("addon", "reason") if row.details.get(name)]
    parts += row.details.get("fields", [])
    return " · ".join(parts)


def _dashboard(ctx: PageContext, subscription: Subscription) -> str | None:
    """Where Stripe shows its records to the operator; none where the stand-in keeps them."""
    account = find_account(ctx.session, Provider.STRIPE, platform_id=subscription.platform_id)
    if account is None and get_settings().sandbox_url:
        return None
    return f"{_DASHBOARD}/test" if account and account.mode == "test" else _DASHBOARD


def _block(
    ctx: PageContext,
    name: str,
    heads: Sequence[str],
    lines: Sequence[Line],
    order: int,
    *,
    has_actions: bool = False,
) -> Block:
    title = ctx.t(f"billing.admin.blocks.{name}")
    context = {
        "label": title,
        "heads": [ctx.t(f"{_F}.{head}") for head in heads],
        "lines": lines,
        "has_actions": has_actions,
        "empty": ctx.t(f"billing.admin.blocks.no_{name}"),
    }
    template = "billing/admin/lines.html"
    return Block(name, title, template=template, context=context, order=order, is_flush=bool(lines))

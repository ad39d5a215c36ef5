"""What operators look through: plans, add-ons, subscriptions, invoices, and what differs from Stripe."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Text, case, cast, func, literal, or_, select
from sqlalchemy.dialects.postgresql import array
from sqlalchemy.orm import Session

from app.core import clock
from app.core.i18n import translate
from app.core.ids import from_public
from app.modules.base import Feature
from app.modules.billing.enums import InvoiceStatus, SubscriptionStatus
from app.modules.billing.exceptions import (
    AddonNotFoundError,
    SubscriptionNotFoundError,
    TierNotFoundError,
)
from app.modules.billing.models.invoice import BillingInvoice
from app.modules.billing.models.remote import SyncDifference
from app.modules.billing.models.subscription import Subscription, SubscriptionAddon
from app.modules.billing.models.subscription_tier import Addon, SubscriptionTier, TierLimit
from app.modules.billing.services import addon_service, tier_service
from app.modules.billing.services.tier_service import TIER_PREFIX
from app.modules.entitlements import features
from app.modules.tenancy.facade import list_platforms, vendor_names

VENDORS = vendor_names()
TIER_STATE = case(
    (SubscriptionTier.archived_at.is_not(None), "archived"),
    (~SubscriptionTier.is_public, "hidden"),
    else_="sold",
)
ADDON_STATE = case((Addon.archived_at.is_not(None), "archived"), else_="sold")


def limit_name(feature: Feature) -> str:
    """The name of the column that shows a plan's limit of a feature."""
    return f"limit_{feature.code.replace('.', '_')}"


def counted() -> list[Feature]:
    """The declared features that have a number."""
    return [one for one in features().values() if one.kind == "quantitative"]


def switched() -> list[Feature]:
    """The declared features that a plan includes or not."""
    return [one for one in features().values() if one.kind == "binary"]


def select_tiers(session: Session, language: str) -> Select[Any]:
    """The plans of the reader's platforms with their limits in words."""
    unlimited = translate(language, "billing.admin.unlimited")
    limits = [_limit_text(feature, unlimited).label(limit_name(feature)) for feature in counted()]
    included = [
        case((_limit_text(feature, "") != "0", translate(language, feature.label_key)), else_=None)
        for feature in switched()
    ]
    more = [func.array_remove(array(included), None).label("included")] if included else []
    return (
        tier_service.select_tiers()
        .add_columns(_name(SubscriptionTier.names, language), TIER_STATE.label("state"), *limits, *more)
        .where(SubscriptionTier.platform_id.in_(_own_platforms(session)))
    )


def get_tier(session: Session, tier_id: UUID) -> SubscriptionTier:
    """A plan of one of the reader's platforms; TierNotFoundError."""
    tier = tier_service.get_tier(session, tier_id)
    if tier.platform_id not in _own_platforms(session):
        raise TierNotFoundError
    return tier


def with_revenue(session: Session, rows: Sequence[Any]) -> Sequence[Any]:
    """The same plans, which also say what they bring in a month (cents, estimated)."""
    figures = tier_service.figures(session)
    nothing = tier_service.TierFigures()
    return [
        SimpleNamespace(**row._mapping, mrr_cents=figures.get(row.id, nothing).monthly_cents) for row in rows
    ]


def matching_tiers(words: str) -> ColumnElement[bool]:
    """Plans whose code or name holds the words."""
    return or_(
        SubscriptionTier.code.icontains(words, autoescape=True),
        cast(SubscriptionTier.names, Text).icontains(words, autoescape=True),
    )


def select_addons(session: Session, language: str) -> Select[Any]:
    """The add-ons of the reader's platforms with the number of shops that have booked them."""
    booked = (
        select(func.count()).where(SubscriptionAddon.addon_id == Addon.id).correlate(Addon).scalar_subquery()
    )
    labels = {code: translate(language, one.label_key) for code, one in features().items()}
    gives = case(labels, value=Addon.feature_code, else_=Addon.feature_code)
    return select(
        *Addon.__table__.columns,
        _name(Addon.names, language),
        gives.label("gives"),
        ADDON_STATE.label("state"),
        booked.label("booked"),
    ).where(Addon.platform_id.in_(_own_platforms(session)))


def get_addon(session: Session, addon_id: UUID) -> Addon:
    """An add-on of one of the reader's platforms; AddonNotFoundError."""
    addon = addon_service.get_addon(session, addon_id)
    if addon.platform_id not in _own_platforms(session):
        raise AddonNotFoundError
    return addon


def matching_addons(words: str) -> ColumnElement[bool]:
    """Add-ons whose code or name holds the words."""
    return or_(
        Addon.code.icontains(words, autoescape=True),
        cast(Addon.names, Text).icontains(words, autoescape=True),
    )


def select_subscriptions(_session: Session, _language: str) -> Select[Any]:
    """Subscriptions with their vendors."""
    return (
        select(
            *Subscription.__table__.columns,
            VENDORS.c.name.label("vendor_name"),
            VENDORS.c.code.label("vendor_code"),
        )
        .select_from(Subscription)
        .join(VENDORS, VENDORS.c.id == Subscription.vendor_id)
    )


def with_plans(session: Session, rows: Sequence[Any]) -> Sequence[Any]:
    """The same subscriptions with the plan and the price of a period: an operator of part of the platforms reads plans
    in another scope than vendors' rows."""
    tiers = {one.id: one for one in tier_service.list_tiers(session, is_sold=False)}
    return [
        SimpleNamespace(
            **row._mapping,
            tier_code=tiers[row.tier_id].code,
            price_cents=tier_service.price_cents(tiers[row.tier_id], row.interval),
            currency=tiers[row.tier_id].currency,
        )
        for row in rows
    ]


def has_tier(chosen: Sequence[str]) -> ColumnElement[bool]:
    """Subscriptions to any of these plans, by public id."""
    return Subscription.tier_id.in_([key for one in chosen if (key := from_public(TIER_PREFIX, one))])


def matching_vendors(words: str) -> ColumnElement[bool]:
    """Rows of vendors whose name or code holds the words, or whose name at Stripe they are."""
    return or_(
        VENDORS.c.name.icontains(words, autoescape=True),
        VENDORS.c.code.icontains(words, autoescape=True),
        Subscription.stripe_customer_id == words,
        Subscription.stripe_subscription_id == words,
    )


def trial_ends_within(chosen: Sequence[str]) -> ColumnElement[bool]:
    """Trials that end in so many days or fewer."""
    end = clock.now() + timedelta(days=max(int(days) for days in chosen))
    return (Subscription.status == SubscriptionStatus.TRIAL) & (Subscription.trial_ends_at <= end)


def is_billed_by(chosen: Sequence[str]) -> ColumnElement[bool]:
    """``stripe``: Stripe collects; ``operator``: nobody but the operator does."""
    return or_(
        *(
            Subscription.stripe_subscription_id.is_not(None)
            if one == "stripe"
            else Subscription.stripe_subscription_id.is_(None)
            for one in chosen
        )
    )


def get_subscription(session: Session, subscription_id: UUID) -> Subscription:
    """A subscription by id; SubscriptionNotFoundError."""
    found = session.get(Subscription, subscription_id)
    if found is None:
        raise SubscriptionNotFoundError
    return found


def select_differing(session: Session, language: str) -> Select[Any]:
    """Subscriptions that are not the same here and at Stripe, with what differs."""

    def of_open(value: ColumnElement[Any], name: str) -> Any:
        return (
            select(value)
            .where(SyncDifference.subscription_id == Subscription.id, SyncDifference.resolved_at.is_(None))
            .correlate(Subscription)
            .scalar_subquery()
            .label(name)
        )

    unset = translate(language, "billing.admin.unset")
    words = func.concat(
        SyncDifference.field,
        ": ",
        func.coalesce(SyncDifference.local_value, unset),
        " → ",
        func.coalesce(SyncDifference.remote_value, unset),
    )
    return (
        select_subscriptions(session, language)
        .add_columns(
            of_open(func.string_agg(words, literal("; ")), "differences"),
            of_open(func.min(SyncDifference.found_at), "found_at"),
        )
        .where(differs())
    )


def differs() -> ColumnElement[bool]:
    """Subscriptions with an open difference."""
    return (
        select(SyncDifference.id)
        .where(SyncDifference.subscription_id == Subscription.id, SyncDifference.resolved_at.is_(None))
        .correlate(Subscription)
        .exists()
    )


def list_differences(session: Session, subscription: Subscription) -> Sequence[SyncDifference]:
    """What differed at any time, the newest first."""
    return session.scalars(
        select(SyncDifference)
        .where(SyncDifference.subscription_id == subscription.id)
        .order_by(SyncDifference.id.desc())
        .limit(20)
    ).all()


def count_differing(session: Session) -> int:
    """How many subscriptions differ from Stripe, of those that the session may see."""
    return session.scalar(select(func.count(Subscription.id)).where(differs())) or 0


def select_invoices(_session: Session, _language: str) -> Select[Any]:
    """Invoices with their vendors."""
    return (
        select(
            *BillingInvoice.__table__.columns,
            VENDORS.c.name.label("vendor_name"),
            VENDORS.c.code.label("vendor_code"),
        )
        .select_from(BillingInvoice)
        .join(VENDORS, VENDORS.c.id == BillingInvoice.vendor_id)
    )


def matching_invoices(words: str) -> ColumnElement[bool]:
    """Invoices whose number, vendor or name at Stripe the words are or are in."""
    return or_(
        BillingInvoice.number.icontains(words, autoescape=True),
        VENDORS.c.name.icontains(words, autoescape=True),
        VENDORS.c.code.icontains(words, autoescape=True),
        BillingInvoice.stripe_invoice_id == words,
    )


def is_overdue(_chosen: Sequence[str]) -> ColumnElement[bool]:
    """Open past the day they were due."""
    return (BillingInvoice.status == InvoiceStatus.OPEN) & (BillingInvoice.due_at < clock.now())


def count_overdue(session: Session) -> int:
    """How many invoices are open past their day, of those that the session may see."""
    return session.scalar(select(func.count(BillingInvoice.id)).where(is_overdue(()))) or 0


def issued_since(chosen: Sequence[str]) -> ColumnElement[bool]:
    """Issued on that day (UTC) or later."""
    return BillingInvoice.issued_at >= _day(chosen[0], 0)


def issued_until(chosen: Sequence[str]) -> ColumnElement[bool]:
    """Issued on that day (UTC) or earlier."""
    return BillingInvoice.issued_at < _day(chosen[0], 1)


def _own_platforms(session: Session) -> list[UUID]:
    return [platform.id for platform in list_platforms(session)]


def _day(text: str, later_days: int) -> datetime:
    return datetime.combine(date.fromisoformat(text), time(), UTC) + timedelta(days=later_days)


def _limit_text(feature: Feature, unlimited: str) -> ColumnElement[Any]:
    """A plan's limit as text; the feature's default where the plan has none."""
    row = (
        select(func.coalesce(cast(TierLimit.limit_value, Text), unlimited))
        .where(TierLimit.tier_id == SubscriptionTier.id, TierLimit.feature_code == feature.code)
        .correlate(SubscriptionTier)
        .scalar_subquery()
    )
    default = unlimited if feature.default_limit is None else str(feature.default_limit)
    return func.coalesce(row, default)


def _name(names: Any, language: str, label: str = "name") -> Any:
    return func.coalesce(names[language].astext, names["en"].astext).label(label)

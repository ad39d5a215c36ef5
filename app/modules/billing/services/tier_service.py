"""Plans: what a platform sells, with limits and figures. Writing needs the system scope: plans are everybody's."""

import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Select, case, delete, func, select
from sqlalchemy.orm import Session

from app.core import clock
from app.core.database import SYSTEM, PlatformScope, ScopedSession, acting_in
from app.core.errors import ConflictError
from app.core.i18n import LANGUAGES
from app.core.ids import new_id, to_public
from app.modules.billing.contracts import TierInput
from app.modules.billing.enums import Interval, SubscriptionStatus
from app.modules.billing.exceptions import BillingInputError, TierArchivedError, TierNotFoundError
from app.modules.billing.models.subscription import Subscription
from app.modules.billing.models.subscription_tier import SubscriptionTier, TierLimit
from app.modules.tenancy.facade import record_audit

TIER_PREFIX = "tir"
_CODE = re.compile(r"[a-z0-9][a-z0-9_-]{1,31}")
_CURRENCY = re.compile(r"[A-Z]{3}")
_PAYING = (SubscriptionStatus.ACTIVE, SubscriptionStatus.PAST_DUE)


@dataclass(frozen=True, slots=True)
class TierFigures:
    """How many vendors have a plan, and what those who pay bring in a month (cents, estimated)."""

    subscriptions: int = 0
    monthly_cents: int = 0


def create_tier(session: Session, platform_id: UUID, code: str, values: TierInput) -> SubscriptionTier:
    """A new plan; its code stays for ever. Raises BillingInputError."""
    code = code.strip().lower()
    if not _CODE.fullmatch(code):
        raise BillingInputError("code", "code_form")
    if find_tier(session, platform_id, code):
        raise BillingInputError("code", "code_taken", code=code)
    _check(values)
    tier = SubscriptionTier(id=new_id(), platform_id=platform_id, code=code)
    _set(tier, values)
    session.add(tier)
    session.flush()
    _set_limits(session, tier.id, values.limits)
    _record(session, "billing.tier_created", tier)
    return tier


def update_tier(
    session: Session, tier_id: UUID, values: TierInput, *, version: int | None = None
) -> SubscriptionTier:
    """Change a plan; prices hold for periods that begin later. Raises TierNotFoundError, BillingInputError, and
    ConflictError for a stale version."""
    tier = get_tier(session, tier_id)
    if version is not None and tier.version != version:
        raise ConflictError("Somebody else changed this in the meantime. Open it again.")
    _check(values)
    before = {"monthly": tier.monthly_cents, "annual": tier.annual_cents}
    _set(tier, values)
    session.flush()
    _set_limits(session, tier.id, values.limits)
    _record(session, "billing.tier_updated", tier, before=before)
    return tier


def archive_tier(session: Session, tier_id: UUID) -> None:
    """Sell a plan no more; who has it keeps it."""
    tier = get_tier(session, tier_id)
    if tier.archived_at is None:
        tier.archived_at = clock.now()
        session.flush()
        _record(session, "billing.tier_archived", tier)


def restore_tier(session: Session, tier_id: UUID) -> None:
    """Sell an archived plan again."""
    tier = get_tier(session, tier_id)
    if tier.archived_at is not None:
        tier.archived_at = None
        session.flush()
        _record(session, "billing.tier_restored", tier)


@contextmanager
def reading_plans(session: Session) -> Iterator[None]:
    """Plans and add-ons can be read in the block also by who runs part of the platforms: that scope has no part in
    what belongs to all. What else is read there must keep to what the reader may see."""
    assert isinstance(session, ScopedSession)
    if isinstance(session.scope, PlatformScope):
        with acting_in(session, SYSTEM):
            yield
    else:
        yield


def get_tier(session: Session, tier_id: UUID) -> SubscriptionTier:
    """A plan by id; TierNotFoundError."""
    with reading_plans(session):
        tier = session.get(SubscriptionTier, tier_id)
    if tier is None:
        raise TierNotFoundError
    return tier


def find_tier(session: Session, platform_id: UUID, code: str) -> SubscriptionTier | None:
    """A platform's plan by code, archived or not."""
    return session.scalar(
        select(SubscriptionTier).where(
            SubscriptionTier.platform_id == platform_id, SubscriptionTier.code == code
        )
    )


def get_sold_tier(session: Session, platform_id: UUID, code: str) -> SubscriptionTier:
    """A platform's plan that can be had now. Raises TierNotFoundError, TierArchivedError."""
    tier = find_tier(session, platform_id, code)
    if tier is None:
        raise TierNotFoundError(f"There is no plan {code!r}.")
    if tier.archived_at is not None:
        raise TierArchivedError(f"The plan {code!r} is archived.")
    return tier


def list_tiers(
    session: Session, platform_id: UUID | None = None, *, is_sold: bool = True, is_public: bool = False
) -> Sequence[SubscriptionTier]:
    """Plans in their order: of a platform or of all; ``is_sold``: not archived; ``is_public``: shown to everybody."""
    statement = select(SubscriptionTier).order_by(
        SubscriptionTier.platform_id, SubscriptionTier.order_index, SubscriptionTier.code
    )
    if platform_id is not None:
        statement = statement.where(SubscriptionTier.platform_id == platform_id)
    if is_sold:
        statement = statement.where(SubscriptionTier.archived_at.is_(None))
    if is_public:
        statement = statement.where(SubscriptionTier.is_public)
    with reading_plans(session):
        return session.scalars(statement).all()


def select_tiers() -> Select[Any]:
    """Plans, column by column, with the number of their subscriptions that the reader may see."""
    count = (
        select(func.count())
        .where(Subscription.tier_id == SubscriptionTier.id)
        .correlate(SubscriptionTier)
        .scalar_subquery()
    )
    return select(*SubscriptionTier.__table__.columns, count.label("subscriptions"))


def limits_of(session: Session, tier_ids: Collection[UUID]) -> dict[UUID, dict[str, int | None]]:
    """The limits of plans by feature code."""
    limits: dict[UUID, dict[str, int | None]] = defaultdict(dict)
    with reading_plans(session):
        rows = session.scalars(select(TierLimit).where(TierLimit.tier_id.in_(tier_ids))).all()
    for row in rows:
        limits[row.tier_id][row.feature_code] = row.limit_value
    return limits


def figures(session: Session) -> dict[UUID, TierFigures]:
    """Subscriptions and estimated monthly revenue of each plan, over the vendors that the session may see."""
    assert isinstance(session, ScopedSession)
    seen = session.scope.platform_ids if isinstance(session.scope, PlatformScope) else None
    is_paying = Subscription.status.in_(_PAYING)
    is_annual = Subscription.interval == Interval.YEAR
    statement = (
        select(
            SubscriptionTier.id,
            func.count(case((Subscription.status != SubscriptionStatus.EXPIRED, 1))),
            func.count(case((is_paying & ~is_annual, 1))) * SubscriptionTier.monthly_cents,
            func.count(case((is_paying & is_annual, 1))) * SubscriptionTier.annual_cents,
        )
        .join(Subscription, Subscription.tier_id == SubscriptionTier.id)
        .group_by(SubscriptionTier.id)
    )
    if seen is not None:
        statement = statement.where(SubscriptionTier.platform_id.in_(seen))
    with reading_plans(session):
        rows = session.execute(statement).all()
    return {
        tier_id: TierFigures(count, monthly + (annual + 6) // 12) for tier_id, count, monthly, annual in rows
    }


def price_cents(tier: SubscriptionTier, interval: str) -> int:
    """What a period costs."""
    return tier.annual_cents if interval == Interval.YEAR else tier.monthly_cents


def name_of(names: Mapping[str, Any], language: str) -> str:
    """The name in a language, else in English, else any."""
    return str(names.get(language) or names.get("en") or next(iter(names.values()), ""))


def _check(values: TierInput) -> None:
    for field in ("monthly_cents", "annual_cents"):
        if getattr(values, field) < 0:
            raise BillingInputError(field, "negative")
    if not _CURRENCY.fullmatch(values.currency):
        raise BillingInputError("currency", "currency")
    check_names(values.names)
    for code, limit in values.limits.items():
        if limit is not None and limit < 0:
            raise BillingInputError(f"limit_{code}", "negative")


def check_names(names: Mapping[str, str]) -> None:
    """Raise BillingInputError unless there is an English name, and only names in languages there are."""
    if not names.get("en", "").strip() or not set(names) <= set(LANGUAGES):
        raise BillingInputError("names", "names")


def _set(tier: SubscriptionTier, values: TierInput) -> None:
    tier.names = {language: name.strip() for language, name in values.names.items() if name.strip()}
    tier.order_index, tier.is_public = values.order_index, values.is_public
    tier.monthly_cents, tier.annual_cents = values.monthly_cents, values.annual_cents
    tier.currency = values.currency


def _set_limits(session: Session, tier_id: UUID, limits: Mapping[str, int | None]) -> None:
    session.execute(delete(TierLimit).where(TierLimit.tier_id == tier_id))
    session.add_all(
        TierLimit(tier_id=tier_id, feature_code=code, limit_value=value) for code, value in limits.items()
    )
    session.flush()


def _record(session: Session, action: str, tier: SubscriptionTier, **details: Any) -> None:
    prices = {"monthly": tier.monthly_cents, "annual": tier.annual_cents}
    target = to_public(TIER_PREFIX, tier.id)
    record_audit(session, action, target=target, code=tier.code, after=prices, **details)

"""Plans as people choose between them: price and limits in words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.i18n import format_money, format_number, translate
from app.core.ids import to_public
from app.modules.base import Feature
from app.modules.billing.enums import Interval
from app.modules.billing.models.subscription_tier import Addon, SubscriptionTier
from app.modules.billing.services import tier_service
from app.modules.billing.services.usage_service import UsageBar
from app.modules.entitlements import features
from app.modules.state import is_enabled

_MONTHS = 12


@dataclass(frozen=True, slots=True)
class Offer:
    """A plan to choose. ``price``: of a period; ``monthly``: of a month where a year is paid; ``saving``: cents that a
    year costs less than twelve months. ``too_small``: what the vendor has more of than the plan allows."""

    id: str
    code: str
    name: str
    price: str
    monthly: str
    saving_cents: int
    saving: str
    limits: Sequence[str]
    too_small: Sequence[str] = ()


def list_offers(
    session: Session,
    tiers: Sequence[SubscriptionTier],
    interval: str,
    language: str,
    bars: Sequence[UsageBar] = (),
) -> list[Offer]:
    """Plans with their prices by the ``interval``. ``bars``: what a vendor uses now."""
    limits = tier_service.limits_of(session, [tier.id for tier in tiers])
    return [_offer(tier, limits.get(tier.id, {}), interval, language, bars) for tier in tiers]


def _offer(
    tier: SubscriptionTier,
    limits: Mapping[str, int | None],
    interval: str,
    language: str,
    bars: Sequence[UsageBar],
) -> Offer:
    declared = [
        feature for feature in features().values() if is_enabled(feature.module_code, [tier.platform_id])
    ]
    allowed = {feature.code: limits.get(feature.code, feature.default_limit) for feature in declared}
    cents = tier_service.price_cents(tier, interval)
    saving = _MONTHS * tier.monthly_cents - tier.annual_cents if interval == Interval.YEAR else 0
    return Offer(
        id=to_public(tier_service.TIER_PREFIX, tier.id),
        code=tier.code,
        name=tier_service.name_of(tier.names, language),
        price=price_text(cents, tier.currency, interval, language),
        monthly=format_money(language, (tier.annual_cents + _MONTHS // 2) // _MONTHS, tier.currency),
        saving_cents=saving,
        saving=format_money(language, saving, tier.currency),
        limits=[limit_text(feature, allowed[feature.code], language) for feature in declared],
        too_small=[
            translate(language, "billing.offer.too_small", what=translate(language, bar.label_key),
                      used=format_number(language, bar.used), limit=format_number(language, limit))
            for bar in bars
            if (limit := allowed.get(bar.feature_code)) is not None and bar.used > limit
        ],
    )  # fmt: skip


def price_text(cents: int, currency: str, interval: str, language: str) -> str:
    """ "99,00 € a month"."""
    return translate(language, f"billing.price.{interval}", amount=format_money(language, cents, currency))


def limit_text(feature: Feature, limit: int | None, language: str) -> str:
    """ "Products: 200", "Products: as many as you like", "Custom domains: not included"."""
    what = translate(language, feature.label_key)
    if limit == 0:
        return translate(language, "billing.limit.none", what=what)
    if feature.kind == "binary":
        return translate(language, "billing.limit.included", what=what)
    if limit is None:
        return translate(language, "billing.limit.unlimited", what=what)
    key = "billing.limit.a_month" if feature.is_per_period else "billing.limit.some"
    return translate(language, key, what=what, limit=format_number(language, limit))


def addon_text(addon: Addon, language: str) -> str:
    """What one of an add-on gives; empty where it is no more of a feature."""
    feature = features().get(addon.feature_code or "")
    if feature is None or not addon.amount:
        return ""
    what = translate(language, feature.label_key)
    return translate(language, "billing.addon.gives", what=what, amount=format_number(language, addon.amount))


def list_selling(session: Session) -> Sequence[UUID]:
    """The platforms whose plans anybody may choose, in the order of their ids."""
    tiers = tier_service.list_tiers(session, is_public=True)
    return list(
        dict.fromkeys(tier.platform_id for tier in tiers if is_enabled("billing", [tier.platform_id]))
    )

"""History in the reader's words: what it holds are codes."""

from collections.abc import Mapping
from datetime import datetime

from app.core.i18n import format_date
from app.modules.billing.enums import Interval, SubscriptionStatus
from app.modules.billing.models.subscription import Subscription
from app.modules.billing.services import tier_service
from app.modules.pages import PageContext

_NO_LIMIT = "None"


def plan_names(ctx: PageContext, subscription: Subscription) -> Mapping[str, str]:
    """The plans of the subscription's platform by code, those too that are sold no more."""
    tiers = tier_service.list_tiers(ctx.session, subscription.platform_id, is_sold=False)
    return {tier.code: tier_service.name_of(tier.names, ctx.language) for tier in tiers}


def plan_in_words(ctx: PageContext, names: Mapping[str, str], value: str | None) -> str | None:
    """A plan with its interval; None for what is no plan."""
    code, _, interval = (value or "").partition("/")
    if interval not in set(Interval):
        return None
    return f"{names.get(code, code)} ({ctx.t(f'billing.intervals.{interval}')})"


def in_words(ctx: PageContext, names: Mapping[str, str], value: str) -> str:
    """A plan, a state, a day or a number; what is none of these as it is."""
    plan = plan_in_words(ctx, names, value)
    if plan is not None:
        return plan
    if value in set(SubscriptionStatus):
        return ctx.t(f"billing.status.{value}")
    if value == _NO_LIMIT:
        return ctx.t("billing.admin.unlimited")
    try:
        moment = datetime.fromisoformat(
            value.partition("/")[0]
        )  # of a reminder: its day, and how many before
    except ValueError:
        return value
    is_moment = moment.tzinfo is not None  # a number of eight digits reads as a day
    return format_date(ctx.language, moment, timezone=ctx.time_zone) if is_moment else value

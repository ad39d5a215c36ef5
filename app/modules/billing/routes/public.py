"""The prices, for everybody."""

from uuid import UUID

from fastapi import Response

from app.core.ids import from_public, to_public
from app.modules.billing.config import BillingConfig
from app.modules.billing.enums import Interval
from app.modules.billing.services import offer_service, tier_service
from app.modules.pages import PageContext
from app.modules.routing import AreaRouter
from app.modules.tenancy.facade import list_platforms

router = AreaRouter("public")


@router.page("billing.public.pricing")
def pricing(ctx: PageContext, interval: str = "", platform: str = "") -> Response:
    """The plans of a platform with prices and limits, the way to sign up; tabs where several platforms sell."""
    interval = Interval.YEAR if interval == Interval.YEAR else Interval.MONTH
    selling = offer_service.list_selling(ctx.session)
    wanted = from_public("plt", platform)
    shown: UUID | None = wanted if wanted in selling else next(iter(selling), None)
    tiers = tier_service.list_tiers(ctx.session, shown, is_public=True) if shown else []
    names = {one.id: one.name for one in list_platforms(ctx.session)}
    page = "billing.public.pricing"
    return ctx.render(
        "billing/public/pricing.html",
        offers=offer_service.list_offers(ctx.session, tiers, interval, ctx.language),
        interval=interval,
        trial_days=BillingConfig().trial_days,
        intervals=[
            (ctx.t(f"billing.intervals.{one}"), ctx.url(page, interval=one.value, platform=platform), one == interval)
            for one in Interval
        ],
        platforms=[
            (names[one], ctx.url(page, interval=interval, platform=to_public("plt", one)), one == shown)
            for one in selling
        ] if len(selling) > 1 else [],
    )  # fmt: skip

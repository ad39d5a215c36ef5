"""How the plans on sale look to people who choose one, for the operator."""

from fastapi import Response

from app.core.ids import to_public
from app.modules.billing.enums import Interval
from app.modules.billing.services import tier_service
from app.modules.billing.services.operator_view_service import limits_in_words
from app.modules.pages import PageContext
from app.modules.routing import AreaRouter
from app.modules.tenancy.facade import list_platforms

router = AreaRouter("admin")


@router.page("billing.admin.tier_preview")
def tier_preview(ctx: PageContext, interval: str = Interval.MONTH, platform: str = "") -> Response:
    """The plans that are on sale, as people see who choose one."""
    platforms = list_platforms(ctx.session)
    chosen = next((one for one in platforms if to_public("plt", one.id) == platform), None)
    chosen = chosen or next(iter(platforms), None)
    interval = interval if interval in set(Interval) else Interval.MONTH
    tiers = tier_service.list_tiers(ctx.session, chosen.id, is_public=True) if chosen else []
    here = ctx.url("billing.admin.tier_preview")
    plt = to_public("plt", chosen.id) if chosen else ""
    return ctx.render(
        "billing/admin/tier_preview.html",
        back=(ctx.url("billing.admin.tiers"), ctx.t("billing.admin_pages.tiers")),
        cards=[
            (
                tier_service.name_of(one.names, ctx.language),
                tier_service.price_cents(one, interval),
                one,
                limits_in_words(ctx, one),
            )
            for one in tiers
        ],
        interval=interval,
        platforms=[
            (one.name, f"{here}?platform={to_public('plt', one.id)}", one == chosen) for one in platforms
        ],
        intervals=[
            (ctx.t(f"billing.intervals.{one}"), f"{here}?interval={one}&platform={plt}", one == interval)
            for one in Interval
        ],
    )

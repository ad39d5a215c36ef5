"""A page of the plan, one that needs a feature, and what can be done there."""

from fastapi import Response

from app.modules.pages import PageContext
from app.modules.routing import AreaRouter

router = AreaRouter("vendor")


@router.page("plan.vendor.plan")
def plan(ctx: PageContext) -> Response:
    """Where the plan is changed."""
    return ctx.finish(Response("the plan"))


@router.page("plan.vendor.extra")
def extra(ctx: PageContext) -> Response:
    """What not every plan has."""
    return ctx.finish(Response("the extra"))


@router.action("/tariff/change", permission="plan.plan.manage", in_read_only=True)
def change(ctx: PageContext) -> Response:
    """Possible whatever the subscription is."""
    return ctx.finish(Response("changed"))


@router.action("/tariff/work", permission="plan.plan.manage")
def work(ctx: PageContext) -> Response:
    """Possible with a subscription."""
    return ctx.finish(Response("worked"))

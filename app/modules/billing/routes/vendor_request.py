"""Asking Stripe for something, and the page that waits for the answer and leads on."""

from fastapi import Response

from app.core.i18n import has_message
from app.modules.billing.contracts import RequestInfo
from app.modules.billing.services import stripe_request_service, subscription_service, tier_service
from app.modules.billing.services.asking_service import (
    PLAN,
    asker,
    back_from_stripe,
    find_request,
    lead_on,
    wait_for,
)
from app.modules.pages import PageContext
from app.modules.routing import AreaRouter

router = AreaRouter("vendor")

_MANAGE = "billing.manage_plan"


@router.action("/plan/card", permission=_MANAGE, in_read_only=True)
def change_card(ctx: PageContext) -> Response:
    """To Stripe's page for another payment method."""
    ask = stripe_request_service.ask_card
    return wait_for(ctx, ask(ctx.session, ctx.vendor.id, asker(ctx), back_from_stripe(ctx)))


@router.action("/plan/portal", permission=_MANAGE, in_read_only=True)
def open_portal(ctx: PageContext) -> Response:
    """To Stripe's page with all that it knows of the vendor."""
    ask = stripe_request_service.ask_portal
    return wait_for(ctx, ask(ctx.session, ctx.vendor.id, asker(ctx), back_from_stripe(ctx)))


@router.action("/plan/reactivate", permission=_MANAGE, in_read_only=True)
def reactivate(ctx: PageContext) -> Response:
    """Take the cancellation back."""
    asked = stripe_request_service.ask_reactivate(ctx.session, ctx.vendor.id, asker(ctx))
    return wait_for(ctx, asked, "billing.done.reactivate")


@router.action("/plan/keep", permission=_MANAGE, in_read_only=True)
def keep_plan(ctx: PageContext) -> Response:
    """Drop the smaller plan that waits for the period's end."""
    found = subscription_service.get_subscription(ctx.session, ctx.vendor.id)
    code = tier_service.get_tier(ctx.session, found.tier_id).code
    asked = stripe_request_service.ask_change(ctx.session, ctx.vendor.id, asker(ctx), code, found.interval)
    return wait_for(ctx, asked, "billing.done.change")


@router.page("billing.vendor.request")
def show_request(ctx: PageContext, asked: str = "") -> Response:
    """Waits until Stripe has answered, then leads on."""
    found = find_request(ctx, asked) if asked else None
    if found is None or found.state != "done":
        return _show(ctx, found)
    if found.preview is not None:
        shown = {"plan": found.preview.tier_code, "interval": found.preview.interval, "preview": asked}
        return lead_on(ctx, ctx.url("billing.vendor.change", **shown))
    if found.result_url is None:
        ctx.flash("success", f"billing.done.{found.act}")
        return lead_on(ctx, ctx.url(PLAN))
    if ctx.request.headers.get("hx-request"):
        return lead_on(ctx, found.result_url)
    # No redirect: it would count as the target of the form that led here, and forms send to this site only.
    return _show(ctx, found)


def _show(ctx: PageContext, found: RequestInfo | None) -> Response:
    error = None
    if found is not None and found.state == "failed":
        key = f"billing.request_errors.{found.error}"
        error = ctx.t(key if has_message(ctx.language, key) else "billing.request_errors.other")
    return ctx.render("billing/vendor/request.html", asked=found, error=error)

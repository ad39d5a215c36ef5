"""What the vendor's pages do to ask Stripe for something: who asks, where it comes back to, and waiting for it."""

from uuid import UUID

from fastapi import Response
from fastapi.responses import RedirectResponse

from app.core.config import get_settings
from app.core.errors import NotFoundError
from app.core.ids import from_public, to_public
from app.modules.billing.contracts import By, RequestInfo
from app.modules.billing.enums import ChangeSource
from app.modules.billing.services import stripe_request_service
from app.modules.billing.services.stripe_request_service import REQUEST_PREFIX
from app.modules.pages import PageContext

PLAN, _WAITING = "billing.vendor.plan", "billing.vendor.request"


def asker(ctx: PageContext) -> By:
    """Who asks."""
    return By(ChangeSource.USER, ctx.who.user_id)


def back_from_stripe(ctx: PageContext) -> str:
    """The absolute address that Stripe's pages lead back to."""
    return get_settings().base_url.rstrip("/") + ctx.url(PLAN, at="stripe")


def wait_for(ctx: PageContext, request_id: UUID | None, done: str = "") -> Response:
    """To the page that waits for a request; where all is done without Stripe, to the plan with the message ``done``."""
    if request_id is not None:
        return ctx.redirect(_WAITING, asked=to_public(REQUEST_PREFIX, request_id))
    ctx.flash("success", done)
    return ctx.redirect(PLAN)


def find_request(ctx: PageContext, text: str) -> RequestInfo:
    """A request of the vendor's by its public id; NotFoundError."""
    key = from_public(REQUEST_PREFIX, text)
    found = stripe_request_service.find_request(ctx.session, ctx.vendor.id, key) if key else None
    if found is None:
        raise NotFoundError
    return found


def lead_on(ctx: PageContext, url: str) -> Response:
    """A redirect; for scripts that fetch the page again as a header, since they would follow it themselves."""
    if ctx.request.headers.get("hx-request"):
        return ctx.finish(Response(headers={"HX-Redirect": url}))
    return ctx.finish(RedirectResponse(url, status_code=303))

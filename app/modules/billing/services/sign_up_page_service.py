"""What the pages of signing up share: the step that is next, a step's page, whose turn it is, how often one may try."""

from fastapi import Response

from app.core.errors import RateLimitedError
from app.core.rate_limit import hit
from app.modules.billing.config import BillingConfig
from app.modules.billing.models.sign_up import SignUp
from app.modules.billing.services import offer_service, sign_up_service
from app.modules.pages import PageContext
from app.modules.tenancy.facade import Browser

COOKIE = "wm_sign_up"
_TRIES_PER_MINUTE = 10


def go_on(ctx: PageContext, row: SignUp | None) -> Response:
    """The first step that is not done."""
    if row is None:
        return ctx.redirect("billing.public.pricing")
    if sign_up_service.needs_account(ctx.session, row):
        return ctx.redirect("billing.public.sign_up_account")
    return ctx.redirect(f"billing.public.sign_up_{'start' if row.shop_code else 'shop'}")


def show_step(
    ctx: PageContext,
    template: str,
    row: SignUp,
    step: int,
    errors: dict[str, str] | None = None,
    **context: object,
) -> Response:
    """A step's page, beside the plan that was chosen."""
    tier = sign_up_service.get_tier(ctx.session, row.tier_id)
    (offer,) = offer_service.list_offers(ctx.session, [tier], row.interval, ctx.language)
    return ctx.render(
        f"billing/public/{template}.html",
        status=422 if errors else 200,
        title=ctx.t(f"billing.pages.sign_up_{template}"),
        step=step,
        row=row,
        offer=offer,
        interval=row.interval,
        errors=errors or {},
        trial_days=BillingConfig().trial_days,
        **context,
    )


def proved(ctx: PageContext) -> SignUp | None:
    """The unfinished sign-up whose mailed link was opened in this browser."""
    found = sign_up_service.find(ctx.session, ctx.request.cookies.get(COOKIE, ""))
    return found[0] if found and found[1] and found[0].finished_at is None else None


def count_try(ctx: PageContext) -> None:
    """Raise RateLimitedError for a browser that tries too often."""
    count(f"sign-up:{browser_of(ctx).ip}", _TRIES_PER_MINUTE, 60)


def count(key: str, limit: int, seconds: int) -> None:
    """Raise RateLimitedError once something was done too often."""
    rate = hit(key, limit=limit, window_seconds=seconds)
    if not rate.allowed:
        raise RateLimitedError(retry_after=rate.retry_after)


def browser_of(ctx: PageContext) -> Browser:
    """Who asks, as far as a browser says it."""
    ip = ctx.request.client.host if ctx.request.client else None
    return Browser(ip, ctx.request.headers.get("user-agent"))

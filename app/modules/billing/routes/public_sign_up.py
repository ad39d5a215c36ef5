"""Signing up in steps: plan, address, account, company and shop, trial or payment. What was typed is kept."""

from typing import Annotated
from uuid import UUID

from fastapi import Form, Response

from app.core.config import get_settings
from app.core.errors import NotFoundError, RateLimitedError, ValidationFailedError
from app.core.ids import from_public, to_public
from app.core.rate_limit import hit
from app.modules.billing.config import BillingConfig
from app.modules.billing.enums import Interval
from app.modules.billing.models.sign_up import SignUp
from app.modules.billing.services import offer_service, sign_up_service
from app.modules.billing.services.stripe_request_service import REQUEST_PREFIX
from app.modules.menu import page_url
from app.modules.pagekit.form_page import field_texts
from app.modules.pages import AREA_COOKIES, PageContext
from app.modules.routing import AreaRouter
from app.modules.tenancy.facade import Browser, NewShop, normalise_email

router = AreaRouter("public")
_COOKIE, _PATH = "wm_sign_up", "/sign-up"
_SECONDS = int(sign_up_service.VALID_FOR.total_seconds())
_SESSION_SECONDS = 30 * 24 * 3600
_TRIES_PER_MINUTE, _MAILS_PER_HOUR = 10, 5


@router.page("billing.public.sign_up")
def show_sign_up(ctx: PageContext, plan: str = "", interval: str = "") -> Response:
    """Asks for the address; without a plan, people choose one first. Who has proved an address goes on instead."""
    tier_id = _tier_id(ctx, plan)
    row = _proved(ctx)
    if row is not None:
        if tier_id is not None:
            sign_up_service.choose(ctx.session, row, tier_id, _interval(interval))
        return _go_on(ctx, row)
    if tier_id is None:
        return ctx.redirect("billing.public.pricing")
    return _address_form(ctx, tier_id, _interval(interval))


@router.action("/sign-up", permission=None)
def begin(
    ctx: PageContext,
    plan: Annotated[str, Form()] = "",
    interval: Annotated[str, Form()] = "",
    email: Annotated[str, Form()] = "",
) -> Response:
    """Keep the choice and mail the link."""
    _count_try(ctx)
    tier_id = _tier_id(ctx, plan)
    if tier_id is None:
        return ctx.redirect("billing.public.pricing")
    try:
        with ctx.session.begin_nested():
            row = sign_up_service.begin(ctx.session, email, tier_id, _interval(interval), ctx.language)
            _count_mail(row.email)
    except ValidationFailedError as error:
        return _address_form(ctx, tier_id, _interval(interval), email, field_texts(ctx, error))
    _keep(ctx, sign_up_service.cookie_token(row))
    return ctx.redirect("billing.public.sign_up_mail")


@router.page("billing.public.sign_up_mail")
def show_mail(ctx: PageContext) -> Response:
    """Says that a mail is on its way."""
    row = _begun(ctx)
    if row is None:
        return ctx.redirect("billing.public.pricing")
    return _render(ctx, "mail", row, 2)


@router.action("/sign-up/mail", permission=None)
def send_again(ctx: PageContext) -> Response:
    """Mail the link once more."""
    _count_try(ctx)
    row = _begun(ctx)
    if row is None:
        return ctx.redirect("billing.public.pricing")
    _count_mail(row.email)
    sign_up_service.send_link(ctx.session, row)
    ctx.flash("success", "billing.sign_up.sent_again")
    return ctx.redirect("billing.public.sign_up_mail")


@router.page("billing.public.sign_up_link")
def open_link(ctx: PageContext, token: str = "") -> Response:
    """The mailed link: proves the address and leads to the next step."""
    found = sign_up_service.find(ctx.session, token)
    if found is None or not found[1]:
        ctx.flash("warning", "billing.sign_up.link_over")
        return ctx.redirect("billing.public.pricing")
    row = found[0]
    if row.finished_at is not None:
        return ctx.redirect_to(f"/vendor/{row.vendor_code}")
    sign_up_service.confirm(ctx.session, row)
    _keep(ctx, token)
    return _go_on(ctx, row)


@router.page("billing.public.sign_up_account")
def show_account(ctx: PageContext) -> Response:
    """Asks for name and password."""
    row = _proved(ctx)
    if row is None or not sign_up_service.needs_account(ctx.session, row):
        return _go_on(ctx, row)
    return _render(ctx, "account", row, 3, name=row.name or "")


@router.action("/sign-up/account", permission=None)
def save_account(
    ctx: PageContext, name: Annotated[str, Form()] = "", password: Annotated[str, Form()] = ""
) -> Response:
    """Keep them."""
    _count_try(ctx)
    row = _proved(ctx)
    if row is None or not sign_up_service.needs_account(ctx.session, row):
        return _go_on(ctx, row)
    try:
        sign_up_service.keep_account(ctx.session, row, name, password)
    except ValidationFailedError as error:
        return _render(ctx, "account", row, 3, field_texts(ctx, error), name=name)
    return _go_on(ctx, row)


@router.page("billing.public.sign_up_shop")
def show_shop(ctx: PageContext) -> Response:
    """Asks for company and shop, with what was said before."""
    row = _proved(ctx)
    if row is None or sign_up_service.needs_account(ctx.session, row):
        return _go_on(ctx, row)
    values = {
        "company": row.company or "",
        "tax_number": row.tax_number or "",
        "name": row.shop_name or "",
        "code": row.shop_code or "",
    }
    return _render(ctx, "shop", row, 4, values=values)


@router.action("/sign-up/shop", permission=None)
def save_shop(
    ctx: PageContext,
    company: Annotated[str, Form()] = "",
    tax_number: Annotated[str, Form()] = "",
    name: Annotated[str, Form()] = "",
    code: Annotated[str, Form()] = "",
) -> Response:
    """Keep them."""
    _count_try(ctx)
    row = _proved(ctx)
    if row is None or sign_up_service.needs_account(ctx.session, row):
        return _go_on(ctx, row)
    tier = sign_up_service.get_tier(ctx.session, row.tier_id)
    try:
        shop = NewShop(tier.platform_id, company, code, name, row.language, tax_number)
        sign_up_service.keep_shop(ctx.session, row, shop)
    except ValidationFailedError as error:
        values = {"company": company, "tax_number": tax_number, "name": name, "code": code}
        return _render(ctx, "shop", row, 4, field_texts(ctx, error), values=values)
    return ctx.redirect("billing.public.sign_up_start")


@router.page("billing.public.sign_up_start")
def show_start(ctx: PageContext) -> Response:
    """What was chosen, to begin with the trial or with the payment."""
    row = _proved(ctx)
    if row is None or row.shop_code is None:
        return _go_on(ctx, row)
    return _render(ctx, "start", row, 5)


@router.action("/sign-up/start", permission=None)
def start(ctx: PageContext, pay: Annotated[str, Form()] = "") -> Response:
    """Make the shop, sign its owner in, and lead to its home page or to the payment. Sent twice, it is made once."""
    _count_try(ctx)
    found = sign_up_service.find(ctx.session, ctx.request.cookies.get(_COOKIE, ""), lock=True)
    row = found[0] if found and found[1] else None
    if row is not None and row.finished_at is not None:
        return ctx.redirect_to(f"/vendor/{row.vendor_code}")
    if row is None or row.shop_code is None:
        return _go_on(ctx, row)
    back = get_settings().base_url.rstrip("/") + page_url(
        "billing.vendor.plan", vendor_code="{code}", at="stripe"
    )
    try:
        with ctx.session.begin_nested():
            made, request_id = sign_up_service.finish(ctx.session, row, _browser(ctx), back if pay else None)
    except ValidationFailedError as error:  # somebody took the code meanwhile
        values = {
            "company": row.company,
            "tax_number": row.tax_number,
            "name": row.shop_name,
            "code": row.shop_code,
        }
        return _render(ctx, "shop", row, 4, field_texts(ctx, error), values=values)
    if made.token is not None:
        ctx.set_cookie(AREA_COOKIES["vendor"], made.token, path="/vendor", max_age=_SESSION_SECONDS)
    ctx.flash("success", "billing.sign_up.done", name=row.shop_name)
    if request_id is not None:
        asked = to_public(REQUEST_PREFIX, request_id)
        return ctx.redirect("billing.vendor.request", vendor_code=row.vendor_code, asked=asked)
    return ctx.redirect_to(f"/vendor/{row.vendor_code}")


def _go_on(ctx: PageContext, row: SignUp | None) -> Response:
    """The first step that is not done."""
    if row is None:
        return ctx.redirect("billing.public.pricing")
    if sign_up_service.needs_account(ctx.session, row):
        return ctx.redirect("billing.public.sign_up_account")
    return ctx.redirect(f"billing.public.sign_up_{'start' if row.shop_code else 'shop'}")


def _address_form(
    ctx: PageContext, tier_id: UUID, interval: str, email: str = "", errors: dict[str, str] | None = None
) -> Response:
    tier = sign_up_service.get_tier(ctx.session, tier_id)
    (offer,) = offer_service.list_offers(ctx.session, [tier], interval, ctx.language)
    return ctx.render(
        "billing/public/sign_up.html",
        status=422 if errors else 200,
        step=2,
        offer=offer,
        interval=interval,
        email=email,
        errors=errors or {},
        trial_days=BillingConfig().trial_days,
    )


def _render(
    ctx: PageContext,
    template: str,
    row: SignUp,
    step: int,
    errors: dict[str, str] | None = None,
    **context: object,
) -> Response:
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


def _begun(ctx: PageContext) -> SignUp | None:
    found = sign_up_service.find(ctx.session, ctx.request.cookies.get(_COOKIE, ""))
    return found[0] if found and found[0].finished_at is None else None


def _proved(ctx: PageContext) -> SignUp | None:
    """The unfinished sign-up whose mailed link was opened in this browser."""
    found = sign_up_service.find(ctx.session, ctx.request.cookies.get(_COOKIE, ""))
    return found[0] if found and found[1] and found[0].finished_at is None else None


def _keep(ctx: PageContext, token: str) -> None:
    ctx.set_cookie(_COOKIE, token, path=_PATH, max_age=_SECONDS)


def _tier_id(ctx: PageContext, plan: str) -> UUID | None:
    key = from_public("tir", plan)
    try:
        return sign_up_service.get_tier(ctx.session, key).id if key else None
    except NotFoundError:
        return None


def _interval(text: str) -> str:
    return Interval.YEAR if text == Interval.YEAR else Interval.MONTH


def _browser(ctx: PageContext) -> Browser:
    ip = ctx.request.client.host if ctx.request.client else None
    return Browser(ip, ctx.request.headers.get("user-agent"))


def _count_try(ctx: PageContext) -> None:
    _count(f"sign-up:{_browser(ctx).ip}", _TRIES_PER_MINUTE, 60)


def _count_mail(email: str) -> None:
    _count(f"sign-up-mail:{normalise_email(email)}", _MAILS_PER_HOUR, 3600)


def _count(key: str, limit: int, seconds: int) -> None:
    rate = hit(key, limit=limit, window_seconds=seconds)
    if not rate.allowed:
        raise RateLimitedError(retry_after=rate.retry_after)

"""Signing up in steps: plan, address, account, company and shop, trial or payment. What was typed is kept."""

from collections.abc import Mapping
from typing import Annotated
from uuid import UUID

from fastapi import Form, Response

from app.core.config import get_settings
from app.core.errors import NotFoundError, ValidationFailedError
from app.core.ids import from_public, to_public
from app.modules.billing.config import BillingConfig
from app.modules.billing.enums import Interval
from app.modules.billing.models.sign_up import SignUp
from app.modules.billing.services import claim_service, offer_service, sign_up_service
from app.modules.billing.services.sign_up_page_service import (
    COOKIE,
    browser_of,
    count,
    count_try,
    go_on,
    proved,
    show_step,
)
from app.modules.billing.services.stripe_request_service import REQUEST_PREFIX
from app.modules.menu import page_url
from app.modules.pagekit.form_page import field_texts
from app.modules.pages import AREA_COOKIES, PageContext
from app.modules.routing import AreaRouter
from app.modules.tenancy.facade import NewShop, normalise_email

router = AreaRouter("public")
_PATH = "/sign-up"
_SECONDS = int(sign_up_service.VALID_FOR.total_seconds())
_SESSION_SECONDS = 30 * 24 * 3600
_MAILS_PER_HOUR = 5


@router.page("billing.public.sign_up")
def show_sign_up(ctx: PageContext, plan: str = "", interval: str = "") -> Response:
    """Asks for the address; without a plan, people choose one first. Who has proved an address goes on instead."""
    tier_id = _tier_id(ctx, plan)
    row = proved(ctx)
    if row is not None:
        if tier_id is not None:
            sign_up_service.choose(ctx.session, row, tier_id, _interval(interval))
        return go_on(ctx, row)
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
    count_try(ctx)
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
    return show_step(ctx, "mail", row, 2)


@router.action("/sign-up/mail", permission=None)
def send_again(ctx: PageContext) -> Response:
    """Mail the link once more."""
    count_try(ctx)
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
    return go_on(ctx, row)


@router.page("billing.public.sign_up_account")
def show_account(ctx: PageContext) -> Response:
    """Asks for name and password."""
    row = proved(ctx)
    if row is None or not sign_up_service.needs_account(ctx.session, row):
        return go_on(ctx, row)
    return show_step(ctx, "account", row, 3, name=row.name or "")


@router.action("/sign-up/account", permission=None)
def save_account(
    ctx: PageContext, name: Annotated[str, Form()] = "", password: Annotated[str, Form()] = ""
) -> Response:
    """Keep them."""
    count_try(ctx)
    row = proved(ctx)
    if row is None or not sign_up_service.needs_account(ctx.session, row):
        return go_on(ctx, row)
    try:
        sign_up_service.keep_account(ctx.session, row, name, password)
    except ValidationFailedError as error:
        return show_step(ctx, "account", row, 3, field_texts(ctx, error), name=name)
    return go_on(ctx, row)


@router.page("billing.public.sign_up_shop")
def show_shop(ctx: PageContext) -> Response:
    """Asks for company and shop, with what was said before."""
    row = proved(ctx)
    if row is None or sign_up_service.needs_account(ctx.session, row):
        return go_on(ctx, row)
    values = {
        "company": row.company or "",
        "tax_number": row.tax_number or "",
        "name": row.shop_name or "",
        "code": row.shop_code or "",
    }
    return _shop(ctx, row, values)


@router.action("/sign-up/shop", permission=None)
def save_shop(
    ctx: PageContext,
    company: Annotated[str, Form()] = "",
    tax_number: Annotated[str, Form()] = "",
    name: Annotated[str, Form()] = "",
    code: Annotated[str, Form()] = "",
) -> Response:
    """Keep them."""
    count_try(ctx)
    row = proved(ctx)
    if row is None or sign_up_service.needs_account(ctx.session, row):
        return go_on(ctx, row)
    tier = sign_up_service.get_tier(ctx.session, row.tier_id)
    try:
        shop = NewShop(tier.platform_id, company, code, name, row.language, tax_number)
        sign_up_service.keep_shop(ctx.session, row, shop)
    except ValidationFailedError as error:
        values = {"company": company, "tax_number": tax_number, "name": name, "code": code}
        return _shop(ctx, row, values, field_texts(ctx, error))
    return ctx.redirect("billing.public.sign_up_start")


@router.page("billing.public.sign_up_start")
def show_start(ctx: PageContext) -> Response:
    """What was chosen, to begin with the trial or with the payment."""
    row = proved(ctx)
    if row is None or row.shop_code is None:
        return go_on(ctx, row)
    return show_step(ctx, "start", row, 5, claim=claim_service.claimed(ctx.session, row))


@router.action("/sign-up/start", permission=None)
def start(ctx: PageContext, pay: Annotated[str, Form()] = "") -> Response:
    """Make the shop, sign its owner in, and lead to its home page or to the payment. Sent twice, it is made once."""
    count_try(ctx)
    found = sign_up_service.find(ctx.session, ctx.request.cookies.get(COOKIE, ""), lock=True)
    row = found[0] if found and found[1] else None
    if row is not None and row.finished_at is not None:
        return ctx.redirect_to(f"/vendor/{row.vendor_code}")
    if row is None or row.shop_code is None:
        return go_on(ctx, row)
    back = get_settings().base_url.rstrip("/") + page_url(
        "billing.vendor.plan", vendor_code="{code}", at="stripe"
    )
    try:
        with ctx.session.begin_nested():
            made, request_id = sign_up_service.finish(
                ctx.session, row, browser_of(ctx), back if pay else None
            )
    except ValidationFailedError as error:  # somebody took the code meanwhile
        values = {
            "company": row.company,
            "tax_number": row.tax_number,
            "name": row.shop_name,
            "code": row.shop_code,
        }
        return _shop(ctx, row, values, field_texts(ctx, error))
    if made.token is not None:
        ctx.set_cookie(AREA_COOKIES["vendor"], made.token, path="/vendor", max_age=_SESSION_SECONDS)
    ctx.flash("success", "billing.sign_up.done", name=row.shop_name)
    if request_id is not None:
        asked = to_public(REQUEST_PREFIX, request_id)
        return ctx.redirect("billing.vendor.request", vendor_code=row.vendor_code, asked=asked)
    return ctx.redirect_to(f"/vendor/{row.vendor_code}")


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


def _shop(
    ctx: PageContext, row: SignUp, values: Mapping[str, str | None], errors: dict[str, str] | None = None
) -> Response:
    claim = claim_service.claimed(ctx.session, row)
    can_claim = claim_service.is_possible(ctx.session, row)
    return show_step(ctx, "shop", row, 4, errors, values=values, claim=claim, can_claim=can_claim)


def _begun(ctx: PageContext) -> SignUp | None:
    found = sign_up_service.find(ctx.session, ctx.request.cookies.get(COOKIE, ""))
    return found[0] if found and found[0].finished_at is None else None


def _keep(ctx: PageContext, token: str) -> None:
    ctx.set_cookie(COOKIE, token, path=_PATH, max_age=_SECONDS)


def _tier_id(ctx: PageContext, plan: str) -> UUID | None:
    key = from_public("tir", plan)
    try:
        return sign_up_service.get_tier(ctx.session, key).id if key else None
    except NotFoundError:
        return None


def _interval(text: str) -> str:
    return Interval.YEAR if text == Interval.YEAR else Interval.MONTH


def _count_mail(email: str) -> None:
    count(f"sign-up-mail:{normalise_email(email)}", _MAILS_PER_HOUR, 3600)

"""A step of signing up that can be left out: which shop of a marketplace one has already."""

from typing import Annotated

from fastapi import Form, Response

from app.modules.billing.services import claim_service, sign_up_service
from app.modules.billing.services.sign_up_page_service import count_try, go_on, proved, show_step
from app.modules.pages import PageContext
from app.modules.routing import AreaRouter

router = AreaRouter("public")
_MOST_LETTERS = 200


@router.page("billing.public.sign_up_claim")
def show_claim(ctx: PageContext, q: str = "") -> Response:
    """Looks shops up."""
    row = proved(ctx)
    if row is None or sign_up_service.needs_account(ctx.session, row):
        return go_on(ctx, row)
    if not claim_service.is_possible(ctx.session, row):
        return ctx.redirect("billing.public.sign_up_shop")
    words = q[:_MOST_LETTERS]
    if words:
        count_try(ctx)
    found = claim_service.find(ctx.session, row, words) if words else ()
    return show_step(ctx, "claim", row, 4, query=words, found=found)


@router.action("/sign-up/claim", permission=None)
def save_claim(ctx: PageContext, reference: Annotated[str, Form()] = "") -> Response:
    """Keep which one it is; "" for none."""
    count_try(ctx)
    row = proved(ctx)
    if row is None or sign_up_service.needs_account(ctx.session, row):
        return go_on(ctx, row)
    if claim_service.choose(ctx.session, row, reference[:_MOST_LETTERS]) is None and reference:
        ctx.flash("warning", "billing.claim.gone")
        return ctx.redirect("billing.public.sign_up_claim")
    return ctx.redirect("billing.public.sign_up_shop")

"""Add-ons: what there is, and how many of each the vendor has."""

from typing import Annotated

from fastapi import Form, Response

from app.core.ids import to_public
from app.modules.billing.exceptions import BillingInputError
from app.modules.billing.models.subscription_tier import Addon
from app.modules.billing.services import (
    addon_service,
    offer_service,
    stripe_request_service,
    subscription_service,
    tier_service,
)
from app.modules.billing.services.asking_service import asker, wait_for
from app.modules.pagekit.form_page import field_texts
from app.modules.pages import PageContext
from app.modules.routing import AreaRouter, public_id

router = AreaRouter("vendor")

_MANAGE = "billing.manage_plan"


@router.page("billing.vendor.addons")
def addons(ctx: PageContext) -> Response:
    """All add-ons of the platform."""
    return _show(ctx, {})


@router.action("/plan/addons", permission=_MANAGE, in_read_only=True)
def book(
    ctx: PageContext, addon_id: Annotated[str, Form()] = "", quantity: Annotated[str, Form()] = ""
) -> Response:
    """Have so many of an add-on."""
    key = public_id(addon_service.ADDON_PREFIX, addon_id)
    try:
        wanted = int(quantity) if quantity.strip().isdecimal() and len(quantity) < 6 else -1
        asked = stripe_request_service.ask_addon(ctx.session, ctx.vendor.id, asker(ctx), key, wanted)
    except BillingInputError as error:
        return _show(ctx, {addon_id: field_texts(ctx, error)["quantity"]})
    return wait_for(ctx, asked, "billing.done.addon")


def _show(ctx: PageContext, errors: dict[str, str]) -> Response:
    found = subscription_service.find_subscription(ctx.session, ctx.vendor.id)
    if found is None:
        return ctx.render("billing/vendor/none.html")
    booked = {addon.id: (row, addon) for row, addon in addon_service.list_booked(ctx.session, ctx.vendor.id)}
    sold = {addon.id: addon for addon in addon_service.list_addons(ctx.session, found.platform_id)}
    shown = sold | {key: addon for key, (_, addon) in booked.items()}
    return ctx.render(
        "billing/vendor/addons.html",
        status=422 if errors else 200,
        addons=[_card(ctx, addon, booked.get(addon.id)) for addon in shown.values()],
        may_book=found.status in subscription_service.TRANSITIONS["book"],
        errors={f"quantity-{key}": text for key, text in errors.items()},
    )


def _card(ctx: PageContext, addon: Addon, booked: tuple[object, Addon] | None) -> dict[str, object]:
    row = booked[0] if booked else None
    ends_at = getattr(row, "ends_at", None)
    return {
        "id": to_public(addon_service.ADDON_PREFIX, addon.id),
        "name": tier_service.name_of(addon.names, ctx.language),
        "price": offer_service.price_text(addon.price_cents, addon.currency, addon.interval, ctx.language),
        "gives": offer_service.addon_text(addon, ctx.language),
        "quantity": getattr(row, "quantity", 0) if ends_at is None else 0,
        "ends_at": ends_at,
    }

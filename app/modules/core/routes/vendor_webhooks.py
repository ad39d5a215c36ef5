"""The vendor's webhooks: endpoints, messages, secrets."""

from datetime import timedelta
from typing import Annotated

from fastapi import Form, Response

from app.core import clock
from app.core.i18n import ntranslate
from app.core.ids import to_public
from app.modules.core.services import webhook_delivery_service, webhook_service
from app.modules.core.services.webhook_list_service import delivery_list, edit_form, endpoint_list, new_form
from app.modules.core.services.webhook_page_service import REPLAY_HOURS, show_delivery, show_endpoint
from app.modules.pagekit.form_page import mount_form
from app.modules.pagekit.list_page import mount_list
from app.modules.pages import PageContext
from app.modules.routing import AreaRouter, public_id

router = AreaRouter("vendor")

_MANAGE = "core.webhooks.manage"
_ENDPOINT, _DELIVERY = webhook_service.ENDPOINT_PREFIX, webhook_delivery_service.DELIVERY_PREFIX

mount_list(router, endpoint_list("vendor"))
mount_list(router, delivery_list("vendor"))
mount_form(router, new_form("vendor"))
mount_form(router, edit_form("vendor"))


@router.page("core.vendor.webhook")
def webhook(ctx: PageContext, webhook_id: str) -> Response:
    """One endpoint, with the last messages to it."""
    return show_endpoint(ctx, public_id(_ENDPOINT, webhook_id))


@router.page("core.vendor.webhook_delivery")
def webhook_delivery(ctx: PageContext, webhook_delivery_id: str) -> Response:
    """One message, with what came of each try."""
    return show_delivery(ctx, public_id(_DELIVERY, webhook_delivery_id))


@router.action("/webhooks/{webhook_id}/secret", permission=_MANAGE)
def show_secret(ctx: PageContext, webhook_id: str) -> Response:
    """Show the newest secret, once."""
    key = public_id(_ENDPOINT, webhook_id)
    secret = webhook_service.reveal_secret(ctx.session, key, by=ctx.who.user_id)
    return show_endpoint(ctx, key, secret=secret)


@router.action("/webhooks/{webhook_id}/rotate", permission=_MANAGE)
def rotate_secret(ctx: PageContext, webhook_id: str) -> Response:
    """Make a new secret; the former signs too for a day."""
    webhook_service.rotate_secret(ctx.session, public_id(_ENDPOINT, webhook_id), by=ctx.who.user_id)
    ctx.flash("success", "core.webhooks.rotated")
    return ctx.redirect("core.vendor.webhook", webhook_id=webhook_id)


@router.action("/webhooks/{webhook_id}/test", permission=_MANAGE)
def send_test(ctx: PageContext, webhook_id: str) -> Response:
    """Send a message that is about nothing, and show what comes of it."""
    delivery_id = webhook_delivery_service.send_test(ctx.session, public_id(_ENDPOINT, webhook_id))
    return ctx.redirect("core.vendor.webhook_delivery", webhook_delivery_id=to_public(_DELIVERY, delivery_id))


@router.action("/webhooks/{webhook_id}/switch-on", permission=_MANAGE)
def switch_on(ctx: PageContext, webhook_id: str) -> Response:
    """Send to the endpoint again."""
    return _switch(ctx, webhook_id, is_on=True)


@router.action("/webhooks/{webhook_id}/switch-off", permission=_MANAGE)
def switch_off(ctx: PageContext, webhook_id: str) -> Response:
    """Send nothing to the endpoint any more."""
    return _switch(ctx, webhook_id, is_on=False)


@router.action("/webhooks/{webhook_id}/delete", permission=_MANAGE)
def delete_webhook(ctx: PageContext, webhook_id: str) -> Response:
    """Remove the endpoint with its log."""
    webhook_service.delete_webhook(ctx.session, public_id(_ENDPOINT, webhook_id), by=ctx.who.user_id)
    ctx.flash("success", "core.webhooks.deleted")
    return ctx.redirect("core.vendor.webhooks")


@router.action("/webhooks/{webhook_id}/replay", permission=_MANAGE)
def replay_range(
    ctx: PageContext,
    webhook_id: str,
    hours: Annotated[str, Form()] = "",
    everything: Annotated[str, Form()] = "",
) -> Response:
    """Send again what failed in the last hours, or everything."""
    chosen = int(hours) if hours in map(str, REPLAY_HOURS) else REPLAY_HOURS[0]
    since = clock.now() - timedelta(hours=chosen)
    key = public_id(_ENDPOINT, webhook_id)
    count = webhook_delivery_service.replay_range(ctx.session, key, since, is_all=bool(everything))
    ctx.flash_text("success" if count else "info", ntranslate(ctx.language, "core.webhooks.replayed", count))
    return ctx.redirect("core.vendor.webhook", webhook_id=webhook_id)


@router.action("/webhook-deliveries/{webhook_delivery_id}/replay", permission=_MANAGE)
def replay(ctx: PageContext, webhook_delivery_id: str) -> Response:
    """Send one message again."""
    webhook_delivery_service.replay(ctx.session, public_id(_DELIVERY, webhook_delivery_id))
    ctx.flash("success", "core.webhooks.replaying")
    return ctx.redirect("core.vendor.webhook_delivery", webhook_delivery_id=webhook_delivery_id)


def _switch(ctx: PageContext, webhook_id: str, *, is_on: bool) -> Response:
    key = public_id(_ENDPOINT, webhook_id)
    webhook_service.switch_webhook(ctx.session, key, is_on=is_on, by=ctx.who.user_id)
    ctx.flash("success", "core.webhooks.switched_on" if is_on else "core.webhooks.switched_off")
    return ctx.redirect("core.vendor.webhook", webhook_id=webhook_id)

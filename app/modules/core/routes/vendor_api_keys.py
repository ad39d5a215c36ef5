"""The vendor's API keys."""

from fastapi import Response

from app.modules.core.services import api_key_page_service as pages
from app.modules.core.services.api_key_service import PREFIX
from app.modules.pagekit.form_page import FormValues, show_form
from app.modules.pagekit.list_page import mount_list
from app.modules.pages import PageContext
from app.modules.routing import AreaRouter, public_id

router = AreaRouter("vendor")

mount_list(router, pages.key_list("vendor"))


@router.page("core.vendor.api_key_new")
def new_key(ctx: PageContext) -> Response:
    """The form."""
    return show_form(ctx, pages.new_form("vendor"))


@router.action("/api-keys/new", permission="core.api_keys.manage")
def make_key(ctx: PageContext, form: FormValues) -> Response:
    """Make the key and show it, this once."""
    return pages.make_key(ctx, "vendor", form)


@router.page("core.vendor.api_key")
def key(ctx: PageContext, api_key_id: str) -> Response:
    """One key."""
    return pages.show_key(ctx, "vendor", public_id(PREFIX, api_key_id))


@router.action("/api-keys/{api_key_id}/revoke", permission="core.api_keys.manage")
def revoke(ctx: PageContext, api_key_id: str) -> Response:
    """End a key."""
    return pages.revoke_key(ctx, "vendor", public_id(PREFIX, api_key_id))

"""Modules: what there is, what holds them together, and where they are on."""

from typing import Annotated

from fastapi import Form, Response

from app.modules import lifecycle
from app.modules.core.services.module_page_service import (
    PLATFORM_PREFIX,
    get_platform,
    menu_form,
    show_module,
    show_modules,
    show_switches,
)
from app.modules.pagekit.form_page import mount_form
from app.modules.pages import PageContext
from app.modules.registry import modules
from app.modules.routing import AreaRouter, public_id

router = AreaRouter("admin")

mount_form(router, menu_form())


@router.page("core.admin.modules")
def list_modules(ctx: PageContext) -> Response:
    """All modules."""
    return show_modules(ctx)


@router.page("core.admin.module")
def module(ctx: PageContext, module_code: str) -> Response:
    """One module with all it brings."""
    return show_module(ctx, module_code)


@router.page("core.admin.platform_modules")
def platform_modules(ctx: PageContext, platform_id: str) -> Response:
    """The switches of one platform."""
    return show_switches(ctx, public_id(PLATFORM_PREFIX, platform_id))


@router.action("/platforms/{platform_id}/modules/on", permission="core.modules.manage")
def switch_on(ctx: PageContext, platform_id: str, code: Annotated[str, Form()] = "") -> Response:
    """Switch a module on, and first what it requires."""
    return _switch(ctx, platform_id, code, is_on=True)


@router.action("/platforms/{platform_id}/modules/off", permission="core.modules.manage")
def switch_off(ctx: PageContext, platform_id: str, code: Annotated[str, Form()] = "") -> Response:
    """Switch a module off; its data stays and its work waits."""
    return _switch(ctx, platform_id, code, is_on=False)


def _switch(ctx: PageContext, platform_id: str, code: str, *, is_on: bool) -> Response:
    platform = get_platform(ctx, public_id(PLATFORM_PREFIX, platform_id))
    if code in modules():
        act = lifecycle.enable if is_on else lifecycle.disable
        switched = act(ctx.session, platform.id, code, by=ctx.who.user_id)
        names = ", ".join(modules()[one].name for one in switched)
        if switched:
            ctx.flash("success", f"core.modules.switched_{'on' if is_on else 'off'}", names=names)
    return ctx.redirect("core.admin.platform_modules", platform_id=platform_id)

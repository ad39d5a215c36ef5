"""The front door, and the language and theme switches."""

from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Form, Response

from app.core.i18n import offered
from app.modules.menu import find_page
from app.modules.pages import LANGUAGE_COOKIE, THEME_COOKIE, THEMES, PageContext, local_path
from app.modules.routing import AreaRouter
from app.modules.state import is_enabled_anywhere

router = AreaRouter("public")


@router.page("core.public.start")
def start(ctx: PageContext) -> Response:
    """Where to sign in, and the prices where plans are sold."""
    pricing = find_page("public", "pricing")
    is_sold = pricing is not None and is_enabled_anywhere(pricing.module_code)
    return ctx.render("core/public/start.html", pricing=pricing.id if pricing and is_sold else None)


@router.action("/preferences", permission=None)
def save_preferences(
    ctx: PageContext,
    language: Annotated[str, Form()] = "",
    theme: Annotated[str, Form()] = "",
) -> Response:
    """Keep language or theme in this browser, and go back to the page the switch was on."""
    if language in offered():
        ctx.set_cookie(LANGUAGE_COOKIE, language)
    if theme in THEMES:
        ctx.set_cookie(THEME_COOKIE, theme)
    came_from = urlsplit(ctx.request.headers.get("referer", ""))
    return ctx.redirect_to(local_path(came_from._replace(scheme="", netloc="", fragment="").geturl(), "/"))

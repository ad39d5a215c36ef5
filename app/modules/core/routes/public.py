"""The front door, and the language and theme switches."""

from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Form, Response

from app.core.i18n import offered
from app.modules.pages import LANGUAGE_COOKIE, THEME_COOKIE, THEMES, PageContext, local_path
from app.modules.routing import AreaRouter

router = AreaRouter("public")


@router.page("core.public.start")
def start(ctx: PageContext) -> Response:
    """Where to sign in."""
    return ctx.render("core/public/start.html")


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

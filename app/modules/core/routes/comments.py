"""Writing a comment from the page of a record."""

from typing import Annotated

from fastapi import Form, Response

from app.core.errors import NotFoundError
from app.core.ids import from_public
from app.modules.core.services import comment_service
from app.modules.menu import pages
from app.modules.pages import PageContext, local_path
from app.modules.registry import modules
from app.modules.routing import AreaRouter
from app.modules.state import is_enabled

router = AreaRouter("admin", "vendor")


@router.action("/comments", permission="core.{area}_home.view", in_read_only=True)
def write_comment(
    ctx: PageContext,
    page_id: Annotated[str, Form()] = "",
    target: Annotated[str, Form()] = "",
    text: Annotated[str, Form()] = "",
    back: Annotated[str, Form()] = "",
) -> Response:
    """Add a comment to the record's history; asks for the permission of the record's page."""
    page = pages().get(page_id)
    if page is None or page.area != ctx.area or page.permission not in ctx.who.permissions:
        raise NotFoundError
    if not is_enabled(page.module_code, ctx.who.platform_ids) or not _is_id(target):
        raise NotFoundError
    text = text.strip()[: comment_service.MAX_CHARACTERS].replace("\x00", "")
    if text:
        comment_service.write_comment(ctx.session, target, text, by=ctx.who.user_id)
        ctx.flash("success", "core.comments.written")
    else:
        ctx.flash("warning", "core.comments.empty")
    return ctx.redirect_to(local_path(back, ctx.url(f"core.{ctx.area}.home")))


def _is_id(target: str) -> bool:
    prefixes = {prefix for module in modules().values() for prefix, _ in module.public_ids.values()}
    return any(from_public(prefix, target) is not None for prefix in prefixes)

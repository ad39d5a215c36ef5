"""What the forms of a list do with its views; afterwards back to the list."""

from typing import Annotated

from fastapi import Form, Response

from app.core.errors import NotFoundError, ValidationFailedError
from app.core.ids import to_public
from app.modules.core.models.saved_view import SavedView
from app.modules.core.services import saved_view_service
from app.modules.core.services.saved_view_service import VIEW_PREFIX
from app.modules.menu import pages
from app.modules.pagekit.form_page import field_texts
from app.modules.pages import PageContext
from app.modules.routing import AreaRouter, public_id

router = AreaRouter("admin", "vendor")

_USE = "core.{area}_home.view"


@router.action("/views", permission=_USE, in_read_only=True)
def save_view(
    ctx: PageContext,
    page_id: Annotated[str, Form()] = "",
    name: Annotated[str, Form()] = "",
    query: Annotated[str, Form()] = "",
    is_shared: Annotated[str, Form()] = "",
) -> Response:
    """Keep a list's filters, order and columns under a name."""
    page = pages().get(page_id)
    if page is None or page.area != ctx.area or page.permission not in ctx.who.permissions:
        raise NotFoundError
    try:
        view = saved_view_service.save_view(
            ctx.session, ctx.who.user_id, page_id, name, query, is_shared=bool(is_shared)
        )
    except ValidationFailedError as error:
        _warn(ctx, error)
        url = ctx.url(page_id)
        return ctx.redirect_to(f"{url}?{query}" if query else url)
    ctx.flash("success", "core.views.saved", name=view.name)
    return _back_to_list(ctx, view)


@router.action("/views/{view_id}/rename", permission=_USE, in_read_only=True)
def rename_view(ctx: PageContext, view_id: str, name: Annotated[str, Form()] = "") -> Response:
    """Give a view another name."""
    key = public_id(VIEW_PREFIX, view_id)
    try:
        view = saved_view_service.rename_view(ctx.session, ctx.who.user_id, key, name)
    except ValidationFailedError as error:
        _warn(ctx, error)
        view = saved_view_service.get_view(ctx.session, ctx.who.user_id, key)
    return _back_to_list(ctx, view)


@router.action("/views/{view_id}/duplicate", permission=_USE, in_read_only=True)
def duplicate_view(ctx: PageContext, view_id: str) -> Response:
    """A copy of one's own."""
    view = saved_view_service.duplicate_view(ctx.session, ctx.who.user_id, public_id(VIEW_PREFIX, view_id))
    return _back_to_list(ctx, view)


@router.action("/views/{view_id}/share", permission=_USE, in_read_only=True)
def share_view(ctx: PageContext, view_id: str) -> Response:
    """Show a view to colleagues, or no longer."""
    view = saved_view_service.switch_shared(ctx.session, ctx.who.user_id, public_id(VIEW_PREFIX, view_id))
    return _back_to_list(ctx, view)


@router.action("/views/{view_id}/default", permission=_USE, in_read_only=True)
def default_view(ctx: PageContext, view_id: str) -> Response:
    """Open the list with this view, or no longer."""
    view = saved_view_service.switch_default(ctx.session, ctx.who.user_id, public_id(VIEW_PREFIX, view_id))
    return _back_to_list(ctx, view)


@router.action("/views/{view_id}/delete", permission=_USE, in_read_only=True)
def delete_view(ctx: PageContext, view_id: str) -> Response:
    """Forget a view."""
    view = saved_view_service.delete_view(ctx.session, ctx.who.user_id, public_id(VIEW_PREFIX, view_id))
    ctx.flash("success", "core.views.deleted", name=view.name)
    return ctx.redirect(view.page_id)


def _back_to_list(ctx: PageContext, view: SavedView) -> Response:
    return ctx.redirect(view.page_id, view=to_public(VIEW_PREFIX, view.id))


def _warn(ctx: PageContext, error: ValidationFailedError) -> None:
    ctx.flash_text("warning", " ".join(field_texts(ctx, error).values()))

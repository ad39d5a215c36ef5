"""What the forms of a list do with its views; afterwards back to the list."""

from uuid import UUID

from fastapi import Response

from app.core.errors import NotFoundError, ValidationFailedError
from app.core.ids import to_public
from app.modules.core.models.saved_view import SavedView
from app.modules.core.services import saved_view_service
from app.modules.menu import pages
from app.modules.pagekit.form_page import field_texts
from app.modules.pages import PageContext


def save_from_list(ctx: PageContext, page_id: str, name: str, query: str, *, is_shared: bool) -> Response:
    """Keep a list's state as a view. Raises NotFoundError for a page that is no list of this area."""
    page = pages().get(page_id)
    if page is None or page.area != ctx.area or page.permission not in ctx.who.permissions:
        raise NotFoundError
    try:
        view = saved_view_service.save_view(
            ctx.session, ctx.who.user_id, page_id, name, query, is_shared=is_shared
        )
    except ValidationFailedError as error:
        _say(ctx, error)
        url = ctx.url(page_id)
        return ctx.redirect_to(f"{url}?{query}" if query else url)
    ctx.flash("success", "core.views.saved", name=view.name)
    return back_to_list(ctx, view)


def rename_from_list(ctx: PageContext, view_id: UUID, name: str) -> Response:
    """Give a view another name."""
    try:
        view = saved_view_service.rename_view(ctx.session, ctx.who.user_id, view_id, name)
    except ValidationFailedError as error:
        _say(ctx, error)
        view = saved_view_service.get_view(ctx.session, ctx.who.user_id, view_id)
    return back_to_list(ctx, view)


def back_to_list(ctx: PageContext, view: SavedView) -> Response:
    """The list with the view."""
    return ctx.redirect(view.page_id, view=to_public(saved_view_service.VIEW_PREFIX, view.id))


def _say(ctx: PageContext, error: ValidationFailedError) -> None:
    ctx.flash_text("warning", " ".join(field_texts(ctx, error).values()))

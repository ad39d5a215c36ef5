"""The operator's home, notifications, views, settings, and work on long lists."""

from typing import Annotated

from fastapi import Form, Response

from app.modules.core.services import (
    list_job_service,
    notification_service,
    saved_view_service,
    setting_service,
)
from app.modules.core.services.home_service import show_home
from app.modules.core.services.list_job_page_service import download, show_list_job
from app.modules.core.services.notification_page_service import (
    choices_form,
    open_notification,
    show_notifications,
)
from app.modules.core.services.saved_view_page_service import back_to_list, rename_from_list, save_from_list
from app.modules.core.services.setting_page_service import settings_form
from app.modules.pagekit.form_page import mount_form
from app.modules.pagekit.palette import show_palette
from app.modules.pages import PageContext
from app.modules.routing import AreaRouter, public_id

router = AreaRouter("admin")

_HOME = "core.admin_home.view"
_NOTIFICATION, _VIEW, _LIST_JOB = (
    notification_service.NOTIFICATION_PREFIX,
    saved_view_service.VIEW_PREFIX,
    list_job_service.LIST_JOB_PREFIX,
)

mount_form(router, settings_form("admin"))
mount_form(router, choices_form("admin"))


@router.page("core.admin.home")
def home(ctx: PageContext) -> Response:
    """What waits, what is left to set up, and figures of all modules."""
    return show_home(ctx, "admin")


@router.page("core.admin.palette")
def palette(ctx: PageContext, q: str = "") -> Response:
    """Pages, records and actions that fit what somebody types."""
    return show_palette(ctx, q.strip()[:100])


@router.page("core.admin.notifications")
def notifications(ctx: PageContext, show: str = "", before: str = "") -> Response:
    """One's own notifications, the newest first."""
    return show_notifications(ctx, "admin", show=show, before=before)


@router.action("/notifications/read-all", permission=_HOME)
def read_all(ctx: PageContext) -> Response:
    """Mark all as read."""
    notification_service.mark_all_read(ctx.session, ctx.who.user_id)
    return ctx.redirect("core.admin.notifications")


@router.action("/notifications/{notification_id}/open", permission=_HOME)
def open_one(ctx: PageContext, notification_id: str) -> Response:
    """Mark one as read and go to what it is about."""
    return open_notification(ctx, "admin", public_id(_NOTIFICATION, notification_id))


@router.action("/notifications/{notification_id}/read", permission=_HOME)
def mark_read(ctx: PageContext, notification_id: str) -> Response:
    """Mark one as read."""
    return _mark(ctx, notification_id, is_read=True)


@router.action("/notifications/{notification_id}/unread", permission=_HOME)
def mark_unread(ctx: PageContext, notification_id: str) -> Response:
    """Mark one as unread again."""
    return _mark(ctx, notification_id, is_read=False)


@router.action("/views", permission=_HOME)
def save_view(
    ctx: PageContext,
    page_id: Annotated[str, Form()] = "",
    name: Annotated[str, Form()] = "",
    query: Annotated[str, Form()] = "",
    is_shared: Annotated[str, Form()] = "",
) -> Response:
    """Keep a list's filters, order and columns under a name."""
    return save_from_list(ctx, page_id, name, query, is_shared=bool(is_shared))


@router.action("/views/{view_id}/rename", permission=_HOME)
def rename_view(ctx: PageContext, view_id: str, name: Annotated[str, Form()] = "") -> Response:
    """Give a view another name."""
    return rename_from_list(ctx, public_id(_VIEW, view_id), name)


@router.action("/views/{view_id}/duplicate", permission=_HOME)
def duplicate_view(ctx: PageContext, view_id: str) -> Response:
    """A copy of one's own."""
    view = saved_view_service.duplicate_view(ctx.session, ctx.who.user_id, public_id(_VIEW, view_id))
    return back_to_list(ctx, view)


@router.action("/views/{view_id}/share", permission=_HOME)
def share_view(ctx: PageContext, view_id: str) -> Response:
    """Show a view to colleagues, or no longer."""
    view = saved_view_service.switch_shared(ctx.session, ctx.who.user_id, public_id(_VIEW, view_id))
    return back_to_list(ctx, view)


@router.action("/views/{view_id}/default", permission=_HOME)
def default_view(ctx: PageContext, view_id: str) -> Response:
    """Open the list with this view, or no longer."""
    view = saved_view_service.switch_default(ctx.session, ctx.who.user_id, public_id(_VIEW, view_id))
    return back_to_list(ctx, view)


@router.action("/views/{view_id}/delete", permission=_HOME)
def delete_view(ctx: PageContext, view_id: str) -> Response:
    """Forget a view."""
    view = saved_view_service.delete_view(ctx.session, ctx.who.user_id, public_id(_VIEW, view_id))
    ctx.flash("success", "core.views.deleted", name=view.name)
    return ctx.redirect(view.page_id)


@router.action("/settings/reset", permission="core.admin_settings.manage")
def reset_setting(ctx: PageContext, key: Annotated[str, Form()] = "") -> Response:
    """Go back to the default of a setting."""
    setting_service.reset_setting(ctx.session, "admin", key, by=ctx.who.user_id)
    ctx.flash("success", "core.settings.saved")
    return ctx.redirect("core.admin.settings")


@router.page("core.admin.list_job")
def list_job(ctx: PageContext, list_job_id: str) -> Response:
    """An export or a bulk action."""
    return show_list_job(ctx, "admin", public_id(_LIST_JOB, list_job_id))


@router.action("/jobs/{list_job_id}/file", permission=_HOME, method="GET")
def list_job_file(ctx: PageContext, list_job_id: str) -> Response:
    """The file of an export."""
    return download(ctx, "admin", public_id(_LIST_JOB, list_job_id))


@router.action("/jobs/{list_job_id}/cancel", permission=_HOME)
def cancel_list_job(ctx: PageContext, list_job_id: str) -> Response:
    """Stop it."""
    list_job_service.cancel_list_job(ctx.session, ctx.who.user_id, public_id(_LIST_JOB, list_job_id))
    ctx.flash("info", "core.list_jobs.cancelling")
    return ctx.redirect("core.admin.list_job", list_job_id=list_job_id)


def _mark(ctx: PageContext, notification_id: str, *, is_read: bool) -> Response:
    key = public_id(_NOTIFICATION, notification_id)
    notification_service.mark_read(ctx.session, ctx.who.user_id, key, is_read=is_read)
    return ctx.redirect("core.admin.notifications")

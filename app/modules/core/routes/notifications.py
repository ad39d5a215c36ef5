"""The notification centre: one person's notifications, and how they want to be told."""

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import Response

from app.core.ids import from_public, to_public
from app.modules.base import Area
from app.modules.core.services import notification_service
from app.modules.core.services.notification_service import NOTIFICATION_PREFIX, Choice
from app.modules.pagekit.form_page import mount_form
from app.modules.pagekit.forms import Field, FormSpec
from app.modules.pages import PageContext, local_path
from app.modules.routing import AreaRouter, public_id

router = AreaRouter("admin", "vendor")

_USE = "core.{area}_home.view"
_ROWS = 30
_IN_APP, _BY_EMAIL = "app", "email"
_HOW = ((_IN_APP, "core.notifications.in_app"), (_BY_EMAIL, "core.notifications.by_email"))


@router.page("core.{area}.notifications")
def notifications(ctx: PageContext, show: str = "", before: str = "") -> Response:
    """One's own notifications, the newest first; ``show`` unread leaves out the others."""
    is_unread = show == "unread"
    older_than = from_public(NOTIFICATION_PREFIX, before) if before else None
    found = notification_service.list_notifications(
        ctx.session, ctx.who.user_id, limit=_ROWS + 1, before=older_than, is_unread=is_unread
    )
    rows = found[:_ROWS]
    page_id = f"core.{ctx.area}.notifications"
    kept = {"show": "unread"} if is_unread else {}
    following = to_public(NOTIFICATION_PREFIX, rows[-1].id) if len(found) > _ROWS else None
    unread = notification_service.unread_count(ctx.session, ctx.who.user_id)
    return ctx.render(
        "core/notifications.html",
        rows=[
            (to_public(NOTIFICATION_PREFIX, row.id), ctx.t(row.title_key, **row.params), row) for row in rows
        ],
        tabs=[
            (ctx.t("core.notifications.all"), ctx.url(page_id), not is_unread),
            (ctx.t("core.notifications.unread"), ctx.url(page_id, show="unread"), is_unread),
        ],
        list_url=ctx.url(page_id),
        choices_url=ctx.url(f"core.{ctx.area}.notification_choices"),
        unread=unread,
        is_unread=is_unread,
        first_url=ctx.url(page_id, **kept) if older_than else None,
        next_url=ctx.url(page_id, before=following, **kept) if following else None,
    )


@router.action("/notifications/read-all", permission=_USE, in_read_only=True)
def read_all(ctx: PageContext) -> Response:
    """Mark all as read."""
    notification_service.mark_all_read(ctx.session, ctx.who.user_id)
    return ctx.redirect(f"core.{ctx.area}.notifications")


@router.action("/notifications/{notification_id}/open", permission=_USE, in_read_only=True)
def open_one(ctx: PageContext, notification_id: str) -> Response:
    """Mark one as read and go to what it is about."""
    key = public_id(NOTIFICATION_PREFIX, notification_id)
    row = notification_service.mark_read(ctx.session, ctx.who.user_id, key)
    return ctx.redirect_to(local_path(row.url, ctx.url(f"core.{ctx.area}.notifications")))


@router.action("/notifications/{notification_id}/read", permission=_USE, in_read_only=True)
def mark_read(ctx: PageContext, notification_id: str) -> Response:
    """Mark one as read."""
    return _mark(ctx, notification_id, is_read=True)


@router.action("/notifications/{notification_id}/unread", permission=_USE, in_read_only=True)
def mark_unread(ctx: PageContext, notification_id: str) -> Response:
    """Mark one as unread again."""
    return _mark(ctx, notification_id, is_read=False)


def _mark(ctx: PageContext, notification_id: str, *, is_read: bool) -> Response:
    key = public_id(NOTIFICATION_PREFIX, notification_id)
    notification_service.mark_read(ctx.session, ctx.who.user_id, key, is_read=is_read)
    return ctx.redirect(f"core.{ctx.area}.notifications")


def _choices_form(area: Area) -> FormSpec:
    """How a person wants to be told of each kind."""

    def fields(_ctx: PageContext) -> Sequence[Field]:
        return [
            Field(kind.code, kind.label_key, "checkboxes", is_required=False, options=_HOW)
            for kind in notification_service.kinds(area)
        ]

    def load(ctx: PageContext) -> Mapping[str, Any]:
        chosen = notification_service.list_choices(ctx.session, ctx.who.user_id, area)
        return {one.kind.code: _ways(one) for one in chosen}

    def save(ctx: PageContext, values: Mapping[str, Any]) -> str:
        notification_service.save_choices(
            ctx.session,
            ctx.who.user_id,
            [
                Choice(kind, _IN_APP in values[kind.code], _BY_EMAIL in values[kind.code])
                for kind in notification_service.kinds(area)
            ],
        )
        return ctx.url(f"core.{area}.notification_choices")

    def back(ctx: PageContext) -> tuple[str, str]:
        return ctx.url(f"core.{area}.notifications"), ctx.t("core.pages.notifications")

    return FormSpec(
        f"core.{area}.notification_choices",
        "core.notification_choices",
        fields,
        save,
        load=load,
        back=back,
        has_intro=True,
        in_read_only=True,
    )


def _ways(choice: Choice) -> list[str]:
    return [name for name, is_chosen in ((_IN_APP, choice.in_app), (_BY_EMAIL, choice.by_email)) if is_chosen]


mount_form(router, _choices_form)

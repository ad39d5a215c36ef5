"""The page of one connection, and what is done there."""

from uuid import UUID

from fastapi import Response

from app.modules.marketplace.contracts import Ability
from app.modules.marketplace.models.connection import Connection
from app.modules.marketplace.services import (
    connection_edit_service,
    connection_job_service,
    connection_service,
    feed_push_service,
)
from app.modules.marketplace.services.connection_edit_service import fields_of
from app.modules.marketplace.services.connection_part_service import (
    CHECK_TONES,
    access_word,
    blocks,
    can,
    check_notice,
    connector_name,
    is_unfinished,
)
from app.modules.marketplace.services.connection_service import CONNECTION_PREFIX
from app.modules.pagekit.details import Action, Detail, show_detail
from app.modules.pages import PageContext
from app.modules.routing import AreaRouter, public_id

router = AreaRouter("vendor")

_MANAGE = "marketplace.connections.manage"


@router.page("marketplace.vendor.connection")
def connection(ctx: PageContext, connection_id: str) -> Response:
    """One connection: how it is and what to do about it, what waits, what differs, the past, the last calls."""
    row = connection_service.get_connection(ctx.session, _key(connection_id))
    jobs = {
        name: is_unfinished(ctx.session, getattr(row, f"{name}_job_id"))
        for name in ("check", "sync", "history")
    }
    detail = Detail(
        row.id,
        connector_name(row.connector),
        blocks(ctx, row),
        back=(ctx.url("marketplace.vendor.connections"), ctx.t("marketplace.connections.title")),
        badges=_badges(ctx, row, is_syncing=jobs["sync"]),
        actions=_actions(ctx, row, is_syncing=jobs["sync"]),
        more=_more(ctx, row),
        target=connection_id,
        notice=check_notice(ctx, row, is_checking=jobs["check"]),
        refresh=any(jobs.values()),
    )
    return show_detail(ctx, detail)


def _badges(ctx: PageContext, row: Connection, *, is_syncing: bool) -> list[tuple[str, str]]:
    state = "on" if row.is_on else "off"
    word = row.check_outcome or "never"
    badges = [
        ("success" if row.is_on else "neutral", ctx.t(f"marketplace.connection_states.{state}")),
        (CHECK_TONES[word], ctx.t(f"marketplace.check_words.{word}")),
    ]
    if is_syncing:
        badges.append(("info", ctx.t("marketplace.connection.syncing")))
    return badges


def _actions(ctx: PageContext, row: Connection, *, is_syncing: bool) -> list[Action]:
    if _MANAGE not in ctx.who.permissions:
        return []
    here = ctx.url("marketplace.vendor.connection", connection_id=ctx.path["connection_id"])
    check = Action(ctx.t("marketplace.connection.check"), f"{here}/check", "plug")
    if not row.is_on:
        return [
            check,
            Action(ctx.t("marketplace.connection.switch_on"), f"{here}/switch-on", "play", "primary"),
        ]
    if is_syncing:
        return [check]
    return [check, Action(ctx.t("marketplace.connection.sync"), f"{here}/sync", "refresh-cw", "primary")]


def _more(ctx: PageContext, row: Connection) -> list[Action]:
    if _MANAGE not in ctx.who.permissions:
        return []
    here = ctx.url("marketplace.vendor.connection", connection_id=ctx.path["connection_id"])
    more = [Action(ctx.t("marketplace.connection.edit"), f"{here}/edit", "clock", is_post=False)]
    if fields_of(row):
        text = ctx.t(f"marketplace.connection.{access_word(row)}")
        more.append(Action(text, f"{here}/key", "key", is_post=False))
    if row.is_on:
        more.append(Action(ctx.t("marketplace.connection.switch_off"), f"{here}/switch-off", "pause"))
    text = ctx.t("marketplace.connection.disconnect")
    return [*more, Action(text, f"{here}/disconnect", "x", "danger", is_post=False)]


@router.action("/connections/{connection_id}/check", permission=_MANAGE)
def check_connection(ctx: PageContext, connection_id: str) -> Response:
    """Have the connection tested."""
    connection_job_service.start_check(ctx.session, _key(connection_id), ctx.who.user_id)
    return ctx.redirect("marketplace.vendor.connection", connection_id=connection_id)


@router.action("/connections/{connection_id}/sync", permission=_MANAGE)
def sync_connection(ctx: PageContext, connection_id: str) -> Response:
    """Fetch the open orders now."""
    connection_job_service.start_sync(ctx.session, _key(connection_id), ctx.who.user_id)
    return ctx.redirect("marketplace.vendor.connection", connection_id=connection_id)


@router.action("/connections/{connection_id}/switch-on", permission=_MANAGE)
def switch_on(ctx: PageContext, connection_id: str) -> Response:
    """Fetch orders and tell acts again."""
    return _switch(ctx, connection_id, is_on=True)


@router.action("/connections/{connection_id}/switch-off", permission=_MANAGE, in_read_only=True)
def switch_off(ctx: PageContext, connection_id: str) -> Response:
    """Neither fetch nor tell anything until it is on again."""
    return _switch(ctx, connection_id, is_on=False)


def _switch(ctx: PageContext, public: str, *, is_on: bool) -> Response:
    connection_edit_service.switch(ctx.session, _key(public), is_on=is_on, by=ctx.who.user_id)
    ctx.flash("success", f"marketplace.connection.switched_{'on' if is_on else 'off'}")
    return ctx.redirect("marketplace.vendor.connection", connection_id=public)


@router.action("/connections/{connection_id}/history", permission=_MANAGE)
def read_history(ctx: PageContext, connection_id: str) -> Response:
    """Fetch the orders of the past."""
    row = connection_service.get_connection(ctx.session, _key(connection_id))
    if can(row, Ability.HISTORY):
        connection_job_service.start_history(ctx.session, row.id, ctx.who.user_id)
    return ctx.redirect("marketplace.vendor.connection", connection_id=connection_id)


@router.action("/connections/{connection_id}/send-again", permission=_MANAGE)
def send_again(ctx: PageContext, connection_id: str) -> Response:
    """Send the feeds again, so that what differs is put right."""
    row = connection_service.get_connection(ctx.session, _key(connection_id))
    feed_push_service.send_again(ctx.session, row.id)
    ctx.flash("success", "marketplace.connection.sending_again")
    return ctx.redirect("marketplace.vendor.connection", connection_id=connection_id)


def _key(public: str) -> UUID:
    return public_id(CONNECTION_PREFIX, public)

"""Platforms, for the operator."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from fastapi import Response

from app.core.ids import to_public
from app.modules.pagekit.details import Action, Block, Detail, Fact, show_detail
from app.modules.pagekit.form_page import mount_form
from app.modules.pagekit.forms import Field, FormSpec
from app.modules.pagekit.list_page import mount_list
from app.modules.pagekit.lists import Column, Link, ListSpec
from app.modules.pages import PageContext
from app.modules.routing import AreaRouter, public_id
from app.modules.tenancy.models.tenant import Platform
from app.modules.tenancy.services import page_parts, platform_service

router = AreaRouter("admin")
_MANAGE = "tenancy.platforms.manage"


def _id(ctx: PageContext) -> UUID:
    return public_id("plt", ctx.path["platform_id"])


def _url(ctx: PageContext, platform_id: UUID) -> str:
    return ctx.url("tenancy.admin.platform", platform_id=to_public("plt", platform_id))


def _back(ctx: PageContext) -> tuple[str, str]:
    found = platform_service.get_platform(ctx.session, _id(ctx))
    return _url(ctx, found.id), found.name


mount_list(
    router,
    ListSpec(
        page_id="tenancy.admin.platforms",
        texts="tenancy.platforms",
        select=lambda _session, _language: platform_service.select_platforms(),
        key=Platform.id,
        columns=(
            Column("name", "tenancy.fields.name", sort=Platform.name, is_wide=True),
            Column("code", "tenancy.fields.code", "code", sort=Platform.code),
            Column("vendors", "tenancy.pages.vendors", "number"),
            page_parts.state_column(Platform),
            Column("created_at", "tenancy.fields.created_at", "date", sort=Platform.created_at),
        ),
        default_sort="name",
        search=platform_service.matching,
        filters=(page_parts.state_filter(Platform),),
        actions=(Link("tenancy.platforms.add", "tenancy.admin.platform_new", _MANAGE, "plus"),),
        row_page="tenancy.admin.platform",
        row_id="platform_id",
        prefix="plt",
        icon="layers",
    ),
)


def _create(ctx: PageContext, values: Mapping[str, Any]) -> str:
    return _url(ctx, platform_service.create_platform(ctx.session, **values))


mount_form(
    router,
    FormSpec(
        "tenancy.admin.platform_new",
        "tenancy.platform_new",
        (
            Field("name", "tenancy.fields.name"),
            Field("code", "tenancy.fields.code", hint_key="tenancy.platforms.code_hint", max_length=32),
        ),
        save=_create,
        back=lambda ctx: (ctx.url("tenancy.admin.platforms"), ctx.t("tenancy.pages.platforms")),
    ),
)


@router.page("tenancy.admin.platform")
def platform(ctx: PageContext, platform_id: str) -> Response:
    """One platform: its vendors, what other modules add, its history."""
    found = platform_service.get_platform(ctx.session, public_id("plt", platform_id))
    facts = (
        Fact(ctx.t("tenancy.fields.code"), found.code, "code"),
        Fact(ctx.t("tenancy.fields.created_at"), found.created_at, "datetime"),
    )
    vendors = platform_service.list_vendors_of(ctx.session, found.id)
    notice = None
    if not found.is_active:
        notice = ("warning", ctx.t("tenancy.platforms.held", reason=found.suspended_reason or ""))
    return show_detail(
        ctx,
        Detail(
            record_id=found.id,
            title=found.name,
            back=(ctx.url("tenancy.admin.platforms"), ctx.t("tenancy.pages.platforms")),
            badges=(page_parts.state_badge(ctx, is_active=found.is_active),),
            notice=notice,
            blocks=(
                Block("facts", ctx.t("tenancy.blocks.facts"), facts, order=10),
                page_parts.rows_block(ctx, "vendors", page_parts.vendor_rows(ctx, vendors)),
            ),
            actions=_actions(ctx, found) if _MANAGE in ctx.who.permissions else (),
            target=to_public("plt", found.id),
        ),
    )


def _actions(ctx: PageContext, found: Platform) -> tuple[Action, ...]:
    hold = page_parts.hold_action(ctx, _url(ctx, found.id), is_active=found.is_active)
    url = ctx.url("tenancy.admin.platform_edit", platform_id=to_public("plt", found.id))
    return hold, Action(ctx.t("tenancy.actions.edit"), url, "pencil", "primary", is_post=False)


def _load(ctx: PageContext) -> Mapping[str, Any]:
    found = platform_service.get_platform(ctx.session, _id(ctx))
    return {"name": found.name, "version": found.version}


def _update(ctx: PageContext, values: Mapping[str, Any]) -> str:
    platform_service.update_platform(ctx.session, _id(ctx), **values)
    return _url(ctx, _id(ctx))


mount_form(
    router,
    FormSpec(
        "tenancy.admin.platform_edit",
        "tenancy.edit",
        (Field("name", "tenancy.fields.name"),),
        save=_update,
        load=_load,
        back=_back,
    ),
)


mount_form(
    router, page_parts.hold_form("tenancy.admin.platform_hold", platform_service.suspend_platform, _id, _back)
)


@router.action("/platforms/{platform_id}/release", permission="tenancy.platforms.manage")
def release_platform(ctx: PageContext, platform_id: str) -> Response:
    """Take a platform off hold."""
    key = public_id("plt", platform_id)
    platform_service.reactivate_platform(ctx.session, key)
    ctx.flash("success", "tenancy.hold.released")
    return ctx.redirect_to(_url(ctx, key))

"""A vendor's roles."""

from collections.abc import Mapping, Sequence
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
from app.modules.tenancy.exceptions import RoleInUseError
from app.modules.tenancy.models.tenant import Role
from app.modules.tenancy.services import page_parts, role_service

router = AreaRouter("vendor")
_MANAGE = "tenancy.roles.manage"


def _id(ctx: PageContext) -> UUID:
    return public_id("rol", ctx.path["role_id"])


def _url(ctx: PageContext, role_id: UUID) -> str:
    return ctx.url("tenancy.vendor.role", role_id=to_public("rol", role_id))


def _roles(ctx: PageContext) -> tuple[str, str]:
    return ctx.url("tenancy.vendor.roles"), ctx.t("tenancy.pages.roles")


mount_list(
    router,
    ListSpec(
        page_id="tenancy.vendor.roles",
        texts="tenancy.roles",
        select=lambda _session, _language: role_service.select_roles(),
        enrich=role_service.with_counts,
        key=Role.id,
        columns=(
            Column("name", "tenancy.fields.name", sort=Role.name, is_wide=True),
            Column("allows", "tenancy.fields.permissions", "number"),
            Column("members", "tenancy.fields.members", "number"),
            Column("updated_at", "tenancy.fields.updated_at", "date", sort=Role.updated_at),
        ),
        default_sort="name",
        search=role_service.matching,
        actions=(Link("tenancy.roles.add", "tenancy.vendor.role_new", _MANAGE, "plus"),),
        row_page="tenancy.vendor.role",
        row_id="role_id",
        prefix="rol",
        icon="shield-check",
    ),
)


def _fields(ctx: PageContext) -> Sequence[Field]:
    """The name, and for each module the permissions that the reader may give away."""
    return [
        Field("name", "tenancy.fields.name", max_length=60),
        *page_parts.permission_fields(ctx, role_service.permission_groups(ctx.who.platform_ids)),
    ]


def _create(ctx: PageContext, values: Mapping[str, Any]) -> str:
    role_id = role_service.create_role(
        ctx.session,
        vendor_id=ctx.vendor.id,
        name=values["name"],
        permissions=page_parts.chosen_permissions(values),
        granted_by=ctx.who.permissions,
    )
    return _url(ctx, role_id)


mount_form(
    router, FormSpec("tenancy.vendor.role_new", "tenancy.role_new", _fields, save=_create, back=_roles)
)


@router.page("tenancy.vendor.role")
def role(ctx: PageContext, role_id: str) -> Response:
    """What a role allows, and what became of it."""
    found = role_service.get_role(ctx.session, public_id("rol", role_id))
    groups = role_service.permission_groups(ctx.who.platform_ids)
    facts = [
        Fact(group.module, ", ".join(ctx.t(one.label_key) for one in allowed))
        for group in groups
        if (allowed := [one for one in group.permissions if one.code in found.permissions])
    ]
    path, actions = ctx.request.url.path, []
    if _MANAGE in ctx.who.permissions:
        sure = ctx.t("tenancy.roles.delete_sure")
        edit = ctx.url("tenancy.vendor.role_edit", role_id=role_id)
        actions = [
            Action(ctx.t("tenancy.actions.delete"), f"{path}/delete", "trash-2", "danger", confirm=sure),
            Action(ctx.t("tenancy.actions.edit"), edit, "pencil", "primary", is_post=False),
        ]
    return show_detail(
        ctx,
        Detail(
            record_id=found.id,
            title=found.name,
            back=_roles(ctx),
            blocks=(
                Block(
                    "permissions",
                    ctx.t("tenancy.fields.permissions"),
                    facts,
                    text=None if facts else ctx.t("tenancy.roles.allows_nothing"),
                ),
            ),
            actions=actions,
            target=to_public("rol", found.id),
        ),
    )


def _load(ctx: PageContext) -> Mapping[str, Any]:
    found = role_service.get_role(ctx.session, _id(ctx))
    groups = role_service.permission_groups(ctx.who.platform_ids)
    shown = page_parts.shown_permissions(groups, found.permissions)
    return {"name": found.name, "version": found.version, **shown}


def _update(ctx: PageContext, values: Mapping[str, Any]) -> str:
    role_service.update_role(
        ctx.session,
        _id(ctx),
        name=values["name"],
        permissions=page_parts.chosen_permissions(values),
        granted_by=ctx.who.permissions,
        version=values["version"],
    )
    return _url(ctx, _id(ctx))


mount_form(
    router,
    FormSpec(
        "tenancy.vendor.role_edit",
        "tenancy.edit",
        _fields,
        save=_update,
        load=_load,
        back=lambda ctx: (_url(ctx, _id(ctx)), role_service.get_role(ctx.session, _id(ctx)).name),
    ),
)


@router.action("/roles/{role_id}/delete", permission="tenancy.roles.manage", in_read_only=True)
def delete_role(ctx: PageContext, role_id: str) -> Response:
    """Delete a role that nobody has."""
    key = public_id("rol", role_id)
    try:
        role_service.delete_role(ctx.session, key)
    except RoleInUseError as error:
        ctx.flash("danger", error.message_key, **error.params)
        return ctx.redirect_to(_url(ctx, key))
    ctx.flash("success", "tenancy.roles.deleted")
    return ctx.redirect("tenancy.vendor.roles")

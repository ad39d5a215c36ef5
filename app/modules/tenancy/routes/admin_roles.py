"""Roles of the operator's people, and who has which."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from fastapi import Response

from app.core.database import IdentityScope, acting_in
from app.core.errors import ConflictError
from app.core.ids import to_public
from app.modules.pagekit.details import Action, Block, Detail, Fact, show_detail
from app.modules.pagekit.form_page import mount_form
from app.modules.pagekit.forms import Field, FormSpec
from app.modules.pagekit.list_page import mount_list
from app.modules.pagekit.lists import Column, Link, ListSpec
from app.modules.pages import PageContext
from app.modules.registry import modules
from app.modules.routing import AreaRouter, public_id
from app.modules.tenancy.models.user import OperatorRole
from app.modules.tenancy.services import operator_role_service, page_parts, role_service, user_service

router = AreaRouter("admin")
_MANAGE = "tenancy.operator_roles.manage"


def _url(ctx: PageContext, role_id: UUID) -> str:
    return ctx.url("tenancy.admin.role", operator_role_id=to_public("orl", role_id))


def _id(ctx: PageContext) -> UUID:
    return public_id("orl", ctx.path["operator_role_id"])


def _roles(ctx: PageContext) -> tuple[str, str]:
    return ctx.url("tenancy.admin.roles"), ctx.t("tenancy.pages.roles")


mount_list(
    router,
    ListSpec(
        page_id="tenancy.admin.roles",
        texts="tenancy.operator_roles",
        select=lambda _session, language: operator_role_service.select_roles(language),
        enrich=operator_role_service.with_counts,
        scope=IdentityScope(),
        key=OperatorRole.id,
        columns=(
            Column("name", "tenancy.fields.name", sort=OperatorRole.name, is_wide=True),
            Column("is_built_in", "tenancy.fields.is_built_in", "flag", value=lambda row: bool(row.code)),
            Column("allows", "tenancy.fields.permissions", "number"),
            Column("members", "tenancy.fields.members", "number"),
            Column("updated_at", "tenancy.fields.updated_at", "date", sort=OperatorRole.updated_at),
        ),
        default_sort="name",
        search=operator_role_service.matching,
        actions=(Link("tenancy.roles.add", "tenancy.admin.role_new", _MANAGE, "plus"),),
        row_page="tenancy.admin.role",
        row_id="operator_role_id",
        prefix="orl",
        icon="shield-check",
        has_intro=True,
    ),
)


def _fields(ctx: PageContext) -> Sequence[Field]:
    """The name, and for each module the permissions that the reader may give away."""
    return [
        Field("name", "tenancy.fields.name", max_length=60),
        *page_parts.permission_fields(ctx, role_service.permission_groups(ctx.who.platform_ids, "admin")),
    ]


def _create(ctx: PageContext, values: Mapping[str, Any]) -> str:
    role_id = operator_role_service.create_role(
        ctx.session,
        name=values["name"],
        permissions=page_parts.chosen_permissions(values),
        editor=page_parts.editor(ctx),
    )
    return _url(ctx, role_id)


mount_form(
    router,
    FormSpec(
        "tenancy.admin.role_new",
        "tenancy.role_new",
        _fields,
        save=_create,
        back=_roles,
    ),
)


@router.page("tenancy.admin.role")
def role(ctx: PageContext, operator_role_id: str) -> Response:
    """What a role allows, who has it, and what became of it."""
    found = operator_role_service.get_role(ctx.session, public_id("orl", operator_role_id))
    members = operator_role_service.list_members(ctx.session, found)
    path, actions = _url(ctx, found.id), []
    if _MANAGE in ctx.who.permissions and found.code is None:
        sure = ctx.t("tenancy.roles.delete_sure")
        edit = ctx.url("tenancy.admin.role_edit", operator_role_id=operator_role_id)
        actions = [
            Action(ctx.t("tenancy.actions.delete"), f"{path}/delete", "trash-2", "danger", confirm=sure),
            Action(ctx.t("tenancy.actions.edit"), edit, "pencil", "primary", is_post=False),
        ]
    return show_detail(
        ctx,
        Detail(
            record_id=found.id,
            title=operator_role_service.name_of(found, ctx.language),
            back=_roles(ctx),
            badges=[("neutral", ctx.t("tenancy.fields.is_built_in"))] if found.code else (),
            blocks=(
                _allowed(ctx, found),
                page_parts.rows_block(ctx, "role_members", page_parts.person_rows(ctx, members)),
            ),
            actions=actions,
            target=to_public("orl", found.id),
        ),
    )


def _allowed(ctx: PageContext, found: OperatorRole) -> Block:
    codes = operator_role_service.permissions_of(found, modules())
    facts = [
        Fact(group.module, ", ".join(ctx.t(one.label_key) for one in allowed))
        for group in role_service.permission_groups(ctx.who.platform_ids, "admin")
        if (allowed := [one for one in group.permissions if one.code in codes])
    ]
    if found.code:
        text = ctx.t(f"tenancy.built_in_roles.{found.code}_text")
    else:
        text = ctx.t("tenancy.operator_roles.global_hint" if facts else "tenancy.roles.allows_nothing")
    return Block("permissions", ctx.t("tenancy.fields.permissions"), facts, text=text)


def _load(ctx: PageContext) -> Mapping[str, Any]:
    found = operator_role_service.get_role(ctx.session, _id(ctx))
    groups = role_service.permission_groups(ctx.who.platform_ids, "admin")
    shown = page_parts.shown_permissions(groups, found.permissions)
    return {"name": found.name, "version": found.version, **shown}


def _update(ctx: PageContext, values: Mapping[str, Any]) -> str:
    operator_role_service.update_role(
        ctx.session,
        _id(ctx),
        name=values["name"],
        permissions=page_parts.chosen_permissions(values),
        editor=page_parts.editor(ctx),
        version=values["version"],
    )
    return _url(ctx, _id(ctx))


mount_form(
    router,
    FormSpec(
        "tenancy.admin.role_edit",
        "tenancy.edit",
        _fields,
        save=_update,
        load=_load,
        back=lambda ctx: (_url(ctx, _id(ctx)), operator_role_service.get_role(ctx.session, _id(ctx)).name),
    ),
)


@router.action("/roles/{operator_role_id}/delete", permission=_MANAGE)
def delete_role(ctx: PageContext, operator_role_id: str) -> Response:
    """Delete a role that nobody has."""
    key = public_id("orl", operator_role_id)
    try:
        operator_role_service.delete_role(ctx.session, key)
    except ConflictError as error:
        ctx.flash("danger", error.message_key, **error.params)
        return ctx.redirect_to(_url(ctx, key))
    ctx.flash("success", "tenancy.roles.deleted")
    return ctx.redirect("tenancy.admin.roles")


def _person(ctx: PageContext) -> UUID:
    with acting_in(ctx.session, IdentityScope()):
        return user_service.get_user(ctx.session, public_id("usr", ctx.path["user_id"])).id


def _user_url(ctx: PageContext) -> str:
    return ctx.url("tenancy.admin.user", user_id=ctx.path["user_id"])


def _load_roles(ctx: PageContext) -> Mapping[str, Any]:
    present = operator_role_service.list_roles_of(ctx.session, _person(ctx))
    return {"role_ids": [to_public("orl", one.id) for one in present]}


def _set_roles(ctx: PageContext, values: Mapping[str, Any]) -> str:
    role_ids = [public_id("orl", text) for text in values["role_ids"]]
    operator_role_service.set_roles(ctx.session, _person(ctx), role_ids, page_parts.editor(ctx))
    return _user_url(ctx)


mount_form(
    router,
    FormSpec(
        "tenancy.admin.user_roles",
        "tenancy.user_roles",
        (
            Field(
                "role_ids",
                "tenancy.pages.roles",
                "checkboxes",
                is_required=False,
                options=page_parts.operator_role_choices,
            ),
        ),
        save=_set_roles,
        load=_load_roles,
        back=lambda ctx: (_user_url(ctx), ctx.t("tenancy.pages.user")),
        has_intro=True,
    ),
)

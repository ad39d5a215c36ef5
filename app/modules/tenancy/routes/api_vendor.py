"""The vendor's team and roles in the API."""

from typing import Annotated

from fastapi import Query

from app.core.ids import to_public
from app.modules.api import ApiContext, ApiRouter, Page, key_of
from app.modules.api.answers import shown
from app.modules.api.pages import read_list
from app.modules.tenancy.models.tenant import Role
from app.modules.tenancy.schemas.people import (
    MemberItem,
    MemberQuery,
    NewRole,
    RoleChange,
    RoleDetails,
    RoleItem,
    RoleQuery,
)
from app.modules.tenancy.services import role_service, team_service

router = ApiRouter()


@router.vendor("GET", "/members", permission="tenancy.team.view")
def members_list(ctx: ApiContext, query: Annotated[MemberQuery, Query()]) -> Page[MemberItem]:
    """List who works for the vendor."""
    return read_list(ctx, "tenancy.vendor.team", query, lambda row: shown(MemberItem, row, "mbr"))


@router.vendor("GET", "/members/{membership_id}", permission="tenancy.team.view")
def members_get(ctx: ApiContext, membership_id: str) -> MemberItem:
    """Get a team member."""
    found = team_service.get_member(ctx.session, ctx.vendor, key_of("mbr", membership_id))
    return MemberItem(
        id=membership_id, **{name: getattr(found, name) for name in MemberItem.model_fields if name != "id"}
    )


@router.vendor("GET", "/roles", permission="tenancy.roles.view")
def roles_list(ctx: ApiContext, query: Annotated[RoleQuery, Query()]) -> Page[RoleItem]:
    """List roles."""
    return read_list(ctx, "tenancy.vendor.roles", query, lambda row: shown(RoleItem, row, "rol"))


@router.vendor("GET", "/roles/{role_id}", permission="tenancy.roles.view")
def roles_get(ctx: ApiContext, role_id: str) -> RoleDetails:
    """Get a role."""
    return _role(role_service.get_role(ctx.session, key_of("rol", role_id)))


@router.vendor("POST", "/roles", permission="tenancy.roles.manage", status=201)
def roles_create(ctx: ApiContext, role: NewRole) -> RoleDetails:
    """Make a role."""
    key = role_service.create_role(
        ctx.session,
        vendor_id=ctx.vendor.id,
        name=role.name,
        permissions=role.permissions,
        granted_by=ctx.principal.permissions,
    )
    ctx.location(f"/vendor/roles/{to_public('rol', key)}")
    return _role(role_service.get_role(ctx.session, key))


@router.vendor("PATCH", "/roles/{role_id}", permission="tenancy.roles.manage", needs_version=True)
def roles_update(ctx: ApiContext, role_id: str, change: RoleChange) -> RoleDetails:
    """Change a role."""
    role = role_service.get_role(ctx.session, key_of("rol", role_id))
    version = ctx.check_version(role.version)
    wanted = {"name": role.name, "permissions": role.permissions} | change.model_dump(exclude_unset=True)
    role_service.update_role(
        ctx.session, role.id, **wanted, granted_by=ctx.principal.permissions, version=version
    )
    return _role(role)


@router.vendor(
    "DELETE", "/roles/{role_id}", permission="tenancy.roles.manage", needs_version=True, in_read_only=True
)
def roles_delete(ctx: ApiContext, role_id: str) -> None:
    """Delete a role that nobody has."""
    role = role_service.get_role(ctx.session, key_of("rol", role_id))
    ctx.check_version(role.version)
    role_service.delete_role(ctx.session, role.id)


def _role(row: Role) -> RoleDetails:
    return shown(RoleDetails, row, "rol")

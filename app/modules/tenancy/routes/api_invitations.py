"""Invitations in the API: to a vendor's team, to a company's owners, to the operator's people.

A key never gives away more than it may do itself, whoever made it; so an owner is not invited by a vendor's key.
"""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Query

from app.core.errors import NotFoundError
from app.core.ids import to_public
from app.modules.api import ApiContext, ApiRouter, Page, key_of
from app.modules.api.answers import shown
from app.modules.api.pages import read_list
from app.modules.pagekit.list_page import find_list
from app.modules.state import enabled_modules
from app.modules.tenancy.models.user import Invitation
from app.modules.tenancy.schemas.invitations import (
    InvitationItem,
    InvitationQuery,
    NewOperatorInvitation,
    NewOwnerInvitation,
    NewTeamInvitation,
)
from app.modules.tenancy.services import (
    company_service,
    invitation_service,
    operator_role_service,
    platform_service,
    role_service,
)
from app.modules.tenancy.services.invitation_service import Target
from app.modules.tenancy.services.page_parts import invitation_state
from app.modules.tenancy.services.role_service import Editor

router = ApiRouter()

_PAGES = {"vendor": "tenancy.vendor.team_invitations", "admin": "tenancy.admin.invitations"}


@router.both("GET", "/invitations", permission="tenancy.team.view", admin_permission="tenancy.users.view")
def invitations_list(ctx: ApiContext, query: Annotated[InvitationQuery, Query()]) -> Page[InvitationItem]:
    """List invitations."""
    return read_list(ctx, _PAGES[ctx.area], query, lambda row: _shown(ctx, row))


@router.both(
    "GET",
    "/invitations/{invitation_id}",
    permission="tenancy.team.view",
    admin_permission="tenancy.users.view",
)
def invitations_get(ctx: ApiContext, invitation_id: str) -> InvitationItem:
    """Get an invitation."""
    return _invitation(ctx, key_of("inv", invitation_id))


@router.vendor("POST", "/invitations", permission="tenancy.team.manage", status=201, needs_key=True)
def invitations_create(ctx: ApiContext, wanted: NewTeamInvitation) -> InvitationItem:
    """Ask somebody to join the team, by mail. The role allows no more than the key."""
    role = role_service.get_role(ctx.session, key_of("rol", wanted.role_id))
    role_service.require_assignable(role, ctx.principal.permissions)
    target = Target(ctx.vendor.id, role_id=role.id)
    return _made(ctx, _invite(ctx, wanted.email, target, wanted.language))


@router.admin("POST", "/invitations", permission="tenancy.users.manage", status=201, needs_key=True)
def operators_invite(ctx: ApiContext, wanted: NewOperatorInvitation) -> InvitationItem:
    """Ask somebody to work for the operator, by mail. The role allows no more than the key."""
    role = operator_role_service.get_role(ctx.session, key_of("orl", wanted.operator_role_id))
    allowed = operator_role_service.permissions_of(role, enabled_modules(ctx.principal.platform_ids))
    role_service.require_own(allowed, ctx.principal.permissions)
    platform_id = key_of("plt", wanted.platform_id) if wanted.platform_id else None
    if platform_id:
        platform_service.get_platform(ctx.session, platform_id)
    key = invitation_service.invite_operator(
        ctx.session,
        wanted.email,
        Target(platform_id=platform_id, operator_role_id=role.id),
        Editor(ctx.principal.user_id, ctx.principal.permissions),
        wanted.language,
    )
    return _made(ctx, key)


@router.admin(
    "POST",
    "/companies/{company_id}/invitations",
    permission="tenancy.companies.manage",
    status=201,
    needs_key=True,
)
def owners_invite(ctx: ApiContext, company_id: str, wanted: NewOwnerInvitation) -> InvitationItem:
    """Ask somebody to be an owner of a company, by mail."""
    company = company_service.get_company(ctx.session, key_of("cmp", company_id))
    return _made(ctx, _invite(ctx, wanted.email, Target(company_id=company.id), wanted.language))


@router.both(
    "POST",
    "/invitations/{invitation_id}/resend",
    permission="tenancy.team.manage",
    admin_permission="tenancy.users.manage",
)
def invitations_resend(ctx: ApiContext, invitation_id: str) -> InvitationItem:
    """Mail a new link, good for another seven days; the former one no longer works."""
    key = key_of("inv", invitation_id)
    _invitation(ctx, key)
    invitation_service.resend(ctx.session, key)
    return _invitation(ctx, key)


@router.both(
    "DELETE",
    "/invitations/{invitation_id}",
    permission="tenancy.team.manage",
    admin_permission="tenancy.users.manage",
    in_read_only=True,
)
def invitations_revoke(ctx: ApiContext, invitation_id: str) -> None:
    """Take an invitation back: its link no longer works. It stays in the list."""
    key = key_of("inv", invitation_id)
    _invitation(ctx, key)
    invitation_service.revoke(ctx.session, key)


def _invite(ctx: ApiContext, email: str, target: Target, language: str) -> UUID:
    return invitation_service.invite(ctx.session, email, target, by=ctx.principal.user_id, language=language)


def _made(ctx: ApiContext, key: UUID) -> InvitationItem:
    ctx.location(f"/{ctx.area}/invitations/{to_public('inv', key)}")
    return _invitation(ctx, key)


def _invitation(ctx: ApiContext, key: UUID) -> InvitationItem:
    """One row of the list that people see; NotFoundError."""
    statement = find_list(_PAGES[ctx.area]).select(ctx.session, ctx.language)
    row = ctx.session.execute(statement.where(Invitation.id == key)).one_or_none()
    if row is None:
        raise NotFoundError
    return _shown(ctx, row)


def _shown(ctx: ApiContext, row: Any) -> InvitationItem:
    leads_to = row.role if ctx.area == "vendor" else row.place
    return shown(InvitationItem, row, "inv", state=invitation_state(row), leads_to=leads_to)

"""A vendor's team: owners, members with their roles, invitations."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from fastapi import Response

from app.core.database import IdentityScope
from app.core.ids import to_public
from app.modules.pagekit.details import Action, Block, Detail, Fact, show_detail
from app.modules.pagekit.form_page import mount_form
from app.modules.pagekit.forms import Field, FormSpec
from app.modules.pagekit.list_page import mount_list
from app.modules.pagekit.lists import Column, Link, ListSpec
from app.modules.pages import PageContext
from app.modules.routing import AreaRouter, public_id
from app.modules.tenancy.exceptions import LastOwnerError
from app.modules.tenancy.models.user import Membership, User
from app.modules.tenancy.services import invitation_service, page_parts, role_service, team_service

router = AreaRouter("vendor")
_MANAGE = "tenancy.team.manage"
_OWNER = "owner"


def _team(ctx: PageContext) -> tuple[str, str]:
    return ctx.url("tenancy.vendor.team"), ctx.t("tenancy.pages.team")


mount_list(
    router,
    ListSpec(
        page_id="tenancy.vendor.team",
        texts="tenancy.team",
        select=lambda session, _language: team_service.select_members(session),
        scope=IdentityScope(),
        key=Membership.id,
        columns=(
            Column("name", "tenancy.fields.name", sort=User.name, is_wide=True),
            Column("email", "tenancy.sign_in.email", sort=User.email_norm),
            Column("role", "tenancy.fields.role", value=lambda row: row.role or "–"),
            Column("is_owner", "tenancy.team.owner", "flag"),
            Column(
                "last_sign_in_at", "tenancy.fields.last_sign_in_at", "datetime", sort=User.last_sign_in_at
            ),
        ),
        default_sort="name",
        search=team_service.matching,
        actions=(
            Link(
                "tenancy.pages.team_invitations",
                "tenancy.vendor.team_invitations",
                "tenancy.team.view",
                "mail",
            ),
            Link("tenancy.actions.invite", "tenancy.vendor.team_invite", _MANAGE, "user-plus"),
        ),
        row_page="tenancy.vendor.member",
        row_id="membership_id",
        prefix="mbr",
        icon="users",
    ),
)


def _role_choices(ctx: PageContext) -> Sequence[tuple[str, str]]:
    return [(to_public("rol", one.id), one.name) for one in role_service.list_roles(ctx.session)]


def _places(ctx: PageContext) -> Sequence[tuple[str, str]]:
    """Roles, and for owners also another owner."""
    owner = [(_OWNER, ctx.t("tenancy.team.as_owner"))]
    is_owner = team_service.is_owner(ctx.session, ctx.vendor, ctx.who.user_id)
    return [*_role_choices(ctx), *(owner if is_owner else [])]


def _invite(ctx: PageContext, values: Mapping[str, Any]) -> str:
    role_id = None if values["role"] == _OWNER else public_id("rol", values["role"])
    invitation_service.invite_to_team(
        ctx.session, ctx.vendor, values["email"], role_id, page_parts.editor(ctx), values["language"]
    )
    return ctx.url("tenancy.vendor.team_invitations")


mount_form(
    router,
    FormSpec(
        "tenancy.vendor.team_invite",
        "tenancy.invite",
        (
            Field("email", "tenancy.sign_in.email", "email"),
            Field("role", "tenancy.fields.role", "select", options=_places),
            Field("language", "tenancy.fields.mail_language", "select", options=page_parts.language_choices),
        ),
        save=_invite,
        load=lambda ctx: {"language": ctx.language},
        back=_team,
    ),
)

mount_list(
    router,
    page_parts.invitation_list(
        "tenancy.vendor.team_invitations",
        lambda _session, _language: invitation_service.select_team_invitations(),
        Column("role", "tenancy.fields.role", value=lambda row: row.role or "–"),
        Link("tenancy.actions.invite", "tenancy.vendor.team_invite", _MANAGE, "user-plus"),
        row=("tenancy.vendor.team_invitation", "invitation_id"),
    ),
)


@router.page("tenancy.vendor.team_invitation")
def invitation(ctx: PageContext, invitation_id: str) -> Response:
    """One invitation and its history."""
    key = public_id("inv", invitation_id)
    found = invitation_service.get_invitation(ctx.session, key)
    state = page_parts.invitation_state(found)
    role = role_service.get_role(ctx.session, found.role_id).name if found.role_id else None
    path, actions = ctx.request.url.path, []
    if _MANAGE in ctx.who.permissions and state in ("waiting", "expired"):
        actions = [
            Action(ctx.t("tenancy.actions.revoke"), f"{path}/revoke", "x"),
            Action(ctx.t("tenancy.actions.resend"), f"{path}/resend", "send", "primary"),
        ]
    facts = (
        Fact(ctx.t("tenancy.fields.role"), role or ctx.t("tenancy.team.as_owner")),
        Fact(ctx.t("tenancy.fields.invited_at"), found.created_at, "datetime"),
        Fact(ctx.t("tenancy.fields.expires_at"), found.expires_at, "datetime"),
    )
    return show_detail(
        ctx,
        Detail(
            record_id=found.id,
            title=found.email,
            back=(ctx.url("tenancy.vendor.team_invitations"), ctx.t("tenancy.pages.team_invitations")),
            badges=((page_parts.INVITATION_TONES[state], ctx.t(f"tenancy.invitation_states.{state}")),),
            blocks=(Block("facts", ctx.t("tenancy.blocks.facts"), facts),),
            actions=actions,
            target=invitation_id,
        ),
    )


@router.action("/team/invitations/{invitation_id}/resend", permission="tenancy.team.manage")
def resend_invitation(ctx: PageContext, invitation_id: str) -> Response:
    """Mail a new link."""
    invitation_service.resend(ctx.session, public_id("inv", invitation_id))
    ctx.flash("success", "tenancy.invitations.resent")
    return ctx.redirect("tenancy.vendor.team_invitation", invitation_id=invitation_id)


@router.action(
    "/team/invitations/{invitation_id}/revoke", permission="tenancy.team.manage", in_read_only=True
)
def revoke_invitation(ctx: PageContext, invitation_id: str) -> Response:
    """Take an invitation back."""
    invitation_service.revoke(ctx.session, public_id("inv", invitation_id))
    ctx.flash("success", "tenancy.invitations.revoked")
    return ctx.redirect("tenancy.vendor.team_invitations")


@router.page("tenancy.vendor.member")
def member(ctx: PageContext, membership_id: str) -> Response:
    """Somebody of the team."""
    found = team_service.get_member(ctx.session, ctx.vendor, public_id("mbr", membership_id))
    facts = (
        Fact(ctx.t("tenancy.sign_in.email"), found.email),
        Fact(ctx.t("tenancy.fields.role"), found.role or ctx.t("tenancy.team.owner")),
        Fact(ctx.t("tenancy.fields.last_sign_in_at"), found.last_sign_in_at, "datetime"),
    )
    badges = [] if found.is_active else [("neutral", ctx.t("tenancy.states.deactivated"))]
    return show_detail(
        ctx,
        Detail(
            record_id=found.membership_id,
            title=found.name,
            back=_team(ctx),
            badges=badges,
            blocks=(Block("facts", ctx.t("tenancy.blocks.facts"), facts),),
            actions=_member_actions(ctx, found) if _MANAGE in ctx.who.permissions else (),
            target=membership_id,
        ),
    )


def _member_actions(ctx: PageContext, found: team_service.Member) -> list[Action]:
    path = ctx.request.url.path
    sure = ctx.t("tenancy.team.remove_sure", name=found.name)
    actions = [Action(ctx.t("tenancy.actions.remove"), f"{path}/remove", "user-x", "danger", confirm=sure)]
    if not found.is_owner:
        url = ctx.url("tenancy.vendor.member_role", membership_id=to_public("mbr", found.membership_id))
        actions.append(Action(ctx.t("tenancy.actions.change_role"), url, "pencil", "primary", is_post=False))
    return actions


def _id(ctx: PageContext) -> UUID:
    return public_id("mbr", ctx.path["membership_id"])


def _member_back(ctx: PageContext) -> tuple[str, str]:
    found = team_service.get_member(ctx.session, ctx.vendor, _id(ctx))
    return ctx.url("tenancy.vendor.member", membership_id=ctx.path["membership_id"]), found.name


def _load_role(ctx: PageContext) -> Mapping[str, Any]:
    found = team_service.get_member(ctx.session, ctx.vendor, _id(ctx))
    return {"role_id": to_public("rol", found.role_id) if found.role_id else ""}


def _change_role(ctx: PageContext, values: Mapping[str, Any]) -> str:
    role_id = public_id("rol", values["role_id"])
    team_service.change_role(ctx.session, ctx.vendor, _id(ctx), role_id, page_parts.editor(ctx))
    return _member_back(ctx)[0]


mount_form(
    router,
    FormSpec(
        "tenancy.vendor.member_role",
        "tenancy.edit",
        (Field("role_id", "tenancy.fields.role", "select", options=_role_choices),),
        save=_change_role,
        load=_load_role,
        back=_member_back,
    ),
)


@router.action("/team/{membership_id}/remove", permission="tenancy.team.manage", in_read_only=True)
def remove_member(ctx: PageContext, membership_id: str) -> Response:
    """Take somebody out of the team."""
    key = public_id("mbr", membership_id)
    try:
        team_service.remove_member(ctx.session, ctx.vendor, key, page_parts.editor(ctx))
    except LastOwnerError as error:
        ctx.flash("danger", error.message_key)
        return ctx.redirect("tenancy.vendor.member", membership_id=membership_id)
    ctx.flash("success", "tenancy.team.removed")
    return ctx.redirect("tenancy.vendor.team")

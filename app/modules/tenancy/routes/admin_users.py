"""People, for super admins: who may sign in, where, and who is invited."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from fastapi import Response
from sqlalchemy.orm import Session

from app.core.database import IdentityScope, acting_in
from app.core.i18n import format_datetime
from app.core.ids import to_public
from app.modules.pagekit.details import Action, Block, Detail, Fact, show_detail
from app.modules.pagekit.form_page import mount_form
from app.modules.pagekit.forms import Field, FormSpec
from app.modules.pagekit.list_page import mount_list
from app.modules.pagekit.lists import Column, Filter, Link, ListSpec
from app.modules.pages import PageContext
from app.modules.routing import AreaRouter, public_id
from app.modules.tenancy.models.user import OperatorRole, User, UserSession
from app.modules.tenancy.services import (
    invitation_service,
    operator_role_service,
    page_parts,
    platform_service,
    session_service,
    two_step_service,
    user_service,
)
from app.modules.tenancy.services.invitation_service import Target
from app.modules.tenancy.services.page_parts import Row
from app.modules.tenancy.services.role_service import Editor

router = AreaRouter("admin")
_MANAGE, _ALL = "tenancy.users.manage", "all"
_TONES = {"active": "success", "deactivated": "neutral"}


def _url(ctx: PageContext, user_id: UUID) -> str:
    return ctx.url("tenancy.admin.user", user_id=to_public("usr", user_id))


def _platform_choices(ctx: PageContext) -> Sequence[tuple[str, str]]:
    """Every platform by name, and all of them."""
    platforms = platform_service.list_platforms(ctx.session)
    return [
        (_ALL, ctx.t("tenancy.all_platforms")),
        *((to_public("plt", one.id), one.name) for one in platforms),
    ]


def _platform_id(values: Mapping[str, Any]) -> UUID | None:
    chosen = values["platform_id"]
    return None if chosen == _ALL else public_id("plt", chosen)


mount_list(
    router,
    ListSpec(
        page_id="tenancy.admin.users",
        texts="tenancy.users",
        select=lambda _session, _language: user_service.select_users(),
        scope=IdentityScope(),
        key=User.id,
        columns=(
            Column("name", "tenancy.fields.name", sort=User.name, is_wide=True),
            Column("email", "tenancy.sign_in.email", sort=User.email_norm),
            Column("is_super_admin", "tenancy.fields.is_super_admin", "flag", sort=User.is_super_admin),
            Column("has_two_step", "tenancy.fields.two_step", "flag"),
            Column(
                "is_active",
                "tenancy.fields.state",
                "badge",
                value=lambda row: "active" if row.is_active else "deactivated",
                sort=User.is_active,
                text_prefix="tenancy.states",
                tones=_TONES,
            ),
            Column(
                "last_sign_in_at", "tenancy.fields.last_sign_in_at", "datetime", sort=User.last_sign_in_at
            ),
        ),
        default_sort="name",
        search=user_service.matching,
        filters=(
            Filter(
                "state",
                "tenancy.fields.state",
                lambda values: User.is_active.in_([value == "active" for value in values]),
                options=(("active", "tenancy.states.active"), ("deactivated", "tenancy.states.deactivated")),
            ),
            Filter(
                "super_admin",
                "tenancy.fields.is_super_admin",
                lambda values: User.is_super_admin.in_([value == "yes" for value in values]),
                options=(("yes", "ui.yes"), ("no", "ui.no")),
            ),
        ),
        actions=(
            Link("tenancy.pages.invitations", "tenancy.admin.invitations", "tenancy.users.view", "mail"),
            Link("tenancy.actions.invite", "tenancy.admin.user_invite", _MANAGE, "user-plus"),
        ),
        row_page="tenancy.admin.user",
        row_id="user_id",
        prefix="usr",
        icon="users",
        is_in_palette=True,
    ),
)


def _invite(ctx: PageContext, values: Mapping[str, Any]) -> str:
    target = Target(
        platform_id=_platform_id(values), operator_role_id=public_id("orl", values["operator_role_id"])
    )
    invitation_service.invite_operator(
        ctx.session, values["email"], target, page_parts.editor(ctx), values["language"]
    )
    return ctx.url("tenancy.admin.invitations")


mount_form(
    router,
    FormSpec(
        "tenancy.admin.user_invite",
        "tenancy.invite",
        (
            Field("email", "tenancy.sign_in.email", "email"),
            Field(
                "operator_role_id", "tenancy.fields.role", "select", options=page_parts.operator_role_choices
            ),
            Field("platform_id", "tenancy.fields.platform", "select", options=_platform_choices),
            Field("language", "tenancy.fields.mail_language", "select", options=page_parts.language_choices),
        ),
        save=_invite,
        load=lambda ctx: {"language": ctx.language},
        back=lambda ctx: (ctx.url("tenancy.admin.users"), ctx.t("tenancy.pages.users")),
    ),
)

mount_list(
    router,
    page_parts.invitation_list(
        "tenancy.admin.invitations",
        lambda _session, language: invitation_service.select_invitations(language),
        Column("place", "tenancy.fields.place"),
        Link("tenancy.actions.invite", "tenancy.admin.user_invite", _MANAGE, "user-plus"),
    ),
)


@router.page("tenancy.admin.user")
def user(ctx: PageContext, user_id: str) -> Response:
    """One person: places, sign-in, history."""
    key = public_id("usr", user_id)
    with acting_in(ctx.session, IdentityScope()):
        found = user_service.get_user(ctx.session, key)
        belongings = user_service.list_belongings(ctx.session, key)
        codes = two_step_service.count_recovery_codes(ctx.session, key)
        sessions = session_service.list_sessions(ctx.session, key)
    roles = operator_role_service.list_roles_of(ctx.session, key)
    two_step = ctx.t("tenancy.two_step.on", codes=codes) if found.totp_confirmed_at else ctx.t("ui.no")
    facts = (
        Fact(ctx.t("tenancy.sign_in.email"), found.email),
        Fact(ctx.t("tenancy.fields.two_step"), two_step),
        Fact(ctx.t("tenancy.fields.last_sign_in_at"), found.last_sign_in_at, "datetime"),
        Fact(ctx.t("tenancy.fields.created_at"), found.created_at, "datetime"),
    )
    badges = []
    if found.is_super_admin:
        badges.append(("info", ctx.t("tenancy.fields.is_super_admin")))
    if not found.is_active:
        badges.append(("neutral", ctx.t("tenancy.states.deactivated")))
    may_manage = _MANAGE in ctx.who.permissions
    return show_detail(
        ctx,
        Detail(
            record_id=found.id,
            title=found.name,
            back=(ctx.url("tenancy.admin.users"), ctx.t("tenancy.pages.users")),
            badges=badges,
            blocks=(
                Block("facts", ctx.t("tenancy.blocks.facts"), facts),
                page_parts.rows_block(ctx, "roles", _role_rows(ctx, found, roles)),
                page_parts.rows_block(
                    ctx, "places", _place_rows(ctx, found, belongings, may_manage=may_manage)
                ),
                page_parts.rows_block(ctx, "sessions", _session_rows(ctx, sessions)),
            ),
            actions=_actions(ctx, found)[:1] if may_manage else (),
            more=_actions(ctx, found)[1:] if may_manage else (),
            target=to_public("usr", found.id),
        ),
    )


def _role_rows(ctx: PageContext, found: User, roles: Sequence[OperatorRole]) -> list[Row]:
    rows = [Row(ctx.t("tenancy.built_in_roles.super_admin"))] if found.is_super_admin else []
    may_open = "tenancy.operator_roles.view" in ctx.who.permissions
    for one in roles:
        url = ctx.url("tenancy.admin.role", operator_role_id=to_public("orl", one.id)) if may_open else None
        note = ctx.t("tenancy.fields.is_built_in") if one.code else None
        rows.append(Row(operator_role_service.name_of(one, ctx.language), url, note))
    return rows


def _session_rows(ctx: PageContext, sessions: Sequence[UserSession]) -> list[Row]:
    zone = ctx.who.time_zone or "Europe/Luxembourg"
    rows = []
    for one in sessions:
        browser = session_service.browser_name(one.user_agent) or ctx.t("tenancy.security.unknown_browser")
        seen = format_datetime(ctx.language, one.seen_at, zone)
        rows.append(
            Row(browser, None, " · ".join(filter(None, (ctx.t(f"ui.area.{one.area}"), one.ip, seen))))
        )
    return rows


def _place_rows(
    ctx: PageContext, found: User, belongings: Sequence[user_service.Belonging], *, may_manage: bool
) -> list[Row]:
    pages = {
        "platform": ("tenancy.admin.platform", "platform_id", "plt"),
        "company": ("tenancy.admin.company", "company_id", "cmp"),
        "vendor": ("tenancy.admin.vendor", "vendor_id", "vnd"),
    }
    rows = []
    if found.is_on_all_platforms:
        leave = Action(ctx.t("tenancy.actions.remove"), f"{_url(ctx, found.id)}/leave-all-platforms", "x")
        rows.append(Row(ctx.t("tenancy.all_platforms"), None, None, None, (leave,) if may_manage else ()))
    for one in belongings:
        page_id, name, prefix = pages[one.kind]
        note = one.role or ctx.t(f"tenancy.place_kinds.{one.kind}")
        remove = Action(
            ctx.t("tenancy.actions.remove"),
            f"{ctx.request.url.path}/places/{to_public('mbr', one.membership_id)}/remove",
            "x",
        )
        url = ctx.url(page_id, **{name: to_public(prefix, one.place_id)})
        rows.append(Row(one.name, url, note, None, (remove,) if may_manage else ()))
    return rows


def _actions(ctx: PageContext, found: User) -> list[Action]:
    path = _url(ctx, found.id)
    place = ctx.url("tenancy.admin.user_platform", user_id=to_public("usr", found.id))
    roles = ctx.url("tenancy.admin.user_roles", user_id=to_public("usr", found.id))
    actions = [
        Action(ctx.t("tenancy.actions.change_roles"), roles, "shield-check", "primary", is_post=False),
        Action(ctx.t("tenancy.actions.add_platform"), place, "plus", is_post=False),
        Action(ctx.t("tenancy.actions.sign_out_everywhere"), f"{path}/sign-out-everywhere", "log-out"),
    ]
    if found.is_super_admin:
        actions.append(
            Action(ctx.t("tenancy.actions.revoke_super_admin"), f"{path}/revoke-super-admin", "shield")
        )
    else:
        actions.append(
            Action(ctx.t("tenancy.actions.grant_super_admin"), f"{path}/grant-super-admin", "shield")
        )
    if found.totp_confirmed_at:
        actions.append(Action(ctx.t("tenancy.actions.reset_two_step"), f"{path}/reset-two-step", "key"))
    if found.is_active:
        actions.append(Action(ctx.t("tenancy.actions.deactivate"), f"{path}/deactivate", "ban", "danger"))
    else:
        actions.append(Action(ctx.t("tenancy.actions.reactivate"), f"{path}/reactivate", "user-check"))
    return actions


def _person(ctx: PageContext) -> UUID:
    with acting_in(ctx.session, IdentityScope()):
        return user_service.get_user(ctx.session, public_id("usr", ctx.path["user_id"])).id


def _load_platforms(ctx: PageContext) -> Mapping[str, Any]:
    _person(ctx)
    return {}


def _add_platform(ctx: PageContext, values: Mapping[str, Any]) -> str:
    user_id = _person(ctx)
    user_service.grant_platform(ctx.session, user_id, _platform_id(values), page_parts.editor(ctx))
    return _url(ctx, user_id)


mount_form(
    router,
    FormSpec(
        "tenancy.admin.user_platform",
        "tenancy.user_platform",
        (Field("platform_id", "tenancy.fields.platform", "select", options=_platform_choices),),
        save=_add_platform,
        load=_load_platforms,
        back=lambda ctx: (_url(ctx, _person(ctx)), ctx.t("tenancy.pages.user")),
    ),
)


def _change(ctx: PageContext, public: str, act: Callable[[Session, UUID, Editor], object]) -> Response:
    user_id = public_id("usr", public)

    def change() -> None:
        with acting_in(ctx.session, IdentityScope()):
            act(ctx.session, user_id, page_parts.editor(ctx))

    return page_parts.attempt(ctx, change, "tenancy.users.changed", _url(ctx, user_id))


@router.action("/users/{user_id}/grant-super-admin", permission=_MANAGE)
def grant_super_admin(ctx: PageContext, user_id: str) -> Response:
    """Let somebody do everything."""
    return _change(ctx, user_id, user_service.grant_super_admin)


@router.action("/users/{user_id}/revoke-super-admin", permission=_MANAGE)
def revoke_super_admin(ctx: PageContext, user_id: str) -> Response:
    """Take that away, unless nobody would be left."""
    return _change(ctx, user_id, user_service.revoke_super_admin)


@router.action("/users/{user_id}/deactivate", permission=_MANAGE)
def deactivate(ctx: PageContext, user_id: str) -> Response:
    """Let somebody sign in no more."""
    return _change(ctx, user_id, user_service.deactivate)


@router.action("/users/{user_id}/reactivate", permission=_MANAGE)
def reactivate(ctx: PageContext, user_id: str) -> Response:
    """Let somebody sign in again."""
    return _change(ctx, user_id, user_service.reactivate)


@router.action("/users/{user_id}/reset-two-step", permission=_MANAGE)
def reset_two_step(ctx: PageContext, user_id: str) -> Response:
    """Switch the second step off for somebody who lost phone and recovery codes."""
    return _change(ctx, user_id, user_service.reset_two_step)


@router.action("/users/{user_id}/sign-out-everywhere", permission=_MANAGE)
def sign_out_everywhere(ctx: PageContext, user_id: str) -> Response:
    """End all sessions of somebody."""
    return _change(ctx, user_id, user_service.sign_out_everywhere)


@router.action("/users/{user_id}/leave-all-platforms", permission=_MANAGE)
def leave_all_platforms(ctx: PageContext, user_id: str) -> Response:
    """Let only the platforms count that somebody is on by name."""
    return _change(ctx, user_id, user_service.leave_all_platforms)


@router.action("/users/{user_id}/places/{membership_id}/remove", permission=_MANAGE)
def remove_place(ctx: PageContext, user_id: str, membership_id: str) -> Response:
    """Take somebody out of a platform, a company's owners or a team."""
    key = public_id("mbr", membership_id)
    return _change(
        ctx, user_id, lambda session, person, by: user_service.remove_place(session, person, key, by)
    )


@router.action("/invitations/{invitation_id}/resend", permission=_MANAGE)
def resend_invitation(ctx: PageContext, invitation_id: str) -> Response:
    """Mail a new link."""
    invitation_service.resend(ctx.session, public_id("inv", invitation_id))
    ctx.flash("success", "tenancy.invitations.resent")
    return ctx.redirect("tenancy.admin.invitations")


@router.action("/invitations/{invitation_id}/revoke", permission=_MANAGE)
def revoke_invitation(ctx: PageContext, invitation_id: str) -> Response:
    """Take an invitation back."""
    invitation_service.revoke(ctx.session, public_id("inv", invitation_id))
    ctx.flash("success", "tenancy.invitations.revoked")
    return ctx.redirect("tenancy.admin.invitations")

"""People, for super admins: who may sign in, where, and who is invited."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from fastapi import Response
from sqlalchemy.orm import Session

from app.core.database import IdentityScope, acting_in
from app.core.ids import from_public, to_public
from app.modules.pagekit.details import Action, Block, Detail, Fact, show_detail
from app.modules.pagekit.form_page import mount_form
from app.modules.pagekit.forms import Field, FormSpec
from app.modules.pagekit.list_page import mount_list
from app.modules.pagekit.lists import Column, Filter, Link, ListSpec
from app.modules.pages import PageContext
from app.modules.routing import AreaRouter, public_id
from app.modules.tenancy.models.user import Invitation, User
from app.modules.tenancy.services import (
    invitation_service,
    page_parts,
    platform_service,
    two_step_service,
    user_service,
)
from app.modules.tenancy.services.invitation_service import Target
from app.modules.tenancy.services.page_parts import Row

router = AreaRouter("admin")
_MANAGE = "tenancy.users.manage"
_TONES = {"active": "success", "deactivated": "neutral"}


def _url(ctx: PageContext, user_id: UUID) -> str:
    return ctx.url("tenancy.admin.user", user_id=to_public("usr", user_id))


def _platform_choices(ctx: PageContext) -> Sequence[tuple[str, str]]:
    return [(to_public("plt", one.id), one.name) for one in platform_service.list_platforms(ctx.session)]


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
    invitation_service.invite(
        ctx.session,
        values["email"],
        Target(platform_id=public_id("plt", values["platform_id"])),
        by=ctx.who.user_id,
        language=values["language"],
    )
    return ctx.url("tenancy.admin.invitations")


mount_form(
    router,
    FormSpec(
        "tenancy.admin.user_invite",
        "tenancy.invite",
        (
            Field("email", "tenancy.sign_in.email", "email"),
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
    ListSpec(
        page_id="tenancy.admin.invitations",
        texts="tenancy.invitations",
        select=lambda _session, _language: invitation_service.select_invitations(),
        key=Invitation.id,
        columns=(
            Column("email", "tenancy.sign_in.email", sort=Invitation.email_norm, is_wide=True),
            Column("place", "tenancy.fields.place"),
            Column(
                "state",
                "tenancy.fields.state",
                "badge",
                value=page_parts.invitation_state,
                text_prefix="tenancy.invitation_states",
                tones=page_parts.INVITATION_TONES,
            ),
            Column("created_at", "tenancy.fields.invited_at", "datetime", sort=Invitation.created_at),
            Column("expires_at", "tenancy.fields.expires_at", "datetime", sort=Invitation.expires_at),
        ),
        default_sort="-created_at",
        search=invitation_service.matching,
        filters=(page_parts.invitation_filter(),),
        bulk=page_parts.invitation_bulk(_MANAGE),
        actions=(Link("tenancy.actions.invite", "tenancy.admin.user_invite", _MANAGE, "user-plus"),),
        prefix="inv",
        icon="mail",
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
                page_parts.rows_block(ctx, "places", _place_rows(ctx, belongings, may_manage=may_manage)),
            ),
            actions=_actions(ctx, found)[:1] if may_manage else (),
            more=_actions(ctx, found)[1:] if may_manage else (),
            target=to_public("usr", found.id),
        ),
    )


def _place_rows(
    ctx: PageContext, belongings: Sequence[user_service.Belonging], *, may_manage: bool
) -> list[Row]:
    pages = {
        "platform": ("tenancy.admin.platform", "platform_id", "plt"),
        "company": ("tenancy.admin.company", "company_id", "cmp"),
        "vendor": ("tenancy.admin.vendor", "vendor_id", "vnd"),
    }
    rows = []
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
    actions = [Action(ctx.t("tenancy.actions.add_platform"), place, "plus", "primary", is_post=False)]
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
    user_id, platform_id = _person(ctx), from_public("plt", values["platform_id"])
    assert platform_id is not None
    user_service.grant_platform(ctx.session, user_id, platform_id)
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


def _change(ctx: PageContext, public: str, act: Callable[[Session, UUID], object]) -> Response:
    user_id = public_id("usr", public)

    def change() -> None:
        with acting_in(ctx.session, IdentityScope()):
            act(ctx.session, user_id)

    return page_parts.attempt(ctx, change, "tenancy.users.changed", _url(ctx, user_id))


@router.action("/users/{user_id}/grant-super-admin", permission="tenancy.users.manage")
def grant_super_admin(ctx: PageContext, user_id: str) -> Response:
    """Let somebody do everything."""
    return _change(ctx, user_id, user_service.grant_super_admin)


@router.action("/users/{user_id}/revoke-super-admin", permission="tenancy.users.manage")
def revoke_super_admin(ctx: PageContext, user_id: str) -> Response:
    """Take that away, unless nobody would be left."""
    return _change(ctx, user_id, user_service.revoke_super_admin)


@router.action("/users/{user_id}/deactivate", permission="tenancy.users.manage")
def deactivate(ctx: PageContext, user_id: str) -> Response:
    """Let somebody sign in no more."""
    by = ctx.who.user_id
    return _change(ctx, user_id, lambda session, key: user_service.deactivate(session, key, by=by))


@router.action("/users/{user_id}/reactivate", permission="tenancy.users.manage")
def reactivate(ctx: PageContext, user_id: str) -> Response:
    """Let somebody sign in again."""
    return _change(ctx, user_id, user_service.reactivate)


@router.action("/users/{user_id}/reset-two-step", permission="tenancy.users.manage")
def reset_two_step(ctx: PageContext, user_id: str) -> Response:
    """Switch the second step off for somebody who lost phone and recovery codes."""
    return _change(
        ctx,
        user_id,
        lambda session, key: two_step_service.switch_off(session, user_service.get_user(session, key)),
    )


@router.action("/users/{user_id}/places/{membership_id}/remove", permission="tenancy.users.manage")
def remove_place(ctx: PageContext, user_id: str, membership_id: str) -> Response:
    """Take somebody out of a platform, a company's owners or a team."""
    key = public_id("mbr", membership_id)
    return _change(ctx, user_id, lambda session, person: user_service.remove_place(session, person, key))


@router.action("/invitations/{invitation_id}/resend", permission="tenancy.users.manage")
def resend_invitation(ctx: PageContext, invitation_id: str) -> Response:
    """Mail a new link."""
    invitation_service.resend(ctx.session, public_id("inv", invitation_id))
    ctx.flash("success", "tenancy.invitations.resent")
    return ctx.redirect("tenancy.admin.invitations")


@router.action("/invitations/{invitation_id}/revoke", permission="tenancy.users.manage")
def revoke_invitation(ctx: PageContext, invitation_id: str) -> Response:
    """Take an invitation back."""
    invitation_service.revoke(ctx.session, public_id("inv", invitation_id))
    ctx.flash("success", "tenancy.invitations.revoked")
    return ctx.redirect("tenancy.admin.invitations")

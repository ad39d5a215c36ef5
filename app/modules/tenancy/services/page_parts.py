"""What several pages of tenancy share: the form that puts something on hold, and acts that may be refused."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from fastapi import Response
from sqlalchemy import Select
from sqlalchemy.orm import Session

from app.core import clock
from app.core.errors import ConflictError, NotFoundError
from app.core.i18n import LANGUAGES, language_name
from app.core.ids import to_public
from app.modules.pagekit.details import Action, Block
from app.modules.pagekit.forms import Field, FormSpec
from app.modules.pagekit.lists import BulkAction, BulkOutcome, Column, Filter, Link, ListSpec
from app.modules.pages import PageContext
from app.modules.tenancy.models.tenant import Company, Platform, Vendor
from app.modules.tenancy.models.user import Invitation, User
from app.modules.tenancy.services import invitation_service, operator_role_service
from app.modules.tenancy.services.role_service import Editor, PermissionGroup

STATE_TONES = {"active": "success", "held": "warning"}
INVITATION_TONES = {"waiting": "info", "accepted": "success", "revoked": "neutral", "expired": "warning"}


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a block: what it is called, where it leads, one remark, one badge (tone and text), buttons."""

    title: str
    url: str | None = None
    note: str | None = None
    badge: tuple[str, str] | None = None
    actions: Sequence[Action] = ()


def rows_block(ctx: PageContext, name: str, rows: Sequence[Row], *, order: int = 50) -> Block:
    """A block of rows, titled ``tenancy.blocks.<name>``; without rows it says ``tenancy.blocks.no_<name>``."""
    title = ctx.t(f"tenancy.blocks.{name}")
    context = {
        "rows": rows,
        "label": title,
        "empty": ctx.t(f"tenancy.blocks.no_{name}"),
        "has_badges": any(row.badge for row in rows),
        "has_actions": any(row.actions for row in rows),
    }
    return Block(name, title, template="tenancy/rows.html", context=context, order=order, is_flush=bool(rows))


def vendor_rows(ctx: PageContext, vendors: Sequence[Vendor]) -> list[Row]:
    """Vendors as rows of a block."""
    return [
        Row(
            one.name,
            ctx.url("tenancy.admin.vendor", vendor_id=to_public("vnd", one.id)),
            one.code,
            state_badge(ctx, is_active=one.is_active),
        )
        for one in vendors
    ]


def person_rows(
    ctx: PageContext, users: Sequence[User], notes: Mapping[UUID, str] | None = None
) -> list[Row]:
    """People as rows of a block; they lead to their pages where the reader may open these."""
    may_open = "tenancy.users.view" in ctx.who.permissions
    return [
        Row(
            user.name,
            ctx.url("tenancy.admin.user", user_id=to_public("usr", user.id)) if may_open else None,
            (notes or {}).get(user.id, user.email),
            active_badge(ctx, is_active=user.is_active),
        )
        for user in users
    ]


def invitation_rows(ctx: PageContext, waiting: Sequence[Invitation], *, may_manage: bool) -> list[Row]:
    """Invitations as rows of a block of the admin area."""
    rows = []
    for one in waiting:
        place = f"/admin/invitations/{to_public('inv', one.id)}"
        actions = (
            Action(ctx.t("tenancy.actions.resend"), f"{place}/resend", "send"),
            Action(ctx.t("tenancy.actions.revoke"), f"{place}/revoke", "x"),
        )
        state = invitation_state(one)
        badge = (INVITATION_TONES[state], ctx.t(f"tenancy.invitation_states.{state}"))
        rows.append(Row(one.email, None, None, badge, actions if may_manage else ()))
    return rows


def invitation_state(one: Any) -> str:
    """Accepted, revoked, expired or waiting; of an invitation or a row of a list of them."""
    if one.accepted_at:
        return "accepted"
    if one.revoked_at:
        return "revoked"
    return "expired" if one.expires_at <= clock.system_now() else "waiting"


def invitation_list(
    page_id: str,
    select: Callable[[Session, str], Select[Any]],
    place: Column,
    invite: Link,
    row: tuple[str | None, str] = (None, ""),
) -> ListSpec:
    """Invitations and what became of them; ``place``: what for, ``row``: page of one and the name of its id there."""
    return ListSpec(
        page_id=page_id,
        texts="tenancy.invitations",
        select=select,
        key=Invitation.id,
        columns=(
            Column("email", "tenancy.sign_in.email", sort=Invitation.email_norm, is_wide=True),
            place,
            Column(
                "state",
                "tenancy.fields.state",
                "badge",
                value=invitation_state,
                text_prefix="tenancy.invitation_states",
                tones=INVITATION_TONES,
            ),
            Column("created_at", "tenancy.fields.invited_at", "datetime", sort=Invitation.created_at),
            Column("expires_at", "tenancy.fields.expires_at", "datetime", sort=Invitation.expires_at),
        ),
        default_sort="-created_at",
        search=invitation_service.matching,
        filters=(
            Filter(
                "state",
                "tenancy.fields.state",
                invitation_service.in_state,
                options=[(name, f"tenancy.invitation_states.{name}") for name in INVITATION_TONES],
            ),
        ),
        bulk=_invitation_bulk(invite.permission),
        actions=(invite,),
        row_page=row[0],
        row_id=row[1],
        prefix="inv",
        icon="mail",
    )


def _invitation_bulk(permission: str) -> tuple[BulkAction, ...]:
    """Mail ticked invitations again, or take them back."""

    def each(act: Callable[[Session, UUID], object]) -> Callable[[Session, Sequence[UUID]], BulkOutcome]:
        def apply(session: Session, ids: Sequence[UUID]) -> BulkOutcome:
            failed = {}
            for key in ids:
                try:
                    act(session, key)
                except NotFoundError:
                    failed[key] = "tenancy.invitations.over"
            return BulkOutcome(len(ids) - len(failed), failed)

        return apply

    return (
        BulkAction("resend", "tenancy.actions.resend", permission, each(invitation_service.resend), "send"),
        BulkAction(
            "revoke",
            "tenancy.actions.revoke",
            permission,
            each(invitation_service.revoke),
            "x",
            in_read_only=True,
            is_danger=True,
        ),
    )


def editor(ctx: PageContext) -> Editor:
    """The reader, as somebody who gives or takes rights."""
    return Editor(ctx.who.user_id, ctx.who.permissions)


def permission_fields(ctx: PageContext, groups: Sequence[PermissionGroup]) -> list[Field]:
    """For each module the permissions that the reader may give away."""
    fields = []
    for group in groups:
        offered = [one for one in group.permissions if one.code in ctx.who.permissions]
        if offered:
            fields.append(
                Field(
                    f"of_{group.code}",
                    "tenancy.fields.permissions",
                    "checkboxes",
                    is_required=False,
                    options=[(one.code, one.label_key) for one in offered],
                    label=group.module,
                )
            )
    return fields


def shown_permissions(groups: Sequence[PermissionGroup], present: Collection[str]) -> dict[str, list[str]]:
    """What those fields show of a role's permissions."""
    return {
        f"of_{group.code}": [one.code for one in group.permissions if one.code in present] for group in groups
    }


def chosen_permissions(values: Mapping[str, Any]) -> list[str]:
    """What is ticked in those fields."""
    return [code for name, codes in values.items() if name.startswith("of_") for code in codes]


def operator_role_choices(ctx: PageContext) -> Sequence[tuple[str, str]]:
    """The operator's roles that the reader may give."""
    return [
        (to_public("orl", one.id), operator_role_service.name_of(one, ctx.language))
        for one in operator_role_service.list_assignable(ctx.session, editor(ctx))
    ]


def active_badge(ctx: PageContext, *, is_active: bool) -> tuple[str, str] | None:
    """Only what is unusual about a user is shown."""
    return None if is_active else ("neutral", ctx.t("tenancy.states.deactivated"))


def hold_form(
    page_id: str,
    suspend: Callable[[Session, UUID, str], None],
    record_id: Callable[[PageContext], UUID],
    back: Callable[[PageContext], tuple[str, str]],
) -> FormSpec:
    """Asks why, suspends, and goes back to the record."""

    def save(ctx: PageContext, values: Mapping[str, Any]) -> str:
        suspend(ctx.session, record_id(ctx), values["reason"])
        return back(ctx)[0]

    return FormSpec(
        page_id,
        "tenancy.hold",
        (Field("reason", "tenancy.fields.reason", "textarea", hint_key="tenancy.hold.hint", max_length=500),),
        save,
        back=back,
        is_danger=True,
    )


def hold_action(ctx: PageContext, url: str, *, is_active: bool) -> Action:
    """The button that puts a record on hold, or off it again; ``url`` is the record's page."""
    if is_active:
        return Action(ctx.t("tenancy.actions.hold"), f"{url}/hold", "circle-pause", is_post=False)
    return Action(ctx.t("tenancy.actions.release"), f"{url}/release", "circle-play")


def attempt(ctx: PageContext, act: Callable[[], object], done_key: str, url: str) -> Response:
    """Do it and say so, or say why not; back to ``url`` either way."""
    try:
        with ctx.session.begin_nested():
            act()
    except ConflictError as error:
        ctx.flash("danger", error.message_key, **error.params)
    else:
        ctx.flash("success", done_key)
    return ctx.redirect_to(url)


def state_column(model: type[Company] | type[Platform] | type[Vendor]) -> Column:
    """Active or on hold."""
    return Column(
        "is_active",
        "tenancy.fields.state",
        "badge",
        value=lambda row: "active" if row.is_active else "held",
        sort=model.is_active,
        text_prefix="tenancy.states",
        tones=STATE_TONES,
    )


def state_filter(model: type[Company] | type[Platform] | type[Vendor]) -> Filter:
    """Active or on hold."""
    return Filter(
        "state",
        "tenancy.fields.state",
        lambda values: model.is_active.in_([value == "active" for value in values]),
        options=(("active", "tenancy.states.active"), ("held", "tenancy.states.held")),
    )


def state_badge(ctx: PageContext, *, is_active: bool) -> tuple[str, str]:
    """Tone and text of a record's state."""
    name = "active" if is_active else "held"
    return STATE_TONES[name], ctx.t(f"tenancy.states.{name}")


def language_choices(_ctx: PageContext) -> Sequence[tuple[str, str]]:
    """The languages by their own names."""
    return [(code, language_name(code)) for code in LANGUAGES]

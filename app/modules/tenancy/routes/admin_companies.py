"""Companies, for the operator."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from fastapi import Response

from app.core.database import IdentityScope, acting_in
from app.core.ids import to_public
from app.modules.pagekit.details import Action, Block, Detail, Fact, show_detail
from app.modules.pagekit.form_page import mount_form
from app.modules.pagekit.forms import Field, FormSpec
from app.modules.pagekit.list_page import mount_list
from app.modules.pagekit.lists import Column, Link, ListSpec
from app.modules.pages import PageContext
from app.modules.routing import AreaRouter, public_id
from app.modules.tenancy.models.tenant import Company
from app.modules.tenancy.services import company_service, invitation_service, page_parts, user_service
from app.modules.tenancy.services.invitation_service import Target

router = AreaRouter("admin")
_MANAGE = "tenancy.companies.manage"


def _id(ctx: PageContext) -> UUID:
    return public_id("cmp", ctx.path["company_id"])


def _url(ctx: PageContext, company_id: UUID) -> str:
    return ctx.url("tenancy.admin.company", company_id=to_public("cmp", company_id))


def _back(ctx: PageContext) -> tuple[str, str]:
    company = company_service.get_company(ctx.session, _id(ctx))
    return _url(ctx, company.id), company.name


mount_list(
    router,
    ListSpec(
        page_id="tenancy.admin.companies",
        texts="tenancy.companies",
        select=lambda _session, _language: company_service.select_companies(),
        key=Company.id,
        columns=(
            Column("name", "tenancy.fields.name", sort=Company.name, is_wide=True),
            Column("contact_email", "tenancy.fields.contact_email", sort=Company.contact_email),
            Column("tax_number", "tenancy.fields.tax_number", "code", is_default=False),
            Column("vendors", "tenancy.pages.vendors", "number"),
            page_parts.state_column(Company),
            Column("created_at", "tenancy.fields.created_at", "date", sort=Company.created_at),
        ),
        default_sort="name",
        search=company_service.matching,
        filters=(page_parts.state_filter(Company),),
        actions=(Link("tenancy.companies.add", "tenancy.admin.company_new", _MANAGE, "plus"),),
        row_page="tenancy.admin.company",
        row_id="company_id",
        prefix="cmp",
        icon="building-2",
        is_in_palette=True,
    ),
)

_FIELDS = (
    Field("name", "tenancy.fields.name", autocomplete="organization"),
    Field("contact_email", "tenancy.fields.contact_email", "email"),
    Field("tax_number", "tenancy.fields.tax_number", is_required=False, max_length=40),
)


def _create(ctx: PageContext, values: Mapping[str, Any]) -> str:
    return _url(ctx, company_service.create_company(ctx.session, **values))


mount_form(
    router,
    FormSpec(
        "tenancy.admin.company_new",
        "tenancy.company_new",
        _FIELDS,
        save=_create,
        back=lambda ctx: (ctx.url("tenancy.admin.companies"), ctx.t("tenancy.pages.companies")),
    ),
)


@router.page("tenancy.admin.company")
def company(ctx: PageContext, company_id: str) -> Response:
    """One company: its vendors, owners and history."""
    found = company_service.get_company(ctx.session, public_id("cmp", company_id))
    facts = (
        Fact(ctx.t("tenancy.fields.contact_email"), found.contact_email),
        Fact(ctx.t("tenancy.fields.tax_number"), found.tax_number, "code"),
        Fact(ctx.t("tenancy.fields.created_at"), found.created_at, "datetime"),
    )
    vendors = company_service.list_vendors_of(ctx.session, found.id)
    with acting_in(ctx.session, IdentityScope()):
        owners = user_service.list_owners(ctx.session, found.id)
    waiting = invitation_service.list_waiting(ctx.session, company_id=found.id)
    may_manage = _MANAGE in ctx.who.permissions
    return show_detail(
        ctx,
        Detail(
            record_id=found.id,
            title=found.name,
            back=(ctx.url("tenancy.admin.companies"), ctx.t("tenancy.pages.companies")),
            badges=(page_parts.state_badge(ctx, is_active=found.is_active),),
            notice=_notice(ctx, found),
            blocks=(
                Block("facts", ctx.t("tenancy.blocks.facts"), facts),
                page_parts.rows_block(ctx, "vendors", page_parts.vendor_rows(ctx, vendors)),
                page_parts.rows_block(ctx, "owners", page_parts.person_rows(ctx, owners)),
                page_parts.rows_block(
                    ctx, "invitations", page_parts.invitation_rows(ctx, waiting, may_manage=may_manage)
                ),
            ),
            actions=_actions(ctx, found)[1:] if may_manage else (),
            more=_actions(ctx, found)[:1] if may_manage else (),
            target=to_public("cmp", found.id),
        ),
    )


def _notice(ctx: PageContext, found: Company) -> tuple[str, str] | None:
    if found.is_active:
        return None
    return "warning", ctx.t("tenancy.hold.notice", reason=found.suspended_reason or "")


def _actions(ctx: PageContext, found: Company) -> tuple[Action, ...]:
    place = {"company_id": to_public("cmp", found.id)}
    return (
        page_parts.hold_action(ctx, _url(ctx, found.id), is_active=found.is_active),
        Action(
            ctx.t("tenancy.actions.invite_owner"),
            ctx.url("tenancy.admin.company_owner", **place),
            "user-plus",
            is_post=False,
        ),
        Action(
            ctx.t("tenancy.actions.edit"),
            ctx.url("tenancy.admin.company_edit", **place),
            "pencil",
            "primary",
            is_post=False,
        ),
    )


def _load(ctx: PageContext) -> Mapping[str, Any]:
    found = company_service.get_company(ctx.session, _id(ctx))
    return {
        "name": found.name,
        "contact_email": found.contact_email,
        "tax_number": found.tax_number,
        "version": found.version,
    }


def _update(ctx: PageContext, values: Mapping[str, Any]) -> str:
    company_service.update_company(ctx.session, _id(ctx), **values)
    return _url(ctx, _id(ctx))


mount_form(
    router,
    FormSpec("tenancy.admin.company_edit", "tenancy.edit", _FIELDS, save=_update, load=_load, back=_back),
)


mount_form(
    router, page_parts.hold_form("tenancy.admin.company_hold", company_service.suspend_company, _id, _back)
)


@router.action("/companies/{company_id}/release", permission="tenancy.companies.manage")
def release_company(ctx: PageContext, company_id: str) -> Response:
    """Take a company off hold."""
    key = public_id("cmp", company_id)
    company_service.reactivate_company(ctx.session, key)
    ctx.flash("success", "tenancy.hold.released")
    return ctx.redirect_to(_url(ctx, key))


def _invite(ctx: PageContext, values: Mapping[str, Any]) -> str:
    found = company_service.get_company(ctx.session, _id(ctx))
    invitation_service.invite(
        ctx.session,
        values["email"],
        Target(company_id=found.id),
        by=ctx.who.user_id,
        language=values["language"],
    )
    return _url(ctx, found.id)


mount_form(
    router,
    FormSpec(
        "tenancy.admin.company_owner",
        "tenancy.invite",
        (
            Field("email", "tenancy.sign_in.email", "email"),
            Field("language", "tenancy.fields.mail_language", "select", options=page_parts.language_choices),
        ),
        save=_invite,
        load=lambda ctx: {"language": ctx.language},
        back=_back,
    ),
)

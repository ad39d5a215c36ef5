"""Vendors, for the operator: their companies, platforms, domains, users and work; and acting as them."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from fastapi import Response

from app.core.i18n import format_datetime
from app.core.ids import from_public, to_public
from app.modules.menu import find_page
from app.modules.pagekit.details import Action, Block, Detail, Fact, show_detail
from app.modules.pagekit.form_page import mount_form
from app.modules.pagekit.forms import Field, FormSpec
from app.modules.pagekit.list_page import mount_list
from app.modules.pagekit.lists import Column, Filter, Link, ListSpec
from app.modules.pages import PageContext
from app.modules.principal import VendorRef
from app.modules.routing import AreaRouter, public_id
from app.modules.tenancy.exceptions import NobodyToActAsError
from app.modules.tenancy.models.tenant import Company, Vendor
from app.modules.tenancy.services import (
    company_service,
    domain_service,
    impersonation_service,
    page_parts,
    platform_service,
    team_service,
    vendor_service,
)
from app.modules.tenancy.services.page_parts import Row

router = AreaRouter("admin")
_MANAGE = "tenancy.vendors.manage"
_DOMAIN_TONES = {"verified": "success", "failed": "danger", "waiting": "neutral"}


def _id(ctx: PageContext) -> UUID:
    return public_id("vnd", ctx.path["vendor_id"])


def _url(ctx: PageContext, vendor_id: UUID) -> str:
    return ctx.url("tenancy.admin.vendor", vendor_id=to_public("vnd", vendor_id))


def _back(ctx: PageContext) -> tuple[str, str]:
    found = vendor_service.get_vendor_record(ctx.session, _id(ctx))
    return _url(ctx, found.id), found.name


def _platform_choices(ctx: PageContext) -> Sequence[tuple[str, str]]:
    return [(to_public("plt", one.id), one.name) for one in platform_service.list_platforms(ctx.session)]


def _platform_ids(chosen: Sequence[str]) -> list[UUID]:
    return [key for text in chosen if (key := from_public("plt", text)) is not None]


def _company_choices(ctx: PageContext) -> Sequence[tuple[str, ...]]:
    return [(to_public("cmp", one.id), one.name) for one in company_service.list_companies(ctx.session)]


mount_list(
    router,
    ListSpec(
        page_id="tenancy.admin.vendors",
        texts="tenancy.vendors",
        select=lambda _session, _language: vendor_service.select_vendors(),
        key=Vendor.id,
        columns=(
            Column("name", "tenancy.fields.name", sort=Vendor.name, is_wide=True),
            Column("code", "tenancy.fields.code", "code", sort=Vendor.code),
            Column("company", "tenancy.fields.company", sort=Company.name),
            Column("platforms", "tenancy.pages.platforms", "tags"),
            Column(
                "default_language",
                "tenancy.fields.language",
                text_prefix="tenancy.languages",
                sort=Vendor.default_language,
                is_default=False,
            ),
            page_parts.state_column(Vendor),
            Column("created_at", "tenancy.fields.created_at", "date", sort=Vendor.created_at),
        ),
        default_sort="name",
        search=vendor_service.matching,
        filters=(
            page_parts.state_filter(Vendor),
            Filter(
                "platform",
                "tenancy.fields.platform",
                lambda values: vendor_service.is_on(_platform_ids(values)),
                options=_platform_choices,
            ),
            Filter(
                "language",
                "tenancy.fields.language",
                lambda values: Vendor.default_language.in_(values),
                options=page_parts.language_choices,
            ),
        ),
        actions=(Link("tenancy.vendors.add", "tenancy.admin.vendor_new", _MANAGE, "plus"),),
        row_page="tenancy.admin.vendor",
        row_id="vendor_id",
        prefix="vnd",
        icon="store",
        is_in_palette=True,
    ),
)

_LANGUAGES = page_parts.language_choices
_PLATFORMS = Field("platform_ids", "tenancy.pages.platforms", "checkboxes", options=_platform_choices)


def _create(ctx: PageContext, values: Mapping[str, Any]) -> str:
    found = company_service.get_company(ctx.session, public_id("cmp", values["company_id"]))
    vendor_id = vendor_service.create_vendor(
        ctx.session,
        company_id=found.id,
        platform_ids=_platform_ids(values["platform_ids"]),
        code=values["code"],
        name=values["name"],
        language=values["language"],
    )
    return _url(ctx, vendor_id)


mount_form(
    router,
    FormSpec(
        "tenancy.admin.vendor_new",
        "tenancy.vendor_new",
        (
            Field("company_id", "tenancy.fields.company", "select", options=_company_choices),
            Field("name", "tenancy.fields.name"),
            Field("code", "tenancy.fields.code", hint_key="tenancy.vendors.code_hint", max_length=32),
            Field("language", "tenancy.fields.language", "select", options=_LANGUAGES),
            _PLATFORMS,
        ),
        save=_create,
        load=lambda ctx: {"company_id": ctx.request.query_params.get("company", "")},
        back=lambda ctx: (ctx.url("tenancy.admin.vendors"), ctx.t("tenancy.pages.vendors")),
    ),
)


@router.page("tenancy.admin.vendor")
def vendor(ctx: PageContext, vendor_id: str) -> Response:
    """One vendor, whole."""
    found = vendor_service.get_vendor_record(ctx.session, public_id("vnd", vendor_id))
    company = company_service.get_company(ctx.session, found.company_id)
    notice = None
    if not found.is_active:
        notice = ("warning", ctx.t("tenancy.hold.notice", reason=found.suspended_reason or ""))
    return show_detail(
        ctx,
        Detail(
            record_id=found.id,
            title=found.name,
            back=(ctx.url("tenancy.admin.vendors"), ctx.t("tenancy.pages.vendors")),
            badges=(page_parts.state_badge(ctx, is_active=found.is_active and company.is_active),),
            notice=notice,
            blocks=(
                Block("facts", ctx.t("tenancy.blocks.facts"), _facts(ctx, found, company), order=10),
                page_parts.rows_block(ctx, "domains", _domain_rows(ctx, found.id), order=20),
                page_parts.rows_block(ctx, "users", _user_rows(ctx, found), order=30),
                page_parts.rows_block(ctx, "jobs", _job_rows(ctx, found.id), order=40),
            ),
            actions=_actions(ctx, found),
            more=_more(ctx, found),
            target=to_public("vnd", found.id),
        ),
    )


def _facts(ctx: PageContext, found: Vendor, company: Company) -> tuple[Fact, ...]:
    present = vendor_service.list_platform_ids(ctx.session, found.id)
    platforms = [one.name for one in platform_service.list_platforms(ctx.session) if one.id in present]
    names = dict(page_parts.language_choices(ctx))
    return (
        Fact(ctx.t("tenancy.fields.code"), found.code, "code"),
        Fact(
            ctx.t("tenancy.fields.company"),
            company.name,
            url=ctx.url("tenancy.admin.company", company_id=to_public("cmp", company.id)),
        ),
        Fact(ctx.t("tenancy.pages.platforms"), ", ".join(platforms)),
        Fact(ctx.t("tenancy.fields.language"), names[found.default_language]),
        Fact(ctx.t("tenancy.fields.dashboard_language"), names[found.dashboard_language]),
        Fact(ctx.t("tenancy.fields.created_at"), found.created_at, "datetime"),
    )


def _domain_rows(ctx: PageContext, vendor_id: UUID) -> list[Row]:
    rows = []
    for one in domain_service.list_domains(ctx.session, vendor_id):
        state = domain_service.state_of(one)
        badge = (_DOMAIN_TONES[state], ctx.t(f"tenancy.domain_states.{state}"))
        url = ctx.url("tenancy.admin.domain", domain_id=to_public("dom", one.id))
        rows.append(Row(one.host, url, None, badge))
    return rows


def _user_rows(ctx: PageContext, found: Vendor) -> list[Row]:
    place = VendorRef(found.id, found.code, found.name, found.company_id)
    may_open = "tenancy.users.view" in ctx.who.permissions
    return [
        Row(
            one.name,
            ctx.url("tenancy.admin.user", user_id=to_public("usr", one.user_id)) if may_open else None,
            f"{one.email} · {one.role or ctx.t('tenancy.team.owner')}",
            page_parts.active_badge(ctx, is_active=one.is_active),
        )
        for one in team_service.list_members(ctx.session, place)
    ]


def _job_rows(ctx: PageContext, vendor_id: UUID) -> list[Row]:
    page = find_page("admin", "job")
    return [
        Row(
            one.task.rpartition(".")[2],
            ctx.url(page.id, job_id=to_public("job", one.id)) if page else None,
            format_datetime(ctx.language, one.created_at, ctx.who.time_zone or "Europe/Luxembourg"),
            (one.state, ctx.t(f"ui.state.{one.state}")),
        )
        for one in vendor_service.list_jobs(ctx.session, vendor_id)
    ]


def _actions(ctx: PageContext, found: Vendor) -> list[Action]:
    actions = []
    if "tenancy.vendors.impersonate" in ctx.who.permissions:
        path = f"{_url(ctx, found.id)}/act-as"
        actions.append(Action(ctx.t("tenancy.actions.act_as"), path, "user-check"))
    if _MANAGE in ctx.who.permissions:
        url = ctx.url("tenancy.admin.vendor_edit", vendor_id=to_public("vnd", found.id))
        actions.append(Action(ctx.t("tenancy.actions.edit"), url, "pencil", "primary", is_post=False))
    return actions


def _more(ctx: PageContext, found: Vendor) -> list[Action]:
    actions = []
    if "tenancy.admin_domains.manage" in ctx.who.permissions:
        url = ctx.url("tenancy.admin.vendor_domain", vendor_id=to_public("vnd", found.id))
        actions.append(Action(ctx.t("tenancy.actions.add_domain"), url, "globe", is_post=False))
    if _MANAGE in ctx.who.permissions:
        actions.append(page_parts.hold_action(ctx, _url(ctx, found.id), is_active=found.is_active))
    return actions


def _load(ctx: PageContext) -> Mapping[str, Any]:
    found = vendor_service.get_vendor_record(ctx.session, _id(ctx))
    present = vendor_service.list_platform_ids(ctx.session, found.id)
    return {
        "name": found.name,
        "default_language": found.default_language,
        "dashboard_language": found.dashboard_language,
        "platform_ids": [to_public("plt", key) for key in present],
        "version": found.version,
    }


def _update(ctx: PageContext, values: Mapping[str, Any]) -> str:
    own = {name: value for name, value in values.items() if name != "platform_ids"}
    vendor_service.update_vendor(ctx.session, _id(ctx), **own)
    vendor_service.set_platforms(ctx.session, _id(ctx), _platform_ids(values["platform_ids"]))
    return _url(ctx, _id(ctx))


mount_form(
    router,
    FormSpec(
        "tenancy.admin.vendor_edit",
        "tenancy.edit",
        (
            Field("name", "tenancy.fields.name"),
            Field("default_language", "tenancy.fields.language", "select", options=_LANGUAGES),
            Field("dashboard_language", "tenancy.fields.dashboard_language", "select", options=_LANGUAGES),
            _PLATFORMS,
        ),
        save=_update,
        load=_load,
        back=_back,
    ),
)


mount_form(
    router, page_parts.hold_form("tenancy.admin.vendor_hold", vendor_service.suspend_vendor, _id, _back)
)


def _add_domain(ctx: PageContext, values: Mapping[str, Any]) -> str:
    domain_id = domain_service.add_domain(ctx.session, _id(ctx), values["host"])
    return ctx.url("tenancy.admin.domain", domain_id=to_public("dom", domain_id))


mount_form(
    router,
    FormSpec(
        "tenancy.admin.vendor_domain",
        "tenancy.domain_new",
        (Field("host", "tenancy.fields.host", hint_key="tenancy.domains.host_hint", max_length=260),),
        save=_add_domain,
        back=_back,
    ),
)


@router.action("/vendors/{vendor_id}/release", permission="tenancy.vendors.manage")
def release_vendor(ctx: PageContext, vendor_id: str) -> Response:
    """Take a vendor off hold."""
    key = public_id("vnd", vendor_id)
    vendor_service.reactivate_vendor(ctx.session, key)
    ctx.flash("success", "tenancy.hold.released")
    return ctx.redirect_to(_url(ctx, key))


@router.action("/vendors/{vendor_id}/act-as", permission="tenancy.vendors.impersonate")
def act_as(ctx: PageContext, vendor_id: str) -> Response:
    """Go to the vendor's pages as its first owner; the link in between works once, for a minute."""
    key = public_id("vnd", vendor_id)
    try:
        token = impersonation_service.make_link(ctx.session, key, ctx.who.user_id)
    except NobodyToActAsError as error:
        ctx.flash("warning", error.message_key)
        return ctx.redirect_to(_url(ctx, key))
    return ctx.redirect("tenancy.public.act_as", token=token)

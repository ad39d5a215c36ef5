"""Hosts of vendors, for the operator."""

from fastapi import Response

from app.core.ids import to_public
from app.modules.pagekit.details import Action, Block, Detail, Fact, show_detail
from app.modules.pagekit.list_page import mount_list
from app.modules.pagekit.lists import Column, Filter, ListSpec
from app.modules.pages import PageContext
from app.modules.routing import AreaRouter, public_id
from app.modules.tenancy.models.tenant import Domain, Vendor
from app.modules.tenancy.services import domain_service, vendor_service

router = AreaRouter("admin")
_TONES = {"verified": "success", "failed": "danger", "waiting": "neutral"}

mount_list(
    router,
    ListSpec(
        page_id="tenancy.admin.domains",
        texts="tenancy.domains",
        select=lambda _session, _language: domain_service.select_domains(),
        key=Domain.id,
        columns=(
            Column("host", "tenancy.fields.host", sort=Domain.host, is_wide=True),
            Column("vendor", "tenancy.fields.vendor", sort=Vendor.name),
            Column(
                "state",
                "tenancy.fields.state",
                "badge",
                value=domain_service.state_of,
                text_prefix="tenancy.domain_states",
                tones=_TONES,
            ),
            Column("checked_at", "tenancy.fields.checked_at", "datetime", sort=Domain.checked_at),
            Column(
                "created_at", "tenancy.fields.created_at", "date", sort=Domain.created_at, is_default=False
            ),
        ),
        default_sort="host",
        search=domain_service.matching,
        filters=(
            Filter(
                "verified",
                "tenancy.domain_states.verified",
                lambda values: (
                    Domain.verified_at.is_not(None) if "yes" in values else Domain.verified_at.is_(None)
                ),
                options=(("yes", "ui.yes"), ("no", "ui.no")),
            ),
        ),
        row_page="tenancy.admin.domain",
        row_id="domain_id",
        prefix="dom",
        icon="globe",
    ),
)


@router.page("tenancy.admin.domain")
def domain(ctx: PageContext, domain_id: str) -> Response:
    """One host: what it has to show, and what the last look at it brought."""
    found = domain_service.get_domain(ctx.session, public_id("dom", domain_id))
    vendor = vendor_service.get_vendor_record(ctx.session, found.vendor_id)
    state = domain_service.state_of(found)
    facts = (
        Fact(
            ctx.t("tenancy.fields.vendor"),
            vendor.name,
            url=ctx.url("tenancy.admin.vendor", vendor_id=to_public("vnd", vendor.id)),
        ),
        Fact(ctx.t("tenancy.fields.verified_at"), found.verified_at, "datetime"),
        Fact(ctx.t("tenancy.fields.checked_at"), found.checked_at, "datetime"),
    )
    proof = (
        Fact(ctx.t("tenancy.domains.proof_url"), domain_service.proof_url(found), "code"),
        Fact(ctx.t("tenancy.domains.proof_text"), found.token, "code"),
    )
    notice = None
    if found.failure:
        notice = ("danger", ctx.t(f"tenancy.domain_failures.{domain_service.failure_group(found.failure)}"))
    path = ctx.request.url.path
    actions = (
        Action(
            ctx.t("tenancy.actions.remove"),
            f"{path}/remove",
            "trash-2",
            "danger",
            confirm=ctx.t("tenancy.domains.remove_sure"),
        ),
        Action(ctx.t("tenancy.actions.check"), f"{path}/check", "refresh-cw", "primary"),
    )
    return show_detail(
        ctx,
        Detail(
            record_id=found.id,
            title=found.host,
            back=(ctx.url("tenancy.admin.domains"), ctx.t("tenancy.pages.domains")),
            badges=((_TONES[state], ctx.t(f"tenancy.domain_states.{state}")),),
            notice=notice,
            blocks=(
                Block("facts", ctx.t("tenancy.blocks.facts"), facts),
                Block(
                    "proof", ctx.t("tenancy.domains.proof"), proof, text=ctx.t("tenancy.domains.proof_how")
                ),
            ),
            actions=actions if "tenancy.domains.manage" in ctx.who.permissions else (),
            target=to_public("dom", found.id),
        ),
    )


@router.action("/domains/{domain_id}/check", permission="tenancy.domains.manage")
def check_domain(ctx: PageContext, domain_id: str) -> Response:
    """Ask the host, in a job."""
    domain_service.start_check(ctx.session, public_id("dom", domain_id))
    ctx.flash("info", "tenancy.domains.checking")
    return ctx.redirect("tenancy.admin.domain", domain_id=domain_id)


@router.action("/domains/{domain_id}/remove", permission="tenancy.domains.manage")
def remove_domain(ctx: PageContext, domain_id: str) -> Response:
    """Let go of a host."""
    domain_service.remove_domain(ctx.session, public_id("dom", domain_id))
    ctx.flash("success", "tenancy.domains.removed")
    return ctx.redirect("tenancy.admin.domains")

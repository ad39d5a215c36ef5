"""Hosts of vendors: all of them for the operator, their own for vendors; and what proves one."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from fastapi import Response

from app.core.ids import to_public
from app.modules.base import Area
from app.modules.pagekit.details import Action, Block, Detail, Fact, show_detail
from app.modules.pagekit.form_page import mount_form
from app.modules.pagekit.forms import Field, FormSpec
from app.modules.pagekit.list_page import mount_list
from app.modules.pagekit.lists import Column, Filter, Link, ListSpec
from app.modules.pages import PageContext
from app.modules.routing import AreaRouter, public_id
from app.modules.tenancy.models.tenant import Domain, Vendor
from app.modules.tenancy.services import domain_service, vendor_service

router = AreaRouter("admin", "vendor")
_MANAGE = "tenancy.{area}_domains.manage"
_TONES = {"verified": "success", "failed": "danger", "waiting": "neutral"}
HOST_FIELD = Field("host", "tenancy.fields.host", hint_key="tenancy.domains.host_hint", max_length=260)


def _list(area: Area) -> ListSpec:
    """The hosts that the reader may see, with their vendors for the operator."""
    vendor = Column("vendor", "tenancy.fields.vendor", sort=Vendor.name)
    add = Link("tenancy.actions.add_domain", "tenancy.vendor.domain_new", _MANAGE.format(area=area), "plus")
    return ListSpec(
        page_id=f"tenancy.{area}.domains",
        texts="tenancy.domains" if area == "admin" else "tenancy.own_domains",
        select=lambda _session, _language: domain_service.select_domains(),
        key=Domain.id,
        columns=(
            Column("host", "tenancy.fields.host", sort=Domain.host, is_wide=True),
            *((vendor,) if area == "admin" else ()),
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
        actions=(add,) if area == "vendor" else (),
        row_page=f"tenancy.{area}.domain",
        row_id="domain_id",
        prefix="dom",
        icon="globe",
        has_intro=area == "vendor",
    )


mount_list(router, _list)


def _add(ctx: PageContext, values: Mapping[str, Any]) -> str:
    domain_id = domain_service.add_domain(ctx.session, ctx.vendor.id, values["host"])
    return ctx.url("tenancy.vendor.domain", domain_id=to_public("dom", domain_id))


mount_form(
    router.within("vendor"),
    FormSpec(
        "tenancy.vendor.domain_new",
        "tenancy.domain_new",
        (HOST_FIELD,),
        save=_add,
        back=lambda ctx: (ctx.url("tenancy.vendor.domains"), ctx.t("tenancy.pages.domains")),
    ),
)


@router.page("tenancy.{area}.domain")
def domain(ctx: PageContext, domain_id: str) -> Response:
    """One host: what proves it, and what the last look at it brought."""
    found = domain_service.get_domain(ctx.session, public_id("dom", domain_id))
    state = domain_service.state_of(found)
    badges = [(_TONES[state], ctx.t(f"tenancy.domain_states.{state}"))]
    notice = None
    if found.failure:
        notice = ("danger", ctx.t(f"tenancy.domain_failures.{domain_service.failure_group(found.failure)}"))
    return show_detail(
        ctx,
        Detail(
            record_id=found.id,
            title=found.host,
            back=(ctx.url(f"tenancy.{ctx.area}.domains"), ctx.t("tenancy.pages.domains")),
            badges=badges,
            notice=notice,
            blocks=_blocks(ctx, found),
            actions=_actions(ctx, found) if _MANAGE.format(area=ctx.area) in ctx.who.permissions else (),
            target=to_public("dom", found.id),
        ),
    )


def _blocks(ctx: PageContext, found: Domain) -> list[Block]:
    facts = [
        Fact(ctx.t("tenancy.fields.verified_at"), found.verified_at, "datetime"),
        Fact(ctx.t("tenancy.fields.checked_at"), found.checked_at, "datetime"),
    ]
    if ctx.area == "admin":
        vendor = vendor_service.get_vendor_record(ctx.session, found.vendor_id)
        url = ctx.url("tenancy.admin.vendor", vendor_id=to_public("vnd", vendor.id))
        facts.insert(0, Fact(ctx.t("tenancy.fields.vendor"), vendor.name, url=url))
    record = [
        ("record-name", ctx.t("tenancy.domains.record_name"), domain_service.record_name(found)),
        ("record-text", ctx.t("tenancy.domains.record_text"), domain_service.record_text(found)),
    ]
    file = [
        ("proof-url", ctx.t("tenancy.domains.proof_url"), domain_service.proof_url(found)),
        ("proof-text", ctx.t("tenancy.domains.proof_text"), found.token),
    ]
    return [
        Block("facts", ctx.t("tenancy.blocks.facts"), facts),
        _proof(ctx, "record", record),
        _proof(ctx, "file", file),
    ]


def _proof(ctx: PageContext, name: str, copies: list[tuple[str, str, str]]) -> Block:
    title, text = ctx.t(f"tenancy.domains.by_{name}"), ctx.t(f"tenancy.domains.by_{name}_how")
    return Block(name, title, template="tenancy/copies.html", context={"copies": copies}, text=text)


def _actions(ctx: PageContext, found: Domain) -> list[Action]:
    path = ctx.url(f"tenancy.{ctx.area}.domain", domain_id=to_public("dom", found.id))
    sure = ctx.t("tenancy.domains.remove_sure")
    remove = Action(ctx.t("tenancy.actions.remove"), f"{path}/remove", "trash-2", "danger", confirm=sure)
    check = Action(ctx.t("tenancy.actions.check"), f"{path}/check", "refresh-cw")
    return [remove, replace(check, variant="primary") if found.verified_at is None else check]


@router.action("/domains/{domain_id}/check", permission=_MANAGE)
def check_domain(ctx: PageContext, domain_id: str) -> Response:
    """Look for the proof, in a job."""
    domain_service.start_check(ctx.session, public_id("dom", domain_id))
    ctx.flash("info", "tenancy.domains.checking")
    return ctx.redirect(f"tenancy.{ctx.area}.domain", domain_id=domain_id)


@router.action("/domains/{domain_id}/remove", permission=_MANAGE, in_read_only=True)
def remove_domain(ctx: PageContext, domain_id: str) -> Response:
    """Let go of a host."""
    domain_service.remove_domain(ctx.session, public_id("dom", domain_id))
    ctx.flash("success", "tenancy.domains.removed")
    return ctx.redirect(f"tenancy.{ctx.area}.domains")

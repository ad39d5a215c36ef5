"""The directory of marketplaces' shops, for the operator: list, sync, one shop with who of ours it may be."""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Annotated, Any
from uuid import UUID

from fastapi import Form, Response
from sqlalchemy import Row, or_
from sqlalchemy.orm import Session

from app.core.ids import to_public
from app.modules.marketplace.models.directory_shop import ListedShop
from app.modules.marketplace.services import (
    directory_invite_service,
    directory_match_service,
    directory_service,
)
from app.modules.marketplace.services.directory_service import CONDITIONS, SHOP_PREFIX
from app.modules.pagekit.details import Action, Block, Detail, Fact, show_detail
from app.modules.pagekit.job_view import ACTIVE, JobView
from app.modules.pagekit.list_page import mount_list
from app.modules.pagekit.lists import Column, Filter, Link, ListSpec, View
from app.modules.pages import PageContext
from app.modules.routing import AreaRouter, public_id
from app.modules.tenancy.facade import find_vendor, list_known_vendors

router = AreaRouter("admin")

_MANAGE, _VIEW = "marketplace.directory.manage", "marketplace.directory.view"
_VENDOR_PREFIX = "vnd"
_TONES = {"there": "success", "new": "info", "changed": "info", "gone": "neutral", "closed": "warning"}
_F = "marketplace.directory_fields"


def _state(row: Any) -> str:
    return "gone" if row.gone_at else "there" if row.is_open else "closed"


def _named(session: Session, rows: Sequence[Row[Any]]) -> Sequence[Any]:
    """With the name of the vendor that each shop is, says to be, or may be."""
    known = list_known_vendors(session)
    names = {one.id: one.name for one in known}
    found = []
    for row in rows:
        word = "ours" if row.vendor_id else "claimed" if row.claimed_by else ""
        vendor = names.get(row.vendor_id or row.claimed_by, "")
        found.append(SimpleNamespace(**row._mapping, vendor_name=vendor, relation=word))
    return found


mount_list(
    router,
    ListSpec(
        page_id="marketplace.admin.directory",
        texts="marketplace.directory",
        select=lambda _session, _language: directory_service.select_shops(),
        key=ListedShop.id,
        columns=(
            Column("name", f"{_F}.name", sort=ListedShop.name, is_wide=True),
            Column("city", f"{_F}.city", sort=ListedShop.city),
            Column(
                "state", f"{_F}.state", "badge", _state, text_prefix="marketplace.shop_states", tones=_TONES
            ),
            Column("vendor_name", f"{_F}.vendor"),
            Column(
                "relation",
                f"{_F}.relation",
                "badge",
                value=lambda row: row.relation or None,
                text_prefix="marketplace.shop_relations",
                tones={"ours": "success", "claimed": "warning"},
            ),
            Column("seen_at", f"{_F}.seen_at", "datetime", sort=ListedShop.seen_at),
            Column("changed_at", f"{_F}.changed_at", "datetime", is_default=False),
            Column("connector", f"{_F}.marketplace", is_default=False),
            Column("homepage", f"{_F}.homepage", is_default=False),
            Column("email", f"{_F}.email", is_default=False),
            Column("slug", f"{_F}.slug", "code", is_default=False),
        ),
        default_sort="name",
        search=directory_service.matching,
        filters=(
            Filter(
                "show",
                f"{_F}.show",
                lambda values: or_(*(CONDITIONS[value] for value in values)),
                options=[(name, f"marketplace.shop_shows.{name}") for name in CONDITIONS],
            ),
        ),
        views=tuple(
            View(name, f"marketplace.shop_shows.{name}", f"show={name}")
            for name in ("new", "changed", "gone", "ours", "claimed")
        ),
        actions=(
            Link("marketplace.directory_sync.title", "marketplace.admin.directory_sync", _VIEW, "refresh-cw"),
        ),
        row_page="marketplace.admin.directory_shop",
        row_id="shop_id",
        prefix=SHOP_PREFIX,
        icon="map-pin",
        has_intro=True,
        enrich=_named,
    ),
)


@router.page("marketplace.admin.directory_sync")
def directory_sync(ctx: PageContext) -> Response:
    """The latest syncs with what they found, and a button for each directory there is."""
    jobs = directory_service.last_syncs(ctx.session)
    running = [one for one in jobs if one.state in ACTIVE]
    return ctx.render(
        "marketplace/admin/directory_sync.html",
        jobs=[(one, one.result if isinstance(one.result, dict) else {}) for one in jobs],
        view=JobView.of(running[0], ctx.t("marketplace.directory_sync.reading")) if running else None,
        counts=list(directory_service.states(ctx.session)),
        directories=directory_service.directories(),
        can_sync=_MANAGE in ctx.who.permissions,
    )


@router.action("/marketplace/directory/sync", permission=_MANAGE)
def start_sync(ctx: PageContext, connector: Annotated[str, Form()] = "") -> Response:
    """Have a directory read now."""
    directory_service.start_sync(ctx.session, connector, user_id=ctx.who.user_id)
    return ctx.redirect("marketplace.admin.directory_sync")


@router.page("marketplace.admin.directory_shop")
def directory_shop(ctx: PageContext, shop_id: str) -> Response:
    """One shop."""
    row = directory_service.get_shop(ctx.session, public_id(SHOP_PREFIX, shop_id))
    state = _state(row)
    return show_detail(
        ctx,
        Detail(
            row.id,
            row.name,
            [*_matches(ctx, row, shop_id), *_changes(ctx, row), _facts(ctx, row)],
            subtitle=row.company_name,
            back=(ctx.url("marketplace.admin.directory"), ctx.t("marketplace.directory.title")),
            badges=[(_TONES[state], ctx.t(f"marketplace.shop_states.{state}"))],
            actions=_actions(ctx, row, shop_id),
            target=shop_id,
        ),
    )


def _actions(ctx: PageContext, row: ListedShop, shop_id: str) -> list[Action]:
    if _MANAGE not in ctx.who.permissions or row.vendor_id:
        return []
    here = ctx.url("marketplace.admin.directory_shop", shop_id=shop_id)
    if row.email is None or row.gone_at or row.claimed_by:
        return []
    sure = ctx.t("marketplace.directory_shop.invite_sure", email=row.email)
    text = ctx.t(
        "marketplace.directory_shop.invite_again" if row.invited_at else "marketplace.directory_shop.invite"
    )
    return [Action(text, f"{here}/invite", "mail", "primary", confirm=sure)]


def _matches(ctx: PageContext, row: ListedShop, shop_id: str) -> list[Block]:
    here = ctx.url("marketplace.admin.directory_shop", shop_id=shop_id)
    vendor_id = row.vendor_id or row.claimed_by
    vendor = find_vendor(vendor_id=vendor_id) if vendor_id else None
    context = {
        "vendor": vendor,
        "is_claim": row.vendor_id is None,
        "claim_note": row.claim_note or "none",
        "suggestions": [
            (one, to_public(_VENDOR_PREFIX, one.vendor.id))
            for one in (() if row.vendor_id else directory_match_service.suggest(ctx.session, row))
        ],
        "vendor_key": to_public(_VENDOR_PREFIX, vendor.id) if vendor else "",
        "hub_url": ctx.url("marketplace.admin.hub") + (f"?vendor={vendor.code}" if vendor else ""),
        "here": here,
        "can_manage": _MANAGE in ctx.who.permissions,
    }
    title = ctx.t("marketplace.directory_shop.matches")
    return [
        Block("matches", title, template="marketplace/admin/shop_matches.html", context=context, order=10)
    ]


def _changes(ctx: PageContext, row: ListedShop) -> list[Block]:
    if not row.changes:
        return []
    facts = [
        Fact(ctx.t(f"{_F}.{name}"), f"{_said(ctx, before)} → {_said(ctx, after)}")
        for name, (before, after) in row.changes.items()
    ]
    return [Block("changes", ctx.t("marketplace.directory_shop.changes"), facts, order=20)]


def _said(ctx: PageContext, value: Any) -> str:
    if isinstance(value, bool):
        return ctx.t("ui.yes" if value else "ui.no")
    return str(value) if value else "–"


def _facts(ctx: PageContext, row: ListedShop) -> Block:
    names = {one.code: one.name for one in directory_service.directories()}
    place = ", ".join(
        filter(None, (row.street, " ".join(filter(None, (row.postcode, row.city))), row.country))
    )
    facts = [
        Fact(ctx.t(f"{_F}.marketplace"), names.get(row.connector, row.connector)),
        Fact(ctx.t(f"{_F}.slug"), row.slug, "code"),
        Fact(ctx.t(f"{_F}.email"), row.email),
        Fact(ctx.t(f"{_F}.phone"), row.phone),
        Fact(ctx.t(f"{_F}.homepage"), row.homepage),
        Fact(ctx.t(f"{_F}.address"), place),
        Fact(ctx.t(f"{_F}.first_seen"), row.created_at, "datetime"),
        Fact(ctx.t(f"{_F}.seen_at"), row.seen_at, "datetime"),
        Fact(ctx.t(f"{_F}.changed_at"), row.changed_at, "datetime"),
        Fact(ctx.t(f"{_F}.gone_at"), row.gone_at, "datetime"),
        Fact(ctx.t(f"{_F}.invited_at"), row.invited_at, "datetime"),
    ]
    return Block("facts", ctx.t("marketplace.directory_shop.facts"), facts, column="side", order=10)


@router.action("/marketplace/directory/{shop_id}/match", permission=_MANAGE)
def match(ctx: PageContext, shop_id: str, vendor: Annotated[str, Form()] = "") -> Response:
    """Say which vendor it is: a public id, or a code that somebody typed."""
    key = _key(shop_id)
    found = None if vendor.startswith(f"{_VENDOR_PREFIX}_") else find_vendor(code=vendor.strip())
    if found is None and not vendor.startswith(f"{_VENDOR_PREFIX}_"):
        ctx.flash("danger", "marketplace.directory_shop.no_vendor")
        return ctx.redirect("marketplace.admin.directory_shop", shop_id=shop_id)
    vendor_id = found.id if found else public_id(_VENDOR_PREFIX, vendor)
    directory_match_service.confirm(ctx.session, key, vendor_id, by=ctx.who.user_id)
    ctx.flash("success", "marketplace.directory_shop.matched")
    return ctx.redirect("marketplace.admin.directory_shop", shop_id=shop_id)


@router.action("/marketplace/directory/{shop_id}/separate", permission=_MANAGE)
def separate(ctx: PageContext, shop_id: str) -> Response:
    """It is none of ours, and who claims it is not believed."""
    directory_match_service.separate(ctx.session, _key(shop_id), by=ctx.who.user_id)
    ctx.flash("success", "marketplace.directory_shop.separated")
    return ctx.redirect("marketplace.admin.directory_shop", shop_id=shop_id)


@router.action("/marketplace/directory/{shop_id}/invite", permission=_MANAGE)
def invite(ctx: PageContext, shop_id: str) -> Response:
    """Mail the shop what we offer."""
    directory_invite_service.invite(ctx.session, _key(shop_id), by=ctx.who.user_id)
    ctx.flash("success", "marketplace.directory_shop.invited")
    return ctx.redirect("marketplace.admin.directory_shop", shop_id=shop_id)


def _key(text: str) -> UUID:
    return public_id(SHOP_PREFIX, text)

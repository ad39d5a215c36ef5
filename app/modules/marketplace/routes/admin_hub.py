"""Letzshop over all vendors, or of the one that the address names: products, orders, exceptions, jobs, settings."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from fastapi import Response

from app.core.ids import to_public
from app.modules.marketplace.services import hub_service, job_list_service
from app.modules.marketplace.services.connection_part_service import fault_text
from app.modules.marketplace.services.job_list_service import WORK_PREFIX
from app.modules.menu import pages
from app.modules.pages import PageContext
from app.modules.routing import AreaRouter
from app.modules.tenancy.contracts import VendorInfo
from app.modules.tenancy.facade import find_vendor

router = AreaRouter("admin")

_CONNECTOR = "letzshop"
TABS = ("products", "orders", "exceptions", "jobs", "settings")


@router.page("marketplace.admin.hub")
def hub(ctx: PageContext, vendor: str = "", tab: str = TABS[0]) -> Response:
    """The hub. ``vendor``: a code, kept in the address from tab to tab; without one, all vendors."""
    chosen = find_vendor(code=vendor.strip()) if vendor.strip() else None
    known = hub_service.list_vendors(ctx.session)
    if chosen and chosen.code not in {one.code for one in known}:
        chosen = None  # of a platform that is not the reader's
    tab = tab if tab in TABS else TABS[0]
    key = chosen.id if chosen else None
    return ctx.render(
        "marketplace/admin/hub.html",
        vendor=chosen,
        asked=vendor.strip(),
        vendors=known,
        tab=tab,
        tabs=[
            (ctx.t(f"marketplace.hub.tabs.{name}"), _here(ctx, chosen, name), name == tab) for name in TABS
        ],
        figures=_figures(ctx, chosen),
        links=_links(ctx, chosen),
        job_url=lambda job: ctx.url("marketplace.admin.job", work_id=to_public(WORK_PREFIX, job.id)),
        kind_of=job_list_service.kind_of,
        fault_text=lambda code: fault_text(ctx, code),
        **_rows(ctx, tab, key),
    )


def _here(ctx: PageContext, vendor: VendorInfo | None, tab: str) -> str:
    params = {"vendor": vendor.code} if vendor else {}
    return ctx.url("marketplace.admin.hub", tab=tab, **params)


def _figures(ctx: PageContext, vendor: VendorInfo | None) -> list[tuple[str, int, str, str]]:
    tabs = {"connections": "settings", "failing": "settings"}
    tones = {"failing": "danger", "parked": "warning", "refused": "danger"}
    found = hub_service.figures(ctx.session, _CONNECTOR, vendor.id if vendor else None)
    return [
        (
            name,
            count,
            _here(ctx, vendor, tabs.get(name, "exceptions")),
            tones.get(name, "neutral") if count else "neutral",
        )
        for name, count in found.items()
    ]


def _rows(ctx: PageContext, tab: str, vendor_id: UUID | None) -> Mapping[str, Any]:
    session = ctx.session
    if tab == "products":
        return {"rows": hub_service.list_imports(session, vendor_id)}
    if tab == "orders":
        return {"rows": hub_service.list_records(session, _CONNECTOR, vendor_id)}
    if tab == "exceptions":
        return {
            "rows": hub_service.list_records(session, _CONNECTOR, vendor_id, parked=True),
            "refused": hub_service.list_refused(session, _CONNECTOR, vendor_id),
        }
    if tab == "jobs":
        return {"rows": hub_service.list_jobs(session, vendor_id)}
    return {"rows": hub_service.list_connections(session, _CONNECTOR, vendor_id)}


def _links(ctx: PageContext, vendor: VendorInfo | None) -> dict[str, str]:
    """Whole lists behind the tabs, narrowed to the vendor, for those who may open them."""
    words = {"q": vendor.code} if vendor else {}
    found = {
        "orders": ("orders.admin.orders", "orders.orders.view", {"channel": _CONNECTOR, **words}),
        "exceptions": ("orders.admin.exceptions", "orders.exceptions.manage", {"status": "pending", **words}),
        "jobs": (
            "marketplace.admin.jobs",
            "marketplace.channels.view",
            {"vendor": vendor.code} if vendor else {},
        ),
    }
    links = {
        tab: ctx.url(page, **query)
        for tab, (page, permission, query) in found.items()
        if page in pages() and permission in ctx.who.permissions
    }
    if vendor and "tenancy.vendors.view" in ctx.who.permissions:
        links["settings"] = ctx.url("tenancy.admin.vendor", vendor_id=to_public("vnd", vendor.id))
    return links

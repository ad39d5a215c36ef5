"""What the home pages show: what waits for somebody first, then what is left to set up, then figures."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from app.modules.core.contracts import (
    SETUP_STEPS,
    WORKLIST,
    SetupStep,
    Tile,
    TileProvider,
    WorkItem,
)
from app.modules.core.services import (
    module_service,
    problem_service,
    setting_service,
    webhook_delivery_service,
)
from app.modules.menu import pages
from app.modules.pages import PageContext
from app.modules.providers import ProviderPoint
from app.modules.registry import modules
from app.modules.tenancy.facade import count_tenants, list_platforms

_WORST_FIRST = ("danger", "warning", "info")


def collect_tiles(ctx: PageContext, point: ProviderPoint[TileProvider]) -> Sequence[Tile]:
    """The tiles of all enabled modules; a failing one is left out."""
    answers = point.collect(
        ctx.session, lambda provider: list(provider(ctx, ctx.session)), ctx.who.platform_ids
    )
    return [tile for tiles in answers for tile in tiles]


def collect_worklist(ctx: PageContext) -> Sequence[WorkItem]:
    """What waits, the worst first."""
    answers = WORKLIST.collect(
        ctx.session, lambda provider: list(provider(ctx, ctx.session)), ctx.who.platform_ids
    )
    found = [item for items in answers for item in items if item.count > 0]
    return sorted(found, key=lambda item: _WORST_FIRST.index(item.tone))


def collect_steps(ctx: PageContext) -> Sequence[SetupStep]:
    """The steps to set up a vendor, unless the vendor wants to see them no more."""
    if not setting_service.read_setting(ctx.session, "core.show_setup"):
        return []
    answers = SETUP_STEPS.collect(
        ctx.session, lambda provider: list(provider(ctx, ctx.session)), ctx.who.platform_ids
    )
    return sorted((step for steps in answers for step in steps), key=lambda step: step.order)


def core_worklist(ctx: PageContext, session: Session) -> Sequence[WorkItem]:
    """Problems and, for the operator, migrations that were not run."""
    found = _pending_migrations(ctx, session) if ctx.area == "admin" else []
    if f"core.{ctx.area}_problems.view" in ctx.who.permissions:
        url = f"{ctx.url(f'core.{ctx.area}.problems')}?state=critical&state=open"
        figures = problem_service.count_open(session)
        tone = "danger" if figures.critical else "warning"
        found.append(WorkItem(ctx.t("core.home.problems"), figures.open, url, tone))
    return found


def admin_tiles(ctx: PageContext, session: Session) -> Sequence[Tile]:
    """The operator's figures: tenants, modules, messages to the outside; each for those who may open its list."""
    figures = count_tenants(session)
    on_hold = ctx.t("core.tiles.on_hold", count=figures.vendors_on_hold) if figures.vendors_on_hold else ""
    wanted = (
        ("vendors", "tenancy.admin.vendors", figures.vendors, on_hold),
        ("companies", "tenancy.admin.companies", figures.companies, ""),
        ("platforms", "tenancy.admin.platforms", len(list_platforms(session)), ""),
        ("modules", "core.admin.modules", len(modules()), ""),
        ("messages", "core.admin.webhook_deliveries", webhook_delivery_service.count_recent(session), ""),
    )
    return [
        Tile(ctx.t(f"core.tiles.{name}"), value, ctx.url(page_id), "warning" if hint else "neutral", hint)
        for name, page_id, value, hint in wanted
        if pages()[page_id].permission in ctx.who.permissions
    ]


def _pending_migrations(ctx: PageContext, session: Session) -> list[WorkItem]:
    if "core.modules.view" not in ctx.who.permissions:
        return []
    pending = sum(one.pending for one in module_service.list_modules(session) if one.is_installed)
    return [WorkItem(ctx.t("core.home.pending"), pending, ctx.url("core.admin.modules"), "danger")]

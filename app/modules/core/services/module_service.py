"""What there is to know about installed modules: where they are on, what holds them, what they bring."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from app.core.ids import to_public
from app.core.observability import HealthResult, HealthStatus
from app.modules import lifecycle, migrations
from app.modules.base import ModuleClass, ModuleDefinition
from app.modules.core.services.reach_service import own_rows
from app.modules.observability import module_checks
from app.modules.pagekit.details import Block
from app.modules.pages import PageContext
from app.modules.registry import modules, requirements
from app.modules.state import InstalledModule, PlatformModule
from app.modules.task_base import task_names
from app.modules.tasks import cron_of, queue_of
from app.modules.tenancy.facade import list_platforms

PLATFORM_PREFIX = "plt"
_SIZES = text(
    "SELECT relname, reltuples::bigint AS rows, pg_total_relation_size(oid) AS bytes FROM pg_class "
    "WHERE relnamespace = 'public'::regnamespace AND relname = ANY(:names)"
)


@dataclass(frozen=True, slots=True)
class ModuleState:
    """A module with its place in this installation. ``on``: names of the platforms where it is on."""

    definition: ModuleDefinition
    is_installed: bool
    on: tuple[str, ...]
    platforms: int
    pending: int

    @property
    def is_switchable(self) -> bool:
        """Core modules are on everywhere, always."""
        return self.definition.module_class is not ModuleClass.CORE

    @property
    def state(self) -> str:
        """always, missing, on, partly or off."""
        if not self.is_switchable:
            return "always"
        if not self.is_installed:
            return "missing"
        if not self.on:
            return "off"
        return "on" if len(self.on) == self.platforms else "partly"


@dataclass(frozen=True, slots=True)
class Switch:
    """A module on one platform, and what switching it would do or why it cannot be switched.

    ``also``: modules that would come on with it; ``needed_by``: those that keep it on.
    """

    definition: ModuleDefinition
    is_on: bool
    is_installed: bool
    also: tuple[str, ...] = ()
    needed_by: tuple[str, ...] = ()

    @property
    def can_switch(self) -> bool:
        """Whether the switch would be accepted now."""
        return self.is_installed and not self.needed_by


def list_modules(session: Session) -> list[ModuleState]:
    """All modules in dependency order, on the platforms that the session may see."""
    platforms = {platform.id: platform.name for platform in list_platforms(session)}
    with own_rows(session):
        installed = {row.code: row for row in session.scalars(select(InstalledModule))}
        rows = session.execute(
            select(PlatformModule.module_code, PlatformModule.platform_id).where(PlatformModule.is_enabled)
        ).all()
    on: dict[str, list[str]] = {}
    for code, platform_id in rows:
        if platform_id in platforms:
            on.setdefault(code, []).append(platforms[platform_id])
    return [
        ModuleState(
            module,
            code in installed and installed[code].is_installed,
            tuple(sorted(on.get(code, []))),
            len(platforms),
            _pending(code, installed[code].revision if code in installed else None),
        )
        for code, module in modules().items()
    ]


def get_module_state(session: Session, code: str) -> ModuleState | None:
    """One module, or None for a code that is no module's."""
    return next((one for one in list_modules(session) if one.definition.code == code), None)


def needed_by(code: str) -> list[str]:
    """Codes of the modules that stand on one."""
    return [other for other, module in modules().items() if code in requirements(module, modules())]


def layers() -> list[list[str]]:
    """The graph of modules from the ground up: each stands on modules of the layers before its own."""
    depth: dict[str, int] = {}
    for code, module in modules().items():
        depth[code] = 1 + max((depth[other] for other in requirements(module, modules())), default=-1)
    return [[code for code in depth if depth[code] == level] for level in range(max(depth.values()) + 1)]


def switches(session: Session, platform_id: UUID) -> list[Switch]:
    """Every module that can be switched, as it is on one platform, with a preview of the switch."""
    with own_rows(session):
        installed = set(session.scalars(select(InstalledModule.code).where(InstalledModule.is_installed)))
        on = set(
            session.scalars(
                select(PlatformModule.module_code).where(
                    PlatformModule.platform_id == platform_id, PlatformModule.is_enabled
                )
            )
        )
        return [
            _switch(session, platform_id, module, installed, on)
            for module in modules().values()
            if module.module_class is not ModuleClass.CORE
        ]


def _switch(
    session: Session, platform_id: UUID, module: ModuleDefinition, installed: set[str], on: set[str]
) -> Switch:
    is_on, is_installed = module.code in on, module.code in installed
    holders = tuple(other for other in on if module.code in modules()[other].requires) if is_on else ()
    also: tuple[str, ...] = ()
    if is_installed and not is_on and installed.issuperset(_optional_requirements(module)):
        would = lifecycle.would_enable(session, platform_id, module.code)
        also = tuple(code for code in would if code != module.code)
    return Switch(module, is_on, is_installed, also, tuple(sorted(holders)))


def _optional_requirements(module: ModuleDefinition) -> set[str]:
    """What it stands on, directly or not, of what can be switched."""
    found: set[str] = set()
    waiting = [module]
    while waiting:
        for code in waiting.pop().requires:
            if code not in found and modules()[code].module_class is not ModuleClass.CORE:
                found.add(code)
                waiting.append(modules()[code])
    return found


def table_sizes(session: Session, code: str) -> list[dict[str, Any]]:
    """The module's tables with the database's estimate of their rows (None: not looked at yet) and their size."""
    migrations.load_models()
    tables = migrations.tables_of(code)
    known = {row.relname: row for row in session.execute(_SIZES, {"names": [table.name for table in tables]})}
    return [
        {
            "name": table.name,
            "scope": str(table.info["scope"]),
            "rows": known[table.name].rows if table.name in known and known[table.name].rows >= 0 else None,
            "bytes": known[table.name].bytes if table.name in known else None,
        }
        for table in tables
    ]


def tasks_of(module: ModuleDefinition) -> list[tuple[str, str]]:
    """Names and queues of the module's tasks."""
    names = [name for name in task_names() if name.startswith(f"{module.package}.")]
    return [(name, queue_of(name)) for name in names]


def schedules_of(module: ModuleDefinition) -> list[tuple[str, str]]:
    """Names and times of the module's schedules."""
    return [(entry.name, cron_of(entry.schedule)) for entry in module.scheduled_tasks]


def listeners(event: str) -> list[str]:
    """Codes of the modules that handle an event."""
    return [code for code, module in modules().items() if event in module.handlers]


def health_of(code: str) -> HealthResult | None:
    """What the module's own check says; None when it declares none."""
    check = module_checks().get(code)
    if check is None:
        return None
    try:
        return check()
    except Exception as error:  # a check that fails says so, the page stays
        return HealthResult(HealthStatus.FAILED, "health.raised", {"reason": type(error).__name__})


def revisions_of(code: str) -> Sequence[str]:
    """The module's migrations in the files, the oldest first."""
    return _revisions().get(code, ())


def _pending(code: str, revision: str | None) -> int:
    known = revisions_of(code)
    return len(known) - (known.index(revision) + 1 if revision in known else 0)


@lru_cache(maxsize=1)
def _revisions() -> dict[str, tuple[str, ...]]:
    """Files do not change while a process runs."""
    return {
        history.owner: tuple(reversed([one.revision for one in history.scripts().walk_revisions()]))
        for history in migrations.histories()
    }


def platform_blocks(ctx: PageContext, page_id: str, record_id: UUID) -> Sequence[Block]:
    """On the page of a platform: its modules and its menus."""
    if page_id != "tenancy.admin.platform" or "core.modules.view" not in ctx.who.permissions:
        return ()
    public = to_public(PLATFORM_PREFIX, record_id)
    found = switches(ctx.session, record_id)
    context = {
        "on": [one.definition.name for one in found if one.is_on],
        "off": [one.definition.name for one in found if not one.is_on],
        "modules_url": ctx.url("core.admin.platform_modules", platform_id=public),
        "menu_url": ctx.url("core.admin.platform_menu", platform_id=public)
        if "core.menus.manage" in ctx.who.permissions
        else None,
    }
    return (
        Block(
            "modules",
            ctx.t("core.pages.modules"),
            template="core/admin/platform_block.html",
            context=context,
            order=40,
        ),
    )

"""What the database knows of the modules: installed, on for which platforms, behind its code, well."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from app.core.config import get_settings
from app.core.database import SYSTEM, unit_of_work
from app.core.observability import HealthResult, run_checks
from app.modules import migrations
from app.modules.base import ModuleClass
from app.modules.lifecycle import PLATFORMS
from app.modules.observability import module_checks
from app.modules.registry import get_module
from app.modules.state import InstalledModule, PlatformModule


@dataclass(frozen=True, slots=True)
class ModuleStatus:
    """One module in this database: the codes of the platforms that have it on, and how many platforms there are.

    ``pending`` are the revisions that `wizamart migrate` would run; ``health`` is None for a module without a check.
    """

    is_installed: bool
    on: tuple[str, ...]
    platforms: int
    pending: tuple[str, ...]
    health: HealthResult | None

    @property
    def state(self) -> str:
        """In a word or two, for a list."""
        if not self.is_installed:
            return "not installed"
        if not self.on:
            return "off"
        return "on" if len(self.on) == self.platforms else f"on {len(self.on)} of {self.platforms}"


def has_database() -> bool:
    """Whether there is one to ask: servers of one's own, or a data folder in which a platform has been."""
    settings = get_settings()
    return not settings.is_embedded or (settings.data_dir / "postgres").is_dir()


@dataclass(frozen=True, slots=True)
class Overview:
    """The chosen modules by their codes, and how many revisions wait in all, the ledger's and the framework's too."""

    modules: Mapping[str, ModuleStatus]
    pending: int


def look_at(codes: Sequence[str]) -> Overview:
    """The status of modules, also on a database that was never migrated."""
    with unit_of_work(SYSTEM) as session:
        known = _Known.read(session)
    pending = {history.owner: known.pending(history) for history in migrations.histories()}
    checks = {code: check for code, check in module_checks().items() if code in codes and known.has(code)}
    health = run_checks(checks)
    found = {
        code: ModuleStatus(
            is_installed=known.has(code),
            on=known.on(code),
            platforms=len(known.platforms),
            pending=pending.get(code, ()),
            health=health.get(code),
        )
        for code in codes
    }
    return Overview(found, sum(map(len, pending.values())))


def _is_core(code: str) -> bool:
    return get_module(code).module_class is ModuleClass.CORE


@dataclass(frozen=True, slots=True)
class _Known:
    """What stands in the framework's tables; nothing where they do not exist yet."""

    revisions: Mapping[str, str | None]
    gone: frozenset[str]
    platforms: Mapping[str, object]
    enabled: frozenset[tuple[object, str]]

    @classmethod
    def read(cls, session: Session) -> "_Known":
        if session.scalar(text("SELECT to_regclass('public.installed_modules')")) is None:
            return cls({}, frozenset(), {}, frozenset())
        revisions = session.execute(select(InstalledModule.code, InstalledModule.revision))
        switches = select(PlatformModule.platform_id, PlatformModule.module_code)
        enabled = session.execute(switches.where(PlatformModule.is_enabled))
        return cls(
            {row.code: row.revision for row in revisions},
            frozenset(migrations.uninstalled(session.connection())),
            PLATFORMS.one()(session),
            frozenset((row.platform_id, row.module_code) for row in enabled),
        )

    def has(self, code: str) -> bool:
        is_migrated = bool(self.revisions) if _is_core(code) else code in self.revisions
        return is_migrated and code not in self.gone

    def on(self, code: str) -> tuple[str, ...]:
        on_everywhere = _is_core(code)
        return tuple(
            sorted(
                name for name, key in self.platforms.items() if on_everywhere or (key, code) in self.enabled
            )
        )

    def pending(self, history: migrations.History) -> tuple[str, ...]:
        if history.owner in self.gone:
            return ()
        at = self.revisions.get(history.owner) or "base"
        return tuple(script.revision for script in history.scripts().iterate_revisions("heads", at))[::-1]

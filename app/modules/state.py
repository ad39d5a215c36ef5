"""What is installed and what is on: the framework's own tables and the snapshot of them that each process keeps.

The snapshot is refreshed when the version row has moved, checked at most once a second, so that a switch made
anywhere acts everywhere within seconds and a request costs no query.
"""

import threading
import time
from collections.abc import Callable, Collection, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar, cast
from uuid import UUID

from sqlalchemy import Connection, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.core import clock
from app.core.database import SYSTEM, unit_of_work
from app.core.errors import ConflictError
from app.core.tables import NOT_PERSONAL, Base, TableScope, Versioned
from app.modules.base import ModuleClass, load
from app.modules.registry import get_module, modules

_REFRESH_SECONDS = 1.0
T = TypeVar("T")


class ModuleOffError(ConflictError):
    """The module is off for the vendor."""

    code = "framework.module_off"


class InstalledModule(Base):
    """What is in this database: each module, and the rooms below them ('tasks', 'framework'), with its revision.

    A module that was uninstalled keeps its row, so that the next migration does not bring it back; one with a revision
    has kept its data.
    """

    __tablename__ = "installed_modules"
    __personal__ = NOT_PERSONAL
    __scope__ = TableScope.GLOBAL

    code: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[str]
    revision: Mapped[str | None]
    installed_at: Mapped[datetime] = mapped_column(default=clock.now)
    is_installed: Mapped[bool] = mapped_column(default=True)


class PlatformModule(Versioned, Base):
    """Whether an optional or internal module is on for a platform. No row means off; core modules need none."""

    __tablename__ = "platform_modules"
    __personal__ = NOT_PERSONAL
    __scope__ = TableScope.PLATFORM

    platform_id: Mapped[UUID] = mapped_column(primary_key=True)
    module_code: Mapped[str] = mapped_column(primary_key=True)
    is_enabled: Mapped[bool]
    changed_by: Mapped[UUID | None]


class SystemState(Base):
    """One row: the version that tells processes to reload, and how far the business clock is moved (seconds)."""

    __tablename__ = "system_state"
    __personal__ = NOT_PERSONAL
    __scope__ = TableScope.GLOBAL

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    version: Mapped[int]
    clock_offset_seconds: Mapped[int]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What one process knows about the switches; ``platforms`` of vendors are added as they are asked for, and what
    modules keep as long (see ``kept``)."""

    version: int
    enabled: frozenset[tuple[UUID, str]]
    installed: frozenset[str]
    loaded_at: float
    platforms: dict[UUID, frozenset[UUID]] = field(default_factory=dict)
    kept: dict[Hashable, Any] = field(default_factory=dict)


_NEVER = Snapshot(version=-1, enabled=frozenset(), installed=frozenset(), loaded_at=0.0)
_snapshot = _NEVER
_pinned: ContextVar[Snapshot | None] = ContextVar("pinned_snapshot", default=None)
_lock = threading.Lock()
# Answered by the module that owns vendors: the platforms a vendor is on.
PLATFORMS_OF_VENDOR = "framework.platforms_of_vendor"


def forget_snapshot() -> None:
    """Load the switches anew at the next use (tests, and a process that changed them itself)."""
    global _snapshot
    _snapshot = _NEVER


def refresh() -> None:
    """Bring switches and business clock of this process up to date, asking the database at most once a second.

    Called where a process takes up work: for each job, each beat.
    """
    _current()


@contextmanager
def one_view() -> Iterator[None]:
    """Nothing is switched within the block: a request sees the whole of a switch or nothing of it."""
    marker = _pinned.set(_current())
    try:
        yield
    finally:
        _pinned.reset(marker)


def current_snapshot() -> Snapshot:
    """What this process knows now; another object after each refresh: what others read can be kept as long."""
    return _current()


def kept(key: Hashable, make: Callable[[], T]) -> T:
    """What ``make`` gave since this process last looked for changes: at most a second or two old.

    For what every page shows and nobody has just changed themselves; ``key`` begins with the module's code.
    """
    known = _current().kept
    if key not in known:
        known[key] = make()
    return cast(T, known[key])


def _current() -> Snapshot:
    global _snapshot
    if (pinned := _pinned.get()) is not None:
        return pinned
    known = _snapshot
    if time.monotonic() - known.loaded_at < _REFRESH_SECONDS:
        return known
    # Who has a snapshot does not wait for another's look at the database, which may be cut off.
    if not _lock.acquire(blocking=known is _NEVER):
        return known
    try:
        if _snapshot is known:
            _snapshot = _load(known)
    finally:
        _lock.release()
    return _snapshot


def _load(known: Snapshot) -> Snapshot:
    with unit_of_work(SYSTEM) as session:
        state = session.get_one(SystemState, 1)
        clock.set_offset(timedelta(seconds=state.clock_offset_seconds))
        if state.version == known.version:
            return Snapshot(known.version, known.enabled, known.installed, time.monotonic())
        rows = session.execute(
            select(PlatformModule.platform_id, PlatformModule.module_code).where(PlatformModule.is_enabled)
        )
        enabled = frozenset((row.platform_id, row.module_code) for row in rows)
        installed = frozenset(
            session.scalars(select(InstalledModule.code).where(InstalledModule.is_installed))
        )
    return Snapshot(state.version, enabled, installed, time.monotonic())


def is_installed(code: str) -> bool:
    """Whether the module's tables are there and it may be switched on; core modules always are."""
    return get_module(code).module_class is ModuleClass.CORE or code in _current().installed


def is_enabled(code: str, platform_ids: Collection[UUID]) -> bool:
    """Whether the module is on for any of the platforms; core modules are on everywhere."""
    if get_module(code).module_class is ModuleClass.CORE:
        return True
    enabled = _current().enabled
    return any((platform_id, code) in enabled for platform_id in platform_ids)


def is_enabled_anywhere(code: str) -> bool:
    """Whether any platform has the module on: the rule for platform-wide schedules."""
    if get_module(code).module_class is ModuleClass.CORE:
        return True
    return any(module_code == code for _, module_code in _current().enabled)


def is_enabled_for_vendor(code: str, vendor_id: UUID | None) -> bool:
    """Whether the module is on for a vendor: one of its platforms has it on. Without a vendor: on anywhere."""
    if get_module(code).module_class is ModuleClass.CORE:
        return True
    if vendor_id is None:
        return is_enabled_anywhere(code)
    return is_enabled(code, _platforms_of(vendor_id))


def require_enabled(code: str, vendor_id: UUID) -> None:
    """For commands of a module that work on a vendor: ModuleOffError unless the module is on for it."""
    if not is_enabled_for_vendor(code, vendor_id):
        raise ModuleOffError(
            f"Module {code!r} is off for this vendor. Switch it on: wizamart modules enable {code}"
        )


def _platforms_of(vendor_id: UUID) -> frozenset[UUID]:
    known = _current().platforms
    if vendor_id not in known:
        known[vendor_id] = frozenset(
            platform_id
            for module in modules().values()
            if PLATFORMS_OF_VENDOR in module.providers
            for platform_id in load(module.providers[PLATFORMS_OF_VENDOR])(vendor_id)
        )
    return known[vendor_id]


def look_up(vendor_id: UUID | None) -> None:
    """Read what is on for a vendor, if it is not known yet: called before a request's transaction begins, so that
    nothing in it waits for a second connection."""
    if vendor_id is not None:
        _platforms_of(vendor_id)


def enabled_modules(platform_ids: Collection[UUID]) -> list[str]:
    """Codes of the modules that are on for any of the platforms, in dependency order."""
    return [code for code in modules() if is_enabled(code, platform_ids)]


def set_clock_offset(session: Session, offset: timedelta) -> None:
    """Move the business clock of the whole platform; whole seconds. Every process follows within a second or two."""
    session.execute(
        text("UPDATE system_state SET clock_offset_seconds = :seconds WHERE id = 1"),
        {"seconds": int(offset.total_seconds())},
    )
    touch_version(session)


def lock_switches(session: Session | Connection) -> None:
    """Let nobody else change what is on until this transaction has ended."""
    session.execute(text("SELECT FROM system_state WHERE id = 1 FOR UPDATE"))


def touch_version(session: Session | Connection) -> None:
    """Tell every process, at commit, to load the switches anew."""
    session.execute(text("UPDATE system_state SET version = version + 1 WHERE id = 1"))

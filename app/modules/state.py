"""What is installed and what is on: the framework's own tables and the snapshot of them that each process keeps.

The snapshot is refreshed when the version row has moved, checked at most once a second, so that a switch made
anywhere acts everywhere within seconds and a request costs no query.
"""

import threading
import time
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.core import clock
from app.core.database import SYSTEM, unit_of_work
from app.core.tables import Base, TableScope, Versioned
from app.modules.base import ModuleClass, load
from app.modules.registry import get_module, modules

_REFRESH_SECONDS = 1.0


class InstalledModule(Base):
    """What is in this database: each module, and the rooms below them ('tasks', 'framework'), with its revision."""

    __tablename__ = "installed_modules"
    __scope__ = TableScope.GLOBAL

    code: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[str]
    revision: Mapped[str | None]
    installed_at: Mapped[datetime] = mapped_column(default=clock.now)


class PlatformModule(Versioned, Base):
    """Whether an optional or internal module is on for a platform. No row means off; core modules need none."""

    __tablename__ = "platform_modules"
    __scope__ = TableScope.PLATFORM

    platform_id: Mapped[UUID] = mapped_column(primary_key=True)
    module_code: Mapped[str] = mapped_column(primary_key=True)
    is_enabled: Mapped[bool]
    changed_by: Mapped[UUID | None]


class SystemState(Base):
    """One row: the version that tells processes to reload, and how far the business clock is moved (seconds)."""

    __tablename__ = "system_state"
    __scope__ = TableScope.GLOBAL

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    version: Mapped[int]
    clock_offset_seconds: Mapped[int]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What one process knows about the switches."""

    version: int
    enabled: frozenset[tuple[UUID, str]]
    loaded_at: float


_NEVER = Snapshot(version=-1, enabled=frozenset(), loaded_at=0.0)
_snapshot = _NEVER
_lock = threading.Lock()
# Answered by the module that owns vendors: the platforms a vendor is on.
PLATFORMS_OF_VENDOR = "framework.platforms_of_vendor"


def forget_snapshot() -> None:
    """Load the switches anew at the next use (tests, and a process that changed them itself)."""
    global _snapshot
    _snapshot = _NEVER


def refresh() -> None:
    """Bring switches and business clock of this process up to date, asking the database at most once a second.

    Called where a process takes up work: for each request, each job, each beat.
    """
    _current()


def _current() -> Snapshot:
    global _snapshot
    known = _snapshot
    if time.monotonic() - known.loaded_at < _REFRESH_SECONDS:
        return known
    with _lock:
        if _snapshot is known:
            _snapshot = _load(known)
    return _snapshot


def _load(known: Snapshot) -> Snapshot:
    with unit_of_work(SYSTEM) as session:
        state = session.get_one(SystemState, 1)
        clock.set_offset(timedelta(seconds=state.clock_offset_seconds))
        if state.version == known.version:
            return Snapshot(known.version, known.enabled, time.monotonic())
        rows = session.execute(
            select(PlatformModule.platform_id, PlatformModule.module_code).where(PlatformModule.is_enabled)
        )
        enabled = frozenset((row.platform_id, row.module_code) for row in rows)
    return Snapshot(state.version, enabled, time.monotonic())


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
    return any(
        is_enabled(code, load(module.providers[PLATFORMS_OF_VENDOR])(vendor_id))
        for module in modules().values()
        if PLATFORMS_OF_VENDOR in module.providers
    )


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


def touch_version(session: Session) -> None:
    """Tell every process, at commit, to load the switches anew."""
    session.execute(text("UPDATE system_state SET version = version + 1 WHERE id = 1"))

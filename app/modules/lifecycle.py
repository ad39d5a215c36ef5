"""Switching modules on and off for a platform. Every switch is audited; each process follows within seconds."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.errors import ConflictError
from app.modules.base import ModuleClass, ModuleDefinition, load
from app.modules.providers import ProviderPoint
from app.modules.registry import get_module, modules, requirements
from app.modules.state import InstalledModule, PlatformModule, lock_switches, touch_version


class ModuleSwitchError(ConflictError):
    """The module cannot be switched; the text names what stands in the way."""

    code = "framework.module_switch"


class Audit(Protocol):
    """Adds an entry to the audit log, in the session's transaction."""

    def __call__(
        self,
        session: Session,
        action: str,
        *,
        actor_id: UUID | None = None,
        target: str | None = None,
        **details: Any,
    ) -> None: ...


# Answered by the module that owns them: the audit log, and the ids of all platforms by code.
AUDIT: ProviderPoint[Audit] = ProviderPoint("framework.audit")
PLATFORMS: ProviderPoint[Callable[[Session], Mapping[str, UUID]]] = ProviderPoint("framework.platforms")

Who = UUID | str | None
"""Who did something: a user's id, or words such as "command line"."""


def audit(session: Session, action: str, target: str, by: Who, **details: Any) -> None:
    """Record what somebody did to a part of the platform, in the caller's transaction."""
    actor = by if isinstance(by, UUID) else None
    words = {"by": by} if isinstance(by, str) else {}
    AUDIT.one()(session, action, actor_id=actor, target=target, **words, **details)


def would_enable(session: Session, platform_id: UUID, code: str) -> list[str]:
    """What ``enable`` would switch on, requirements first; raises as it does."""
    wanted = _with_requirements(get_module(code))
    for definition in wanted:
        row = session.get(InstalledModule, definition.code)
        if row is None or not row.is_installed:
            raise ModuleSwitchError(
                f"Module {definition.code!r} is not installed. Run: wizamart modules install {code}"
            )
    return [module.code for module in wanted if not _is_on(session, platform_id, module.code)]


def enable(session: Session, platform_id: UUID, code: str, *, by: Who = None) -> list[str]:
    """Switch a module on for a platform, and first what it requires; returns the codes that were switched.

    Needs the system scope. Core modules are always on and never returned. Raises ModuleSwitchError for a module that
    is not installed.
    """
    lock_switches(session)
    switched = would_enable(session, platform_id, code)
    for each in switched:
        row = session.get(PlatformModule, (platform_id, each))
        if row is None:
            row = PlatformModule(platform_id=platform_id, module_code=each)
            session.add(row)
        _switch(session, row, get_module(each).hooks.on_enable, by, is_on=True)
    return switched


def enable_all(session: Session, platform_id: UUID, *, by: Who = None) -> list[str]:
    """Switch every installed module on for a platform; returns the codes that were switched."""
    switched: list[str] = []
    for code, module in modules().items():
        row = session.get(InstalledModule, code)
        if module.module_class is not ModuleClass.CORE and row is not None and row.is_installed:
            switched += enable(session, platform_id, code, by=by)
    return switched


def would_disable(session: Session, platform_id: UUID, code: str) -> list[str]:
    """What ``disable`` would switch off: the module, or nothing when it is off; raises as it does."""
    if get_module(code).module_class is ModuleClass.CORE:
        raise ModuleSwitchError(f"Module {code!r} is a core module and cannot be switched off.")
    in_the_way = [
        other.code
        for other in modules().values()
        if code in other.requires and _is_on(session, platform_id, other.code)
    ]
    if in_the_way:
        raise ModuleSwitchError(
            f"Module {code!r} is required by {', '.join(in_the_way)}. Switch off these first."
        )
    return [code] if _is_on(session, platform_id, code) else []


def disable(session: Session, platform_id: UUID, code: str, *, by: Who = None) -> list[str]:
    """Switch a module off for a platform; returns its code unless it was off. Its data stays and its work waits.

    Needs the system scope. Raises ModuleSwitchError for a core module, and while an enabled module requires this one.
    """
    lock_switches(session)
    switched = would_disable(session, platform_id, code)
    for each in switched:
        row = session.get_one(PlatformModule, (platform_id, each))
        _switch(session, row, get_module(each).hooks.on_disable, by, is_on=False)
    return switched


def _is_on(session: Session, platform_id: UUID, code: str) -> bool:
    row = session.get(PlatformModule, (platform_id, code), populate_existing=True)
    return row is not None and row.is_enabled


def _switch(session: Session, row: PlatformModule, hook: str | None, by: Who, *, is_on: bool) -> None:
    row.is_enabled, row.changed_by = is_on, by if isinstance(by, UUID) else None
    session.flush()
    if hook:
        load(hook)(session, row.platform_id)
    action = "framework.module_enabled" if is_on else "framework.module_disabled"
    audit(session, action, row.module_code, by, platform_id=str(row.platform_id))
    touch_version(session)


def _with_requirements(definition: ModuleDefinition) -> list[ModuleDefinition]:
    """The module and all it stands on, requirements first, without core modules."""
    wanted: set[str] = set()

    def collect(code: str) -> None:
        if code not in wanted:
            wanted.add(code)
            for required in requirements(get_module(code), modules()):
                collect(required)

    collect(definition.code)
    return [
        module
        for code, module in modules().items()
        if code in wanted and module.module_class is not ModuleClass.CORE
    ]

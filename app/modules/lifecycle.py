"""Switching modules on and off for a platform."""

from uuid import UUID

from sqlalchemy.orm import Session

from app.core.errors import ConflictError
from app.modules.base import ModuleClass, ModuleDefinition, load
from app.modules.registry import get_module, modules, requirements
from app.modules.state import PlatformModule, touch_version


class ModuleSwitchError(ConflictError):
    """The module cannot be switched; the text names what stands in the way."""

    code = "framework.module_switch"


def enable(session: Session, platform_id: UUID, code: str, *, by: UUID | None = None) -> list[str]:
    """Switch a module on for a platform, and first what it requires; returns the codes that were switched.

    The session must see the platform (system or platform scope). Core modules are always on and never returned.
    """
    switched: list[str] = []
    for definition in _with_requirements(get_module(code)):
        row = session.get(PlatformModule, (platform_id, definition.code))
        if row is not None and row.is_enabled:
            continue
        if row is None:
            row = PlatformModule(platform_id=platform_id, module_code=definition.code)
            session.add(row)
        row.is_enabled, row.changed_by = True, by
        if definition.hooks.on_enable:
            load(definition.hooks.on_enable)(session, platform_id)
        switched.append(definition.code)
    session.flush()
    if switched:
        touch_version(session)
    return switched


def disable(session: Session, platform_id: UUID, code: str, *, by: UUID | None = None) -> None:
    """Switch a module off for a platform. Its data stays.

    Raises ModuleSwitchError for a core module, and while an enabled module requires this one.
    """
    definition = get_module(code)
    if definition.module_class is ModuleClass.CORE:
        raise ModuleSwitchError(f"Module {code!r} is a core module and cannot be switched off.")
    in_the_way = [
        other.code
        for other in modules().values()
        if code in other.requires
        and (row := session.get(PlatformModule, (platform_id, other.code))) is not None
        and row.is_enabled
    ]
    if in_the_way:
        raise ModuleSwitchError(
            f"Module {code!r} is required by {', '.join(in_the_way)}. Switch off these first."
        )
    row = session.get(PlatformModule, (platform_id, code))
    if row is None or not row.is_enabled:
        return
    row.is_enabled, row.changed_by = False, by
    if definition.hooks.on_disable:
        load(definition.hooks.on_disable)(session, platform_id)
    session.flush()
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

"""All installed modules, found and put in order of their requirements. Names no module."""

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path

from app.core.errors import ConfigurationError
from app.modules.base import ModuleClass, ModuleDefinition

ENTRY_POINT_GROUP = "wizamart.modules"


class ModuleRegistryError(ConfigurationError):
    """Modules that do not fit together: cycles, duplicates, unknown requirements. Raised at start."""

    code = "framework.registry"


def _definitions_in_tree() -> Iterator[ModuleDefinition]:
    here = Path(__file__).parent
    for file in sorted(here.glob("*/definition.py")):
        yield import_module(f"app.modules.{file.parent.name}.definition").definition


def _definitions_of_distributions() -> Iterator[ModuleDefinition]:
    for entry in sorted(entry_points(group=ENTRY_POINT_GROUP), key=lambda entry: entry.name):
        definition = entry.load()
        if not isinstance(definition, ModuleDefinition):
            raise ModuleRegistryError(
                f"Entry point {entry.name!r} of group {ENTRY_POINT_GROUP} is no ModuleDefinition "
                f"but {type(definition).__name__}. Point it at the object, e.g. 'package.definition:definition'."
            )
        yield definition


def requirements(definition: ModuleDefinition, by_code: Mapping[str, ModuleDefinition]) -> tuple[str, ...]:
    """Codes a module stands on: what it names, and the foundation modules that every other has implicitly."""
    if definition.is_foundation:
        return definition.requires
    foundation = sorted(code for code, module in by_code.items() if module.is_foundation)
    return tuple(dict.fromkeys((*foundation, *definition.requires)))


def order_modules(definitions: Iterable[ModuleDefinition]) -> dict[str, ModuleDefinition]:
    """Definitions by code, each after everything it requires, alphabetical where that leaves a choice.

    Raises ModuleRegistryError for a code used twice, an unknown requirement, a cycle, a core module that
    requires another tier, and a requirement on an internal module; the text names both ends.
    """
    by_code: dict[str, ModuleDefinition] = {}
    for definition in definitions:
        other = by_code.setdefault(definition.code, definition)
        if other is not definition:
            raise ModuleRegistryError(
                f"Two modules have the code {definition.code!r}: {other.package} and {definition.package}. Rename one."
            )
    for definition in by_code.values():
        for required in definition.requires:
            _check_requirement(definition, required, by_code)
    ordered: dict[str, ModuleDefinition] = {}
    for code in sorted(by_code):
        _visit(code, by_code, ordered, ())
    return ordered


def _check_requirement(
    definition: ModuleDefinition, required: str, by_code: dict[str, ModuleDefinition]
) -> None:
    if required not in by_code:
        raise ModuleRegistryError(
            f"Module {definition.code!r} requires {required!r}, which is not installed. "
            f"Install it or take it out of `requires` in {definition.package}.definition."
        )
    tier = by_code[required].module_class
    if tier is ModuleClass.INTERNAL:
        raise ModuleRegistryError(
            f"Module {definition.code!r} requires the internal module {required!r}. "
            "Nothing may; listen to events instead."
        )
    if definition.module_class is ModuleClass.CORE and tier is not ModuleClass.CORE:
        raise ModuleRegistryError(
            f"Core module {definition.code!r} requires {required!r} of tier {tier}. "
            "Core modules require core modules only."
        )


def _visit(
    code: str,
    by_code: dict[str, ModuleDefinition],
    ordered: dict[str, ModuleDefinition],
    trail: tuple[str, ...],
) -> None:
    if code in ordered:
        return
    if code in trail:
        circle = " -> ".join((*trail[trail.index(code) :], code))
        raise ModuleRegistryError(
            f"Modules require each other in a circle: {circle}. Break it by an event or a provider."
        )
    for required in sorted(requirements(by_code[code], by_code)):
        _visit(required, by_code, ordered, (*trail, code))
    ordered[code] = by_code[code]


@lru_cache(maxsize=1)
def modules() -> dict[str, ModuleDefinition]:
    """Installed modules by code, in dependency order. Computed once per process."""
    return order_modules([*_definitions_in_tree(), *_definitions_of_distributions()])


def get_module(code: str) -> ModuleDefinition:
    """One installed module; ModuleRegistryError with the known codes when there is none."""
    try:
        return modules()[code]
    except KeyError:
        raise ModuleRegistryError(
            f"There is no module {code!r}. Installed: {', '.join(modules())}."
        ) from None


def _of_class(module_class: ModuleClass) -> dict[str, ModuleDefinition]:
    return {code: module for code, module in modules().items() if module.module_class is module_class}


def owner_of(python_module: str) -> str:
    """Code of the module that a Python module belongs to; 'tasks' and 'framework' for the rooms below the modules."""
    for code, definition in modules().items():
        if python_module == definition.package or python_module.startswith(definition.package + "."):
            return code
    return "tasks" if python_module.startswith("app.tasks") else "framework"


_CLASSES = {
    "CORE_MODULES": ModuleClass.CORE,
    "OPTIONAL_MODULES": ModuleClass.OPTIONAL,
    "INTERNAL_MODULES": ModuleClass.INTERNAL,
}


def __getattr__(name: str) -> dict[str, ModuleDefinition]:
    """``CORE_MODULES``, ``OPTIONAL_MODULES``, ``INTERNAL_MODULES``: modules by code, found at the first use.

    Not while this file is imported: definitions of other distributions import the framework in their turn.
    """
    if name in _CLASSES:
        return _of_class(_CLASSES[name])
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

"""Who may import whom. `lint-imports` (see `.importlinter`) and `verify` ask the same function."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import TYPE_CHECKING

from app.modules.base import ModuleDefinition
from app.modules.registry import requirements
from app.modules.verify.project import Project, owner_in, part_in
from app.modules.verify.report import Finding

if TYPE_CHECKING:
    from grimp import ImportGraph

PUBLIC_PARTS = frozenset({"facade", "contracts", "events", "exceptions"})
LAYERS = (
    ("definition",),
    ("routes", "tasks", "handlers", "cli"),
    ("facade",),
    ("services",),
    ("adapters",),
    ("schemas", "models"),
    ("contracts", "events"),
    ("enums", "exceptions", "config"),
)
_DEPTH = {part: depth for depth, layer in enumerate(LAYERS) for part in layer}
_CELERY = frozenset({"celery", "kombu"})
# What each room may import besides itself and other distributions; modules are looked at one by one.
_ROOMS_BELOW = {
    "kernel": frozenset[str](),
    "tasks": frozenset({"kernel"}),
    "ui": frozenset({"kernel"}),
    "framework": frozenset({"kernel", "tasks", "ui"}),
    "entry": frozenset({"kernel", "tasks", "ui", "framework"}),
    "sdk": frozenset({"kernel", "tasks", "framework"}),
    "testing": frozenset({"kernel", "tasks", "ui", "framework", "entry", "sdk"}),
    "module": frozenset({"kernel", "tasks", "ui", "framework"}),
    "module tests": frozenset({"kernel", "tasks", "ui", "framework", "testing"}),
}
_ROOM_RULES = {"kernel": "kernel-imports", "tasks": "tasks-imports", "framework": "framework-imports"}
RULES = {
    "kernel-imports": "Move the code out of app/core, or let the other side register itself with the kernel.",
    "tasks-imports": "app/tasks imports app/core only; let the framework register a callback.",
    "framework-imports": "Framework files name no module: use a definition, a provider or an event.",
    "entry-imported": "Only entry files import entry files; tasks use @shared_task(base=ModuleTask).",
    "room-imports": "Import from a room further inside (app.core, app.tasks, app.modules.<file>).",
    "module-layers": "Import downwards only: " + " > ".join(", ".join(layer) for layer in LAYERS) + ".",
    "module-borders": (
        "Name the module in `requires` and use its facade, contracts, events or exceptions; "
        "or listen to its events; or own a protocol that it provides."
    ),
    "celery-imports": "Only tasks/*.py import celery (shared_task); elsewhere use app.tasks.dispatcher.",
    "sdk-only": "Modules outside this repository import app.sdk only; their tests also app.testing.",
    "import-cycle": "Move what both need to a file below them.",
}


@dataclass(frozen=True, slots=True)
class ImportFault:
    """One import that breaks a rule of RULES."""

    rule: str
    importer: str
    imported: str
    line: int
    message: str


def import_faults(graph: "ImportGraph", known: Mapping[str, ModuleDefinition]) -> list[ImportFault]:
    """Every import of the graph that breaks a rule, and one fault for each import cycle."""
    faults = list(_cycles(graph))
    for importer in graph.modules:
        for imported in graph.find_modules_directly_imported_by(importer):
            broken = broken_rule(importer, imported, known)
            if broken:
                faults.append(
                    ImportFault(broken[0], importer, imported, _line(graph, importer, imported), broken[1])
                )
    return sorted(faults, key=lambda fault: (fault.rule, fault.importer, fault.line))


def _line(graph: "ImportGraph", importer: str, imported: str) -> int:
    return min(
        (detail["line_number"] for detail in graph.get_import_details(importer=importer, imported=imported)),
        default=1,
    )


def broken_rule(
    importer: str, imported: str, known: Mapping[str, ModuleDefinition]
) -> tuple[str, str] | None:
    """Rule and message where ``importer`` must not import ``imported``, else None."""
    home, target = owner_in(known, importer), owner_in(known, imported)
    said = f"{importer} imports {imported}"
    part = part_in(known, home, importer)
    if target == "outside":
        is_celery = imported.partition(".")[0] in _CELERY
        if is_celery and home in known and part not in ("tasks", "tests"):
            return "celery-imports", f"{said}."
        return None
    if home in known:
        return _of_module(home, part, target, imported, said, known)
    if target in known:
        return _into_module(home, target, imported, said, known)
    if home in ("outside", target) or target in _ROOMS_BELOW[home]:
        return None
    return _room_fault(home, target, said)


def _room_fault(home: str, target: str, said: str) -> tuple[str, str]:
    if target == "entry":
        return "entry-imported", f"{said}, an entry file."
    return _ROOM_RULES.get(home, "room-imports"), f"{said}: {home} must not know {target}."


def _into_module(
    home: str, target: str, imported: str, said: str, known: Mapping[str, ModuleDefinition]
) -> tuple[str, str] | None:
    is_public = part_in(known, target, imported) in PUBLIC_PARTS
    if is_public and home in ("sdk", "testing"):
        return None
    if home == "testing" and _is_factory(imported, known[target]):
        return None
    return _ROOM_RULES.get(home, "room-imports"), f"{said}, a part of module {target}."


def _is_factory(imported: str, module: ModuleDefinition) -> bool:
    return f"{imported}.".startswith(f"{module.package}.tests.factories.")


def _of_module(
    home: str, part: str, target: str, imported: str, said: str, known: Mapping[str, ModuleDefinition]
) -> tuple[str, str] | None:
    if not known[home].package.startswith("app.") and target != home:
        is_open = target == "sdk" or (part == "tests" and target == "testing")
        return None if is_open else ("sdk-only", f"{said}.")
    if target == home:
        return _inside(part, part_in(known, home, imported), said)
    if target in known:
        return _across(home, part, target, imported, said, known)
    if target in _ROOMS_BELOW["module tests" if part == "tests" else "module"]:
        return None
    return _room_fault("module", target, said)


def _inside(part: str, other: str, said: str) -> tuple[str, str] | None:
    if part in ("tests", other) and part:
        return None
    if not part:
        return (
            "module-layers",
            f"{said}: the module's __init__.py stays empty, it runs before every other file.",
        )
    if part not in _DEPTH or other not in _DEPTH or _DEPTH[other] < _DEPTH[part]:
        return "module-layers", f"{said}: {part} stands below {other or 'the package'}."
    return None


def _across(
    home: str, part: str, target: str, imported: str, said: str, known: Mapping[str, ModuleDefinition]
) -> tuple[str, str] | None:
    other = part_in(known, target, imported)
    if other == "events":
        return None
    if target not in requirements(known[home], known):
        return "module-borders", f"{said}, but module {home} does not require {target}."
    if other in PUBLIC_PARTS or (part == "tests" and _is_factory(imported, known[target])):
        return None
    return "module-borders", f"{said}, which is private to module {target}."


def _cycles(graph: "ImportGraph") -> Iterator[ImportFault]:
    below = {name: sorted(graph.find_modules_directly_imported_by(name)) for name in sorted(graph.modules)}
    while circle := _circle(below):
        importer, imported = circle[0], circle[1]
        message = f"Import cycle: {' -> '.join(circle)}."
        yield ImportFault("import-cycle", importer, imported, _line(graph, importer, imported), message)
        below[importer].remove(imported)


def _circle(below: Mapping[str, list[str]]) -> list[str] | None:
    """Names of which each imports the next, first and last the same; None when there is no cycle."""
    try:
        TopologicalSorter(below).prepare()
    except CycleError as error:
        names: list[str] = error.args[1][:0:-1]
        start = names.index(min(names))
        return [*names[start:], *names[:start], names[start]]
    return None


def check_imports(project: Project) -> Iterator[Finding]:
    """Borders and cycles, from grimp's import graph of the tree."""
    try:
        import grimp
    except ImportError:
        yield project.finding(
            project.root / ".importlinter",
            1,
            "imports-unchecked",
            "Imports cannot be checked: import-linter (with grimp) is not installed.",
            "Install the development group: uv sync --group dev.",
        )
        return
    packages = {definition.package.partition(".")[0] for definition in project.modules.values()}
    graph = grimp.build_graph(
        "app", *sorted(packages - {"app"}), include_external_packages=True, cache_dir=None
    )
    for fault in import_faults(graph, project.modules):
        source = project.by_name.get(fault.importer)
        where = source.path if source else Path(fault.importer)
        yield project.finding(where, fault.line, fault.rule, fault.message, RULES[fault.rule])

"""A page about each module of this repository, written from its definition, its tables and its doors.

The pages are the same on every machine and in every language: English texts, a fixed order, and only modules of the
repository are looked at, whatever else is installed.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from celery import current_app
from pydantic_settings import BaseSettings
from sqlalchemy import UniqueConstraint
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import Column, Table

from app.core.i18n import translate
from app.modules import migrations
from app.modules.api import ApiRouter, Operation
from app.modules.base import Feature, ModuleDefinition, load
from app.modules.events import Event
from app.modules.menu import AREA_ROOTS
from app.modules.providers import ProviderPoint
from app.modules.registry import modules, requirements
from app.modules.task_base import task_names
from app.modules.tasks import cron_of, queue_of
from app.modules.texts import load_texts
from app.modules.webhook_doors import ROOT as WEBHOOK_ROOT
from app.modules.webhook_doors import WebhookRouter

ROOT = Path(__file__).parents[2]
PAGES = Path("docs") / "modules"
_NOTE = "<!-- Written by `wizamart modules docs` from the module's definition. Do not edit. -->"
_DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]


def described_modules() -> dict[str, ModuleDefinition]:
    """The modules of this repository, in alphabetical order."""
    found = {code: module for code, module in modules().items() if module.package.startswith("app.modules.")}
    return dict(sorted(found.items()))


def wanted_pages() -> dict[str, str]:
    """Every page by its file name, as it ought to be."""
    load_texts()
    migrations.load_models()
    pages = {f"{code}.md": module_page(module) for code, module in described_modules().items()}
    return {"README.md": _index(), **pages}


def stale_pages(root: Path = ROOT) -> list[str]:
    """File names of pages below ``root`` that are missing, old, or about no module."""
    wanted, folder = wanted_pages(), root / PAGES
    present = {path.name: path.read_text("utf-8") for path in folder.glob("*.md")}
    return sorted(name for name in wanted.keys() | present.keys() if wanted.get(name) != present.get(name))


def write_pages(root: Path = ROOT) -> list[str]:
    """Bring the pages below ``root`` up to date; returns the names of those that were changed."""
    stale, wanted, folder = stale_pages(root), wanted_pages(), root / PAGES
    folder.mkdir(parents=True, exist_ok=True)
    for name in stale:
        if name in wanted:
            (folder / name).write_text(wanted[name], encoding="utf-8")
        else:
            (folder / name).unlink()
    return stale


def module_page(module: ModuleDefinition) -> str:
    """The page of one module."""
    readme = f"../../{module.folder.relative_to(ROOT).as_posix()}/README.md"
    sections = [
        [
            f"# {module.name}",
            _NOTE,
            f"{module.description} Purpose, words and decisions: [README]({readme}).",
        ],
        _facts(module),
        _section("Neighbours", _diagram(module)),
        _section("Tables", _tables(module)),
        _section("Pages and doors", _doors(module)),
        _section("Permissions", _permissions(module)),
        _section("Features", _features(module)),
        _section("Tasks", _tasks(module)),
        _section("Schedules", _schedules(module)),
        _section("Events out", _events_out(module)),
        _section("Events in", _events_in(module)),
        _section("Questions it asks", _questions(module)),
        _section("Questions it answers", _answers(module)),
        _section("Settings", _settings(module)),
    ]
    return "\n\n".join(part for section in sections for part in section) + "\n"


def _index() -> str:
    rows = [
        (f"[{module.name}]({code}.md)", str(module.module_class), _codes(module.requires), module.description)
        for code, module in described_modules().items()
    ]
    table = _table(("module", "class", "requires", "what it is for"), rows)
    return "\n\n".join(["# The modules", _NOTE, "Every module stands on tenancy and core.", table]) + "\n"


def _section(title: str, body: str) -> list[str]:
    return [f"## {title}", body or "None."]


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(row)} |" for row in ([_cell(one) for one in row] for row in rows)]
    return "\n".join([f"| {' | '.join(head)} |", "|---" * len(head) + "|", *lines]) if lines else ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _code(text: str) -> str:
    return f"`{text}`"


def _codes(texts: Iterable[str]) -> str:
    return ", ".join(map(_code, texts))


def _doc(thing: Any) -> str:
    return (thing.__doc__ or "").strip().partition("\n")[0]


def _facts(module: ModuleDefinition) -> list[str]:
    implied = [code for code in requirements(module, modules()) if code not in module.requires]
    needs = _codes(module.requires) or "nothing"
    if implied:
        needs += f" (and {_codes(implied)}, as every module)"
    ids = ", ".join(f"`{prefix}_…` for {_code(table)}" for prefix, table in module.public_ids.values())
    rows = [
        ("code", _code(module.code)),
        ("class", str(module.module_class)),
        ("version", module.version),
        ("requires", needs),
        ("public ids", ids or "none"),
        ("health check", "yes" if module.hooks.health_check else "no"),
    ]
    return [_table(("", ""), rows)]


def _diagram(module: ModuleDefinition) -> str:
    """Who it stands on, who stands on it, and which events and questions go between them."""
    known, code = described_modules(), module.code
    edges = {f"{code} --> {required}" for required in module.requires}
    edges |= {f"{other.code} --> {code}" for other in known.values() if code in other.requires}
    for other in known.values():
        for event in other.handlers:
            publisher = _owner(event)
            if code in (publisher, other.code):
                edges.add(f"{publisher} -. {event.partition('.')[2]} .-> {other.code}")
        for point in other.providers:
            owner = _owner(point)
            if code in (owner, other.code) and owner in known:
                edges.add(f"{owner} == {point.partition('.')[2]} ==> {other.code}")
    lines = [f"    {edge}" for edge in sorted(edges)] or [f"    {code}"]
    legend = "Arrows: requires (line), event to its listener (dots), question to who answers it (thick)."
    return "\n".join(["```mermaid", "graph LR", *lines, "```", "", legend])


def _owner(name: str) -> str:
    """Code of the module that a wire name or a provider point belongs to."""
    first = name.partition(".")[0]
    return first.replace("_", "-") if first.replace("_", "-") in modules() else first


def _tables(module: ModuleDefinition) -> str:
    parts = []
    for table in sorted(migrations.tables_of(module.code), key=lambda table: table.name):
        rows = [(_code(column.name), _kind(column), _role(column)) for column in table.columns]
        verbs = "" if table.info["verbs"] == "SIUD" else f", rights {table.info['verbs']}"
        search = ", with a search function" if table.info.get("search") else ""
        title = f"### {table.name}\n\nScope *{table.info['scope']}*{verbs}{search}."
        parts.append(f"{title}\n\n{_table(('column', 'type', 'role'), rows)}{_unique(table)}")
    return "\n\n".join(parts)


def _kind(column: Column[Any]) -> str:
    kind = column.type.compile(dialect=_DIALECT).lower()
    return kind if not column.nullable else f"{kind}, may be null"


def _role(column: Column[Any]) -> str:
    roles = ["key"] if column.primary_key else []
    roles += sorted(f"→ {_code(key.target_fullname)}" for key in column.foreign_keys)
    return ", ".join(roles)


def _unique(table: Table) -> str:
    keys = [key for key in table.constraints if isinstance(key, UniqueConstraint)]
    names = {", ".join(key.columns.keys()) for key in keys}
    names |= {", ".join(index.columns.keys()) for index in table.indexes if index.unique}
    return f"\n\nUnique: {'; '.join(sorted(names))}." if names else ""


def _doors(module: ModuleDefinition) -> str:
    declared = {page.id: page for page in module.pages}
    rows = []
    for name in module.routes:
        router = import_module(f"{module.package}.routes.{name}").router
        if isinstance(router, ApiRouter):
            rows += [_operation(operation) for operation in router.operations]
            continue
        if isinstance(router, WebhookRouter):
            root = f"{WEBHOOK_ROOT}/{module.code}"
            rows += [(root + one.path, "POST", _doc(one.function), "signature") for one in router.doors]
            continue
        for door in router.doors:
            page = declared[door.page_id] if door.page_id else None
            path = (AREA_ROOTS[door.area] + ((page.path if page else door.path) or "")) or "/"
            permission = page.permission if page else door.permission
            kind = f"page: {translate('en', page.title_key)} ({page.kind})" if page else _doc(door.function)
            rows.append((path, door.method, kind, _code(permission) if permission else "anybody"))
    table = [(door[1], _code(door[0]), door[2], door[3]) for door in sorted(rows)]
    return _table(("method", "address", "what", "permission"), table)


def _operation(operation: Operation) -> tuple[str, str, str, str]:
    path = f"/api/v1/{operation.area}{operation.path}"
    return path, operation.method, f"API: {_doc(operation.function)}", _code(operation.permission)


def _permissions(module: ModuleDefinition) -> str:
    rows = [
        (_code(one.code), one.area, translate("en", one.label_key))
        for one in sorted(module.permissions, key=lambda one: one.code)
    ]
    return _table(("permission", "area", "allows to"), rows)


def _features(module: ModuleDefinition) -> str:
    rows = [
        (_code(one.code), translate("en", one.label_key), _limit_words(one), _counted_words(one))
        for one in sorted(module.features, key=lambda one: one.code)
    ]
    return _table(("feature", "what a plan limits", "where a plan says nothing", "counted"), rows)


def _limit_words(feature: Feature) -> str:
    if feature.kind == "binary":
        return "off" if feature.default_limit == 0 else "on"
    return "no limit" if feature.default_limit is None else str(feature.default_limit)


def _counted_words(feature: Feature) -> str:
    if feature.kind == "binary":
        return "-"
    return "anew in each period" if feature.is_per_period else _doc(load(feature.usage or ""))


def _tasks(module: ModuleDefinition) -> str:
    rows = []
    for name in task_names():
        if name.startswith(f"{module.package}."):
            task = current_app.tasks[name]
            limit = f"{task.max_attempts} tries of {task.time_limit_seconds:g} s"
            rows.append((_code(name), task.scope, queue_of(name), limit, _doc(task.run)))
    return _table(("task", "scope", "queue", "limits", "what it does"), rows)


def _schedules(module: ModuleDefinition) -> str:
    rows = [
        (
            _code(entry.name),
            _code(cron_of(entry.schedule)),
            _code(entry.task.rpartition(".")[2]),
            f"missed: {entry.catch_up}, unfinished: {entry.overlap}",
        )
        for entry in sorted(module.scheduled_tasks, key=lambda entry: entry.name)
    ]
    return _table(("schedule", "UTC", "task", "rules"), rows)


def _events_out(module: ModuleDefinition) -> str:
    rows = []
    for event in sorted(_members(module, "events", Event), key=lambda event: str(event.name)):
        listeners = [code for code, other in described_modules().items() if event.name in other.handlers]
        names = [name for name in event.__annotations__ if name != "name"]
        rows.append((_code(event.name), _doc(event), _codes(names), _codes(listeners) or "nobody"))
    return _table(("event", "when", "fields", "heard by"), rows)


def _members(module: ModuleDefinition, file: str, base: type) -> list[Any]:
    """Classes of a module's file that are kinds of ``base``."""
    found = _contents(module, file).values()
    name = f"{module.package}.{file}"
    return [
        one for one in found if isinstance(one, type) and issubclass(one, base) and one.__module__ == name
    ]


def _contents(module: ModuleDefinition, file: str) -> Mapping[str, Any]:
    name = f"{module.package}.{file}"
    return vars(import_module(name)) if find_spec(name) else {}


def _events_in(module: ModuleDefinition) -> str:
    rows = [(_code(name), _doc(load(path))) for name, path in sorted(module.handlers.items())]
    return _table(("event", "then"), rows)


def _questions(module: ModuleDefinition) -> str:
    points = [one for one in _contents(module, "contracts").values() if isinstance(one, ProviderPoint)]
    rows = []
    for point in sorted(points, key=lambda point: point.name):
        answering = [code for code, other in described_modules().items() if point.name in other.providers]
        rows.append((_code(point.name), _codes(answering) or "nobody"))
    return _table(("question", "answered by"), rows)


def _answers(module: ModuleDefinition) -> str:
    rows = [(_code(point), _doc(load(path))) for point, path in sorted(module.providers.items())]
    return _table(("question", "answer"), rows)


def _settings(module: ModuleDefinition) -> str:
    return _table(("setting", "default", "meaning"), _setting_rows(module))


def _setting_rows(module: ModuleDefinition) -> Iterator[tuple[str, str, str]]:
    for settings in _members(module, "config", BaseSettings):
        prefix = str(settings.model_config.get("env_prefix", ""))
        for name, one in sorted(settings.model_fields.items()):
            default = "required" if one.is_required() else _code(str(one.default))
            yield _code(f"{prefix}{name}".upper()), default, one.description or ""

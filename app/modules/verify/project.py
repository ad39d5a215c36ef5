"""What the checks look at: parsed sources, definitions and declared tables.

Code under check is parsed, not run; only definitions and models are imported.
"""

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from sqlalchemy.schema import Table

from app.core.tables import Base
from app.modules.base import ModuleDefinition
from app.modules.migrations import load_models
from app.modules.registry import modules
from app.modules.verify.report import Finding

Node = TypeVar("Node", bound=ast.AST)
_UNREAD = frozenset({"__pycache__", "node_modules", "static"})


def last_name(expression: ast.expr) -> str:
    """``c`` of ``a.b.c`` and of ``c``; "" for what does not end with a name."""
    if isinstance(expression, ast.Attribute):
        return expression.attr
    return expression.id if isinstance(expression, ast.Name) else ""


@dataclass(frozen=True)
class Source:
    """One Python file.

    ``owner`` is a module's code or a room: kernel, tasks, framework, ui, sdk, testing, entry, outside (tests,
    bench, sandbox); ``part`` is the first name inside the module (``services``).
    """

    path: Path
    name: str
    owner: str
    part: str
    is_test: bool
    tree: ast.Module = field(repr=False)
    lines: int = 0

    @cached_property
    def _nodes(self) -> dict[type[ast.AST], list[ast.AST]]:
        found: dict[type[ast.AST], list[ast.AST]] = defaultdict(list)
        for node in ast.walk(self.tree):
            found[type(node)].append(node)
        return found

    def all(self, kind: type[Node]) -> list[Node]:
        """All nodes of one type; the tree is walked once for all checks."""
        return self._nodes.get(kind, [])  # type: ignore[return-value]

    def functions(self) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
        """All functions, methods and nested ones too."""
        return [*self.all(ast.FunctionDef), *self.all(ast.AsyncFunctionDef)]

    def public_functions(self) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
        """Functions at the top level whose name does not begin with an underscore."""
        for node in self.tree.body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_"):
                yield node

    @property
    def is_script(self) -> bool:
        """Whether the file can be run by itself."""
        tests = [node.test for node in self.tree.body if isinstance(node, ast.If)]
        return any(ast.unparse(test) == "__name__ == '__main__'" for test in tests)

    @cached_property
    def strings(self) -> list[tuple[int, str]]:
        """String literals with their lines; f-strings in one piece with ``{}`` for values; no docstrings."""
        skipped: set[int] = set()
        found = []
        for joined in self.all(ast.JoinedStr):
            skipped.update(id(part) for part in ast.walk(joined) if isinstance(part, ast.Constant))
            texts = [str(p.value) if isinstance(p, ast.Constant) else "{}" for p in joined.values]
            found.append((joined.lineno, "".join(texts)))
        for expression in self.all(ast.Expr):
            skipped.add(id(expression.value))
        return found + [
            (constant.lineno, constant.value)
            for constant in self.all(ast.Constant)
            if isinstance(constant.value, str) and id(constant) not in skipped
        ]

    @cached_property
    def imported(self) -> list[tuple[int, str]]:
        """Full names of what is imported, with lines: ``celery.chain`` for ``from celery import chain``."""
        found = [(node.lineno, alias.name) for node in self.all(ast.Import) for alias in node.names]
        for node in self.all(ast.ImportFrom):
            found += [(node.lineno, f"{node.module or ''}.{alias.name}") for alias in node.names]
        return found


@dataclass(frozen=True)
class Project:
    """Everything a check may ask for. ``folders`` holds each module's folder by code."""

    root: Path
    modules: Mapping[str, ModuleDefinition]
    folders: Mapping[str, Path]
    sources: Sequence[Source]
    tables: Sequence[Table]

    def of_modules(self, *parts: str, tests: bool = False) -> Iterator[Source]:
        """Sources of modules, of all parts where none is named."""
        for source in self.sources:
            if (
                source.owner in self.modules
                and (tests or not source.is_test)
                and (not parts or source.part in parts)
            ):
                yield source

    @cached_property
    def by_name(self) -> dict[str, Source]:
        """Sources by dotted name."""
        return {source.name: source for source in self.sources}

    @cached_property
    def table_owners(self) -> dict[str, str]:
        """Owner of each declared table, and of the search functions that are generated for tables."""
        found = {}
        for table in self.tables:
            owner = owner_in(self.modules, table.info["python_module"])
            found[table.name] = owner
            if table.info.get("search"):
                found[f"search_{table.name}"] = owner
        return found

    def show(self, path: Path) -> str:
        """A path as findings write it."""
        return path.relative_to(self.root).as_posix() if path.is_relative_to(self.root) else path.as_posix()

    def finding(self, where: Source | Path, line: int, rule: str, message: str, fix: str) -> Finding:
        """A finding in a source or another file."""
        path = where.path if isinstance(where, Source) else where
        return Finding(self.show(path), line, rule, message, fix)

    def in_definition(self, code: str, needle: str) -> tuple[Path, int]:
        """The module's definition file and the first line that holds the quoted text ``needle`` (else 1)."""
        path = self.folders[code] / "definition.py"
        if path.is_file():
            for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
                if f'"{needle}"' in line or f"'{needle}'" in line:
                    return path, number
        return path, 1


_ROOMS = {
    "core": "kernel",
    "tasks": "tasks",
    "ui": "ui",
    "sdk": "sdk",
    "testing": "testing",
    "modules": "framework",
}


def owner_in(known: Mapping[str, ModuleDefinition], name: str) -> str:
    """Code of the module, or the room, that a dotted name belongs to; ``outside`` for anything else."""
    for code, definition in known.items():
        if name == definition.package or name.startswith(definition.package + "."):
            return code
    first, _, rest = name.partition(".")
    if first != "app":
        return "outside"
    # The files beside the rooms start something; the plan put one more such file into the kernel's folder.
    if name == "app.core.celery_config":
        return "entry"
    return _ROOMS.get(rest.partition(".")[0], "entry") if rest else "kernel"


def part_in(known: Mapping[str, ModuleDefinition], code: str, name: str) -> str:
    """First name inside the module ``code``: ``services``; '' for the package itself and for no module."""
    if code not in known:
        return ""
    return name.removeprefix(known[code].package).lstrip(".").partition(".")[0]


def read_source(path: Path, name: str, known: Mapping[str, ModuleDefinition]) -> Source:
    """Parse one file; SyntaxError names file and line."""
    text = path.read_text("utf-8")
    owner = owner_in(known, name)
    is_test = owner in ("testing", "outside") or ".tests." in f"{name}."
    tree = ast.parse(text, str(path))
    return Source(path, name, owner, part_in(known, owner, name), is_test, tree, text.count("\n"))


def _python_files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*.py")):
        if not _UNREAD.intersection(path.relative_to(folder).parts):
            yield path


def _name(package: str, folder: Path, path: Path) -> str:
    parts = [package, *path.relative_to(folder).with_suffix("").parts]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def read_project(
    root: Path, known: Mapping[str, ModuleDefinition], folders: Mapping[str, Path], tables: Sequence[Table]
) -> Project:
    """Parse ``app`` and what stands beside it in ``root``, and the folders of modules from elsewhere."""
    rooms = [(name, root / name) for name in ("app", "tests", "bench", "sandbox")]
    rooms += [
        (known[code].package, folder)
        for code, folder in folders.items()
        if not folder.is_relative_to(root / "app")
    ]
    sources = [
        read_source(path, _name(package, folder, path), known)
        for package, folder in rooms
        for path in _python_files(folder)
    ]
    return Project(root, known, folders, sources, tables)


def load_project() -> Project:
    """The installed tree. Imports definitions and models."""
    root = Path(__file__).parents[3]
    load_models()
    known = modules()
    folders = {code: definition.folder for code, definition in known.items()}
    return read_project(root, known, folders, Base.metadata.sorted_tables)

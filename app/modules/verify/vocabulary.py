"""The closed vocabulary of a module's folder, and the one of app/sdk."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from app.modules.verify.project import Project
from app.modules.verify.report import Finding

FILES = frozenset(
    {"__init__.py", "definition.py", "config.py", "exceptions.py", "enums.py", "contracts.py", "events.py"}
    | {"facade.py", "handlers.py", "cli.py", "README.md"}
)
FOLDERS = frozenset(
    {
        "routes",
        "tasks",
        "services",
        "adapters",
        "schemas",
        "models",
        "migrations",
        "templates",
        "static",
        "locales",
    }
    | {"tests"}
)
_DATA_FOLDERS = frozenset({"migrations", "templates", "static", "locales"})
_VAGUE = re.compile(r"(?:^|_)(?:utils?|helpers?|common|managers?|misc|shared|lib|stuff)$")
FRAMEWORK_FOLDERS = frozenset({"api", "scaffold", "pagekit", "verify", "versions", "locales", "__pycache__"})
_IGNORED = frozenset({"__pycache__"})


def check_definitions(project: Project) -> Iterator[Finding]:
    """Every folder of app/modules is a module with a definition, or one of the framework's own."""
    place = project.root / "app" / "modules"
    for folder in sorted(
        path for path in place.iterdir() if path.is_dir() and path.name not in FRAMEWORK_FOLDERS
    ):
        if not (folder / "definition.py").is_file() and any(folder.rglob("*.py")):
            yield project.finding(
                folder,
                1,
                "missing-definition",
                f"{folder.name} has no definition.py, so nothing knows that it is a module.",
                "Write its ModuleDefinition, or move the code into a module.",
            )


def check_names(project: Project) -> Iterator[Finding]:
    """Only the names of the vocabulary stand in a module's folder; nothing is called utils."""
    for folder in project.folders.values():
        for path in sorted(folder.iterdir()):
            if path.name in _IGNORED or path.name.startswith("."):
                continue
            if path.name not in (FOLDERS if path.is_dir() else FILES):
                yield project.finding(
                    path,
                    1,
                    "module-vocabulary",
                    f"A module has no {path.name!r}.",
                    "Put it where it belongs: " + ", ".join(sorted(FOLDERS | FILES)) + ".",
                )
        yield from _names_inside(project, folder)


def _names_inside(project: Project, folder: Path) -> Iterator[Finding]:
    for path in sorted(folder.rglob("*.py")):
        inside = path.relative_to(folder)
        if _IGNORED.intersection(inside.parts):
            continue
        if _VAGUE.search(path.stem) or _VAGUE.search(path.parent.name):
            yield project.finding(
                path,
                1,
                "vague-name",
                f"{inside} says nothing about its content.",
                "Name the file after what it does.",
            )


def check_packages(project: Project) -> Iterator[Finding]:
    """Folders of Python files are packages; else neither the import check nor task discovery sees them."""
    for folder in project.folders.values():
        for inside in sorted({path.parent for path in folder.rglob("*.py")}):
            parts = inside.relative_to(folder).parts
            if _DATA_FOLDERS.intersection(parts[:1]) or (inside / "__init__.py").is_file():
                continue
            yield project.finding(
                inside,
                1,
                "missing-init",
                f"{project.show(inside)} has no __init__.py.",
                "Add an empty __init__.py.",
            )


def check_completeness(project: Project) -> Iterator[Finding]:
    """A module with code has a README and tests."""
    for code, folder in project.folders.items():
        has_code = any(
            source.owner == code and source.part not in ("", "definition") and not source.is_test
            for source in project.sources
        )
        if not has_code:
            continue
        if not (folder / "README.md").is_file():
            yield project.finding(
                folder / "definition.py",
                1,
                "missing-readme",
                f"Module {code} has no README.md.",
                "Write purpose, vocabulary and decisions of the module.",
            )
        if not any((folder / "tests").rglob("test_*.py")):
            yield project.finding(
                folder / "definition.py",
                1,
                "missing-tests",
                f"Module {code} has no tests.",
                "Add tests/test_<subject>.py.",
            )


def check_data_folders(project: Project) -> Iterator[Finding]:
    """Templates and static files stand in a folder named after the module; migrations are numbered."""
    for code, folder in project.folders.items():
        names = {code, code.replace("-", "_")}
        for kind in ("templates", "static"):
            if not (folder / kind).is_dir():
                continue
            for path in sorted((folder / kind).iterdir()):
                if path.name not in names:
                    yield project.finding(
                        path,
                        1,
                        "module-vocabulary",
                        f"{kind}/ of module {code} holds {path.name!r}.",
                        f"Put it under {kind}/{code}/, so that names of modules never meet.",
                    )
        pattern = re.compile(rf"{code.replace('-', '_')}_\d{{4}}_[a-z][a-z0-9]*_[a-z0-9_]+\.py")
        for path in sorted((folder / "migrations").rglob("*.py")):
            if path.name not in ("__init__.py", "env.py") and not pattern.fullmatch(path.name):
                yield project.finding(
                    path,
                    1,
                    "migration-name",
                    f"{path.name!r} is no name of a migration.",
                    f"Call it {code.replace('-', '_')}_<nnnn>_<verb_object>.py.",
                )


def check_sdk(project: Project) -> Iterator[Finding]:
    """app/sdk holds re-exports only."""
    for source in project.sources:
        if source.owner != "sdk":
            continue
        for node in source.tree.body:
            if not _is_reexport(node):
                yield project.finding(
                    source,
                    node.lineno,
                    "sdk-reexports",
                    "app/sdk holds imports from app and __all__ only.",
                    "Write the code in the kernel or the framework and import it here.",
                )


def _is_reexport(node: ast.stmt) -> bool:
    if isinstance(node, ast.ImportFrom):
        return (node.module or "").startswith("app.")
    if isinstance(node, ast.Assign):
        return [ast.unparse(target) for target in node.targets] == ["__all__"]
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)

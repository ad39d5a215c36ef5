"""From a name to the files of a module that passes its own tests.

Each template is a file as it will be written; ``[[ … ]]`` and ``[% … %]`` are filled in. ``imports()`` writes import
lines in the order that the linter wants: from their homes for a module in this repository, from ``app.sdk`` for one
outside.
"""

import ast
import keyword
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from string import ascii_lowercase

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from app import VERSION
from app.core.errors import ConflictError, ValidationFailedError
from app.modules.registry import modules

_HERE = Path(__file__).parent
MODULES = _HERE.parent
_TEMPLATES = _HERE / "templates"
_NAME = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*")
_MIN_CHARS, _MAX_CHARS = 3, 24  # names of revisions (32 characters at most) and constraints are built on it
_MAX_LINE = 110
_TESTING = {
    "ModuleConformance": "app.testing.conformance",
    "sign_in": "app.testing.browsing",
    "token_of": "app.testing.browsing",
    "work": "app.testing.working",
    "vendor_scope": "app.testing.working",
}


class ModuleNameError(ValidationFailedError):
    """The name cannot be a module's."""

    code = "framework.module_name"


class ModuleExistsError(ConflictError):
    """There is something of this name already; nothing is overwritten."""

    code = "framework.module_exists"


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be written: the module's code, where its package goes, and whether it stands alone."""

    code: str
    folder: Path
    is_package: bool

    @property
    def package(self) -> str:
        """Dotted name of the module's package."""
        return f"wizamart_{self.code}" if self.is_package else f"app.modules.{self.code}"

    @property
    def title(self) -> str:
        """The name that people read."""
        return self.code.replace("_", " ").capitalize()

    @property
    def path(self) -> str:
        """Its address below the vendor's root."""
        return self.code.replace("_", "-")


def plan_module(name: str) -> Plan:
    """A module of this repository. Raises ModuleNameError and ModuleExistsError."""
    if not (MODULES.parents[1] / "pyproject.toml").is_file():
        raise ModuleNameError(
            "Wizamart is installed here, not checked out. Make a distribution with --package DIR."
        )
    _check_name(name)
    folder = MODULES / name
    if folder.exists() or (MODULES / f"{name}.py").exists():
        raise ModuleExistsError(f"{name!r} is taken: {folder.parent.name}/ has something of this name.")
    return Plan(name, folder, is_package=False)


def plan_package(name: str, target: Path) -> Plan:
    """A distribution in ``target``, which must be empty or not there. Raises as ``plan_module`` does."""
    _check_name(name)
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise ModuleExistsError(f"{target} is there and not empty. Choose another folder.")
    return Plan(name, target / f"wizamart_{name}", is_package=True)


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name) or not _MIN_CHARS <= len(name) <= _MAX_CHARS:
        proposal = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_0123456789")[:_MAX_CHARS].strip("_")
        hint = f" Try {proposal!r}." if len(proposal) >= _MIN_CHARS and _NAME.fullmatch(proposal) else ""
        raise ModuleNameError(
            f"{name!r} cannot be a module's name: {_MIN_CHARS} to {_MAX_CHARS} small letters, digits and underscores, "
            f"beginning with a letter.{hint}"
        )
    if keyword.iskeyword(name) or name in sys.stdlib_module_names:
        raise ModuleNameError(f"{name!r} is a word of Python. Choose another name.")
    if name in {code.replace("-", "_") for code in modules()}:
        raise ModuleExistsError(f"A module {name!r} is installed already.")


def write_module(plan: Plan) -> list[Path]:
    """Write the files; returns their paths. Nothing of it was there before."""
    written = []
    for template, path in _files(plan):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(_render(plan, template), encoding="utf-8")
        written.append(path)
    return written


def _files(plan: Plan) -> Iterator[tuple[str, Path]]:
    """Templates with the paths they are written to."""
    places = [("module", plan.folder)]
    if plan.is_package:
        places.append(("package", plan.folder.parent))
    for kind, folder in places:
        for template in sorted((_TEMPLATES / kind).rglob("*.jinja")):
            inside = template.relative_to(_TEMPLATES / kind).as_posix().removesuffix(".jinja")
            yield template.relative_to(_TEMPLATES).as_posix(), folder / inside.replace("CODE", plan.code)


def _render(plan: Plan, template: str) -> str:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        undefined=StrictUndefined,
        variable_start_string="[[",
        variable_end_string="]]",
        block_start_string="[%",
        block_end_string="%]",
        comment_start_string="[#",
        comment_end_string="#]",
        trim_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 - source code, written from a checked name
    )

    def imports(others: Sequence[str], names: Sequence[str] = (), own: Sequence[str] = ()) -> str:
        return _imports(plan, others, names, own)

    return environment.get_template(template).render(
        code=plan.code,
        package=plan.package,
        title=plan.title,
        path=plan.path,
        entry_prefix=_prefix(plan.code, "e"),
        check_prefix=_prefix(plan.code, "c"),
        is_package=plan.is_package,
        version=VERSION,
        imports=imports,
    )


def _prefix(code: str, last: str) -> str:
    """Letters that begin the public ids of a kind of record: the code's own, others where a module has these."""
    initials = "".join(word[0] for word in code.split("_"))
    wanted = "".join(
        letter for letter in (initials if len(initials) > 1 else code) + code if letter.isalpha()
    )[:2]
    taken = {prefix for module in modules().values() for prefix, _ in module.public_ids.values()}
    others = ("".join(pair) for pair in product(ascii_lowercase, repeat=2))
    return next(start + last for start in (wanted, *others) if start + last not in taken)


def _imports(plan: Plan, others: Sequence[str], names: Sequence[str], own: Sequence[str]) -> str:
    """Import lines in two groups: ``others`` as they are, ``names`` of Wizamart, ``own`` as "file: name, name"."""
    outside: list[str] = list(others)
    inside: list[str] = []
    for home, found in sorted(_by_home(names, plan.is_package).items()):
        (outside if plan.is_package else inside).append(_line(home, found))
    for entry in own:
        file, _, listed = entry.partition(": ")
        home = f"{plan.package}.{file}".rstrip(".")
        inside.append(_line(home, listed.split(", ")))
    return "\n\n".join("\n".join(sorted(group, key=_order)) for group in (outside, inside) if group)


def _by_home(names: Sequence[str], is_package: bool) -> dict[str, list[str]]:
    homes = _homes()
    found: dict[str, list[str]] = {}
    for name in names:
        home = _TESTING.get(name) or ("app.sdk" if is_package else homes[name])
        found.setdefault(home, []).append(name)
    return found


def _homes() -> dict[str, str]:
    """Where each name of app.sdk comes from."""
    tree = ast.parse((MODULES.parent / "sdk" / "__init__.py").read_text("utf-8"))
    return {
        alias.name: node.module or ""
        for node in tree.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


def _line(home: str, names: Sequence[str]) -> str:
    ordered = sorted(names, key=lambda name: (not name.isupper(), not name[0].isupper(), name))
    line = f"from {home} import {', '.join(ordered)}"
    if len(line) <= _MAX_LINE:
        return line
    return "\n".join([f"from {home} import (", *(f"    {name}," for name in ordered), ")"])


def _order(line: str) -> tuple[bool, str]:
    kind, home = line.split()[:2]
    return kind == "from", home

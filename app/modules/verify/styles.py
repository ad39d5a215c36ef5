"""Classes in the templates of modules are those that the compiled style sheet has: another one does nothing."""

import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from app.modules.verify.project import Project
from app.modules.verify.report import Finding

_STYLE_SHEET = Path(__file__).parents[2] / "ui" / "static" / "app.css"
_ATTRIBUTE = re.compile(r'class="([^"]*)"')
_EXPRESSION = re.compile(r"\{[{%].*?[}%]\}", re.DOTALL)
_CLASS = re.compile(r"\.((?:\\.|[\w-])+)")
_MADE_UP = "\x00"


def check_classes(project: Project) -> Iterator[Finding]:
    """Every class that a module's template writes is in the style sheet."""
    known = _known_classes()
    for folder in project.folders.values():
        for path in sorted((folder / "templates").rglob("*.html")):
            text = path.read_text(encoding="utf-8")
            for match in _ATTRIBUTE.finditer(text):
                names = _EXPRESSION.sub(_MADE_UP, match[1]).split()
                for name in sorted({name for name in names if _MADE_UP not in name} - known):
                    yield project.finding(
                        path,
                        text.count("\n", 0, match.start()) + 1,
                        "unknown-class",
                        f"No style sheet knows the class {name!r}.",
                        "Use a macro or class of the UI kit; in this repository run `python -m app.ui.build`.",
                    )


@lru_cache(maxsize=1)
def _known_classes() -> frozenset[str]:
    css = _STYLE_SHEET.read_text(encoding="utf-8")
    return frozenset(name.replace("\\", "") for name in _CLASS.findall(css))

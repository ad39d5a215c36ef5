"""What a new export changes for those who read it: two files compared, row by row.

Both are sorted by the id in their first column, in byte order: one pass with one row of each in memory is enough.
"""

import csv
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.core.i18n import format_number, has_message, ntranslate
from app.modules.marketplace.services.import_guard import find_losses

EXAMPLES = 50  # of each kind
_MAX_CELL = 200  # characters of a cell in an example
_MAX_CELLS = 10  # cells of a product in an example


@dataclass(slots=True)
class Differences:
    """How a file differs from the one before. ``rows`` and ``rows_before`` count products.

    Of the products in both files, by column: ``had`` counts filled cells before; ``emptied`` those without a value now,
    ``altered`` those with another value, also where there was none. Examples are the first ones: id and title of what
    is new or gone; of what changed also its cells as column, before and now.
    """

    rows_before: int = 0
    rows: int = 0
    new: int = 0
    changed: int = 0
    gone: int = 0
    had: Counter[str] = field(default_factory=Counter)
    emptied: Counter[str] = field(default_factory=Counter)
    altered: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[dict[str, Any]]] = field(
        default_factory=lambda: {"new": [], "changed": [], "gone": []}
    )

    @property
    def counts(self) -> dict[str, int]:
        """How many products are new, changed and gone."""
        return {"new": self.new, "changed": self.changed, "gone": self.gone}

    def stored(self) -> dict[str, Any]:
        """As plain objects, to be kept."""
        emptied, altered = dict(sorted(self.emptied.items())), dict(sorted(self.altered.items()))
        counted = {"rows_before": self.rows_before, "rows": self.rows, **self.counts}
        return {**counted, "emptied": emptied, "altered": altered, "examples": self.examples}

    def losses(self) -> list[dict[str, Any]]:
        """What the guard objects to (see `find_losses`): products lost, and cells emptied of those in both files."""
        both = self.rows_before - self.gone
        kept = {name: filled - self.emptied[name] for name, filled in self.had.items()}
        return [
            *find_losses(_fill(self.rows_before, {}), _fill(self.rows, {}), keeps_blanks=False),
            *find_losses(_fill(both, self.had), _fill(both, kept), keeps_blanks=False),
        ]


def finding_text(language: str, finding: Mapping[str, Any]) -> str:
    """What the guard objects to in an export, as the end of a sentence: "would empty 412 descriptions"."""
    lost = finding["before"] - finding["now"]
    if finding["code"] == "rows_lost":
        before = format_number(language, finding["before"])
        return ntranslate(language, "marketplace.export_findings.rows_lost", lost, before=before)
    named = f"marketplace.export_findings.emptied_{finding['column']}"
    key = named if has_message(language, named) else "marketplace.export_findings.emptied"
    return ntranslate(language, key, lost, column=finding["column"])


def _fill(rows: int, filled: Mapping[str, int]) -> dict[str, Any]:
    return {"rows": rows, "column_fill": filled}


def compare_files(before: Path | None, now: Path) -> Differences:
    """How ``now`` differs from the file before; without that one all is new."""
    found = Differences()
    with ExitStack() as files:
        columns_before, rows_before = _open(before, files)
        columns, rows = _open(now, files)
        names = [*columns_before, *(name for name in columns if name not in columns_before)]
        comparison = _Comparison(found, names)
        pick_old, pick_new = _picker(columns_before, names), _picker(columns, names)
        old, new = next(rows_before, None), next(rows, None)
        while old is not None or new is not None:
            # Texts in Python are in the order of their UTF-8 bytes.
            is_old = new is None or (old is not None and old[0] <= new[0])
            is_new = old is None or (new is not None and new[0] <= old[0])
            comparison.add(pick_old(old) if is_old else None, pick_new(new) if is_new else None)
            old = next(rows_before, None) if is_old else old
            new = next(rows, None) if is_new else new
        comparison.finish()
    return found


class _Comparison:
    """Compares the rows of products, whose cells are in the order of ``names``."""

    def __init__(self, found: Differences, names: list[str]) -> None:
        self._found = found
        self._names = names
        self._had = [0] * len(names)
        self._title = names.index("title") if "title" in names else 0

    def add(self, old: list[str] | None, new: list[str] | None) -> None:
        """Count one product: gone without its new row, new without its old one."""
        found = self._found
        found.rows_before += old is not None
        found.rows += new is not None
        if old is None:
            found.new += 1
            self._give_example("new", new or [])
        elif new is None:
            found.gone += 1
            self._give_example("gone", old)
        else:
            for place, cell in enumerate(old):
                if cell:
                    self._had[place] += 1
            if old != new:
                found.changed += 1
                self._change(old, new)

    def finish(self) -> None:
        """Name the columns that were counted by place."""
        self._found.had.update(dict(zip(self._names, self._had, strict=True)))

    def _change(self, old: list[str], new: list[str]) -> None:
        cells = []
        for name, was, now in zip(self._names, old, new, strict=True):
            if was != now:
                (self._found.altered if now else self._found.emptied)[name] += 1
                cells.append([name, was[:_MAX_CELL], now[:_MAX_CELL]])
        self._give_example("changed", new, cells=cells[:_MAX_CELLS])

    def _give_example(self, kind: str, row: list[str], **more: Any) -> None:
        examples = self._found.examples[kind]
        if len(examples) < EXAMPLES:
            examples.append({"id": row[0], "title": row[self._title][:_MAX_CELL], **more})


def _open(path: Path | None, files: ExitStack) -> tuple[list[str], Iterator[list[str]]]:
    if path is None:
        return [], iter(())
    rows = csv.reader(files.enter_context(path.open(encoding="utf-8", newline="")), delimiter="\t")
    return next(rows, []), rows


def _picker(columns: list[str], names: list[str]) -> Callable[[list[str] | None], list[str] | None]:
    """A function that puts the cells of a row into the order of ``names``; a column that is not there is empty."""
    if columns == names:
        return lambda row: row
    places = [columns.index(name) if name in columns else len(columns) for name in names]

    def pick(row: list[str] | None) -> list[str] | None:
        if row is None:
            return None
        padded = [*row, ""]
        return [padded[place] for place in places]

    return pick

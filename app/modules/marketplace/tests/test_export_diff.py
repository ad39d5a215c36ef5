"""How an export differs from the one before."""

import csv
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.modules.marketplace.services.export_diff import EXAMPLES, compare_files, finding_text
from app.modules.texts import load_texts


@pytest.fixture(scope="module", autouse=True)
def texts() -> None:
    """The sentences are there."""
    load_texts()


Table = tuple[list[str], dict[str, list[str]]]


def write(path: Path, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter="\t", lineterminator="\r\n")
        writer.writerows([columns, *rows])
    return path


cells = st.sampled_from(["", "a", "b", 'c\t"\r\nd'])
ids = st.text("aZé-\U0001f600\ue000", min_size=1, max_size=3)


@st.composite
def tables(draw: st.DrawFn) -> Table:
    columns = ["id", *draw(st.lists(st.sampled_from(["title", "brand", "gtin"]), unique=True))]
    width = len(columns) - 1
    rows = draw(st.dictionaries(ids, st.lists(cells, min_size=width, max_size=width), max_size=6))
    return columns, {key: [key, *rest] for key, rest in rows.items()}


@given(tables(), tables())
def test_it_finds_what_looking_at_every_pair_finds(before: Table, now: Table) -> None:
    with TemporaryDirectory() as folder:
        paths = [
            write(Path(folder) / name, columns, sorted(rows.values(), key=lambda row: row[0].encode()))
            for name, (columns, rows) in (("before", before), ("now", now))
        ]
        found = compare_files(*paths)
    old, new = (
        {key: dict(zip(columns, row, strict=True)) for key, row in rows.items()}
        for columns, rows in (before, now)
    )
    names = {*before[0], *now[0]}
    emptied: Counter[str] = Counter()
    altered: Counter[str] = Counter()
    had: Counter[str] = Counter()
    changed = set()
    for key in old.keys() & new.keys():
        for name in names:
            was, is_now = old[key].get(name, ""), new[key].get(name, "")
            had[name] += bool(was)
            if was != is_now:
                changed.add(key)
                (altered if is_now else emptied)[name] += 1
    assert (found.rows_before, found.rows) == (len(old), len(new))
    assert found.counts == {
        "new": len(new.keys() - old.keys()),
        "changed": len(changed),
        "gone": len(old.keys() - new.keys()),
    }
    assert (found.emptied, found.altered, found.had) == (emptied, altered, had)
    assert {one["id"] for one in found.examples["gone"]} == old.keys() - new.keys()
    assert {one["id"] for one in found.examples["changed"]} == changed


def rows(count: int, *, described: int) -> list[list[str]]:
    return [
        [f"A-{number:04d}", f"Chair {number}", "Good." if number < described else ""]
        for number in range(count)
    ]


def compared(
    folder: Path, before: list[list[str]], now: list[list[str]], columns: Sequence[str] = ("id", "title")
) -> list[str]:
    old = write(folder / "before", ("id", "title", "description"), before)
    found = compare_files(old, write(folder / "now", columns, [row[: len(columns)] for row in now]))
    return [finding_text("en", finding) for finding in found.losses()]


ALL = ("id", "title", "description")


def test_the_guard_objects_to_lost_products_and_emptied_columns(tmp_path: Path) -> None:
    full = rows(1000, described=1000)
    assert compared(tmp_path, full, full, ALL) == []
    assert compared(tmp_path, full, rows(1000, described=588), ALL) == ["would empty 412 descriptions"]
    assert compared(tmp_path, full, rows(1000, described=601), ALL) == []
    assert compared(tmp_path, full, full[:590], ALL) == ["would lose 410 of 1,000 products"]
    assert compared(tmp_path, full, full[:601], ALL) == []
    # A column that is left out has lost all it had.
    assert compared(tmp_path, full, full) == ["would empty 1,000 descriptions"]
    # Many new products without a description empty nothing.
    assert compared(tmp_path, rows(100, described=100), rows(1000, described=100), ALL) == []
    assert compared(tmp_path, rows(9, described=9), [], ALL) == []


def test_the_sentence_is_there_in_every_language() -> None:
    finding = {"code": "column_emptied", "column": "description", "before": 412, "now": 0}
    assert [finding_text(language, finding) for language in ("en", "fr", "de", "lb")] == [
        "would empty 412 descriptions",
        "viderait 412 descriptions",
        "würde 412 Beschreibungen leeren",
        "géif 412 Beschreiwungen eidel maachen",
    ]
    other = {"code": "column_emptied", "column": "mpn", "before": 12, "now": 11}
    assert finding_text("en", other) == "would empty 1 cell of the column mpn"


def test_examples_are_few_and_short(tmp_path: Path) -> None:
    before = write(tmp_path / "before", ALL, rows(500, described=500))
    now = [[key, "x" * 5000, text] for key, _, text in rows(500, described=500)]
    found = compare_files(before, write(tmp_path / "now", ALL, now))
    assert found.changed == 500
    assert len(found.examples["changed"]) == EXAMPLES
    first = found.examples["changed"][0]
    assert first["cells"] == [["title", "Chair 0", "x" * 200]]
    assert compare_files(None, tmp_path / "now").counts == {"new": 500, "changed": 0, "gone": 0}

"""Keys and hashes of rows: what makes a row a changed one."""

from app.modules.marketplace.adapters.feed_reader import RawRow
from app.modules.marketplace.services.row_pipeline import Reading, RowPipeline
from app.modules.marketplace.tests.conftest import GOOD


def key(cells: dict[str, str], reading: Reading | None = None) -> tuple[str, bytes] | None:
    pipeline = RowPipeline(list(cells), reading or Reading("en"))
    return pipeline.key(RawRow(2, list(cells.values()), 0, 3))


def test_the_hash_is_stable_and_knows_no_order() -> None:
    cells = GOOD | {"note": "shelf 3"}
    found = key(cells)
    assert found is not None
    assert found[0] == "A-1"
    assert found[1].hex() == "c526d5447d179ff37ed123f4c498225e"
    assert key(dict(reversed(cells.items()))) == found
    others = [GOOD | {"note": "shelf 4"}, GOOD, GOOD | {"other": "shelf 3"}, cells | {"title": "Chairs"}]
    assert len({one[1] for cells in others if (one := key(cells))} | {found[1]}) == 5


def test_what_the_feed_is_set_to_is_part_of_the_hash() -> None:
    readings = [Reading("en"), Reading("fr"), Reading("en", "CHF"), Reading("en", keeps_blanks=True)]
    assert len({key(GOOD, reading) for reading in readings}) == 4


def test_an_id_is_trimmed_and_a_row_without_one_has_no_key() -> None:
    trimmed = key(GOOD | {"id": " A-1\u200b "})
    assert trimmed is not None
    assert trimmed[0] == "A-1"
    assert key(GOOD | {"id": "  "}) is None
    assert key(GOOD | {"id": "x" * 51}) is None

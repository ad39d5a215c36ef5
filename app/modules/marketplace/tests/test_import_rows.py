"""Rows as lines for COPY: what a line says is what the table gets."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from app.core.database import COPY_NULL, copy_array, copy_line, copy_text, temporary_table
from app.modules.marketplace.adapters.feed_reader import RawRow
from app.modules.marketplace.services.import_parts import read_parts
from app.modules.marketplace.services.import_rows import RowReader
from app.modules.marketplace.services.row_pipeline import Reading, RowPipeline
from app.modules.marketplace.tests.conftest import GOOD, Shop

COLUMNS = {"one": "text", "many": "text[]", "two": "text"}
TEXTS = st.text(
    st.one_of(
        st.sampled_from("\\\t\n\r\"',{}N \x02é€😀"), st.characters(exclude_characters="\0\x01", codec="utf-8")
    )
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.none() | TEXTS, st.lists(TEXTS), TEXTS), max_size=5))
def test_any_text_arrives_as_it_is(shop: Shop, rows: list[tuple[str | None, list[str], str]]) -> None:
    lines = [
        copy_line([COPY_NULL if one is None else one, copy_array(many), two]) + "\n"
        for one, many, two in rows
    ]
    with shop.session() as session:
        temporary_table(session, "given", COLUMNS)
        copy_text(session, "given", COLUMNS, "".join(lines).encode())
        found = session.execute(text("SELECT one, many, two FROM pg_temp.given"))
        assert [tuple(row) for row in found] == rows


def test_of_two_rows_with_an_id_the_first_good_one_counts() -> None:
    def cells(title: str, price: str = "5.00 EUR", key: str = "A-1") -> list[str]:
        return list((GOOD | {"id": key, "title": title, "price": price}).values())

    given = [
        cells("bad", "free"),
        cells("first"),
        cells("second"),
        cells("other", key="A-2"),
        cells("x", key=""),
    ]
    reader = RowReader(RowPipeline(list(GOOD), Reading("en")), keeps_blanks=False)
    rows = [RawRow(line, found, 0, line + 1) for line, found in enumerate(given, 2)]
    [part] = read_parts(rows, reader, are_new=True)
    assert part.found
    assert [line.split(b"\t")[1:3] for line in part.found.lines] == [[b"A-1", b"first"], [b"A-2", b"other"]]
    assert sorted(row.line for row in part.found.bad) == [2, 4, 6]
    again = part.sort({"A-1"})
    assert len(again.lines) == 1
    assert sorted(row.line for row in again.bad) == [2, 3, 4, 6]
    assert all(b"duplicate_id" in row.errors.encode() for row in again.bad if row.line != 6)

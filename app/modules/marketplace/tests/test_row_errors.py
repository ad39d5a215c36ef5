"""Cells that spreadsheets would run as formulas."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.modules.marketplace.services.row_error_service import neutralise, restore


@given(st.text("'=+-@\t\r1.a", max_size=6))
def test_what_was_neutralised_is_restored_and_harmless(cell: str) -> None:
    written = neutralise(cell)
    assert restore(written) == cell
    assert not written.startswith(("=", "@", "\t", "\r"))
    assert not written.startswith(("+", "-")) or written[1:].replace(".", "").isdigit()


@pytest.mark.parametrize("cell", ["-12.50", "+3", "A-1", "15.00 EUR", "", "-1,5"])
def test_numbers_and_ordinary_cells_stay(cell: str) -> None:
    assert neutralise(cell) == cell

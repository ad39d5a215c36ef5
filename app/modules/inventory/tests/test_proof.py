"""Many who buy at once: the proof in small, and that it would notice."""

import pytest

from app.testing.database import Database
from app.testing.stock_proof import prove_stock, stock_is_proved


@pytest.mark.parametrize("is_broken", [False, True])
def test_nothing_is_sold_twice_and_without_the_guard_the_proof_sees_it(
    world: Database, is_broken: bool
) -> None:
    figures = prove_stock(processes=4, operations=800, seed=7, is_broken=is_broken)
    assert stock_is_proved(figures, least_ratio=0.0) is not is_broken, figures
    assert (figures["oversold"] > 0) is is_broken

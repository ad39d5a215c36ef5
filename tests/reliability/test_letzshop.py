"""Some days of trade through Letzshop in small, and that each kind of difference would be noticed."""

import json
from pathlib import Path

import pytest

from app.testing.letzshop.proof import Plan, is_proved, prove_letzshop

_GOOD = {"differences": 0, "kills_missed": 0, "tries": 9, "acts": 7}


@pytest.mark.long(45)
@pytest.mark.reliability
@pytest.mark.timeout(400)
def test_both_sides_say_the_same_whatever_broke(tmp_path: Path) -> None:
    figures = prove_letzshop(tmp_path, Plan(orders=20, seed=3, kills=1))
    assert is_proved(figures), json.dumps(figures, default=str)
    assert figures["shipments"] > 100
    assert figures["done"]["decided"] > 10


@pytest.mark.parametrize(
    "change", [{"differences": 1}, {"kills_missed": 1}, {"acts": 0}, {"tries": 7}], ids=str
)
def test_each_figure_can_fail_the_proof(change: dict[str, int]) -> None:
    assert is_proved(_GOOD)
    assert not is_proved(_GOOD | change)

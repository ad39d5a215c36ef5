"""A module flipped under load: a smaller run of ``wizamart prove modules``."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from app.testing.database import Database
from app.testing.modules_proof import flips_are_proved, prove_flips

pytestmark = pytest.mark.reliability


@pytest.mark.long(20)
def test_three_flips_break_no_request_and_lose_no_job(
    world: Database, broker: str, broker_at: Callable[[str | None], None], tmp_path: Path
) -> None:
    broker_at(broker)
    figures = prove_flips(world, tmp_path, flips=3)
    assert flips_are_proved(figures), json.dumps(figures, default=str)
    assert figures["requests_per_second"] >= 10
    assert figures["statuses"]["404"] > 0

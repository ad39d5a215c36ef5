"""Parallel writers and the limits of a plan: the proof in small, and that it would notice."""

import json

import pytest

from app.core.config import changed_environment
from app.core.database import dispose_engine
from app.testing.database import Database
from app.testing.limits_proof import limits_are_proved, prove_limits

_WRITERS = 16


@pytest.mark.parametrize("is_broken", [False, True])
def test_no_writer_passes_a_limit_and_without_the_lock_the_proof_sees_it(
    world: Database, is_broken: bool
) -> None:
    with changed_environment({"WIZAMART_DATABASE_POOL_SIZE": str(_WRITERS)}):
        dispose_engine()
        figures = prove_limits(writers=_WRITERS, tries=400, seed=5, is_broken=is_broken)
        dispose_engine()
    assert limits_are_proved(figures) is not is_broken, json.dumps(figures, default=str)
    assert (figures["over_the_limit"] > 0) is is_broken
    assert figures["tries"] == 400

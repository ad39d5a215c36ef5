"""Many who buy at once: the proof in small, and that it would notice. It forks, so it is a process of its own."""

import json

import pytest

from app.testing.commands import run_command
from app.testing.database import Database

_PROVE = ["prove", "stock", "--here", "--json", "--least-ratio", "0"]
_SMALL = ["--processes", "4", "--operations", "800", "--seed", "7"]


@pytest.mark.long(8)
@pytest.mark.reliability
@pytest.mark.parametrize("is_broken", [False, True])
def test_nothing_is_sold_twice_and_without_the_guard_the_proof_sees_it(
    world: Database, is_broken: bool
) -> None:
    done = run_command(*_PROVE, *_SMALL, *(["--break"] if is_broken else []), limit_seconds=110)
    assert done.returncode == is_broken, done.stdout + done.stderr
    figures = json.loads(done.stdout)
    assert (figures["oversold"] > 0) is is_broken
    assert figures["operations"] == 800
    assert figures["errors"] == 0

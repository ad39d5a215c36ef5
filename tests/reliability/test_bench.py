"""The benchmark of the ledger runs, small, and gives every figure."""

import json

import pytest

from app.testing.commands import run_command

pytestmark = pytest.mark.reliability


@pytest.mark.long(13)
def test_bench_jobs_gives_its_figures() -> None:
    sizes = ["--jobs", "100", "--rounds", "1", "--seconds", "1", "--rate", "50", "--concurrency", "1"]
    done = run_command("bench", "jobs", "--json", *sizes, limit_seconds=110)
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    for name in ("no-op", "small write", "dispatch"):
        measured = figures[name]
        assert measured["ratio"] == pytest.approx(measured["ledger"] / measured["celery"], rel=0.01)
    for side in ("ledger", "celery"):
        assert 0 < figures["latency"][side]["p50"] <= figures["latency"][side]["p95"]

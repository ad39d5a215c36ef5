"""A worker that is killed in the middle of a file."""

import subprocess
import sys

import pytest

from app.modules.marketplace.services import import_parts
from app.modules.marketplace.tests.conftest import Shop, counts, feed, row
from app.tasks.reaper import reap
from app.tasks.runner import run_until_idle

_WORKER = """
import os, signal
import app.core.celery_config
from app.modules.marketplace.services import import_parts, import_run
from app.tasks.runner import run_until_idle

import_parts.PART_ROWS = 10
real = import_run.ImportRun._write_part

def dies(self, part):
    real(self, part)
    if min(part.raws) == 22:
        os.kill(os.getpid(), signal.SIGKILL)

import_run.ImportRun._write_part = dies
run_until_idle(["long_running"], timeout_seconds=30)
"""


@pytest.mark.reliability
def test_the_next_worker_goes_on_where_the_killed_one_was(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    import_id = shop.start(feed([row(n) for n in range(40)] + [row(3), row(50, price="free")]))
    died = subprocess.run([sys.executable, "-c", _WORKER], timeout=60, check=False)
    assert died.returncode == -9
    half = shop.look(import_id)
    assert half.job is not None
    assert (half.job.state, counts(half)) == ("running", (20, 0, 0, 0))
    assert half.job.checkpoint is not None
    assert half.job.checkpoint["position"][1] == 22

    shop.rows("UPDATE job_runs SET leased_until = now() - interval '1 s'")
    reap()
    monkeypatch.setattr(import_parts, "PART_ROWS", 10)
    assert run_until_idle(["long_running"], timeout_seconds=30)
    done = shop.look(import_id)
    assert done.job is not None
    assert (done.job.state, done.job.attempts) == ("succeeded", 2)
    assert counts(done) == (40, 0, 0, 2)
    assert shop.rows("SELECT count(*), max(version) FROM products") == [(40, 1)]

"""A worker that is killed while it waits for a receiver's answer."""

import subprocess
import sys
import time

import pytest
from standardwebhooks.webhooks import Webhook

from app.modules.core.tests.conftest import Place, Receiver, do_work
from app.modules.core.tests.test_webhooks import attempts, endpoint_at, happen, log
from app.tasks.reaper import reap

pytestmark = pytest.mark.demo_due

_WORKER = """
import app.core.celery_config
from app.tasks.runner import run_until_idle

run_until_idle(["default"], timeout_seconds=30)
"""


@pytest.mark.reliability
def test_the_next_worker_sends_the_same_message(moselle: Place, receiver: Receiver) -> None:
    created = endpoint_at(moselle, receiver.url)
    receiver.wait_seconds = 30
    happen(moselle)
    worker = subprocess.Popen([sys.executable, "-c", _WORKER])
    end = time.monotonic() + 40
    while not receiver.got and time.monotonic() < end:
        time.sleep(0.05)
    worker.kill()
    assert worker.wait(timeout=10) == -9
    (delivery,) = log(moselle)
    assert (delivery.state, delivery.attempts) == ("pending", 0)

    receiver.wait_seconds = 0
    moselle.rows("UPDATE job_runs SET leased_until = now() - interval '1 s' WHERE ended_at IS NULL")
    reap()
    do_work()
    (delivery,) = log(moselle)
    assert (delivery.state, attempts(moselle, delivery)) == ("delivered", [(200, None)])
    (first, body), (second, again) = receiver.got
    assert (first["webhook-id"], body) == (second["webhook-id"], again)
    Webhook(created.secret).verify(again, second)

"""The pages that tell whether the platform is well, also while the broker is not."""

import re
import time
from collections.abc import Iterator

import pytest
from celery import current_app
from fastapi.testclient import TestClient
from kombu import pools
from sqlalchemy import Engine, text

from app.modules.state import forget_snapshot
from app.tasks import inspection
from app.testing.browsing import sign_in


@pytest.fixture
def admin(client: TestClient) -> TestClient:
    """The operator in a browser, in English."""
    sign_in(client, "admin", "admin@wizamart.example")
    client.cookies.set("wm_lang", "en")
    return client


def point_celery_at(url: str) -> None:
    current_app.conf.broker_url = current_app.conf.broker_write_url = current_app.conf.broker_read_url = url
    pools.reset()
    current_app._pool = current_app.amqp._producer_pool = None
    inspection._last = None


@pytest.fixture
def no_broker() -> Iterator[None]:
    """Celery is set to a broker that is not there."""
    former = current_app.conf.broker_url
    point_celery_at("redis://127.0.0.1:1/0")
    yield
    point_celery_at(former)


@pytest.fixture
def a_broker(broker: str) -> Iterator[None]:
    """Celery is set to a broker that is there; no worker is."""
    former = current_app.conf.broker_url
    point_celery_at(broker)
    yield
    point_celery_at(former)


@pytest.mark.usefixtures("a_broker")
def test_a_platform_that_is_well_says_so(admin: TestClient) -> None:
    page = admin.get("/admin/health")
    assert "Everything works" in page.text
    assert "The broker answers" in page.text
    assert "MB" in page.text
    assert 'hx-trigger="every 10s"' in page.text


@pytest.mark.usefixtures("no_broker")
def test_without_its_broker_the_platform_is_red_and_says_what_to_do(admin: TestClient) -> None:
    started = time.monotonic()
    page = admin.get("/admin/health")
    assert time.monotonic() - started < 3
    assert page.status_code == 200
    assert "Something does not work" in page.text
    assert "Start the broker" in page.text
    assert admin.get("/health").status_code == 503
    assert admin.get("/health/ready").status_code == 200


@pytest.mark.usefixtures("no_broker")
def test_the_page_of_workers_answers_without_a_broker(admin: TestClient) -> None:
    started = time.monotonic()
    page = admin.get("/admin/workers")
    assert time.monotonic() - started < 1.5
    assert page.status_code == 200
    assert "The broker does not answer" in page.text
    assert "long_running" in page.text


@pytest.mark.usefixtures("a_broker")
def test_that_no_worker_answers_is_said(admin: TestClient) -> None:
    assert "No worker answered" in admin.get("/admin/workers").text


@pytest.mark.usefixtures("a_broker")
def test_queues_show_what_waits_and_a_late_canary_is_an_alert(
    admin: TestClient, owner_engine: Engine
) -> None:
    assert "Nothing came through" not in admin.get("/admin/vendors").text
    before = figures_of(admin, "default")
    insert = text(
        "INSERT INTO jobs (id, module, task, queue, priority, args, state, waiting_reason, attempts, max_attempts, "
        "token, run_after, created_at) VALUES (gen_random_uuid(), 'tasks', :task, 'default', 0, '{}', 'queued', "
        ":reason, 0, 3, 0, clock_timestamp() - make_interval(secs => :age), "
        "clock_timestamp() - make_interval(secs => :age))"
    )
    with owner_engine.begin() as connection:
        connection.execute(insert, {"task": "wizamart.canary", "reason": None, "age": 600})
        connection.execute(insert, {"task": "x.y", "reason": None, "age": 7200})
        connection.execute(insert, {"task": "x.y", "reason": None, "age": -7200})
        connection.execute(insert, {"task": "x.y", "reason": "module off", "age": 5})
    after = figures_of(admin, "default")
    more = {
        name: int(after[name]) - int(before[name]) for name in ("due", "running", "held", "later", "done")
    }
    assert more == {"due": 1, "running": 0, "held": 1, "later": 1, "done": 0}
    assert after["oldest"].startswith("2 hr")
    assert ">No<" in admin.get("/admin/workers").text
    forget_snapshot()  # alerts are kept as long
    assert "Nothing came through the queue default for 10 minutes" in admin.get("/admin/vendors").text
    assert "1 queue is not served" in admin.get("/admin").text


def figures_of(admin: TestClient, queue: str) -> dict[str, str]:
    row = admin.get("/admin/workers").text.split(f"<code>{queue}</code>")[1].split("</tr>")[0]
    cells = re.findall(r'class="num">(.*?)</td>', row)
    names = ("workers", "due", "oldest", "running", "held", "later", "done", "failed")
    return dict(zip(names, cells, strict=True))

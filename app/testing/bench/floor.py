"""The floor to compare with: plain Celery with its own defaults on the same broker, and the same work."""

from celery import Celery

from app.core.config import get_settings
from app.core.database import SYSTEM, unit_of_work
from app.testing.bench.marks import mark
from app.testing.bench.table import WRITE

QUEUE = "floor"

app = Celery("floor", set_as_current=False)
# Read when Celery is first used: the benchmark starts its servers after importing this file.
app.add_defaults(
    lambda: {
        "broker_url": get_settings().broker_url,
        "task_default_queue": QUEUE,
        "task_ignore_result": True,
    }
)


@app.task(name="floor.nothing")  # type: ignore[untyped-decorator]
def nothing(since_ns: int = 0) -> None:
    """Do nothing."""
    mark(since_ns)


@app.task(name="floor.write")  # type: ignore[untyped-decorator]
def write() -> None:
    """Write one row and commit."""
    with unit_of_work(SYSTEM) as session:
        session.execute(WRITE)
    mark()

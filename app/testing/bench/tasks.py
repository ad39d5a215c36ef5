"""The measured tasks, as a module writes them."""

from celery import shared_task

from app.modules.task_base import ModuleTask
from app.testing.bench.marks import mark
from app.testing.bench.table import WRITE


@shared_task(base=ModuleTask, bind=True, scope="platform")  # type: ignore[untyped-decorator]
def nothing(_self: ModuleTask) -> None:
    """Do nothing."""
    mark()


@shared_task(base=ModuleTask, bind=True, scope="platform")  # type: ignore[untyped-decorator]
def write(self: ModuleTask) -> None:
    """Write one row; its commit is also the job's completion."""
    with self.get_db() as session:
        session.execute(WRITE)
    mark()

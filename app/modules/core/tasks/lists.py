"""Exports of long lists, and actions on many rows."""

from typing import Any
from uuid import UUID

from celery import shared_task

from app.core.errors import AppError
from app.modules.core.enums import ListJobKind
from app.modules.core.services.list_job_service import ListRun
from app.modules.task_base import ModuleTask
from app.tasks.errors import JobCancelledError, StaleRunError
from app.tasks.models import JobState

_MAX_ATTEMPTS = 3


@shared_task(
    base=ModuleTask, bind=True, scope="platform", max_attempts=_MAX_ATTEMPTS, time_limit_seconds=3600.0
)
def run_list_job(self: ModuleTask, list_job_id: str) -> dict[str, Any]:
    """Do one export or bulk action; the person who started it is told at the end, also of a failure."""
    with self.get_db() as session:
        run = ListRun(session, UUID(list_job_id), self.job.checkpoint)
        try:
            _work(self, run)
            return run.finish(JobState.SUCCEEDED)
        except (JobCancelledError, StaleRunError):
            raise
        except Exception as error:
            if isinstance(error, AppError) or self.job.attempt >= _MAX_ATTEMPTS:
                self.discard()
                ListRun(session, UUID(list_job_id), None).finish(JobState.FAILED)
                self.checkpoint(run.cursor, run.cursor["position"] if run.cursor else 0)
            raise


def _work(task: ModuleTask, run: ListRun) -> None:
    if run.row.kind == ListJobKind.EXPORT:
        for part in run.export():
            task.report(part.done, part.total)
    else:
        for part in run.act():
            task.checkpoint(part.cursor, part.done, part.total)
            run.cursor = part.cursor

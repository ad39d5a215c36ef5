"""Jobs in the API: what an operation that takes long answers with (202), and what callers look at until it ends."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from app.core.ids import to_public
from app.modules.api import example
from app.modules.gates import ReadOnlyError
from app.tasks.models import JobState

JOB_PREFIX = "job"


JOB_EXAMPLE: dict[str, Any] = {
    "id": "job_01m838cj1be8a8mtx8xj3yxfvz",
    "task": "process_marketplace_import",
    "module": "marketplace",
    "status": "running",
    "progress": {"done": 2000, "total": 5000, "phase": "rows"},
    "result": None,
    "error": None,
    "attempts": 1,
    "created_at": "2026-11-23T07:00:00Z",
    "started_at": "2026-11-23T07:00:01Z",
    "finished_at": None,
}


class JobProgress(BaseModel):
    """How far a job is, in units of its own."""

    done: int | None
    total: int | None
    phase: str | None


class JobError(BaseModel):
    """Why a job failed, or was not begun."""

    code: str
    message: str


class JobDetails(BaseModel):
    """A piece of background work."""

    model_config = example(**JOB_EXAMPLE)

    id: str
    task: str
    module: str
    status: JobState = Field(description="The last three are final.")
    progress: JobProgress
    result: Any = Field(description="What the job found out; depends on the task.")
    error: JobError | None
    attempts: int
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


def job_details(job: Any) -> JobDetails:
    """The model of a job, or of a row that has its columns; ``result`` only where the row has it."""
    is_held = job.state == JobState.CANCELLED and job.error_code == ReadOnlyError.code
    failed = job.error_code is not None and (job.state == JobState.FAILED or is_held)
    return JobDetails(
        id=to_public(JOB_PREFIX, job.id),
        task=job.task.rpartition(".")[2],
        module=job.module,
        status=JobState(job.state),
        progress=JobProgress(done=job.progress_done, total=job.progress_total, phase=job.phase),
        result=getattr(job, "result", None),
        error=JobError(code=job.error_code, message=getattr(job, "error_message", None) or "")
        if failed
        else None,
        attempts=job.attempts,
        created_at=job.created_at,
        started_at=job.started_at,
        finished_at=job.finished_at,
    )

"""Jobs, schedules and health in the API."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from app.modules.api import Day, ListQuery, example
from app.modules.api.jobs import JOB_EXAMPLE, JobDetails
from app.tasks.models import JobState

_SCHEDULE: dict[str, Any] = {
    "id": "sch_01m838cj1be8a8mtx8xj3yxfvz",
    "name": "tenancy.delete_ended_sessions",
    "module": "tenancy",
    "task": "delete_ended_sessions",
    "cron": "40 2 * * *",
    "is_paused": False,
    "next_at": "2026-11-24T02:40:00Z",
    "last_due_at": "2026-11-23T02:40:00Z",
    "last_state": "succeeded",
}


class AdminJob(JobDetails):
    """A job as the operator sees it."""

    model_config = example(**JOB_EXAMPLE, vendor_code="MOSELLE", queue="long_running", cause="user")

    vendor_code: str | None
    queue: str
    cause: str | None


class JobQuery(ListQuery):
    """Search, filters and order of the list of jobs."""

    q: str | None = Field(None, max_length=200, description="A job's id, or a part of a task's name.")
    state: list[JobState] | None = Field(None, max_length=5)
    queue: list[Literal["default", "long_running", "scheduled"]] | None = Field(None, max_length=3)
    module: list[str] | None = Field(None, max_length=20)
    vendor: str | None = Field(None, max_length=32, description="A vendor's code.")
    task: str | None = Field(None, max_length=100)
    from_: Day | None = Field(None, alias="from", description="Made on that day (UTC) or later.")
    to: Day | None = Field(None, description="Made on that day (UTC) or earlier.")
    sort: Literal["created_at", "-created_at"] = "-created_at"


class ScheduleItem(BaseModel):
    """A schedule of an enabled module."""

    model_config = example(**_SCHEDULE)

    id: str
    name: str
    module: str
    task: str
    cron: str
    is_paused: bool
    next_at: datetime | None
    last_due_at: datetime | None
    last_state: str | None


class ScheduleList(BaseModel):
    """All schedules, by name."""

    model_config = example(data=[_SCHEDULE])

    data: list[ScheduleItem]


class HealthCheckItem(BaseModel):
    """One check."""

    name: str
    status: Literal["ok", "degraded", "failed"]
    summary: str
    details: dict[str, Any] = Field(description="Depends on the check.")


class HealthReport(BaseModel):
    """All checks, the worst first, and their worst state."""

    model_config = example(
        status="ok",
        checks=[{"name": "database", "status": "ok", "summary": "", "details": {}}],
        checked_at="2026-11-23T07:00:00Z",
    )

    status: Literal["ok", "degraded", "failed"]
    checks: list[HealthCheckItem]
    checked_at: datetime

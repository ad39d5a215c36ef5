"""Jobs, schedules and health in the operator's API."""

from typing import Annotated, Any

from fastapi import Query

from app.modules.api import ApiContext, ApiRouter, Page, key_of
from app.modules.api.jobs import JOB_PREFIX, job_details
from app.modules.api.pages import read_list
from app.modules.monitoring.schemas.operations import (
    AdminJob,
    HealthCheckItem,
    HealthReport,
    JobQuery,
    ScheduleItem,
    ScheduleList,
)
from app.modules.monitoring.services import health_service, job_service, schedule_service

router = ApiRouter()


@router.admin("GET", "/jobs", permission="monitoring.jobs.view")
def jobs_list(ctx: ApiContext, query: Annotated[JobQuery, Query()]) -> Page[AdminJob]:
    """List jobs. Results are in the jobs themselves."""
    return read_list(ctx, "monitoring.admin.jobs", query, lambda row: _shown(row, row.vendor))


@router.admin("GET", "/jobs/{job_id}", permission="monitoring.jobs.view")
def jobs_get(ctx: ApiContext, job_id: str) -> AdminJob:
    """Get a job."""
    found = job_service.get_job(ctx.session, key_of(JOB_PREFIX, job_id))
    return _shown(found.job, found.vendor)


@router.admin("POST", "/jobs/{job_id}/retry", permission="monitoring.jobs.manage", status=202)
def jobs_retry(ctx: ApiContext, job_id: str) -> AdminJob:
    """Queue a failed or cancelled job again."""
    key = key_of(JOB_PREFIX, job_id)
    job_service.retry_job(ctx.session, key)
    return _after(ctx, job_id)


@router.admin("POST", "/jobs/{job_id}/cancel", permission="monitoring.jobs.manage", status=202)
def jobs_cancel(ctx: ApiContext, job_id: str) -> AdminJob:
    """Stop a job: at once while it waits, at its next checkpoint while it runs."""
    job_service.cancel_job(ctx.session, key_of(JOB_PREFIX, job_id))
    return _after(ctx, job_id)


def _after(ctx: ApiContext, job_id: str) -> AdminJob:
    ctx.location(f"/admin/jobs/{job_id}")
    ctx.session.expire_all()
    found = job_service.get_job(ctx.session, key_of(JOB_PREFIX, job_id))
    return _shown(found.job, found.vendor)


def _shown(row: Any, vendor_code: str | None) -> AdminJob:
    return AdminJob(
        **job_details(row).model_dump(), vendor_code=vendor_code, queue=row.queue, cause=row.cause
    )


@router.admin("GET", "/schedules", permission="monitoring.schedules.view")
def schedules_list(ctx: ApiContext) -> ScheduleList:
    """List the schedules of enabled modules."""
    return ScheduleList(
        data=[
            ScheduleItem(
                id=schedule_service.public_id_of(entry),
                name=entry.declared.name,
                module=entry.module,
                task=entry.declared.task.rpartition(".")[2],
                cron=entry.cron,
                is_paused=entry.is_paused,
                next_at=next(iter(entry.next_times(1)), None),
                last_due_at=entry.last.due_at if entry.last else None,
                last_state=entry.last.state if entry.last else None,
            )
            for entry in schedule_service.list_schedules(ctx.session)
        ]
    )


@router.admin("GET", "/health", permission="monitoring.health.view")
def health_get(ctx: ApiContext) -> HealthReport:
    """Ask every check."""
    health = health_service.look_at_health()
    return HealthReport(
        status=health.status.value,
        checks=[
            HealthCheckItem(
                name=check.name,
                status=check.result.status.value,
                summary=check.result.text(ctx.language),
                details=dict(check.result.details),
            )
            for check in health.checks
        ],
        checked_at=health.checked_at,
    )

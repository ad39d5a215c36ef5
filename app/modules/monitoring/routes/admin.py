"""Jobs, workers, queues and health, for the operator."""

from datetime import timedelta
from typing import Any

from fastapi import Response

from app.modules.monitoring.services import (
    health_service,
    job_service,
    worker_service,
)
from app.modules.monitoring.services.job_service import JOB_PREFIX, WAITING
from app.modules.pagekit.job_view import ACTIVE
from app.modules.pagekit.list_page import mount_list
from app.modules.pagekit.lists import BulkAction, Column, Filter, ListSpec, View
from app.modules.pages import PageContext
from app.modules.registry import modules
from app.modules.routing import AreaRouter
from app.tasks import inspection, overview
from app.tasks.models import Job, JobState

router = AreaRouter("admin")

_TONES = {state.value: state.value for state in JobState}  # the badge of a job's state brings its sign
_REASONS = {reason: name for name, reason in WAITING.items()}


def _progress(row: Any) -> str | None:
    parts = [row.phase]
    if row.progress_done is not None:
        total = f" / {row.progress_total}" if row.progress_total else ""
        parts.insert(0, f"{row.progress_done}{total}")
    return " · ".join(part for part in parts if part) or None


def _duration(row: Any) -> str | None:
    if row.started_at is None or row.finished_at is None:
        return None
    seconds = max(0.0, (row.finished_at - row.started_at).total_seconds())
    return f"{seconds:.3f} s" if seconds < 60 else str(timedelta(seconds=round(seconds)))


def _modules(_ctx: PageContext) -> list[tuple[str, str]]:
    return [(code, module.name) for code, module in modules().items()]


def _queues(_ctx: PageContext) -> list[tuple[str, str]]:
    return [(name, name) for name in overview.known_queues()]


JOBS = ListSpec(
    page_id="monitoring.admin.jobs",
    texts="monitoring.jobs",
    select=lambda _session, _language: job_service.select_jobs(),
    key=Job.id,
    columns=(
        Column("task", "monitoring.fields.task", "code", value=lambda row: job_service.short_name(row.task)),
        Column("state", "monitoring.fields.state", "badge", text_prefix="ui.state", tones=_TONES),
        # Keys are made in the order of time, and have an index.
        Column("created_at", "monitoring.fields.created_at", "datetime", sort=Job.id),
        Column("duration", "monitoring.fields.duration", value=_duration),
        Column("vendor", "monitoring.fields.vendor", "code"),
        Column("module", "monitoring.fields.module", value=lambda row: job_service.module_name(row.module)),
        Column("queue", "monitoring.fields.queue", "code"),
        Column(
            "attempts", "monitoring.fields.attempts", value=lambda row: f"{row.attempts} / {row.max_attempts}"
        ),
        Column("progress", "monitoring.fields.progress", value=_progress),
        Column(
            "waiting",
            "monitoring.fields.waiting",
            value=lambda row: _REASONS.get(row.waiting_reason),
            text_prefix="monitoring.waiting",
            is_default=False,
        ),
        Column("error_code", "monitoring.error.code", "code", is_default=False),
        Column("finished_at", "monitoring.fields.finished_at", "datetime", is_default=False),
    ),
    default_sort="-created_at",
    search=job_service.matching,
    filters=(
        Filter(
            "state",
            "monitoring.fields.state",
            job_service.in_states,
            options=[(state.value, f"ui.state.{state.value}") for state in JobState],
        ),
        Filter("queue", "monitoring.fields.queue", lambda values: Job.queue.in_(values), options=_queues),
        Filter("module", "monitoring.fields.module", lambda values: Job.module.in_(values), options=_modules),
        Filter(
            "waiting",
            "monitoring.fields.waiting",
            job_service.waiting_for,
            options=[(name, f"monitoring.waiting.{name}") for name in WAITING],
        ),
        Filter("vendor", "monitoring.fields.vendor_code", job_service.of_vendor, kind="text"),
        Filter(
            "task",
            "monitoring.fields.task",
            job_service.of_task,
            kind="text",
        ),
        Filter("from", "monitoring.fields.created_from", job_service.since, kind="date_from"),
        Filter("to", "monitoring.fields.created_to", job_service.until, kind="date_to"),
    ),
    bulk=(
        BulkAction("retry", "monitoring.job.retry", job_service.MANAGE, job_service.retry_jobs, "rotate-cw"),
        BulkAction(
            "cancel",
            "monitoring.job.cancel",
            job_service.MANAGE,
            job_service.cancel_jobs,
            "ban",
            is_danger=True,
        ),
    ),
    views=(
        View("running", "ui.state.running", "state=running"),
        View("failed", "ui.state.failed", "state=failed"),
        View("waiting", "monitoring.jobs.views.waiting", "waiting=order&waiting=module_off"),
    ),
    row_page="monitoring.admin.job",
    row_id="job_id",
    prefix=JOB_PREFIX,
    icon="list-checks",
    has_intro=True,
    is_running=lambda row: row.state in ACTIVE,
)
mount_list(router, JOBS)


@router.page("monitoring.admin.workers")
def workers(ctx: PageContext) -> Response:
    """Queues, and who works on them."""
    answer = inspection.ask_workers()  # before the first query: no transaction waits for the broker
    found = worker_service.look(ctx.session, answer)
    return ctx.render(
        "monitoring/workers.html", found=found, job_url=_job_url(ctx), name=job_service.short_name
    )


@router.page("monitoring.admin.health")
def health(ctx: PageContext) -> Response:
    """Every check of the platform, and how large the database is."""
    found = health_service.look_at_health()  # before the first query, as above
    size = overview.database_bytes(ctx.session)
    return ctx.render("monitoring/health.html", health=found, database_bytes=size)


def _job_url(ctx: PageContext) -> Any:
    return lambda key: ctx.url("monitoring.admin.job", job_id=job_service.public_id_of(key))

"""Health of the platform and of each module, and the metrics page."""

from collections.abc import Callable, Mapping
from functools import partial

from fastapi import FastAPI, Response
from fastapi.responses import JSONResponse
from sqlalchemy import text

from app.core.database import SYSTEM, unit_of_work
from app.core.errors import AppError
from app.core.observability import (
    METRICS_CONTENT_TYPE,
    HealthCheck,
    HealthResult,
    HealthStatus,
    metrics_text,
    run_checks,
)
from app.core.tracing import report_error, span
from app.modules.base import load
from app.modules.migrations import histories, uninstalled
from app.modules.registry import modules
from app.modules.state import is_installed
from app.tasks.canary import check_queues
from app.tasks.errors import JobCancelledError, StaleRunError
from app.tasks.inspection import check_broker
from app.tasks.ports import ClaimedJob


def check_database() -> HealthResult:
    """One small read under the application's role."""
    with unit_of_work(SYSTEM) as session:
        version = session.scalar(text("SHOW server_version"))
    return HealthResult(HealthStatus.OK, "health.database", {"version": version})


def check_migrations() -> HealthResult:
    """Whether every history is at its head."""
    with unit_of_work(SYSTEM) as session:
        rows = session.execute(text("SELECT code, revision FROM installed_modules"))
        revisions = {row.code: row.revision for row in rows}
        gone = uninstalled(session.connection())
    there = [history for history in histories() if history.owner not in gone]
    behind = [history.owner for history in there if revisions.get(history.owner) != history.head()]
    if behind:
        return HealthResult(HealthStatus.FAILED, "health.migrations.behind", {"names": ", ".join(behind)})
    return HealthResult(HealthStatus.OK, "health.migrations.current", {"count": len(there)})


def module_checks() -> dict[str, HealthCheck]:
    """The health checks that modules declare, by module code."""
    return {
        code: partial(_check_module, code, module.hooks.health_check)
        for code, module in modules().items()
        if module.hooks.health_check
    }


def _check_module(code: str, path: str) -> HealthResult:
    if not is_installed(code):
        return HealthResult(HealthStatus.OK, "health.not_installed")
    result: HealthResult = load(path)()
    return result


def platform_health() -> tuple[HealthStatus, Mapping[str, HealthResult]]:
    """All checks and the worst of them."""
    own = {
        "database": check_database,
        "migrations": check_migrations,
        "broker": check_broker,
        "queues": check_queues,
    }
    results = run_checks({**own, **module_checks()})
    worst = HealthStatus.OK
    for result in results.values():
        if result.status is HealthStatus.FAILED or (
            result.status is HealthStatus.DEGRADED and worst is HealthStatus.OK
        ):
            worst = result.status
    return worst, results


def observed(execute: Callable[[ClaimedJob], None]) -> Callable[[ClaimedJob], None]:
    """Running a job, with a span around it and its unexpected errors reported, where that is set."""

    def run(job: ClaimedJob) -> None:
        with span(f"job {job.task}", "consumer", job__id=str(job.id), job__queue=job.queue):
            try:
                execute(job)
            except (AppError, JobCancelledError, StaleRunError):
                raise
            except Exception as error:
                report_error(error, task=job.task, job_id=str(job.id))
                raise

    return run


def mount_health(app: FastAPI) -> None:
    """``/health`` (all checks), ``/health/live`` (it answers), ``/health/ready`` (may get traffic), ``/metrics``.

    A queue that nobody serves fails the first only: pages work without workers.
    """

    def health() -> Response:
        status, results = platform_health()
        body = {
            "status": status,
            "checks": {
                name: {"status": result.status, "summary": result.summary, "details": dict(result.details)}
                for name, result in results.items()
            },
        }
        return JSONResponse(body, 503 if status is HealthStatus.FAILED else 200)

    def live() -> Response:
        return JSONResponse({"status": "ok"})

    def ready() -> Response:
        results = run_checks({"database": check_database, "migrations": check_migrations})
        failed = {
            name: result.summary for name, result in results.items() if result.status is HealthStatus.FAILED
        }
        return JSONResponse(
            {"status": "failed" if failed else "ok", "failed": failed}, 503 if failed else 200
        )

    def metrics() -> Response:
        return Response(metrics_text(), media_type=METRICS_CONTENT_TYPE)

    for path, function in (
        ("/health", health),
        ("/health/live", live),
        ("/health/ready", ready),
        ("/metrics", metrics),
    ):
        app.add_api_route(
            path, function, methods=["GET", "HEAD"], include_in_schema=False, response_model=None
        )

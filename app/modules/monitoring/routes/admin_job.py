"""The page of a job, and what is done there."""

from collections.abc import Sequence
from typing import Any

import orjson
from fastapi import Response

from app.core import clock
from app.core.ids import to_public
from app.core.logging import mask
from app.modules.monitoring.services import job_service
from app.modules.monitoring.services.job_service import (
    JOB_PREFIX,
    MANAGE,
    WAITING,
    JobDetail,
    module_name,
    short_name,
)
from app.modules.pagekit.details import Action, Block, Detail, Fact, show_detail
from app.modules.pagekit.job_view import JobView
from app.modules.pages import PageContext
from app.modules.routing import AreaRouter, public_id
from app.tasks.models import Job, JobState

router = AreaRouter("admin")

_REASONS = {reason: name for name, reason in WAITING.items()}
_CAUSES = frozenset({"user", "schedule", "event", "message"})
_REPLAYABLE = (JobState.FAILED, JobState.CANCELLED)
_ACTIVE = (JobState.QUEUED, JobState.RUNNING)


@router.page("monitoring.admin.job")
def show_job(ctx: PageContext, job_id: str) -> Response:
    """One job: how far it is, what it was given, what came of it, and every attempt."""
    found = job_service.get_job(ctx.session, public_id(JOB_PREFIX, job_id))
    job = found.job
    view = JobView.of(job, job.phase or ctx.t(f"ui.state.{job.state}"))
    return show_detail(
        ctx,
        Detail(
            record_id=job.id,
            title=short_name(job.task),
            subtitle=module_name(job.module),
            back=(ctx.url("monitoring.admin.jobs"), ctx.t("monitoring.pages.jobs")),
            badges=((job.state, ctx.t(f"ui.state.{job.state}")),),
            notice=_notice(ctx, job),
            blocks=_blocks(ctx, found, view),
            actions=_actions(ctx, job) if MANAGE in ctx.who.permissions else (),
            target=to_public(JOB_PREFIX, job.id),
            refresh=view.is_active,
        ),
    )


@router.action("/tasks/{job_id}/retry", permission=MANAGE)
def retry_job(ctx: PageContext, job_id: str) -> Response:
    """Queue a failed or cancelled job again."""
    job_service.retry_job(ctx.session, public_id(JOB_PREFIX, job_id))
    ctx.flash("success", "monitoring.job.retried")
    return ctx.redirect("monitoring.admin.job", job_id=job_id)


@router.action("/tasks/{job_id}/cancel", permission=MANAGE)
def cancel_job(ctx: PageContext, job_id: str) -> Response:
    """Stop a job, at once or at its next checkpoint."""
    state = job_service.cancel_job(ctx.session, public_id(JOB_PREFIX, job_id))
    is_over = state == JobState.CANCELLED
    ctx.flash("success", "monitoring.job.cancelled" if is_over else "monitoring.job.cancel_asked")
    return ctx.redirect("monitoring.admin.job", job_id=job_id)


def _job_url(ctx: PageContext, job: Job) -> str:
    return ctx.url("monitoring.admin.job", job_id=to_public(JOB_PREFIX, job.id))


def _notice(ctx: PageContext, job: Job) -> tuple[str, str] | None:
    if job.waiting_reason:
        return "info", ctx.t(f"monitoring.waiting.{_REASONS[job.waiting_reason]}_text")
    if job.state == JobState.RUNNING and job.cancel_requested_at:
        return "info", ctx.t("monitoring.job.cancelling")
    return None


def _actions(ctx: PageContext, job: Job) -> Sequence[Action]:
    path = _job_url(ctx, job)
    if job.state in _REPLAYABLE:
        return (Action(ctx.t("monitoring.job.retry"), f"{path}/retry", "rotate-cw", "primary"),)
    if job.state in _ACTIVE and not job.cancel_requested_at:
        sure = ctx.t("monitoring.job.cancel_sure")
        return (Action(ctx.t("monitoring.job.cancel"), f"{path}/cancel", "ban", "danger", confirm=sure),)
    return ()


def _blocks(ctx: PageContext, found: JobDetail, view: JobView) -> list[Block]:
    job = found.job
    blocks = [
        Block("facts", ctx.t("monitoring.job.facts"), _facts(ctx, found), column="side", order=10),
        Block(
            "data",
            ctx.t("monitoring.job.arguments"),
            template="monitoring/data.html",
            context={
                "id": "arguments",
                "name": ctx.t("monitoring.job.arguments"),
                "text": _as_json(job.args),
            },
            order=40,
        ),
        Block(
            "runs",
            ctx.t("monitoring.job.runs"),
            template="monitoring/runs.html",
            context={"runs": [(run, _seconds(run.started_at, run.ended_at)) for run in found.runs]},
            order=60,
        ),
    ]
    if view.is_active:
        progress = {"job": view}
        title = ctx.t("monitoring.job.progress")
        blocks.append(
            Block("progress", title, template="monitoring/progress.html", context=progress, order=5)
        )
    if job.error_code:
        blocks.append(_error(ctx, job))
    if job.result is not None:
        title = ctx.t("monitoring.job.result")
        shown = {"id": "result-data", "name": title, "text": _as_json(job.result)}
        blocks.append(Block("result", title, template="monitoring/data.html", context=shown, order=30))
    return blocks + _relatives(ctx, found)


def _relatives(ctx: PageContext, found: JobDetail) -> list[Block]:
    blocks = []
    if found.delivery:
        event = found.delivery
        facts = (
            Fact(ctx.t("monitoring.delivery.event"), event.event, "code"),
            Fact(ctx.t("monitoring.delivery.handler"), module_name(event.handler)),
            Fact(ctx.t("monitoring.delivery.event_id"), str(event.event_id), "code"),
            Fact(ctx.t("monitoring.fields.created_at"), event.created_at, "datetime"),
        )
        name = ctx.t("monitoring.delivery.title")
        payload = {"id": "payload", "name": name, "text": _as_json(event.payload)}
        blocks.append(
            Block(
                "delivery",
                ctx.t("monitoring.delivery.title"),
                facts,
                template="monitoring/data.html",
                context=payload,
                order=50,
            )
        )
    if found.children:
        context = {
            "jobs": [(child, _job_url(ctx, child), short_name(child.task)) for child in found.children]
        }
        title = ctx.t("monitoring.job.children")
        blocks.append(
            Block("children", title, template="monitoring/children.html", context=context, order=55)
        )
    return blocks


def _error(ctx: PageContext, job: Job) -> Block:
    facts = (
        Fact(ctx.t("monitoring.error.code"), job.error_code, "code"),
        Fact(ctx.t("monitoring.error.message"), mask(job.error_message)),
        Fact(ctx.t("monitoring.error.digest"), job.error_digest, "code"),
    )
    text = ctx.t("monitoring.error.text") if job.error_digest else None
    return Block("error", ctx.t("monitoring.error.title"), facts, text=text, order=20)


def _facts(ctx: PageContext, found: JobDetail) -> Sequence[Fact]:
    job, parent = found.job, found.parent
    cause = ctx.t(f"monitoring.causes.{job.cause}") if job.cause in _CAUSES else None
    facts = (
        Fact(ctx.t("monitoring.fields.id"), to_public(JOB_PREFIX, job.id), "code"),
        Fact(ctx.t("monitoring.fields.key"), str(job.id), "code"),
        Fact(ctx.t("monitoring.fields.task"), job.task, "code"),
        Fact(ctx.t("monitoring.fields.queue"), job.queue, "code"),
        Fact(ctx.t("monitoring.fields.vendor"), found.vendor, "code"),
        Fact(ctx.t("monitoring.fields.cause"), cause),
        Fact(ctx.t("monitoring.fields.created_by"), found.created_by),
        Fact(ctx.t("monitoring.fields.attempts"), f"{job.attempts} / {job.max_attempts}"),
        Fact(ctx.t("monitoring.fields.priority"), job.priority, "number"),
        Fact(ctx.t("monitoring.fields.created_at"), job.created_at, "datetime"),
        Fact(ctx.t("monitoring.fields.run_after"), job.run_after, "datetime"),
        Fact(ctx.t("monitoring.fields.started_at"), job.started_at, "datetime"),
        Fact(ctx.t("monitoring.fields.finished_at"), job.finished_at, "datetime"),
        Fact(ctx.t("monitoring.fields.duration"), _seconds(job.started_at, job.finished_at), "duration"),
        Fact(ctx.t("monitoring.fields.ordering_key"), job.ordering_key, "code"),
        Fact(ctx.t("monitoring.fields.unique_key"), job.unique_key, "code"),
        Fact(
            ctx.t("monitoring.fields.parent"),
            short_name(parent.task) if parent else None,
            "code",
            url=_job_url(ctx, parent) if parent else None,
        ),
    )
    return [fact for fact in facts if fact.value is not None]


def _as_json(value: Any) -> str:
    return orjson.dumps(mask(value), option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS).decode()


def _seconds(start: Any, end: Any) -> float | None:
    return ((end or clock.system_now()) - start).total_seconds() if start else None

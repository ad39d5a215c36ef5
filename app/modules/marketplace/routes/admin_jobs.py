"""The marketplace's background work over all vendors, for the operator."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from fastapi import Response

from app.core.ids import to_public
from app.modules.api.jobs import JOB_PREFIX
from app.modules.marketplace.services import job_list_service
from app.modules.marketplace.services.job_list_service import KINDS, WORK_PREFIX, kind_of
from app.modules.menu import pages
from app.modules.pagekit.details import Action, Block, Detail, Fact, show_detail
from app.modules.pagekit.job_view import ACTIVE, JobView
from app.modules.pagekit.list_page import mount_list
from app.modules.pagekit.lists import Column, Filter, ListSpec, View
from app.modules.pages import PageContext
from app.modules.routing import AreaRouter, public_id
from app.modules.tenancy.facade import find_vendor
from app.tasks.models import Job, JobState

router = AreaRouter("admin")

_F = "marketplace.job_fields"
_TONES = {state.value: state.value for state in JobState}
_MONITORING = "monitoring.admin.job"


def _progress(row: Any) -> str | None:
    if row.progress_done is None:
        return None
    return f"{row.progress_done} / {row.progress_total}" if row.progress_total else str(row.progress_done)


def _duration(row: Any) -> str | None:
    if row.started_at is None or row.finished_at is None:
        return None
    seconds = max(0.0, (row.finished_at - row.started_at).total_seconds())
    return f"{seconds:.1f} s" if seconds < 60 else str(timedelta(seconds=round(seconds)))


mount_list(
    router,
    ListSpec(
        page_id="marketplace.admin.jobs",
        texts="marketplace.jobs",
        select=lambda _session, _language: job_list_service.select_jobs(),
        key=Job.id,
        columns=(
            Column(
                "kind", f"{_F}.kind", value=lambda row: kind_of(row.task), text_prefix="marketplace.job_kinds"
            ),
            Column("vendor", f"{_F}.vendor", "code"),
            Column("state", f"{_F}.state", "badge", text_prefix="ui.state", tones=_TONES),
            Column("created_at", f"{_F}.created_at", "datetime", sort=Job.id),
            Column("progress", f"{_F}.progress", value=_progress),
            Column("running", f"{_F}.running", "number"),
            Column("queued", f"{_F}.queued", "number"),
            Column("duration", f"{_F}.duration", value=_duration),
            Column("error_code", f"{_F}.error", "code", is_default=False),
        ),
        default_sort="-created_at",
        filters=(
            Filter(
                "kind",
                f"{_F}.kind",
                job_list_service.of_kinds,
                options=[(kind, f"marketplace.job_kinds.{kind}") for kind in KINDS],
            ),
            Filter(
                "state",
                f"{_F}.state",
                lambda values: Job.state.in_(values),
                options=[(state.value, f"ui.state.{state.value}") for state in JobState],
            ),
            Filter("vendor", f"{_F}.vendor_code", job_list_service.of_vendor, kind="text"),
        ),
        views=(
            View("active", "marketplace.jobs.views.active", "state=running&state=queued"),
            View("failed", "ui.state.failed", "state=failed"),
        ),
        row_page="marketplace.admin.job",
        row_id="work_id",
        prefix=WORK_PREFIX,
        icon="list-checks",
        has_intro=True,
        enrich=job_list_service.with_company,
        is_running=lambda row: row.state in ACTIVE,
    ),
)


@router.page("marketplace.admin.job")
def job(ctx: PageContext, work_id: str) -> Response:
    """One job: how far it is, what it counted, what stopped it, and what else of its vendor's is under way."""
    row = job_list_service.get_job(ctx.session, public_id(WORK_PREFIX, work_id))
    vendor = find_vendor(vendor_id=row.vendor_id) if row.vendor_id else None
    view = JobView.of(row, row.phase or ctx.t(f"ui.state.{row.state}"))
    notice = None
    if row.error_message and row.state == JobState.FAILED:
        notice = ("danger", row.error_message)
    return show_detail(
        ctx,
        Detail(
            row.id,
            ctx.t(f"marketplace.job_kinds.{kind_of(row.task)}"),
            _blocks(ctx, row, view),
            subtitle=vendor.name if vendor else None,
            back=(ctx.url("marketplace.admin.jobs"), ctx.t("marketplace.jobs.title")),
            badges=((row.state, ctx.t(f"ui.state.{row.state}")),),
            actions=_actions(ctx, row.id),
            notice=notice,
            refresh=view.is_active,
        ),
    )


def _actions(ctx: PageContext, key: UUID) -> list[Action]:
    if _MONITORING not in pages() or "monitoring.jobs.view" not in ctx.who.permissions:
        return []
    url = ctx.url(_MONITORING, job_id=to_public(JOB_PREFIX, key))
    return [Action(ctx.t("marketplace.job.in_monitoring"), url, "activity", is_post=False)]


def _blocks(ctx: PageContext, row: Job, view: JobView) -> list[Block]:
    counted = row.result if isinstance(row.result, dict) else {}
    numbers = [Fact(name, value, "number") for name, value in counted.items() if type(value) is int]
    active = job_list_service.count_active(ctx.session, {row.vendor_id})
    facts = [
        Fact(ctx.t(f"{_F}.created_at"), row.created_at, "datetime"),
        Fact(ctx.t(f"{_F}.started_at"), row.started_at, "datetime"),
        Fact(ctx.t(f"{_F}.finished_at"), row.finished_at, "datetime"),
        Fact(ctx.t(f"{_F}.attempts"), f"{row.attempts} / {row.max_attempts}"),
        Fact(ctx.t(f"{_F}.running"), active[row.vendor_id, JobState.RUNNING.value], "number"),
        Fact(ctx.t(f"{_F}.queued"), active[row.vendor_id, JobState.QUEUED.value], "number"),
    ]
    blocks = [Block("facts", ctx.t("marketplace.job.facts"), facts, column="side", order=10)]
    if view.is_active:
        template, context = "marketplace/progress.html", {"view": view}
        title = ctx.t("marketplace.job.progress")
        blocks.append(Block("progress", title, template=template, context=context, order=5))
    if numbers:
        blocks.append(Block("result", ctx.t("marketplace.job.result"), numbers, order=10))
    return blocks

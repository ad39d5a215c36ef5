"""The page of an export or a bulk action, and its file."""

from uuid import UUID

from fastapi import Response
from fastapi.responses import FileResponse

from app.core.errors import ForbiddenError
from app.core.i18n import FALLBACK, has_message
from app.core.ids import to_public
from app.modules.core.enums import ListJobKind
from app.modules.core.models.list_job import ListJob
from app.modules.core.services import list_job_service
from app.modules.core.services.list_job_service import LIST_JOB_PREFIX
from app.modules.menu import pages
from app.modules.pagekit.details import Action, Block, Detail, Fact, show_detail
from app.modules.pagekit.job_view import JobView
from app.modules.pagekit.list_page import find_list
from app.modules.pages import PageContext
from app.modules.routing import AreaRouter, public_id
from app.modules.tenancy.facade import user_names
from app.tasks.models import Job

router = AreaRouter("admin", "vendor")

_USE = "core.{area}_home.view"


@router.page("core.{area}.list_job")
def list_job(ctx: PageContext, list_job_id: str) -> Response:
    """How far it is, what came of it, and the file."""
    row, job = list_job_service.get_list_job(ctx.session, ctx.who.user_id, _key(list_job_id))
    ctx.page = pages()[f"core.{ctx.area}.list_job"]  # also in place of a file that is there no more
    view = JobView.of(job, ctx.t(f"ui.state.{job.state}")) if job else None
    has_file = list_job_service.file_of(row) is not None
    here = ctx.url(f"core.{ctx.area}.list_job", list_job_id=list_job_id)
    block = Block(
        "work",
        ctx.t(f"core.list_jobs.{row.kind}"),
        template="core/list_job.html",
        context={"row": row, "job": job, "view": view, "has_file": has_file, "problems": _problems(ctx, row)},
        order=10,
    )
    is_active = view is not None and view.is_active
    detail = Detail(
        row.id,
        ctx.t(f"core.list_jobs.{row.kind}_title", list=_list_title(ctx, row)),
        [block, Block("facts", ctx.t("core.list_jobs.facts"), _facts(ctx, row, job), column="side")],
        back=_back(ctx, row),
        badges=[_badge(ctx, job)] if job else (),
        actions=_actions(ctx, here, has_file=has_file and _may_read(ctx, row), is_active=is_active),
        refresh=is_active,
    )
    return show_detail(ctx, detail)


@router.action("/jobs/{list_job_id}/file", permission=_USE, method="GET")
def list_job_file(ctx: PageContext, list_job_id: str) -> Response:
    """The file of an export; its page, where the file is there no more."""
    row, _ = list_job_service.get_list_job(ctx.session, ctx.who.user_id, _key(list_job_id))
    if not _may_read(ctx, row):
        raise ForbiddenError
    path = list_job_service.file_of(row)
    if path is None:
        return list_job(ctx, list_job_id)
    return ctx.finish(FileResponse(path, media_type="text/csv; charset=utf-8", filename=row.file_name))


@router.action("/jobs/{list_job_id}/cancel", permission=_USE, in_read_only=True)
def cancel_list_job(ctx: PageContext, list_job_id: str) -> Response:
    """Stop it."""
    list_job_service.cancel_list_job(ctx.session, ctx.who.user_id, _key(list_job_id))
    ctx.flash("info", "core.list_jobs.cancelling")
    return ctx.redirect(f"core.{ctx.area}.list_job", list_job_id=list_job_id)


def _key(list_job_id: str) -> UUID:
    return public_id(LIST_JOB_PREFIX, list_job_id)


def _may_read(ctx: PageContext, row: ListJob) -> bool:
    """Who started it may still open the list, and so may others who can."""
    page = pages().get(row.page_id)
    return page is not None and page.area == ctx.area and page.permission in ctx.who.permissions


def _list_title(ctx: PageContext, row: ListJob) -> str:
    page = pages().get(row.page_id)
    return ctx.t(page.title_key) if page else row.page_id


def _back(ctx: PageContext, row: ListJob) -> tuple[str, str] | None:
    if not _may_read(ctx, row):
        return None
    url = ctx.url(row.page_id)
    return (f"{url}?{row.query}" if row.query else url), _list_title(ctx, row)


def _problems(ctx: PageContext, row: ListJob) -> list[tuple[str, int, list[tuple[str, str | None]]]]:
    """Why rows were left out: the text, how many, and ids and addresses of the first of them."""
    if not row.problems or not _may_read(ctx, row):
        return []
    spec = find_list(row.page_id)

    def named(key: str) -> tuple[str, str | None]:
        public = to_public(spec.prefix, UUID(key))
        return public, ctx.url(spec.row_page, **{spec.row_id: public}) if spec.row_page else None

    return [
        (_reason(ctx, key), problem["count"], [named(row_id) for row_id in problem["ids"]])
        for key, problem in row.problems.items()
    ]


def _reason(ctx: PageContext, key: str) -> str:
    """What an error says, or at least how it is called: not every one has more to say."""
    return ctx.t(key if has_message(FALLBACK, key) else f"{key}.title")


def _badge(ctx: PageContext, job: Job) -> tuple[str, str]:
    tones = {"running": "info", "succeeded": "success", "failed": "danger"}
    return tones.get(job.state, "neutral"), ctx.t(f"ui.state.{job.state}")


def _facts(ctx: PageContext, row: ListJob, job: Job | None) -> list[Fact]:
    names = user_names(ctx.session, {row.created_by})
    facts = [
        Fact(ctx.t("core.list_jobs.started_by"), names.get(row.created_by)),
        Fact(ctx.t("core.list_jobs.created_at"), row.created_at, "datetime"),
        Fact(ctx.t("core.list_jobs.finished_at"), job.finished_at if job else None, "datetime"),
        Fact(ctx.t("core.list_jobs.done"), row.done, "number"),
    ]
    if row.kind == ListJobKind.BULK:
        facts.append(Fact(ctx.t("core.list_jobs.failed"), row.failed, "number"))
    return facts


def _actions(ctx: PageContext, here: str, *, has_file: bool, is_active: bool) -> list[Action]:
    if is_active:
        return [Action(ctx.t("core.list_jobs.cancel"), f"{here}/cancel", "ban")]
    if has_file:
        return [
            Action(ctx.t("core.list_jobs.download"), f"{here}/file", "download", "primary", is_post=False)
        ]
    return []

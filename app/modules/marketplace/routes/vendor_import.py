"""The page of one import: how far it is, what became of it, what is to be corrected."""

from uuid import UUID

from fastapi import Response
from fastapi.responses import StreamingResponse

from app.core.i18n import FALLBACK, has_message
from app.core.ids import to_public
from app.modules.gates import ReadOnlyError
from app.modules.marketplace.adapters.feed_errors import FeedColumnsUnmappedError, FeedMappingColumnError
from app.modules.marketplace.exceptions import FeedGuardError
from app.modules.marketplace.routes.vendor import OUTCOME_TONES
from app.modules.marketplace.services import (
    feed_service,
    import_service,
    row_error_service,
    undo_service,
)
from app.modules.marketplace.services import (
    import_block_service as import_blocks,
)
from app.modules.marketplace.services.feed_problem_service import problem_key
from app.modules.marketplace.services.feed_service import FEED_PREFIX
from app.modules.marketplace.services.import_service import IMPORT_PREFIX, ImportWithJob, outcome_of
from app.modules.pagekit.details import Action, Detail, show_detail
from app.modules.pagekit.job_view import ACTIVE, JobView
from app.modules.pages import PageContext
from app.modules.routing import AreaRouter, public_id
from app.tasks.lookup import find_job
from app.tasks.models import Job

router = AreaRouter("vendor")

_CREATE, _VIEW = "marketplace.imports.create", "marketplace.imports.view"
_EDIT = "marketplace.feeds.edit"
_KILOBYTE = 1000
_MAPPABLE = (FeedColumnsUnmappedError.code, FeedMappingColumnError.code)


@router.page("marketplace.vendor.import")
def show_import(ctx: PageContext, import_id: str, code: str = "") -> Response:
    """How far an import is, and what became of it; ``code`` shows errors of one kind."""
    found = import_service.get_import(ctx.session, public_id(IMPORT_PREFIX, import_id))
    row, job = found
    undo = find_job(ctx.session, row.undo_job_id)
    shown_job = undo if undo is not None and undo.state in ACTIVE else job
    view = _view(ctx, shown_job)
    is_active = view is not None and view.is_active
    outcome = outcome_of(found)
    feed = feed_service.get_feed(ctx.session, row.feed_id)
    blocks = [
        *import_blocks.findings(ctx, row, is_active=is_active),
        import_blocks.result(ctx, row, view, outcome),
        *import_blocks.differences(ctx, row, is_active=is_active),
        *import_blocks.errors(ctx, row, code, is_active=is_active),
        import_blocks.facts(ctx, row, feed),
    ]
    policy = ctx.t(f"marketplace.policies.{row.policy}")
    language = ctx.t(f"core.languages.{row.language}")
    badges = [(OUTCOME_TONES[outcome], ctx.t(f"marketplace.outcomes.{outcome}"))]
    if row.is_dry_run:
        badges.append(("info", ctx.t("marketplace.import.dry_run")))
    if row.undone_at:
        badges.append(("warning", ctx.t("marketplace.import.undone")))
    return show_detail(
        ctx,
        Detail(
            row.id,
            ctx.t("marketplace.import.title_of", name=row.source_name),
            blocks,
            subtitle=ctx.t("marketplace.import.subtitle", language=language, policy=policy),
            back=(ctx.url("marketplace.vendor.imports"), ctx.t("marketplace.imports.title")),
            badges=badges,
            actions=_actions(ctx, found, is_active=is_active),
            target=import_id,
            notice=_notice(ctx, found),
            refresh=is_active,
        ),
    )


@router.action("/imports/{import_id}/failed-rows.csv", permission=_VIEW, method="GET")
def failed_rows(ctx: PageContext, import_id: str) -> Response:
    """The rows that failed, as a file to correct and import alone."""
    row = import_service.get_import(ctx.session, public_id(IMPORT_PREFIX, import_id)).row
    stream = row_error_service.failed_rows_csv(ctx.who.scope, row.id, language=ctx.language)
    response = StreamingResponse(stream)
    name = f"{ctx.vendor.code}_failed_rows_{row.language}.csv"
    response.headers["Content-Type"] = "text/csv; charset=utf-8"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return ctx.finish(response)


@router.action("/imports/{import_id}/cancel", permission=_CREATE, in_read_only=True)
def cancel_import(ctx: PageContext, import_id: str) -> Response:
    """Stop an import."""
    key = public_id(IMPORT_PREFIX, import_id)
    import_service.cancel_import(ctx.session, key)
    ctx.flash("info", "marketplace.import.cancel_asked")
    return ctx.redirect_to(_url(ctx, key))


@router.action("/imports/{import_id}/again", permission=_CREATE)
def import_again(ctx: PageContext, import_id: str) -> Response:
    """Import the same source once more."""
    key = public_id(IMPORT_PREFIX, import_id)
    row = import_service.repeat_import(ctx.session, key, user_id=ctx.who.user_id)
    return ctx.redirect_to(_url(ctx, row.id))


@router.action("/imports/{import_id}/for-real", permission=_CREATE)
def import_for_real(ctx: PageContext, import_id: str) -> Response:
    """Import the file that was tried."""
    key = public_id(IMPORT_PREFIX, import_id)
    row = import_service.repeat_import(ctx.session, key, user_id=ctx.who.user_id, is_dry_run=False)
    return ctx.redirect_to(_url(ctx, row.id))


@router.action("/imports/{import_id}/confirm", permission=_CREATE)
def import_anyway(ctx: PageContext, import_id: str) -> Response:
    """Import the file that the guard has stopped."""
    key = public_id(IMPORT_PREFIX, import_id)
    row = import_service.repeat_import(
        ctx.session, key, user_id=ctx.who.user_id, is_dry_run=False, is_confirmed=True
    )
    return ctx.redirect_to(_url(ctx, row.id))


@router.action("/imports/{import_id}/undo", permission=_CREATE)
def undo_import(ctx: PageContext, import_id: str) -> Response:
    """Put back what the import has changed."""
    key = public_id(IMPORT_PREFIX, import_id)
    undo_service.start_undo(ctx.session, key, user_id=ctx.who.user_id)
    ctx.flash("info", "marketplace.import.undo_asked")
    return ctx.redirect_to(_url(ctx, key))


def _view(ctx: PageContext, job: Job | None) -> JobView | None:
    if job is None:
        return None
    scale = 1 if job.phase == "undoing" else _KILOBYTE
    return JobView.of(job, ctx.t(f"marketplace.phases.{job.phase or 'waiting'}"), scale=scale)


def _actions(ctx: PageContext, found: ImportWithJob, *, is_active: bool) -> list[Action]:
    if _CREATE not in ctx.who.permissions:
        return []
    row, job = found
    here = _url(ctx, row.id)
    if is_active:
        # What is being undone is undone as a whole.
        may_stop = job is not None and job.state in ACTIVE
        return [Action(ctx.t("marketplace.import.cancel"), f"{here}/cancel", "ban")] if may_stop else []
    actions = [Action(ctx.t("marketplace.import.again"), f"{here}/again", "refresh-cw")]
    code = row.problem["code"] if row.problem else None
    if code in _MAPPABLE and _EDIT in ctx.who.permissions:
        feed = ctx.url("marketplace.vendor.feed_mapping", feed_id=to_public(FEED_PREFIX, row.feed_id))
        url = f"{feed}?import={to_public(IMPORT_PREFIX, row.id)}"
        text = ctx.t("marketplace.mapping.change")
        actions.append(Action(text, url, "columns-3", "primary", is_post=False))
    elif code == FeedGuardError.code:
        confirm = ctx.t("marketplace.import.anyway_sure")
        text = ctx.t("marketplace.import.anyway")
        actions.append(Action(text, f"{here}/confirm", "triangle-alert", "danger", confirm=confirm))
    elif row.is_dry_run and job is not None and job.state == "succeeded" and row.storage_key:
        text = ctx.t("marketplace.import.for_real")
        actions.append(Action(text, f"{here}/for-real", "upload", "primary"))
    elif undo_service.why_not(ctx.session, row.id) is None:
        confirm = ctx.t("marketplace.import.undo_sure")
        actions.append(
            Action(ctx.t("marketplace.import.undo"), f"{here}/undo", "undo-2", "danger", confirm=confirm)
        )
    return actions


def _notice(ctx: PageContext, found: ImportWithJob) -> tuple[str, str] | None:
    problem = _problem(ctx, found)
    if problem:
        return "danger", problem
    if found.row.is_not_modified:
        return "info", ctx.t("marketplace.import.not_modified")
    if found.row.undone_at:
        return "info", ctx.t("marketplace.import.undone_text")
    if found.job and found.job.state == "succeeded" and found.row.is_dry_run:
        return "info", ctx.t("marketplace.import.dry_run_done")
    return None


def _problem(ctx: PageContext, found: ImportWithJob) -> str | None:
    """What stopped the import, in the page's language."""
    row, job = found
    if job and job.state == "cancelled" and job.error_code == ReadOnlyError.code:
        return ctx.t(f"errors.{ReadOnlyError.code}")
    if job is None or job.state != "failed":
        return None
    if row.problem is None:
        return ctx.t("marketplace.import.unexpected", code=job.error_digest or job.error_code or "")
    key = problem_key(row.problem["code"], row.problem["params"])
    known = has_message(ctx.language, key) or has_message(FALLBACK, key)
    return ctx.t(key, **row.problem["params"]) if known else str(row.problem["detail"])


def _url(ctx: PageContext, import_id: UUID) -> str:
    return ctx.url("marketplace.vendor.import", import_id=to_public(IMPORT_PREFIX, import_id))

"""The page of one import: how far it is, what became of it, what is to be corrected."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from fastapi import Response
from fastapi.responses import StreamingResponse

from app.core.i18n import FALLBACK, has_message
from app.core.ids import to_public
from app.modules.marketplace.models.import_job import FeedImport
from app.modules.marketplace.routes.vendor import OUTCOME_TONES
from app.modules.marketplace.services import import_service, row_error_service
from app.modules.marketplace.services.import_service import IMPORT_PREFIX, ImportWithJob
from app.modules.pagekit.details import Action, Block, Detail, Fact, show_detail
from app.modules.pagekit.job_view import JobView
from app.modules.pages import PageContext
from app.modules.routing import AreaRouter, public_id
from app.modules.tenancy.facade import user_names

router = AreaRouter("vendor")

SHOWN_ERRORS = 100
_CREATE, _VIEW = "marketplace.imports.create", "marketplace.imports.view"
_KILOBYTE = 1000
_DELIMITERS = {"\t": "tab", ";": "semicolon", ",": "comma"}


@router.page("marketplace.vendor.import")
def show_import(ctx: PageContext, import_id: str, code: str = "") -> Response:
    """How far an import is, and what became of it; ``code`` shows errors of one kind."""
    found = import_service.get_import(ctx.session, public_id(IMPORT_PREFIX, import_id))
    row, job = found
    phase = ctx.t(f"marketplace.phases.{job.phase or 'waiting'}") if job else ""
    view = JobView.of(job, phase, scale=_KILOBYTE) if job else None
    is_active = view is not None and view.is_active
    outcome = _outcome(found)
    blocks = [_result(ctx, found, view, outcome), *_errors(ctx, row, code, is_active=is_active)]
    blocks.append(Block("facts", ctx.t("marketplace.import.facts"), _facts(ctx, found), column="side"))
    policy = ctx.t(f"marketplace.policies.{row.policy}")
    language = ctx.t(f"core.languages.{row.language}")
    badges = [(OUTCOME_TONES[outcome], ctx.t(f"marketplace.outcomes.{outcome}"))]
    if row.is_dry_run:
        badges.append(("info", ctx.t("marketplace.import.dry_run")))
    return show_detail(
        ctx,
        Detail(
            row.id,
            ctx.t("marketplace.import.title_of", name=row.source_name),
            blocks,
            subtitle=ctx.t("marketplace.import.subtitle", language=language, policy=policy),
            back=(ctx.url("marketplace.vendor.imports"), ctx.t("marketplace.imports.title")),
            badges=badges,
            actions=_actions(ctx, row.id, is_active=is_active),
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


@router.action("/imports/{import_id}/cancel", permission=_CREATE)
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


def _outcome(found: ImportWithJob) -> str:
    row, job = found
    if job is None:
        return "forgotten"
    return "with_errors" if job.state == "succeeded" and row.failed else job.state


def _actions(ctx: PageContext, import_id: UUID, *, is_active: bool) -> list[Action]:
    if _CREATE not in ctx.who.permissions:
        return []
    here = _url(ctx, import_id)
    if is_active:
        return [Action(ctx.t("marketplace.import.cancel"), f"{here}/cancel", "ban")]
    return [Action(ctx.t("marketplace.import.again"), f"{here}/again", "refresh-cw")]


def _result(ctx: PageContext, found: ImportWithJob, view: JobView | None, outcome: str) -> Block:
    row = found.row
    rows_url = None
    if not row.is_dry_run and "marketplace.products.view" in ctx.who.permissions:
        query = urlencode({"import": to_public(IMPORT_PREFIX, row.id)})
        rows_url = f"{ctx.url('marketplace.vendor.sources')}?{query}"
    context = {"row": row, "view": view, "outcome": outcome, "rows_url": rows_url}
    return Block(
        "import",
        ctx.t("marketplace.import.result"),
        template="marketplace/vendor/import_result.html",
        context=context,
        column="full",
        order=10,
    )


def _errors(ctx: PageContext, row: FeedImport, code: str, *, is_active: bool) -> list[Block]:
    if not row.failed:
        return []
    # A page that shows itself again every other second does not count kinds.
    counted = [] if is_active else row_error_service.count_codes(ctx.session, row.id)
    wanted = code if code in dict(counted) else None
    shown = row_error_service.list_errors(
        ctx.session, row.id, language=ctx.language, limit=SHOWN_ERRORS, code=wanted
    )
    here = _url(ctx, row.id)
    context: dict[str, Any] = {
        "shown": shown,
        "limit": SHOWN_ERRORS,
        "codes": counted,
        "code": wanted,
        "here": here,
        "failed_url": f"{here}/failed-rows.csv",
    }
    title = ctx.t("marketplace.import.errors_title")
    template = "marketplace/vendor/import_errors.html"
    return [Block("errors", title, template=template, context=context, column="full", order=20)]


def _facts(ctx: PageContext, found: ImportWithJob) -> list[Fact]:
    row = found.row
    names = user_names(ctx.session, {row.created_by}) if row.created_by else {}
    delimiter = f"marketplace.delimiters.{_DELIMITERS[row.delimiter]}" if row.delimiter else None
    return [
        Fact(ctx.t("marketplace.fields.source"), row.url or row.source_name),
        Fact(ctx.t("marketplace.fields.size"), row.bytes, "filesize"),
        Fact(ctx.t("marketplace.fields.encoding"), row.encoding),
        Fact(ctx.t("marketplace.fields.delimiter"), ctx.t(delimiter) if delimiter else None),
        Fact(ctx.t("marketplace.fields.unknown_columns"), ", ".join(row.unknown_columns or ())),
        Fact(ctx.t("marketplace.fields.started"), row.created_at, "datetime"),
        Fact(ctx.t("marketplace.fields.started_by"), names.get(row.created_by) if row.created_by else None),
        Fact(ctx.t("marketplace.fields.seconds"), row.seconds, "duration"),
    ]


def _notice(ctx: PageContext, found: ImportWithJob) -> tuple[str, str] | None:
    problem = _problem(ctx, found)
    if problem:
        return "danger", problem
    if found.job and found.job.state == "succeeded" and found.row.is_dry_run:
        return "info", ctx.t("marketplace.import.dry_run_done")
    return None


def _problem(ctx: PageContext, found: ImportWithJob) -> str | None:
    """What stopped the import, in the page's language."""
    row, job = found
    if job is None or job.state != "failed":
        return None
    if row.problem is None:
        return ctx.t("marketplace.import.unexpected", code=job.error_digest or job.error_code or "")
    key = f"errors.{row.problem['code']}"
    known = has_message(ctx.language, key) or has_message(FALLBACK, key)
    return ctx.t(key, **row.problem["params"]) if known else str(row.problem["detail"])


def _url(ctx: PageContext, import_id: UUID) -> str:
    return ctx.url("marketplace.vendor.import", import_id=to_public(IMPORT_PREFIX, import_id))

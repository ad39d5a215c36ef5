"""Imports of feeds: the list, the form, and the page of one import."""

import csv
import io
from typing import Annotated
from uuid import UUID

from fastapi import File, Form, Response, UploadFile
from fastapi.responses import StreamingResponse

from app.core.config import get_settings
from app.core.errors import TooLargeError
from app.core.http_guard import UrlRefusedError
from app.core.i18n import FALLBACK, LANGUAGES, has_message
from app.core.ids import to_public
from app.modules.marketplace.enums import ErrorPolicy
from app.modules.marketplace.services import feed_settings_service, import_service, row_error_service
from app.modules.marketplace.services.feed_columns import COLUMN_FIELDS
from app.modules.marketplace.services.import_service import (
    IMPORT_PREFIX,
    LIST_ROWS,
    ImportRequest,
    ImportWithJob,
)
from app.modules.pages import PageContext
from app.modules.routing import AreaRouter, public_id

router = AreaRouter("vendor")

SHOWN_ERRORS = 100
_CREATE, _VIEW = "marketplace.imports.create", "marketplace.imports.view"
_ACTIVE = frozenset({"queued", "running"})
_FORM_BYTES = 1_000_000  # of a body besides its file
_EXAMPLE = {
    "id": "SKU-1",
    "title": "Parapluie pliable, bleu",
    "description": "Parapluie compact, ouverture automatique.",
    "link": "https://shop.example/parapluie",
    "image_link": "https://shop.example/parapluie.jpg",
    "availability": "in_stock",
    "price": "24.90 EUR",
    "condition": "new",
}


@router.page("marketplace.vendor.imports")
def imports(ctx: PageContext, before: str = "") -> Response:
    """All imports, the newest first."""
    older_than = public_id(IMPORT_PREFIX, before) if before else None
    found = import_service.list_imports(ctx.session, limit=LIST_ROWS + 1, before=older_than)
    shown = found[:LIST_ROWS]
    following = to_public(IMPORT_PREFIX, shown[-1].row.id) if len(found) > LIST_ROWS else None
    return ctx.render(
        "marketplace/vendor/imports.html",
        imports=shown,
        next_url=ctx.url("marketplace.vendor.imports", before=following) if following else None,
        import_url=lambda row: _url(ctx, row.id),
        can_create=_CREATE in ctx.who.permissions,
        is_active=any(job and job.state in _ACTIVE for _, job in shown),
    )


@router.page("marketplace.vendor.new_import")
def new_import(ctx: PageContext, language: str = "") -> Response:
    """The form."""
    chosen = language if language in LANGUAGES else feed_settings_service.default_language(ctx.session)
    settings = feed_settings_service.find_feed_settings(ctx.session)
    url = settings.feed_urls.get(chosen, "") if settings else ""
    return _form(ctx, ImportRequest(chosen), url=url)


@router.action("/imports/new/template.csv", permission=_CREATE, method="GET")
def template(ctx: PageContext) -> Response:
    """A file with every column and one example."""
    lines = io.StringIO(newline="")
    writer = csv.writer(lines, lineterminator="\r\n")
    writer.writerow(COLUMN_FIELDS)
    writer.writerow([_EXAMPLE.get(name, "") for name in COLUMN_FIELDS])
    return _download(ctx, Response(lines.getvalue().encode("utf-8-sig")), "feed-template.csv")


@router.action("/imports", permission=_CREATE, max_body_bytes=get_settings().max_upload_bytes + _FORM_BYTES)
def create_import(
    ctx: PageContext,
    file: Annotated[UploadFile | None, File()] = None,
    url: Annotated[str, Form()] = "",
    language: Annotated[str, Form()] = "",
    policy: Annotated[str, Form()] = ErrorPolicy.SKIP_BAD_ROWS,
    dry_run: Annotated[str, Form()] = "",
) -> Response:
    """Start an import, or show the form again with what is to be corrected."""
    upload = file if file and file.filename else None
    url = url.strip()
    request = ImportRequest(
        language=language,
        policy=ErrorPolicy(policy) if policy in set(ErrorPolicy) else ErrorPolicy.SKIP_BAD_ROWS,
        is_dry_run=bool(dry_run),
        source_name=(upload.filename or "") if upload else url,
        content=upload.file if upload else None,
        url=None if upload else url,
    )
    errors = _form_errors(ctx, request)
    if not errors:
        try:
            row = import_service.start_import(ctx.session, request, user_id=ctx.who.user_id)
            return ctx.redirect_to(_url(ctx, row.id))
        except (UrlRefusedError, TooLargeError) as error:
            errors = {"file" if upload else "url": ctx.t(error.message_key, **error.params)}
    return _form(ctx, request, url=url, errors=errors)


@router.page("marketplace.vendor.import")
def show_import(ctx: PageContext, import_id: str) -> Response:
    """How far an import is, and what became of it."""
    found = import_service.get_import(ctx.session, public_id(IMPORT_PREFIX, import_id))
    row, job = found
    errors = row_error_service.list_errors(ctx.session, row.id, language=ctx.language, limit=SHOWN_ERRORS)
    return ctx.render(
        "marketplace/vendor/import.html",
        title=ctx.t("marketplace.import.title_of", name=row.source_name),
        row=row,
        job=job,
        is_active=job is not None and job.state in _ACTIVE,
        can_create=_CREATE in ctx.who.permissions,
        here=_url(ctx, row.id),
        problem=_problem(ctx, found),
        errors_shown=errors,
        shown_limit=SHOWN_ERRORS,
        failed_url=_url(ctx, row.id) + "/failed-rows.csv",
    )


@router.action("/imports/{import_id}/failed-rows.csv", permission=_VIEW, method="GET")
def failed_rows(ctx: PageContext, import_id: str) -> Response:
    """The rows that failed, as a file to correct and import alone."""
    row = import_service.get_import(ctx.session, public_id(IMPORT_PREFIX, import_id)).row
    stream = row_error_service.failed_rows_csv(ctx.who.scope, row.id, language=ctx.language)
    return _download(ctx, StreamingResponse(stream), f"{ctx.vendor.code}_failed_rows_{row.language}.csv")


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


def _form(
    ctx: PageContext, request: ImportRequest, *, url: str, errors: dict[str, str] | None = None
) -> Response:
    return ctx.render(
        "marketplace/vendor/new_import.html",
        status=422 if errors else 200,
        title=ctx.t("marketplace.new_import.title"),
        request_values=request,
        url_value=url,
        errors=errors or {},
        policies=[
            (value, ctx.t(f"marketplace.policies.{value}"), ctx.t(f"marketplace.policies.{value}.hint"))
            for value in ErrorPolicy
        ],
        languages=[(code, ctx.t(f"core.languages.{code}")) for code in LANGUAGES],
        action=ctx.url("marketplace.vendor.imports"),
        template_url=ctx.url("marketplace.vendor.new_import") + "/template.csv",
    )


def _form_errors(ctx: PageContext, request: ImportRequest) -> dict[str, str]:
    errors = {}
    if request.content is None and not request.url:
        errors["file"] = ctx.t("marketplace.new_import.error_source")
    if request.language not in LANGUAGES:
        errors["language"] = ctx.t("marketplace.new_import.error_language")
    return errors


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


def _download(ctx: PageContext, response: Response, name: str) -> Response:
    response.headers["Content-Type"] = "text/csv; charset=utf-8"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return ctx.finish(response)

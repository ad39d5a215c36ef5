"""Imports of feeds in the API."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Query

from app.core.ids import to_public
from app.modules.api import ApiContext, ApiRouter, Page, key_of
from app.modules.api.jobs import JOB_PREFIX
from app.modules.api.pages import cursor_of, place_of, read_spec, refused_cursor
from app.modules.marketplace.enums import RowErrorCode
from app.modules.marketplace.schemas.imports import (
    ImportDifference,
    ImportDifferences,
    ImportItem,
    ImportQuery,
    NewImport,
    RowErrorItem,
    RowErrorQuery,
)
from app.modules.marketplace.services import import_service, row_error_service, undo_service
from app.modules.marketplace.services.feed_service import FEED_PREFIX
from app.modules.marketplace.services.import_list_service import IMPORTS, shown_import
from app.modules.marketplace.services.import_service import IMPORT_PREFIX, ImportRequest
from app.modules.pagekit.list_state import Place
from app.tasks.models import JobState

router = ApiRouter()

_VIEW, _CREATE = "marketplace.imports.view", "marketplace.imports.create"
_NO_KEY = str(UUID(int=0))  # errors are found by line alone


@router.vendor("GET", "/imports", permission=_VIEW)
def imports_list(ctx: ApiContext, query: Annotated[ImportQuery, Query()]) -> Page[ImportItem]:
    """List imports."""
    return read_spec(ctx, IMPORTS, query, lambda row: shown_import(row, row.state))


@router.vendor("GET", "/imports/{import_id}", permission=_VIEW)
def imports_get(ctx: ApiContext, import_id: str) -> ImportItem:
    """Get an import."""
    return _import(ctx, key_of(IMPORT_PREFIX, import_id))


@router.vendor("POST", "/imports", permission=_CREATE, status=202, needs_key=True)
def imports_create(ctx: ApiContext, wanted: NewImport) -> ImportItem:
    """Import the feed at an address, into the feed that is named or the first one of the language.

    The answer comes at once; Location leads to the job that does the work.
    """
    feed_id = key_of(FEED_PREFIX, wanted.feed_id) if wanted.feed_id else None
    row = import_service.start_import(
        ctx.session,
        ImportRequest(wanted.language, wanted.policy, wanted.is_dry_run, url=wanted.url, feed_id=feed_id),
        user_id=ctx.principal.user_id,
    )
    assert row.job_id is not None
    ctx.location(f"/vendor/jobs/{to_public(JOB_PREFIX, row.job_id)}")
    return shown_import(row, JobState.QUEUED)


@router.vendor("POST", "/imports/{import_id}/cancel", permission=_CREATE, status=202, in_read_only=True)
def imports_cancel(ctx: ApiContext, import_id: str) -> ImportItem:
    """Stop an import: at once while it waits, after the current part of the file while it runs."""
    key = key_of(IMPORT_PREFIX, import_id)
    import_service.cancel_import(ctx.session, key)
    ctx.location(f"/vendor/imports/{import_id}")
    return _import(ctx, key)


@router.vendor("POST", "/imports/{import_id}/confirm", permission=_CREATE, status=202, needs_key=True)
def imports_confirm(ctx: ApiContext, import_id: str) -> ImportItem:
    """Import a file all the same that the guard has stopped, by a new import.

    The answer comes at once; Location leads to the job that does the work.
    """
    row = import_service.repeat_import(
        ctx.session,
        key_of(IMPORT_PREFIX, import_id),
        user_id=ctx.principal.user_id,
        is_dry_run=False,
        is_confirmed=True,
    )
    assert row.job_id is not None
    ctx.location(f"/vendor/jobs/{to_public(JOB_PREFIX, row.job_id)}")
    return shown_import(row, JobState.QUEUED)


@router.vendor("POST", "/imports/{import_id}/undo", permission=_CREATE, status=202, needs_key=True)
def imports_undo(ctx: ApiContext, import_id: str) -> ImportItem:
    """Put back what an import has changed, within a day of it.

    The answer comes at once; Location leads to the job that does the work.
    """
    key = key_of(IMPORT_PREFIX, import_id)
    undo_service.start_undo(ctx.session, key, user_id=ctx.principal.user_id)
    row, job = import_service.get_import(ctx.session, key)
    assert row.undo_job_id is not None
    ctx.location(f"/vendor/jobs/{to_public(JOB_PREFIX, row.undo_job_id)}")
    return shown_import(row, job.state if job else None)


@router.vendor("GET", "/imports/{import_id}/differences", permission=_VIEW)
def imports_differences(ctx: ApiContext, import_id: str) -> ImportDifferences:
    """List the first 20 things that a trial would change: what it changes, then what it adds.

    Empty for imports that were no trial.
    """
    row = import_service.get_import(ctx.session, key_of(IMPORT_PREFIX, import_id)).row
    return ImportDifferences(data=[ImportDifference(**one) for one in row.differences or ()])


@router.vendor("GET", "/imports/{import_id}/errors", permission=_VIEW)
def imports_errors(
    ctx: ApiContext, import_id: str, query: Annotated[RowErrorQuery, Query()]
) -> Page[RowErrorItem]:
    """List what is wrong with rows of an import."""
    key = key_of(IMPORT_PREFIX, import_id)
    row = import_service.get_import(ctx.session, key).row
    place = place_of(query.cursor)
    if place is not None and (place.is_before or not isinstance(place.value, int) or place.value > 2**31 - 1):
        raise refused_cursor()
    after = place.value if place else 0
    found = row_error_service.list_failed(ctx.session, key, after=after, limit=query.limit + 1)
    kept = found[: query.limit]
    following = cursor_of(Place(kept[-1].line, _NO_KEY)) if len(found) > query.limit else None
    return Page(
        data=[_error(ctx, row_error, error) for row_error in kept for error in row_error.errors],
        next_cursor=following,
        prev_cursor=None,
        has_more=following is not None,
        total_count=row.failed if query.counts else None,
    )


def _import(ctx: ApiContext, key: UUID) -> ImportItem:
    row, job = import_service.get_import(ctx.session, key)
    if job is not None:
        ctx.session.refresh(job)
    return shown_import(row, job.state if job else None)


def _error(ctx: ApiContext, row: Any, error: dict[str, Any]) -> RowErrorItem:
    return RowErrorItem(
        line=row.line,
        external_id=row.external_id,
        column=error["column"],
        code=RowErrorCode(error["code"]),
        value=error["value"],
        message=row_error_service.error_text(ctx.language, error),
    )

"""Exports in the API."""

from typing import Annotated, Any

from fastapi import Query

from app.core.i18n import LANGUAGES
from app.core.ids import to_public
from app.modules.api import ApiContext, ApiRouter, Page, key_of
from app.modules.api.answers import shown
from app.modules.api.jobs import JOB_PREFIX
from app.modules.api.pages import read_spec
from app.modules.marketplace.schemas.exports import (
    Differences,
    ExportDetails,
    ExportItem,
    ExportLink,
    ExportLinks,
    ExportQuery,
    Finding,
    NewExport,
)
from app.modules.marketplace.services import (
    export_sending_service,
    feed_export_service,
    feed_link_service,
)
from app.modules.marketplace.services.api_list_service import EXPORTS
from app.modules.marketplace.services.feed_export_service import EXPORT_PREFIX, ExportWithJob, outcome_of

router = ApiRouter()

_VIEW, _CREATE = "marketplace.exports.view", "marketplace.exports.create"


@router.vendor("GET", "/exports", permission=_VIEW)
def exports_list(ctx: ApiContext, query: Annotated[ExportQuery, Query()]) -> Page[ExportItem]:
    """List exports."""
    return read_spec(ctx, EXPORTS, query, lambda row: shown(ExportItem, row, EXPORT_PREFIX))


@router.vendor("GET", "/exports/{export_id}", permission=_VIEW)
def exports_get(ctx: ApiContext, export_id: str) -> ExportDetails:
    """Get an export with what the guard found and how it differs from the file before."""
    return _shown(feed_export_service.get_export(ctx.session, key_of(EXPORT_PREFIX, export_id)))


@router.vendor("POST", "/exports", permission=_CREATE, status=202, needs_key=True, in_read_only=True)
def exports_create(ctx: ApiContext, wanted: NewExport) -> ExportDetails:
    """Write a file in one language, and send it unless the guard objects.

    The answer comes at once; Location leads to the job that does the work.
    """
    row = feed_export_service.start_export(
        ctx.session,
        vendor_id=ctx.vendor.id,
        vendor_code=ctx.vendor.code,
        language=wanted.language,
        user_id=ctx.principal.user_id,
    )
    assert row.job_id is not None
    ctx.location(f"/vendor/jobs/{to_public(JOB_PREFIX, row.job_id)}")
    return _shown(feed_export_service.get_export(ctx.session, row.id))


@router.vendor("POST", "/exports/{export_id}/confirm", permission=_CREATE)
def exports_confirm(ctx: ApiContext, export_id: str) -> ExportDetails:
    """Send an export that is held."""
    key = key_of(EXPORT_PREFIX, export_id)
    export_sending_service.confirm_export(ctx.session, key)
    return _shown(feed_export_service.get_export(ctx.session, key))


@router.vendor("GET", "/export-links", permission=_VIEW)
def export_links_get(ctx: ApiContext) -> ExportLinks:
    """Get the addresses at which others fetch the files that were sent last."""
    return _links(ctx)


@router.vendor("POST", "/export-links/renew", permission=_CREATE)
def export_links_renew(ctx: ApiContext) -> ExportLinks:
    """End the addresses that were given out, and make others."""
    feed_link_service.renew_link(ctx.session, vendor_id=ctx.vendor.id)
    return _links(ctx)


def _links(ctx: ApiContext) -> ExportLinks:
    links = [
        ExportLink(
            language=code,
            address=feed_link_service.feed_address(ctx.session, vendor_id=ctx.vendor.id, language=code),
        )
        for code in LANGUAGES
    ]
    return ExportLinks(data=links)


def _shown(found: ExportWithJob) -> ExportDetails:
    row = found.row
    given: dict[str, Any] = {
        "outcome": outcome_of(found),
        "job_id": to_public(JOB_PREFIX, row.job_id) if row.job_id else None,
        "differences": Differences(**{name: row.differences[name] for name in ("new", "changed", "gone")})
        if row.differences
        else None,
        "findings": [Finding(**one) for one in row.findings or ()],
    }
    return shown(ExportDetails, row, EXPORT_PREFIX, **given)

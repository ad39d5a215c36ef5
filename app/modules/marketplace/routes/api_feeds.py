"""Feeds and completeness in the API."""

from typing import Annotated, Any

from fastapi import Query

from app.core.errors import FieldError, ValidationFailedError
from app.core.ids import to_public
from app.modules.api import ApiContext, ApiRouter, Page, key_of
from app.modules.api.answers import shown
from app.modules.api.jobs import JOB_PREFIX
from app.modules.api.pages import read_spec
from app.modules.marketplace.adapters.columns import COLUMNS
from app.modules.marketplace.enums import ErrorPolicy
from app.modules.marketplace.models.feed import Feed
from app.modules.marketplace.schemas.feeds import (
    CompletenessQuery,
    CompletenessReport,
    FeedChange,
    FeedDetails,
    FeedQuery,
    FeedRun,
    MissingItem,
    NewFeed,
)
from app.modules.marketplace.schemas.imports import ImportItem
from app.modules.marketplace.services import (
    completeness_service,
    feed_edit_service,
    feed_service,
    import_service,
)
from app.modules.marketplace.services.api_list_service import FEEDS
from app.modules.marketplace.services.feed_service import FEED_PREFIX
from app.modules.marketplace.services.import_list_service import shown_import
from app.modules.marketplace.services.import_service import ImportRequest
from app.tasks.models import JobState

router = ApiRouter()

_VIEW, _EDIT = "marketplace.feeds.view", "marketplace.feeds.edit"


@router.vendor("GET", "/feeds", permission=_VIEW)
def feeds_list(ctx: ApiContext, query: Annotated[FeedQuery, Query()]) -> Page[FeedDetails]:
    """List feeds, in the order in which they are asked."""
    return read_spec(ctx, FEEDS, query, _shown)


@router.vendor("GET", "/feeds/{feed_id}", permission=_VIEW)
def feeds_get(ctx: ApiContext, feed_id: str) -> FeedDetails:
    """Get a feed."""
    return _shown(feed_service.get_feed(ctx.session, key_of(FEED_PREFIX, feed_id)))


@router.vendor("POST", "/feeds", permission=_EDIT, status=201)
def feeds_create(ctx: ApiContext, feed: NewFeed) -> FeedDetails:
    """Make a feed."""
    _check_mapping(feed.mapping)
    values = feed.model_dump(mode="json")
    made = feed_edit_service.create_feed(ctx.session, vendor_id=ctx.vendor.id, values=values)
    ctx.location(f"/vendor/feeds/{to_public(FEED_PREFIX, made.id)}")
    return _shown(made)


@router.vendor("PATCH", "/feeds/{feed_id}", permission=_EDIT, needs_version=True)
def feeds_update(ctx: ApiContext, feed_id: str, change: FeedChange) -> FeedDetails:
    """Change a feed."""
    feed = _own(ctx, feed_id)
    given = change.model_dump(mode="json", exclude_unset=True)
    _check_mapping(given.get("mapping") or {})
    return _shown(feed_edit_service.edit_feed(ctx.session, feed.id, given))


@router.vendor("DELETE", "/feeds/{feed_id}", permission=_EDIT, needs_version=True, in_read_only=True)
def feeds_delete(ctx: ApiContext, feed_id: str) -> None:
    """Remove a feed with its rows, rules and imports; the products that it made stay."""
    feed_edit_service.delete_feed(ctx.session, _own(ctx, feed_id).id)


@router.vendor(
    "POST", "/feeds/{feed_id}/import", permission="marketplace.imports.create", status=202, needs_key=True
)
def feeds_import(ctx: ApiContext, feed_id: str, wanted: FeedRun) -> ImportItem:
    """Fetch the feed's address and import the file.

    The answer comes at once; Location leads to the job that does the work.
    """
    feed = feed_service.get_feed(ctx.session, key_of(FEED_PREFIX, feed_id))
    if feed.url is None:
        refused = FieldError("", "no_address", "marketplace.feeds.no_address", {})
        raise ValidationFailedError(errors=[refused])
    request = ImportRequest(
        feed.language, ErrorPolicy(feed.policy), wanted.is_dry_run, url=feed.url, feed_id=feed.id
    )
    row = import_service.start_import(ctx.session, request, user_id=ctx.principal.user_id)
    assert row.job_id is not None
    ctx.location(f"/vendor/jobs/{to_public(JOB_PREFIX, row.job_id)}")
    return shown_import(row, JobState.QUEUED)


@router.vendor("GET", "/completeness", permission="marketplace.products.view")
def completeness_get(
    ctx: ApiContext,
    query: Annotated[CompletenessQuery, Query()],
) -> CompletenessReport:
    """Count the products on sale that lack what a channel asks for."""
    found = completeness_service.completeness(ctx.session, query.channel, language=query.language)
    items = [
        MissingItem(check=one.check, is_required=one.is_required, missing=one.missing) for one in found.items
    ]
    return CompletenessReport(
        channel=query.channel,
        language=query.language,
        total=found.total,
        complete=found.complete,
        percent=found.percent,
        items=items,
    )


def _own(ctx: ApiContext, public: str) -> Feed:
    feed = feed_service.get_feed(ctx.session, key_of(FEED_PREFIX, public))
    ctx.check_version(feed.version)
    return feed


def _check_mapping(mapping: dict[str, str]) -> None:
    chosen = [field for field in mapping.values() if field]
    unknown = next((field for field in chosen if field not in COLUMNS), None)
    twice = next((field for field in chosen if chosen.count(field) > 1), None)
    if unknown:
        error = FieldError("mapping", "unknown", "errors.marketplace.feed_mapping_field", {"fields": unknown})
        raise ValidationFailedError(errors=[error])
    if twice:
        error = FieldError("mapping", "twice", "marketplace.mapping.twice", {"field": twice})
        raise ValidationFailedError(errors=[error])


def _shown(row: Any) -> FeedDetails:
    return shown(FeedDetails, row, FEED_PREFIX)

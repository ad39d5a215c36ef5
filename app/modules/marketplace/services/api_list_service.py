"""The lists of feeds, rules and exports for programs."""

from sqlalchemy import select

from app.core.i18n import LANGUAGES
from app.modules.marketplace.models.feed import Feed, FeedRule
from app.modules.marketplace.models.feed_export import FeedExport
from app.modules.marketplace.services import feed_export_service
from app.modules.pagekit.lists import Column, Filter, ListSpec

_LANGUAGES = [(code, f"core.languages.{code}") for code in LANGUAGES]

FEEDS = ListSpec(
    page_id="marketplace.vendor.feeds",
    texts="marketplace.feeds",
    select=lambda _session, _language: select(*Feed.__table__.columns),
    key=Feed.id,
    columns=(Column("position", "marketplace.fields.order", "number", sort=Feed.position),),
    default_sort="position",
    filters=(
        Filter(
            "language",
            "marketplace.fields.language",
            lambda values: Feed.language.in_(values),
            options=_LANGUAGES,
        ),
    ),
)
RULES = ListSpec(
    page_id="marketplace.vendor.rules",
    texts="marketplace.rules",
    select=lambda _session, _language: select(*FeedRule.__table__.columns),
    key=FeedRule.id,
    columns=(Column("position", "marketplace.fields.order", "number", sort=FeedRule.position),),
    default_sort="position",
    filters=(
        Filter(
            "stage",
            "marketplace.fields.stage",
            lambda values: FeedRule.stage.in_(values),
            options=[(stage, f"marketplace.stages.{stage}") for stage in ("import", "export")],
        ),
    ),
)
EXPORTS = ListSpec(
    page_id="marketplace.vendor.exports",
    texts="marketplace.exports",
    select=lambda _session, _language: feed_export_service.select_exports(),
    key=FeedExport.id,
    # Keys are made in the order of time, and have an index.
    columns=(Column("created_at", "marketplace.fields.started", "datetime", sort=FeedExport.id),),
    default_sort="-created_at",
    filters=(
        Filter(
            "language",
            "marketplace.fields.language",
            lambda values: FeedExport.language.in_(values),
            options=_LANGUAGES,
        ),
    ),
)

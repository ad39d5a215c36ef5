"""What the marketplace adds to a vendor's home page besides figures: steps of the setup, and what waits."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.ids import to_public
from app.modules.core.contracts import SetupStep, WorkItem
from app.modules.marketplace.models.import_job import FeedImport
from app.modules.marketplace.services import channel_home_service, source_block_service
from app.modules.marketplace.services.feed_service import list_feeds
from app.modules.marketplace.services.import_service import IMPORT_PREFIX, list_imports
from app.modules.pagekit.details import Block
from app.modules.pages import PageContext


def setup_steps(ctx: PageContext, session: Session) -> Sequence[SetupStep]:
    """Bring the first products; say where the feed is."""
    steps = []
    if "marketplace.imports.create" in ctx.who.permissions:
        imported = select(FeedImport.id).where(
            FeedImport.is_dry_run.is_(False), FeedImport.rows > FeedImport.failed
        )
        steps.append(
            SetupStep(
                ctx.t("marketplace.setup.import"),
                ctx.t("marketplace.setup.import_text"),
                ctx.url("marketplace.vendor.new_import"),
                session.scalar(imported.limit(1)) is not None,
                order=20,
            )
        )
    if "marketplace.settings.edit" in ctx.who.permissions:
        steps.append(
            SetupStep(
                ctx.t("marketplace.setup.address"),
                ctx.t("marketplace.setup.address_text"),
                ctx.url("marketplace.vendor.new_import"),
                any(feed.url for feed in list_feeds(session)),
                order=30,
            )
        )
    return [*steps, *channel_home_service.setup_steps(ctx, session)]


def worklist(ctx: PageContext, session: Session) -> Sequence[WorkItem]:
    """What marketplaces wait for; rows of the last import that wait to be corrected, or that it stopped."""
    return [*channel_home_service.worklist(ctx, session), *_of_imports(ctx, session)]


def blocks(ctx: PageContext, page_id: str, record_id: UUID) -> Sequence[Block]:
    """On a product's page what its feeds say, on an order's what its marketplace does."""
    own = source_block_service.product_blocks(ctx, page_id, record_id)
    return [*own, *channel_home_service.order_blocks(ctx, page_id, record_id)]


def _of_imports(ctx: PageContext, session: Session) -> Sequence[WorkItem]:
    if ctx.area != "vendor" or "marketplace.imports.view" not in ctx.who.permissions:
        return ()
    last = next(iter(list_imports(session, limit=1)), None)
    if last is None or last.job is None:
        return ()
    url = ctx.url("marketplace.vendor.import", import_id=to_public(IMPORT_PREFIX, last.row.id))
    if last.job.state == "failed":
        return (WorkItem(ctx.t("marketplace.worklist.stopped", name=last.row.source_name), 1, url, "danger"),)
    return (WorkItem(ctx.t("marketplace.worklist.failed_rows"), last.row.failed, url, "warning"),)

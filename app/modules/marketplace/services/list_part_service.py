"""What the marketplace adds to the list of products: where each comes from."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, SQLColumnExpression, exists, func, select
from sqlalchemy.orm import Session

from app.core.i18n import LANGUAGES, language_name
from app.modules.catalog import facade as catalog
from app.modules.marketplace.models.marketplace_product import MarketplaceProduct
from app.modules.marketplace.services import source_service
from app.modules.marketplace.services.source_block_service import COPY
from app.modules.pagekit.list_parts import ListPart
from app.modules.pagekit.lists import BulkAction, BulkOutcome, Column, Filter

_NO_FEED = "none"


def products_part(key: SQLColumnExpression[UUID]) -> ListPart:
    """The feeds that a product is in, and when the last of them was imported."""

    def in_feed(values: Sequence[str]) -> ColumnElement[bool]:
        row = exists().where(MarketplaceProduct.external_id == catalog.sku_of(key))
        languages = [value for value in values if value != _NO_FEED]
        found = row.where(MarketplaceProduct.language.in_(languages))
        return found | ~row if _NO_FEED in values else found

    return ListPart(
        permission="marketplace.products.view",
        columns=(
            Column("source", "marketplace.list_part.source", "tags"),
            Column("imported_at", "marketplace.list_part.imported_at", "datetime"),
        ),
        values=_values,
        filters=(
            Filter(
                "source",
                "marketplace.list_part.source",
                in_feed,
                options=lambda ctx: [
                    *((code, language_name(code)) for code in LANGUAGES),
                    (_NO_FEED, ctx.t("marketplace.list_part.none")),
                ],
            ),
        ),
        bulk=(BulkAction("follow_feed", "marketplace.list_part.follow_feed", COPY, _follow, icon="undo-2"),),
    )


def _values(session: Session, ids: Sequence[UUID]) -> Mapping[UUID, Mapping[str, Any]]:
    row = MarketplaceProduct
    product_id = catalog.product_id_of(row.external_id).label("product_id")
    languages = func.array_agg(row.language.distinct())
    found = session.execute(
        select(product_id, languages.label("languages"), func.max(row.updated_at).label("imported_at"))
        .where(row.external_id.in_(catalog.skus_of(ids)))
        .group_by(row.external_id)
    )
    return {
        one.product_id: {
            "source": [language_name(code) for code in one.languages],
            "imported_at": one.imported_at,
        }
        for one in found
    }


def _follow(session: Session, ids: Sequence[UUID]) -> BulkOutcome:
    done = source_service.follow_feeds(session, ids)
    return BulkOutcome(done, dict.fromkeys(catalog.find_surplus(session, ids), "catalog.limits.surplus"))

"""Where a value of a product is from, step by step."""

from typing import Any

from fastapi import Response

from app.core.i18n import LANGUAGES
from app.core.ids import to_public
from app.modules.catalog import facade as catalog
from app.modules.catalog.contracts import TRANSLATION_FIELDS
from app.modules.marketplace.routes.vendor import LANGUAGE_OPTIONS
from app.modules.marketplace.services import explain_service, feed_settings_service, row_error_service
from app.modules.marketplace.services.explain_service import FeedSays
from app.modules.marketplace.services.feed_columns import COLUMN_FIELDS
from app.modules.marketplace.services.feed_service import FEED_PREFIX
from app.modules.marketplace.services.import_service import IMPORT_PREFIX
from app.modules.marketplace.services.source_block_service import value_text
from app.modules.marketplace.services.source_service import SOURCE_PREFIX
from app.modules.pages import PageContext
from app.modules.routing import AreaRouter, public_id

router = AreaRouter("vendor")

FIELDS = tuple(
    dict.fromkeys(
        name
        for fields in COLUMN_FIELDS.values()
        for name in fields
        if name not in ("external_id", "currency")
    )
)


@router.page("marketplace.vendor.origin")
def origin(ctx: PageContext, product_id: str, field: str = "", language: str = "") -> Response:
    """Where a field's value is from."""
    key = public_id("prd", product_id)
    field = field if field in FIELDS else FIELDS[0]
    language = language if language in LANGUAGES else feed_settings_service.default_language(ctx.session)
    found = explain_service.explain(ctx.session, key, field, language)
    product = catalog.get_product(ctx.session, key, language=ctx.language)
    return ctx.render(
        "marketplace/vendor/origin.html",
        back=(ctx.url("catalog.vendor.product", product_id=product_id), product.summary.title),
        here=ctx.url("marketplace.vendor.origin", product_id=product_id),
        found=found,
        value=value_text(ctx, field, found.value, found.currency),
        source=_shown(ctx, found.source, field) if found.source else None,
        others=[_shown(ctx, one, field) for one in found.others],
        fields=[(name, _field_name(name)) for name in FIELDS],
        languages=[(code, ctx.t(name)) for code, name in LANGUAGE_OPTIONS],
        language=language,
        is_text=field in TRANSLATION_FIELDS,
    )


def _field_name(name: str) -> str:
    """What people call a field; attributes go by their column."""
    column = next(column for column, fields in COLUMN_FIELDS.items() if name in fields)
    return f"{column} · {name}" if len(COLUMN_FIELDS[column]) > 1 and column != "price" else column


def _shown(ctx: PageContext, one: FeedSays, field: str) -> dict[str, Any]:
    """What a feed says, with addresses and texts."""
    problem = None
    if one.problem:
        error = {
            "column": one.problem.column,
            "code": one.problem.code,
            "value": one.problem.value,
            "params": one.problem.params,
        }
        problem = row_error_service.error_text(ctx.language, error)
    return {
        "says": one,
        "value": value_text(ctx, field, one.value, one.currency or "EUR"),
        "problem": problem,
        "feed_url": ctx.url("marketplace.vendor.feed", feed_id=to_public(FEED_PREFIX, one.feed_id)),
        "row_url": ctx.url("marketplace.vendor.source", source_id=to_public(SOURCE_PREFIX, one.source_id)),
        "import_url": ctx.url("marketplace.vendor.import", import_id=to_public(IMPORT_PREFIX, one.import_id)),
        "rule_urls": {
            step.rule_id: ctx.url("marketplace.vendor.rule", rule_id=step.rule_id) for step in one.steps
        },
    }

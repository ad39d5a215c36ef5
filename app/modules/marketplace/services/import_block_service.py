"""The parts of an import's page: what the guard found, the counts, rows with errors, about the file."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from app.core.i18n import FALLBACK, format_number, has_message, ntranslate
from app.core.ids import to_public
from app.modules.marketplace.models.feed import Feed
from app.modules.marketplace.models.import_job import FeedImport
from app.modules.marketplace.services import row_error_service
from app.modules.marketplace.services.feed_service import FEED_PREFIX
from app.modules.marketplace.services.import_service import IMPORT_PREFIX
from app.modules.marketplace.services.source_block_service import value_text
from app.modules.pagekit.details import Block, Fact
from app.modules.pagekit.job_view import JobView
from app.modules.pages import PageContext
from app.modules.tenancy.facade import user_names

SHOWN_ERRORS = 100
_DELIMITERS = {"\t": "tab", ";": "semicolon", ",": "comma"}


def finding_text(language: str, finding: Mapping[str, Any]) -> str:
    """What the guard objects to, as a sentence."""
    lost = finding["before"] - finding["now"]
    numbers = {name: format_number(language, finding[name]) for name in ("before", "now")}
    key = f"marketplace.import_findings.{finding['code']}"
    return ntranslate(language, key, lost, column=finding["column"], **numbers)


def findings(ctx: PageContext, row: FeedImport, *, is_active: bool) -> list[Block]:
    """What the guard found."""
    if not row.findings or is_active:
        return []
    context = {
        "texts": [finding_text(ctx.language, one) for one in row.findings],
        "is_stopped": not row.is_dry_run and not row.is_confirmed,
        "is_confirmed": row.is_confirmed,
    }
    title = ctx.t("marketplace.import.findings")
    template = "marketplace/vendor/import_findings.html"
    return [Block("findings", title, template=template, context=context, column="full", order=5)]


def result(ctx: PageContext, row: FeedImport, view: JobView | None, outcome: str) -> Block:
    """How far it is, and the counts."""
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


def differences(ctx: PageContext, row: FeedImport, *, is_active: bool) -> list[Block]:
    """The first of what a trial would change."""
    if not row.is_dry_run or is_active or not row.differences:
        return []
    context = {
        "shown": [
            {
                **one,
                "label": _field_label(ctx, one["field"], one["language"]),
                **{
                    name: value_text(
                        ctx, one["field"], _typed(one["field"], one[name]), one["currency"] or ""
                    )
                    for name in ("before", "after")
                },
            }
            for one in row.differences
        ],
        "total": row.created + row.updated,
    }
    title = ctx.t("marketplace.import.differences")
    template = "marketplace/vendor/import_differences.html"
    return [Block("differences", title, template=template, context=context, column="full", order=15)]


def _typed(field: str, value: Any) -> Any:
    """A value kept as JSON, as the catalogue has it."""
    is_time = field in ("sale_starts_at", "sale_ends_at", "availability_date")
    return datetime.fromisoformat(value) if is_time and value else value


def _field_label(ctx: PageContext, field: str, language: str | None) -> str:
    """What people call a field; attributes go by their column."""
    key = f"catalog.fields.{field}"
    label = ctx.t(key) if has_message(FALLBACK, key) else field
    return f"{label} ({ctx.t(f'core.languages.{language}')})" if language else label


def errors(ctx: PageContext, row: FeedImport, code: str, *, is_active: bool) -> list[Block]:
    """The first rows with errors, of one kind or of all."""
    if not row.failed:
        return []
    # A page that shows itself again every other second does not count kinds.
    counted = [] if is_active else row_error_service.count_codes(ctx.session, row.id)
    wanted = code if code in dict(counted) else None
    shown = row_error_service.list_errors(
        ctx.session, row.id, language=ctx.language, limit=SHOWN_ERRORS, code=wanted
    )
    here = ctx.url("marketplace.vendor.import", import_id=to_public(IMPORT_PREFIX, row.id))
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


def facts(ctx: PageContext, row: FeedImport, feed: Feed) -> Block:
    """About the file."""
    names = user_names(ctx.session, {row.created_by}) if row.created_by else {}
    delimiter = f"marketplace.delimiters.{_DELIMITERS[row.delimiter]}" if row.delimiter else None
    feed_url = None
    if "marketplace.feeds.view" in ctx.who.permissions:
        feed_url = ctx.url("marketplace.vendor.feed", feed_id=to_public(FEED_PREFIX, feed.id))
    left_out = [
        Fact(
            ctx.t("marketplace.left_out.reason", reason=ctx.t(f"marketplace.left_out.{reason}")),
            count,
            "number",
        )
        for reason, count in (row.left_out or {}).items()
    ]
    shown = [
        Fact(ctx.t("marketplace.fields.feed"), feed.name, url=feed_url),
        Fact(ctx.t("marketplace.fields.source"), row.url or row.source_name),
        Fact(
            ctx.t("marketplace.fields.format"),
            ctx.t(f"marketplace.formats.{row.format}") if row.format else None,
        ),
        Fact(ctx.t("marketplace.fields.size"), row.bytes, "filesize"),
        Fact(ctx.t("marketplace.fields.encoding"), row.encoding),
        Fact(ctx.t("marketplace.fields.delimiter"), ctx.t(delimiter) if delimiter else None),
        Fact(ctx.t("marketplace.fields.unknown_columns"), ", ".join(row.unknown_columns or ())),
        *left_out,
        Fact(ctx.t("marketplace.fields.started"), row.created_at, "datetime"),
        Fact(ctx.t("marketplace.fields.started_by"), names.get(row.created_by) if row.created_by else None),
        Fact(ctx.t("marketplace.fields.seconds"), row.seconds, "duration"),
    ]
    return Block("facts", ctx.t("marketplace.import.facts"), shown, column="side")

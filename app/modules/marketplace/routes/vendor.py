"""Imports of feeds: the list, and the form that starts one."""

import csv
import io
from collections.abc import Mapping
from typing import Any

from fastapi import Response

from app.core.config import get_settings
from app.core.errors import FieldError, TooLargeError, ValidationFailedError
from app.core.http_guard import UrlRefusedError
from app.core.i18n import LANGUAGES
from app.core.ids import from_public, to_public
from app.modules.marketplace.enums import ErrorPolicy, SourceKind
from app.modules.marketplace.models.feed import Feed
from app.modules.marketplace.models.import_job import FeedImport
from app.modules.marketplace.services import (
    feed_edit_service,
    feed_service,
    feed_settings_service,
    import_service,
)
from app.modules.marketplace.services.feed_columns import COLUMN_FIELDS
from app.modules.marketplace.services.feed_problem_service import problem_key
from app.modules.marketplace.services.feed_service import FEED_PREFIX
from app.modules.marketplace.services.import_service import IMPORT_PREFIX, OUTCOME, OUTCOMES, ImportRequest
from app.modules.pagekit.form_page import mount_form
from app.modules.pagekit.forms import Field, FormSpec
from app.modules.pagekit.job_view import ACTIVE
from app.modules.pagekit.list_page import mount_list
from app.modules.pagekit.lists import Column, Filter, Link, ListSpec, View
from app.modules.pages import PageContext
from app.modules.routing import AreaRouter, public_id

router = AreaRouter("vendor")

_CREATE = "marketplace.imports.create"
_FORM_BYTES = 1_000_000  # of a body besides its file
_NEW = "new"
OUTCOME_TONES = {
    "queued": "neutral",
    "running": "info",
    "succeeded": "success",
    "with_errors": "warning",
    "failed": "danger",
    "cancelled": "neutral",
    "forgotten": "neutral",
    "held": "warning",
    "unchanged": "neutral",
    "never": "neutral",
}
LANGUAGE_OPTIONS = [(code, f"core.languages.{code}") for code in LANGUAGES]
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


def _is(column: Any, values: Any) -> Any:
    return column.in_([value == "yes" for value in values])


def _feed_options(ctx: PageContext) -> list[tuple[str, str]]:
    return [(to_public(FEED_PREFIX, feed.id), feed.name) for feed in feed_service.list_feeds(ctx.session)]


mount_list(
    router,
    ListSpec(
        page_id="marketplace.vendor.imports",
        texts="marketplace.imports",
        select=lambda _session, _language: import_service.select_imports(),
        key=FeedImport.id,
        columns=(
            Column("source_name", "marketplace.fields.source", is_wide=True),
            Column("feed", "marketplace.fields.feed", value=lambda row: row.feed_name),
            Column(
                "outcome",
                "marketplace.fields.state",
                "badge",
                text_prefix="marketplace.outcomes",
                tones=OUTCOME_TONES,
            ),
            Column("is_dry_run", "marketplace.import.dry_run", "flag", is_default=False),
            Column("language", "marketplace.fields.language", text_prefix="core.languages"),
            Column("rows", "marketplace.fields.rows", "number", sort=FeedImport.rows, is_default=False),
            Column("created", "marketplace.fields.created", "number"),
            Column("updated", "marketplace.fields.updated", "number"),
            Column("unchanged", "marketplace.fields.unchanged", "number", is_default=False),
            Column("failed", "marketplace.fields.failed", "number", sort=FeedImport.failed),
            Column("created_at", "marketplace.fields.started", "datetime", sort=FeedImport.created_at),
        ),
        default_sort="-created_at",
        search=import_service.matching,
        filters=(
            Filter(
                "state",
                "marketplace.fields.state",
                lambda values: OUTCOME.in_(values),
                options=[(value, f"marketplace.outcomes.{value}") for value in OUTCOMES],
            ),
            Filter(
                "feed",
                "marketplace.fields.feed",
                lambda values: FeedImport.feed_id.in_(
                    [key for value in values if (key := from_public(FEED_PREFIX, value))]
                ),
                options=lambda ctx: _feed_options(ctx),
            ),
            Filter(
                "language",
                "marketplace.fields.language",
                lambda values: FeedImport.language.in_(values),
                options=LANGUAGE_OPTIONS,
            ),
            Filter(
                "trial",
                "marketplace.import.dry_run",
                lambda values: _is(FeedImport.is_dry_run, values),
                options=(("yes", "ui.yes"), ("no", "ui.no")),
            ),
            Filter(
                "source",
                "marketplace.fields.source",
                lambda values: FeedImport.source_kind.in_(values),
                options=[(kind.value, f"marketplace.sources.{kind}") for kind in SourceKind],
            ),
        ),
        views=(
            View("running", "marketplace.imports.views.running", "state=queued&state=running"),
            View("failed", "marketplace.imports.views.failed", "state=with_errors&state=failed"),
        ),
        actions=(Link("marketplace.imports.new", "marketplace.vendor.new_import", _CREATE, "upload"),),
        row_page="marketplace.vendor.import",
        row_id="import_id",
        prefix=IMPORT_PREFIX,
        icon="upload",
        has_intro=True,
        is_running=lambda row: row.outcome in ACTIVE,
    ),
)

_FIELDS = (
    Field(
        "feed",
        "marketplace.fields.feed",
        "select",
        options=lambda ctx: [*_feed_options(ctx), (_NEW, ctx.t("marketplace.new_import.new_feed"))],
        hint_key="marketplace.new_import.feed_hint",
    ),
    Field(
        "file",
        "marketplace.new_import.file",
        "file",
        is_required=False,
        hint_key="marketplace.new_import.file_hint",
        attrs={"accept": ".csv,.tsv,.txt,.xml,.gz,.zip"},
    ),
    Field(
        "url",
        "marketplace.new_import.url",
        "url",
        is_required=False,
        max_length=2000,
        hint_key="marketplace.new_import.url_hint",
    ),
    Field(
        "language",
        "marketplace.fields.language",
        "select",
        options=LANGUAGE_OPTIONS,
        is_required=False,
        hint_key="marketplace.new_import.language_hint",
    ),
    Field(
        "policy",
        "marketplace.new_import.policy",
        "radios",
        options=[
            (value.value, f"marketplace.policies.{value}", f"marketplace.policies.{value}.hint")
            for value in ErrorPolicy
        ],
    ),
    Field(
        "dry_run",
        "marketplace.new_import.dry_run",
        "checkbox",
        hint_key="marketplace.new_import.dry_run_hint",
    ),
)


def _load(ctx: PageContext) -> Mapping[str, Any]:
    asked = ctx.request.query_params
    wanted = asked.get("language", "")
    language = wanted if wanted in LANGUAGES else feed_settings_service.default_language(ctx.session)
    feeds = {to_public(FEED_PREFIX, feed.id): feed for feed in feed_service.list_feeds(ctx.session)}
    of_language = next((public for public, feed in feeds.items() if feed.language == language), None)
    usual = of_language or (_NEW if wanted else next(iter(feeds), _NEW))
    chosen = asked.get("feed", "") if asked.get("feed") in feeds else usual
    feed = feeds.get(chosen)
    return {
        "feed": chosen,
        "language": feed.language if feed else language,
        "url": feed.url or "" if feed else "",
        "policy": feed.policy if feed else ErrorPolicy.SKIP_BAD_ROWS.value,
        "dry_run": feed is None or not feed_service.has_rows(ctx.session, feed.id),
    }


def _start(ctx: PageContext, values: Mapping[str, Any]) -> str:
    upload, url = values["file"], values["url"]
    if upload is None and not url:
        raise _refused("file", "marketplace.new_import.error_source")
    feed = _feed(ctx, values)
    request = ImportRequest(
        language=feed.language,
        policy=ErrorPolicy(values["policy"]),
        is_dry_run=values["dry_run"],
        source_name=upload.filename if upload else url,
        content=upload.file if upload else None,
        url=None if upload else url,
        feed_id=feed.id,
    )
    try:
        row = import_service.start_import(ctx.session, request, user_id=ctx.who.user_id)
    except (UrlRefusedError, TooLargeError) as error:
        raise _refused(
            "file" if upload else "url", problem_key(error.code, error.params), error.params
        ) from error
    return ctx.url("marketplace.vendor.import", import_id=to_public(IMPORT_PREFIX, row.id))


def _feed(ctx: PageContext, values: Mapping[str, Any]) -> Feed:
    """The feed to import into; a new one is called after its language."""
    if values["feed"] != _NEW:
        return feed_service.get_feed(ctx.session, public_id(FEED_PREFIX, values["feed"]))
    if not values["language"]:
        raise _refused("language", "marketplace.new_import.error_language")
    given = {"language": values["language"], "policy": values["policy"]}
    return feed_edit_service.create_feed(ctx.session, vendor_id=ctx.vendor.id, values=given)


def _refused(name: str, key: str, params: Mapping[str, Any] | None = None) -> ValidationFailedError:
    return ValidationFailedError(errors=[FieldError(name, "refused", key, params or {})])


mount_form(
    router,
    FormSpec(
        "marketplace.vendor.new_import",
        "marketplace.new_import",
        _FIELDS,
        _start,
        load=_load,
        back=lambda ctx: (ctx.url("marketplace.vendor.imports"), ctx.t("marketplace.imports.title")),
        has_intro=True,
        max_body_bytes=get_settings().max_upload_bytes + _FORM_BYTES,
        template="marketplace/vendor/new_import.html",
        extra=lambda ctx: {
            "template_url": ctx.url("marketplace.vendor.new_import") + "/template.csv",
        },
    ),
)


@router.action("/imports/new/template.csv", permission=_CREATE, method="GET")
def template(ctx: PageContext) -> Response:
    """A file with every column and one example."""
    lines = io.StringIO(newline="")
    writer = csv.writer(lines, lineterminator="\r\n")
    writer.writerow(COLUMN_FIELDS)
    writer.writerow([_EXAMPLE.get(name, "") for name in COLUMN_FIELDS])
    response = Response(lines.getvalue().encode("utf-8-sig"))
    response.headers["Content-Type"] = "text/csv; charset=utf-8"
    response.headers["Content-Disposition"] = 'attachment; filename="feed-template.csv"'
    return ctx.finish(response)

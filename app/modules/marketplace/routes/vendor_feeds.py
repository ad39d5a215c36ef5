"""Feeds: the list, and the forms that make and change one."""

from collections.abc import Mapping
from typing import Any

from app.core.i18n import LANGUAGES
from app.core.ids import to_public
from app.modules.marketplace.enums import BlankCells, ErrorPolicy, FeedFormat, MissingRows
from app.modules.marketplace.models.feed import Feed
from app.modules.marketplace.routes.vendor import LANGUAGE_OPTIONS, OUTCOME_TONES
from app.modules.marketplace.services import feed_edit_service, feed_service, feed_settings_service
from app.modules.marketplace.services.feed_service import FEED_PREFIX
from app.modules.pagekit.form_page import mount_form
from app.modules.pagekit.forms import Field, FieldProblem, FormSpec
from app.modules.pagekit.job_view import ACTIVE
from app.modules.pagekit.list_page import mount_list
from app.modules.pagekit.lists import Column, Filter, Link, ListSpec
from app.modules.pages import PageContext
from app.modules.routing import AreaRouter, public_id

router = AreaRouter("vendor")

_VIEW, _EDIT = "marketplace.feeds.view", "marketplace.feeds.edit"
_OFF = "off"
_PLAIN = ("name", "language", "format", "url", "default_currency", "blank_cells", "missing_rows", "policy")
_NEVER = "never"

mount_list(
    router,
    ListSpec(
        page_id="marketplace.vendor.feeds",
        texts="marketplace.feeds",
        select=lambda _session, _language: feed_edit_service.select_feeds(),
        key=Feed.id,
        columns=(
            Column("name", "marketplace.fields.name", sort=Feed.name, is_wide=True),
            Column("language", "marketplace.fields.language", text_prefix="core.languages"),
            Column("format", "marketplace.fields.format", text_prefix="marketplace.formats"),
            Column("url", "marketplace.fields.address"),
            Column(
                "every_hours",
                "marketplace.fields.schedule",
                value=lambda row: str(row.every_hours or _OFF),
                text_prefix="marketplace.schedules",
            ),
            Column("last_run_at", "marketplace.fields.last_run", "datetime"),
            Column(
                "outcome",
                "marketplace.fields.outcome",
                "badge",
                value=lambda row: row.outcome if row.last_run_at else _NEVER,
                text_prefix="marketplace.outcomes",
                tones=OUTCOME_TONES,
            ),
            Column("rows", "marketplace.fields.rows", "number"),
            Column("position", "marketplace.fields.order", "number", sort=Feed.position),
        ),
        default_sort="position",
        search=feed_edit_service.matching,
        filters=(
            Filter(
                "language",
                "marketplace.fields.language",
                lambda values: Feed.language.in_(values),
                options=LANGUAGE_OPTIONS,
            ),
        ),
        actions=(
            Link("marketplace.rules.title", "marketplace.vendor.rules", _VIEW, "list-checks"),
            Link("marketplace.feeds.new", "marketplace.vendor.new_feed", _EDIT, "plus"),
        ),
        row_page="marketplace.vendor.feed",
        row_id="feed_id",
        prefix=FEED_PREFIX,
        icon="layers",
        has_intro=True,
        is_in_palette=True,
        is_running=lambda row: row.outcome in ACTIVE,
    ),
)


def _currency(typed: str) -> str:
    code = typed.upper()
    if len(code) != 3 or not code.isascii() or not code.isalpha():
        raise FieldProblem("marketplace.feeds.currency_wrong")
    return code


def _explained(name: str, kind: type[Any], prefix: str, label: str) -> Field:
    """A choice whose options say what they do."""
    options = [(value.value, f"{prefix}.{value}", f"{prefix}.{value}.hint") for value in kind]
    return Field(name, label, "radios", options=options)


_LANGUAGE = Field(
    "language",
    "marketplace.fields.language",
    "select",
    options=LANGUAGE_OPTIONS,
    hint_key="marketplace.feeds.language_hint",
)
_NAME = Field(
    "name",
    "marketplace.fields.name",
    max_length=feed_edit_service.MAX_NAME,
    hint_key="marketplace.feeds.name_hint",
)
_MORE = (
    Field(
        "format",
        "marketplace.fields.format",
        "select",
        options=[(value.value, f"marketplace.formats.{value}") for value in FeedFormat],
        hint_key="marketplace.feeds.format_hint",
    ),
    Field(
        "url",
        "marketplace.fields.address",
        "url",
        is_required=False,
        max_length=2000,
        hint_key="marketplace.feeds.url_hint",
        section_key="marketplace.feeds.where_from",
    ),
    Field(
        "schedule",
        "marketplace.fields.schedule",
        "select",
        options=[
            (choice, f"marketplace.schedules.{choice}")
            for choice in (_OFF, *map(str, feed_edit_service.HOURS))
        ],
        hint_key="marketplace.feeds.schedule_hint",
    ),
    Field(
        "default_currency",
        "marketplace.fields.currency",
        max_length=3,
        hint_key="marketplace.feeds.currency_hint",
        clean=_currency,
        section_key="marketplace.feeds.reading",
    ),
    _explained("blank_cells", BlankCells, "marketplace.blank_cells", "marketplace.fields.blank_cells"),
    _explained("missing_rows", MissingRows, "marketplace.missing_rows", "marketplace.fields.missing_rows"),
    _explained("policy", ErrorPolicy, "marketplace.policies", "marketplace.new_import.policy"),
)


def _new(ctx: PageContext) -> Mapping[str, Any]:
    asked = ctx.request.query_params.get("language", "")
    language = asked if asked in LANGUAGES else feed_settings_service.default_language(ctx.session)
    return {
        "language": language,
        "format": FeedFormat.AUTO.value,
        "schedule": _OFF,
        "default_currency": "EUR",
        "blank_cells": BlankCells.CLEAR.value,
        "missing_rows": MissingRows.KEEP.value,
        "policy": ErrorPolicy.SKIP_BAD_ROWS.value,
    }


def _columns(values: Mapping[str, Any]) -> dict[str, Any]:
    """The form's values as columns of the feed."""
    chosen = {name: values[name] for name in _PLAIN if name in values}
    hours = None if values["schedule"] == _OFF else int(values["schedule"])
    return {**chosen, "every_hours": hours}


def _create(ctx: PageContext, values: Mapping[str, Any]) -> str:
    feed = feed_edit_service.create_feed(ctx.session, vendor_id=ctx.vendor.id, values=_columns(values))
    return ctx.url("marketplace.vendor.feed", feed_id=to_public(FEED_PREFIX, feed.id))


def _own(ctx: PageContext) -> Feed:
    return feed_service.get_feed(ctx.session, public_id(FEED_PREFIX, ctx.path["feed_id"]))


def _fields(ctx: PageContext) -> tuple[Field, ...]:
    """What was imported stays in its language."""
    has_rows = feed_service.has_rows(ctx.session, _own(ctx).id)
    return (_NAME, *_MORE) if has_rows else (_NAME, _LANGUAGE, *_MORE)


def _load(ctx: PageContext) -> Mapping[str, Any]:
    feed = _own(ctx)
    values = {name: getattr(feed, name) for name in (*_PLAIN, "version")}
    return {**values, "schedule": str(feed.every_hours or _OFF)}


def _save(ctx: PageContext, values: Mapping[str, Any]) -> str:
    feed = feed_edit_service.edit_feed(ctx.session, _own(ctx).id, _columns(values))
    return ctx.url("marketplace.vendor.feed", feed_id=to_public(FEED_PREFIX, feed.id))


mount_form(
    router,
    FormSpec(
        "marketplace.vendor.new_feed",
        "marketplace.new_feed",
        (_NAME, _LANGUAGE, *_MORE),
        _create,
        load=_new,
        back=lambda ctx: (ctx.url("marketplace.vendor.feeds"), ctx.t("marketplace.feeds.title")),
        has_intro=True,
    ),
)
mount_form(
    router,
    FormSpec(
        "marketplace.vendor.feed_edit",
        "marketplace.feed_edit",
        _fields,
        _save,
        load=_load,
        title=lambda ctx: _own(ctx).name,
        back=lambda ctx: (ctx.url("marketplace.vendor.feed", feed_id=ctx.path["feed_id"]), _own(ctx).name),
    ),
)

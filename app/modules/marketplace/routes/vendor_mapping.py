"""Saying which column of a feed's file stands for what."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from fastapi import Response

from app.core.errors import AppError
from app.core.ids import to_public
from app.modules.marketplace.adapters.columns import COLUMNS, REQUIRED_COLUMNS, column_names
from app.modules.marketplace.adapters.detect import Look
from app.modules.marketplace.adapters.feed_errors import FeedError
from app.modules.marketplace.adapters.mapping import Suggestion, apply_mapping, suggest_mapping
from app.modules.marketplace.models.feed import Feed
from app.modules.marketplace.models.import_job import FeedImport
from app.modules.marketplace.services import feed_edit_service, feed_service, import_service
from app.modules.marketplace.services.feed_service import FEED_PREFIX
from app.modules.marketplace.services.import_service import IMPORT_PREFIX
from app.modules.pagekit.form_page import FormValues
from app.modules.pages import PageContext
from app.modules.routing import AreaRouter, public_id

router = AreaRouter("vendor")

_EDIT = "marketplace.feeds.edit"
_SAMPLES, _SAMPLE_CHARS = 3, 60
_UNUSED = ""


class _ShownColumn(NamedTuple):
    """A column of the file: name of its control, its own name, some values, what was chosen or proposed."""

    control: str
    name: str
    samples: list[str]
    chosen: str
    why: str | None


@router.page("marketplace.vendor.feed_mapping")
def mapping(ctx: PageContext, feed_id: str) -> Response:
    """The columns of the last file, each with what it stands for."""
    feed = feed_service.get_feed(ctx.session, public_id(FEED_PREFIX, feed_id))
    return _show(ctx, feed, _import(ctx, feed))


@router.action("/feeds/{feed_id}/mapping", permission=_EDIT)
def save_mapping(ctx: PageContext, feed_id: str, form: FormValues) -> Response:
    """Keep the mapping, and try the file with it."""
    feed = feed_service.get_feed(ctx.session, public_id(FEED_PREFIX, feed_id))
    row = _import(ctx, feed)
    look = _look(row)
    if row is None or isinstance(look, AppError | None):
        return _show(ctx, feed, row)
    chosen = {
        name: str(form.get(f"column-{place}") or _UNUSED) for place, name in _different(look.header).items()
    }
    errors = _check(ctx, look.header, chosen)
    if errors:
        return _show(ctx, feed, row, chosen=chosen, errors=errors, status=422)
    feed_service.change_feed(ctx.session, feed.id, {"mapping": _meant(chosen)})
    if "marketplace.imports.create" not in ctx.who.permissions:
        ctx.flash("success", "marketplace.mapping.saved")
        return ctx.redirect("marketplace.vendor.feed", feed_id=feed_id)
    trial = import_service.repeat_import(ctx.session, row.id, user_id=ctx.who.user_id, is_dry_run=True)
    ctx.flash("success", "marketplace.mapping.saved_and_tried")
    return ctx.redirect("marketplace.vendor.import", import_id=to_public(IMPORT_PREFIX, trial.id))


def _import(ctx: PageContext, feed: Feed) -> FeedImport | None:
    """The import whose file is looked at: the one in the address, or the feed's newest."""
    asked = ctx.request.query_params.get("import")
    if asked:
        row = import_service.get_import(ctx.session, public_id(IMPORT_PREFIX, asked)).row
        return row if row.feed_id == feed.id else None
    return feed_edit_service.last_with_file(ctx.session, feed.id)


def _look(row: FeedImport | None) -> Look | FeedError | None:
    try:
        return feed_edit_service.look_at(row) if row else None
    except FeedError as error:
        return error


def _show(
    ctx: PageContext,
    feed: Feed,
    row: FeedImport | None,
    *,
    chosen: Mapping[str, str] | None = None,
    errors: Mapping[str, str] | None = None,
    status: int = 200,
) -> Response:
    look = _look(row)
    problem = ctx.t(look.message_key, **look.params) if isinstance(look, AppError) else None
    columns = _columns(feed, look, chosen) if isinstance(look, Look) else []
    public = to_public(FEED_PREFIX, feed.id)
    return ctx.render(
        "marketplace/vendor/mapping.html",
        status=status,
        title=ctx.t("marketplace.mapping.title"),
        feed=feed,
        back=(ctx.url("marketplace.vendor.feed", feed_id=public), feed.name),
        new_url=f"{ctx.url('marketplace.vendor.new_import')}?feed={public}",
        action=str(ctx.request.url.path) + (f"?{ctx.request.url.query}" if ctx.request.url.query else ""),
        source=row.source_name if row else None,
        problem=problem,
        columns=columns,
        fields=[(_UNUSED, ctx.t("marketplace.mapping.do_not_use")), *((name, name) for name in COLUMNS)],
        required=REQUIRED_COLUMNS,
        errors=errors or {},
    )


def _columns(feed: Feed, look: Look, chosen: Mapping[str, str] | None) -> list[_ShownColumn]:
    suggested = suggest_mapping(look.header, look.rows)
    shown = []
    for place, name in _different(look.header).items():
        own = _own_field(name)
        kept = feed.mapping.get(name, own) if feed.mapping else None
        proposal = suggested.get(name) or suggested.get(look.header[place])
        value, why = _value(kept, proposal)
        if chosen is not None:
            value, why = chosen[name], None
        found = [row[place].strip() for row in look.rows if place < len(row) and row[place].strip()]
        samples = [text[:_SAMPLE_CHARS] for text in dict.fromkeys(found)][:_SAMPLES]
        shown.append(_ShownColumn(f"column-{place}", name, samples, value, why))
    return shown


def _value(kept: str | None, proposal: Suggestion | None) -> tuple[str, str | None]:
    if kept is not None:
        return kept, "kept" if kept else None
    return (proposal.field, proposal.why) if proposal else (_UNUSED, None)


def _check(ctx: PageContext, header: list[str], chosen: Mapping[str, str]) -> dict[str, str]:
    """What is wrong with a choice, by control."""
    controls = {name: f"column-{place}" for place, name in _different(header).items()}
    fields = list(chosen.values())
    errors = {
        controls[name]: ctx.t("marketplace.mapping.twice", field=field)
        for name, field in chosen.items()
        if field and fields.count(field) > 1
    }
    missing = [name for name in REQUIRED_COLUMNS if name not in fields]
    if missing and not errors:
        first = next((controls[name] for name, field in chosen.items() if not field), "column-0")
        errors[first] = ctx.t("marketplace.mapping.missing", fields=", ".join(missing))
    if errors:
        return errors
    try:
        apply_mapping(header, _meant(chosen))
    except FeedError as error:
        return {"column-0": ctx.t(error.message_key, **error.params)}
    return {}


def _meant(chosen: Mapping[str, str]) -> dict[str, Any]:
    """Without what a column's own name says already, so that the feed may lose a column."""
    return {name: field for name, field in chosen.items() if field != _own_field(name)}


def _own_field(name: str) -> str:
    own = column_names([name])[0]
    return own if own in COLUMNS else _UNUSED


def _different(header: list[str]) -> dict[int, str]:
    """Place to name, for each name once."""
    names: dict[str, int] = {}
    for place, cell in enumerate(header):
        if cell.strip():
            names.setdefault(cell.strip(), place)
    return {place: name for name, place in names.items()}

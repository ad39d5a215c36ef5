"""The doors of a list page: the page itself, its export as CSV, and what is done with many rows at once."""

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Annotated, Any
from uuid import UUID

from fastapi import Form, Response
from fastapi.responses import StreamingResponse
from sqlalchemy.orm import Session

from app.core import clock
from app.core.errors import ForbiddenError, NotFoundError
from app.core.i18n import ntranslate
from app.core.ids import from_public
from app.modules.base import Area
from app.modules.gates import require_open
from app.modules.menu import pages
from app.modules.pagekit import list_query
from app.modules.pagekit.list_csv import csv_lines, media_type
from app.modules.pagekit.list_parts import left_out, with_parts
from app.modules.pagekit.list_state import ListState, parse_query
from app.modules.pagekit.list_view import ListView
from app.modules.pagekit.lists import BulkAction, BulkOutcome, ListSpec
from app.modules.pagekit.points import LIST_WORK, SAVED_VIEWS, SavedView
from app.modules.pages import PageContext
from app.modules.registry import get_module, modules
from app.modules.routing import AreaRouter

AT_ONCE_ROWS = 1000  # more are exported by a job
AT_ONCE_BULK = 50  # more are worked on by a job
_SPECS: dict[str, ListSpec] = {}


def mount_list(router: AreaRouter, spec: ListSpec | Callable[[Area], ListSpec]) -> None:
    """Give a module's router the doors of a list page: GET of the page, POST of ``/export`` and ``/bulk`` below it;
    or in each of its areas those of the list that ``spec`` makes for it."""
    if not isinstance(spec, ListSpec):
        for area in router.areas:
            mount_list(router.within(area), spec(area))
        return
    _SPECS[spec.page_id] = spec
    page = router.declared(spec.page_id)

    def show(ctx: PageContext) -> Response:
        """One page of the list; the address is the state."""
        return show_list(ctx, spec)

    def export(
        ctx: PageContext,
        query: Annotated[str, Form()] = "",
        rows: Annotated[str, Form()] = "all",
        ids: Annotated[list[str], Form()] = [],  # noqa: B006 - FastAPI copies it
    ) -> Response:
        """The rows as CSV: of the page, the ticked ones, or all that match."""
        return export_list(ctx, spec, query, rows, ids)

    def bulk(
        ctx: PageContext,
        action: Annotated[str, Form()] = "",
        query: Annotated[str, Form()] = "",
        everything: Annotated[str, Form()] = "",
        ids: Annotated[list[str], Form()] = [],  # noqa: B006
    ) -> Response:
        """Do something with the ticked rows, or with all that match."""
        return do_bulk(ctx, spec, action, query, [] if everything else _keys(spec, ids), bool(everything))

    router.page(spec.page_id)(show)
    router.action(f"{page.path}/export", permission=page.permission, in_read_only=True)(export)
    router.action(f"{page.path}/bulk", permission=page.permission, in_read_only=True)(bulk)


def find_list(page_id: str) -> ListSpec:
    """The spec of a list page, also in a process that serves no pages. Raises NotFoundError."""
    code = page_id.partition(".")[0]
    if page_id not in _SPECS and code in modules():
        for name in get_module(code).routes:
            import_module(f"{get_module(code).package}.routes.{name}")
    if page_id not in _SPECS:
        raise NotFoundError
    return _SPECS[page_id]


def lists() -> dict[str, ListSpec]:
    """All specs that this process has mounted, by page id."""
    return dict(_SPECS)


def seen_list(ctx: PageContext, spec: ListSpec) -> ListSpec:
    """The list as the reader sees it, with what enabled modules add to it."""
    return with_parts(spec, ctx.who.platform_ids, ctx.who.permissions)


def show_list(ctx: PageContext, spec: ListSpec, **context: Any) -> Response:
    """The list page; ``context`` is for templates that extend ``ui/pages/list.html``."""
    spec = seen_list(ctx, spec)
    views = [view for ask in SAVED_VIEWS.implementations() for view in ask(ctx, spec.page_id)]
    items = ctx.request.query_params.multi_items()
    default = next((view for view in views if view.is_default), None)
    active = _active_view(views, dict(items).get("view")) or (default if not items else None)
    if active and not any(name != "view" for name, _ in items):
        items = parse_query(active.query)
    state = parse_state(ctx, spec, items)
    page = list_query.read_page(ctx.session, spec, state, ctx.language)
    if state.place and not page.rows:  # rows went away: begin anew
        state = state.at(None, 1)
        page = list_query.read_page(ctx.session, spec, state, ctx.language)
    view = ListView(ctx, spec, state, page, views, active)
    title = ctx.t(pages()[spec.page_id].title_key)
    shown = ctx.t("ui.list.page_title", title=title, page=state.number) if state.number > 1 else title
    gone = ", ".join(left_out(spec, items))
    return ctx.render("ui/pages/list.html", title=shown, heading=title, list=view, left_out=gone, **context)


def parse_state(ctx: PageContext, spec: ListSpec, items: Sequence[tuple[str, str]]) -> ListState:
    """The state that query items ask for, filter values checked against their options."""
    choices = {
        filter_.name: [value for value, _ in filter_.choices(ctx)]
        for filter_ in spec.filters
        if filter_.kind == "choice"
    }
    return ListState.parse(spec, items, choices)


def export_list(ctx: PageContext, spec: ListSpec, query: str, rows: str, ids: Sequence[str]) -> Response:
    """CSV at once for few rows, a job's page for many."""
    spec = seen_list(ctx, spec)
    state = parse_state(ctx, spec, parse_query(query))
    if rows == "page":
        chunks = [list_query.read_page(ctx.session, spec, state, ctx.language, is_counted=False).rows]
    elif rows == "selected":
        chunks = [list_query.read_ids(ctx.session, spec, _keys(spec, ids), ctx.language)]
    else:
        matching = list_query.narrowed(spec, spec.select(ctx.session, ctx.language), state)
        if list_query.count(ctx.session, spec, matching) > AT_ONCE_ROWS:
            return ctx.redirect_to(LIST_WORK.one().start_export(ctx, spec.page_id, query))
        chunks = list(list_query.read_all(ctx.session, spec, state, ctx.language))
    lines = csv_lines(spec, state, chunks, ctx.language)
    response = StreamingResponse(iter([line.encode() for line in lines]), media_type=media_type(ctx.language))
    name = f"{spec.page_id.replace('.', '-')}-{clock.now():%Y-%m-%d}.csv"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return ctx.finish(response)


def do_bulk(
    ctx: PageContext, spec: ListSpec, action: str, query: str, ids: Sequence[UUID], is_everything: bool
) -> Response:
    """Few rows at once, many by a job; afterwards back to the list, with what became of them."""
    spec = seen_list(ctx, spec)
    chosen = find_bulk(spec, action)
    if chosen.permission not in ctx.who.permissions:
        raise ForbiddenError
    if ctx.who.vendor and not chosen.in_read_only:
        require_open(ctx.session, ctx.who.vendor.id)
    back = f"{ctx.url(spec.page_id)}?{query}" if query else ctx.url(spec.page_id)
    if is_everything or len(ids) > AT_ONCE_BULK:
        return ctx.redirect_to(LIST_WORK.one().start_bulk(ctx, spec.page_id, action, query, ids))
    if not ids:
        ctx.flash("info", "ui.bulk.nothing_chosen")
        return ctx.redirect_to(back)
    outcome = apply_bulk(ctx.session, spec, chosen, ids, (ctx.who.user_id, ctx.language))
    text = ntranslate(ctx.language, "ui.bulk.done", outcome.done)
    if outcome.failed:
        text += " " + ntranslate(ctx.language, "ui.bulk.failed", len(outcome.failed))
    ctx.flash_text("warning" if outcome.failed else "success", text)
    return ctx.redirect_to(back)


def find_bulk(spec: ListSpec, name: str) -> BulkAction:
    """A bulk action of a list by name; NotFoundError when it has none such."""
    found = next((action for action in spec.bulk if action.name == name), None)
    if found is None:
        raise NotFoundError
    return found


def apply_bulk(
    session: Session, spec: ListSpec, action: BulkAction, ids: Sequence[UUID], who: tuple[UUID, str]
) -> BulkOutcome:
    """Do it with those of at most 500 ids that are rows of the list in this scope. ``who``: the user's id and
    language."""
    user_id, language = who
    seen = [row.id for row in list_query.read_ids(session, spec, ids, language)]
    return action.act(session, seen, user_id)


def _active_view(views: Sequence[SavedView], view_id: str | None) -> SavedView | None:
    return next((view for view in views if view.id == view_id), None) if view_id else None


def _keys(spec: ListSpec, ids: Sequence[str]) -> list[UUID]:
    keys = (from_public(spec.prefix, text) for text in ids[:AT_ONCE_ROWS])
    return [key for key in keys if key is not None]

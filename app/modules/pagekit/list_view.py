"""A list page as its template shows it: tabs, filters, chips, headings, cells, pager."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from markupsafe import Markup, escape

from app.core.i18n import format_number, ntranslate
from app.core.ids import to_public
from app.modules.pagekit.list_cells import cell_writer, css_class
from app.modules.pagekit.list_query import MAX_COUNTED, ListPage, facets
from app.modules.pagekit.list_state import ListState, origin
from app.modules.pagekit.lists import PAGE_SIZES, Filter, Link, ListSpec, RowLink
from app.modules.pagekit.points import SavedView
from app.modules.pages import PageContext

ROW = "__row__"
Tab = tuple[str, str, bool]  # label, address, whether its rows are shown


class ListView:
    """What ``ui/pages/list.html`` asks of a list; made for one request."""

    def __init__(
        self,
        ctx: PageContext,
        spec: ListSpec,
        state: ListState,
        page: ListPage,
        views: Sequence[SavedView],
        active: SavedView | None,
    ) -> None:
        self.ctx, self.spec, self.state, self.page = ctx, spec, state, page
        self.saved_views, self.active_view = views, active
        self.url = ctx.url(spec.page_id)
        self.query = state.to_query(spec)
        self._origin = urlencode({"from": origin(spec, state)})
        self.columns = [spec.column(name) for name in state.shown(spec)]
        self._writers = [cell_writer(ctx, column) for column in self.columns]
        self._classes = [css_class(column) for column in self.columns]

    def address(self, state: ListState) -> str:
        """The list's address in another state."""
        query = state.to_query(self.spec)
        if self.active_view and not query:
            return f"{self.url}?view="  # an empty state, not the reader's default view
        return f"{self.url}?{query}" if query else self.url

    @property
    def is_live(self) -> bool:
        """Whether a row of the page is about work that goes on: its rows are fetched again and again."""
        return any(map(self.spec.is_running, self.page.rows)) if self.spec.is_running else False

    @property
    def tabs(self) -> list[Tab]:
        """All, the built-in views, the saved ones; the one whose rows are shown is marked."""
        now = self.view_query
        views: list[Tab] = [
            (self.ctx.t(view.label_key), f"{self.url}?{view.query}", now == view.query)
            for view in self.spec.views
        ]
        for saved in self.saved_views:
            is_active = self.active_view is not None and saved.id == self.active_view.id
            views.append((saved.name, f"{self.url}?view={saved.id}", is_active or now == saved.query))
        if not views:
            return []
        is_any_active = any(is_active for _, _, is_active in views)
        return [(self.ctx.t("ui.list.all"), f"{self.url}?view=", not now and not is_any_active), *views]

    @property
    def view_query(self) -> str:
        """What a view saved now would keep."""
        return urlencode(self.state.items(self.spec))

    @property
    def can_save_view(self) -> bool:
        """Whether there is something to keep that no tab shows yet."""
        return bool(self.view_query) and not any(is_active for _, _, is_active in self.tabs)

    @property
    def search(self) -> dict[str, str] | None:
        """The search box, where the list can be searched."""
        if self.spec.search is None:
            return None
        return {"name": "q", "value": self.state.query, "label": self.ctx.t(f"{self.spec.texts}.search")}

    @property
    def filters(self) -> list[dict[str, Any]]:
        """The filters as controls; the first few stand beside the search box."""
        return [
            {
                "name": filter_.name,
                "kind": filter_.kind,
                "label": self.ctx.t(filter_.label_key),
                "value": next(iter(self.state.filters.get(filter_.name, ())), ""),
                "options": self._options(filter_) if filter_.kind == "choice" else [],
            }
            for filter_ in self.spec.filters
        ]

    def _options(self, filter_: Filter) -> list[tuple[str, str]]:
        options = filter_.choices(self.ctx)
        if not filter_.has_counts:
            return options
        values = [value for value, _ in options]
        counts = facets(self.ctx.session, self.spec, self.state, filter_.name, values, self.ctx.language)
        return [
            (value, f"{text} ({format_number(self.ctx.language, counts[value])})") for value, text in options
        ]

    @property
    def hidden(self) -> dict[str, str]:
        """Sort, columns and page size, which a new search keeps."""
        kept = {
            name: value for name, value in self.state.items(self.spec) if name in ("sort", "columns", "size")
        }
        # Without a word in the address the reader's default view would come back.
        return kept or ({"view": ""} if any(view.is_default for view in self.saved_views) else {})

    @property
    def chips(self) -> list[tuple[str, str]]:
        """Applied search and filters: label, and the address without them."""
        found = []
        if self.state.query:
            found.append((f"“{self.state.query}”", self.address(self.state.without("q", self.state.query))))
        for filter_ in self.spec.filters:
            chosen = self.state.filters.get(filter_.name, ())
            texts = dict(filter_.choices(self.ctx)) if chosen and filter_.kind == "choice" else {}
            for value in chosen:
                label = f"{self.ctx.t(filter_.label_key)}: {texts.get(value, value)}"
                found.append((label, self.address(self.state.without(filter_.name, value))))
        return found

    @property
    def clear_url(self) -> str:
        """The list without search and filters."""
        return f"{self.url}?view="

    @property
    def result_text(self) -> str:
        """How many rows match; more than are counted is said so."""
        total = self.page.total or 0
        text = ntranslate(self.ctx.language, f"{self.spec.texts}.count", min(total, MAX_COUNTED))
        return self.ctx.t("ui.list.more_than", text=text) if total > MAX_COUNTED else text

    @property
    def total_text(self) -> str:
        """The number of matching rows."""
        total = self.page.total or 0
        shown = format_number(self.ctx.language, min(total, MAX_COUNTED))
        return self.ctx.t("ui.list.more_than", text=shown) if total > MAX_COUNTED else shown

    @property
    def headings(self) -> list[dict[str, Any]]:
        """The columns' heads, with the address that sorts by them."""
        name, is_descending = self.state.sort.removeprefix("-"), self.state.sort.startswith("-")
        found = []
        for column in self.columns:
            heading: dict[str, Any] = {"label": self.ctx.t(column.label_key), "kind": css_class(column)}
            if column.sort is not None:
                is_sorted = column.name == name
                wanted = f"-{column.name}" if is_sorted and not is_descending else column.name
                heading["sort_url"] = self.address(replace(self.state, sort=wanted, place=None, number=1))
                heading["sorted"] = ("descending" if is_descending else "ascending") if is_sorted else None
            found.append(heading)
        return found

    @property
    def column_choices(self) -> list[tuple[str, str, bool]]:
        """Name, label and whether it is shown, for every column but the first."""
        shown = self.state.shown(self.spec)
        return [(c.name, self.ctx.t(c.label_key), c.name in shown) for c in self.spec.columns[1:]]

    @property
    def kept_without_columns(self) -> list[tuple[str, str]]:
        """The state's items that the column menu must carry along."""
        return [item for item in self.state.items(self.spec) if item[0] != "columns"]

    @property
    def sizes(self) -> list[tuple[int, str, bool]]:
        """Rows per page: number, address, whether it is the present one."""
        return [
            (
                size,
                self.address(replace(self.state, size=size, place=None, number=1)),
                size == self.state.size,
            )
            for size in PAGE_SIZES
        ]

    @property
    def previous_url(self) -> str | None:
        """The page before this one."""
        return self._page(self.page.previous, self.state.number - 1)

    @property
    def next_url(self) -> str | None:
        """The page after this one."""
        return self._page(self.page.next, self.state.number + 1)

    def _page(self, place: Any, number: int) -> str | None:
        return self.address(self.state.at(place, number)) if place else None

    @property
    def bulk(self) -> list[Any]:
        """The bulk actions that the reader may do."""
        return [action for action in self.spec.bulk if action.permission in self.ctx.who.permissions]

    @property
    def actions(self) -> list[tuple[Link, str]]:
        """The page's buttons, with their addresses."""
        return [
            (link, self.ctx.url(link.page_id))
            for link in self.spec.actions
            if link.permission in self.ctx.who.permissions
        ]

    def row_id(self, row: Any) -> str:
        """The row's public id."""
        return to_public(self.spec.prefix, row.id)

    def record_url(self, row: Any) -> str | None:
        """The address of the row's page, where it has one."""
        if self.spec.row_page is None:
            return None
        return self.ctx.url(self.spec.row_page, **{self.spec.row_id: self.row_id(row)})

    def row_url(self, row: Any) -> str | None:
        """The same, and from where one comes."""
        url = self.record_url(row)
        return f"{url}?{self._origin}" if url else None

    @property
    def row_links(self) -> list[tuple[RowLink, str]]:
        """Links of each row's menu that the reader may follow; ``ROW`` stands for the row's public id."""
        return [
            (link, self.ctx.url(link.page_id, **{link.param: ROW}))
            for link in self.spec.row_links
            if link.permission in self.ctx.who.permissions
        ]

    def cells(self, row: Any) -> Markup:
        """A row's cells; the first one is its head and leads to the row's page."""
        head, *others = self._writers
        url, text = self.row_url(row), head(row)
        linked = f'<a href="{escape(url)}">{text}</a>' if url else text
        cells = [f'<th scope="row" class="{self._classes[0]}">{linked}</th>']
        cells += [
            f'<td class="{css}">{write(row)}</td>'
            for css, write in zip(self._classes[1:], others, strict=True)
        ]
        return Markup("".join(cells))  # noqa: S704 - classes are ours, what writers give is markup

"""What a list page shows, declared once: columns, filters, search, order, bulk actions.

The same spec serves the page, its export, work on all matching rows, the command palette and the API's list.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, SQLColumnExpression
from sqlalchemy.orm import Session

from app.core.database import Scope
from app.core.errors import ConfigurationError
from app.modules.pages import PageContext

ColumnKind = Literal["text", "code", "number", "money", "date", "datetime", "badge", "flag", "tags"]
FilterKind = Literal["choice", "date_from", "date_to", "text"]
PAGE_SIZES = (20, 50, 100)


def element(sql: SQLColumnExpression[Any]) -> ColumnElement[Any]:
    """A mapped attribute's column; other expressions as they are."""
    found: ColumnElement[Any] = cast(Any, sql).expression
    return found


@dataclass(frozen=True, slots=True)
class Column:
    """A column: ``name`` in addresses, saved views and exports is also the attribute of the row, unless ``value``
    computes it. With ``sort`` (an SQL expression) its heading sorts. ``text_prefix``: values are codes whose texts
    stand under ``<text_prefix>.<value>``; ``tones`` colours them as badges. Money is in cents, its currency in the
    row's ``currency``. A column that is not ``is_default`` is shown when chosen.
    """

    name: str
    label_key: str
    kind: ColumnKind = "text"
    value: Callable[[Any], Any] | None = None
    sort: SQLColumnExpression[Any] | None = None
    text_prefix: str | None = None
    tones: Mapping[str, str] | None = None
    is_default: bool = True
    is_wide: bool = False

    def of(self, row: Any) -> Any:
        """The column's value in a row."""
        return self.value(row) if self.value else getattr(row, self.name)


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter: ``apply`` makes the SQL condition of the chosen values (one for all kinds but choice).

    ``options`` of a choice: pairs of value and text key, or a function that gives pairs of value and text. Dates are
    calendar days, ISO. A value that is none of the options is ignored. With ``has_counts`` each option of a choice
    says how many rows it would leave: one more query per page, so not for long tables.
    """

    name: str
    label_key: str
    apply: Callable[[Sequence[str]], ColumnElement[bool]]
    kind: FilterKind = "choice"
    options: Sequence[tuple[str, str]] | Callable[[PageContext], Sequence[tuple[str, str]]] = ()
    has_counts: bool = False

    def choices(self, ctx: PageContext) -> list[tuple[str, str]]:
        """Values with their texts in the page's language."""
        if callable(self.options):
            return list(self.options(ctx))
        return [(value, ctx.t(key)) for value, key in self.options]


@dataclass(frozen=True, slots=True)
class BulkOutcome:
    """How many rows a bulk action changed, and the ids of those it could not, with the error's text key."""

    done: int
    failed: Mapping[UUID, str]


@dataclass(frozen=True, slots=True)
class BulkAction:
    """Something to do with many rows. ``apply`` gets at most 500 ids at a time, inside a transaction of the reader's
    scope, and says what became of them; it must leave alone what it may not change. ``apply_by`` instead is also told
    who presses: the user's id. ``in_read_only``: also when the vendor's subscription has ended."""

    name: str
    label_key: str
    permission: str
    apply: Callable[[Session, Sequence[UUID]], BulkOutcome] | None = None
    icon: str = "check"
    is_danger: bool = False
    in_read_only: bool = False
    apply_by: Callable[[Session, Sequence[UUID], UUID], BulkOutcome] | None = None

    def __post_init__(self) -> None:
        if (self.apply is None) == (self.apply_by is None):
            raise ConfigurationError(f"{self.name}: a bulk action has one of apply and apply_by.")

    def act(self, session: Session, ids: Sequence[UUID], user_id: UUID) -> BulkOutcome:
        """Do it with these rows, in the name of a user."""
        if self.apply_by is not None:
            return self.apply_by(session, ids, user_id)
        assert self.apply is not None
        return self.apply(session, ids)


@dataclass(frozen=True, slots=True)
class View:
    """A built-in tab of a list: a name and the query string that it stands for."""

    name: str
    label_key: str
    query: str


@dataclass(frozen=True, slots=True)
class Link:
    """A button that leads to a page; shown to those who have its permission."""

    label_key: str
    page_id: str
    permission: str
    icon: str | None = None


@dataclass(frozen=True, slots=True)
class RowLink:
    """An entry of each row's menu that leads to a page; ``param`` is the name of the row's public id in its address."""

    label_key: str
    page_id: str
    param: str
    permission: str
    icon: str = "arrow-right"


@dataclass(frozen=True)
class ListSpec:
    """A list page.

    ``select(session, language)``: the rows before filters, without order; each has ``id``. They are read in the
    session's scope, or in ``scope`` where the tables are of another role (users, under the identity role): then the
    select itself must keep to what the reader may see. ``enrich(session, rows)``: the same rows with what the select
    cannot bring, such as names out of another role's tables. ``key``: the id column, the
    last word of every order. ``search(words)``: the condition for a text somebody typed. ``default_sort`` is a
    column's name, with ``-`` in front for descending; it must have ``sort``. ``row_page``/``row_id``/``prefix``: the
    page of a row, the name of the id in its address, and the prefix of the public id. ``row_links`` and the bulk
    actions stand in each row's menu. ``is_running(row)``: the row is about work that goes on; while there is one on the
    page, the rows are fetched again every few seconds.
    ``<texts>.empty`` and ``<texts>.empty_text`` stand on a list without rows, ``<texts>.count`` is the plural text of
    their number, ``<texts>.search`` names the search box, ``<texts>.intro`` (with ``has_intro``) stands below the
    title.
    """

    page_id: str
    texts: str
    select: Callable[[Session, str], Select[Any]]
    key: SQLColumnExpression[UUID]
    columns: Sequence[Column]
    default_sort: str
    search: Callable[[str], ColumnElement[bool]] | None = None
    filters: Sequence[Filter] = ()
    bulk: Sequence[BulkAction] = ()
    views: Sequence[View] = ()
    actions: Sequence[Link] = ()
    row_page: str | None = None
    row_id: str = ""
    row_links: Sequence[RowLink] = ()
    prefix: str = ""
    icon: str = "inbox"
    has_intro: bool = False
    is_in_palette: bool = False
    scope: Scope | None = None
    enrich: Callable[[Session, Sequence[Row[Any]]], Sequence[Any]] | None = None
    is_running: Callable[[Any], bool] | None = None

    def __post_init__(self) -> None:
        names = [column.name for column in self.columns]
        if len(set(names)) != len(names):
            raise ConfigurationError(f"{self.page_id}: two columns have one name.")
        if self.default_sort.lstrip("-") not in self.sorts():
            raise ConfigurationError(f"{self.page_id}: {self.default_sort!r} is not a sortable column.")

    def sorts(self) -> dict[str, ColumnElement[Any]]:
        """The SQL expressions one can sort by, by column name."""
        return {column.name: element(column.sort) for column in self.columns if column.sort is not None}

    def column(self, name: str) -> Column:
        """A column by name; KeyError when there is none."""
        return next(column for column in self.columns if column.name == name)

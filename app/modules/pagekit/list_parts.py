"""What other modules add to a list they do not own: columns, filters, bulk actions, entries of the rows' menus.

A module names the list in its definition, ``providers={"framework.list_parts:<page id>": "…:function"}``; the function
gets the list's id column, an SQL expression, and gives a ``ListPart``. Neither module imports the other's tables.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeVar
from uuid import UUID

import structlog
from sqlalchemy import SQLColumnExpression
from sqlalchemy.orm import Session

from app.modules.pagekit.lists import BulkAction, Column, Filter, ListSpec, RowLink
from app.modules.providers import ProviderPoint
from app.modules.registry import modules

log = structlog.get_logger(__name__)

T = TypeVar("T", Filter, BulkAction)
POINT = "framework.list_parts:"
Values = Mapping[UUID, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class ListPart:
    """What a module adds. Names are the module's own; in addresses, saved views and exports ``<module code>.`` stands
    before them.

    ``columns`` are shown when somebody chooses them; ``values(session, ids)`` brings what they show by row and column
    name, in one query for a page (or 500 rows of an export). ``filters`` make conditions of the id column that the
    function got. A reader without ``permission`` does not see columns, filters and ``row_links``; bulk actions have
    permissions of their own.
    """

    permission: str
    columns: Sequence[Column] = ()
    values: Callable[[Session, Sequence[UUID]], Values] | None = None
    filters: Sequence[Filter] = ()
    bulk: Sequence[BulkAction] = ()
    row_links: Sequence[RowLink] = ()


class PartSource(Protocol):
    """Answers for one list: see the top of this file."""

    def __call__(self, key: SQLColumnExpression[UUID]) -> ListPart:
        """The part, whatever the reader may see of it."""


class _Loader:
    """Reads a part's values once for all rows of a page, when the first cell asks for one."""

    def __init__(self, session: Session, ids: Sequence[UUID], part: ListPart) -> None:
        self._session, self._ids, self._part = session, ids, part
        self._found: Values | None = None

    def value(self, row_id: UUID, name: str) -> Any:
        if self._found is None:
            self._found = self._read()
        return self._found.get(row_id, {}).get(name)

    def _read(self) -> Values:
        assert self._part.values is not None
        try:
            with self._session.begin_nested():
                return self._part.values(self._session, self._ids)
        except Exception:
            log.exception("provider_failed", point=POINT)
            return {}


class _Row:
    """A row of the list, and by module what reads the added values."""

    __slots__ = ("_row", "loaders")

    def __init__(self, row: Any, loaders: Mapping[str, _Loader]) -> None:
        self._row, self.loaders = row, loaders

    def __getattr__(self, name: str) -> Any:
        return getattr(self._row, name)


def with_parts(
    spec: ListSpec, platform_ids: Collection[UUID] | None, permissions: Collection[str] | None = None
) -> ListSpec:
    """The list with what modules add that are on for these platforms (for any, without), as far as a person with these
    permissions sees it (all of it, without)."""
    found = dict(_parts(spec, platform_ids))
    if not found:
        return spec
    seen = {
        code: part for code, part in found.items() if permissions is None or part.permission in permissions
    }
    columns = [_column(code, column) for code, part in seen.items() for column in part.columns]
    return replace(
        spec,
        columns=[*spec.columns, *columns],
        filters=[*spec.filters, *(_named(code, one) for code, part in seen.items() for one in part.filters)],
        bulk=[*spec.bulk, *(_named(code, one) for code, part in found.items() for one in part.bulk)],
        row_links=[*spec.row_links, *(link for part in seen.values() for link in part.row_links)],
        enrich=_enriching(spec, seen) if columns else spec.enrich,
    )


def left_out(spec: ListSpec, items: Sequence[tuple[str, str]]) -> list[str]:
    """Names of the modules whose columns or filters an address or a saved view names and the list does not have now:
    off, removed, or not open to the reader."""
    known = {one.name for one in spec.filters} | {column.name for column in spec.columns}
    asked = {name for name, _ in items}
    asked |= {
        part.removeprefix("-")
        for name, value in items
        if name in ("columns", "sort")
        for part in value.split(",")
    }
    codes = sorted({name.partition(".")[0] for name in asked - known if "." in name})
    return [modules()[code].name if code in modules() else code for code in codes]


def _parts(spec: ListSpec, platform_ids: Collection[UUID] | None) -> Iterator[tuple[str, ListPart]]:
    point: ProviderPoint[PartSource] = ProviderPoint(f"{POINT}{spec.page_id}")
    for code, source in point.by_module(platform_ids):
        try:
            yield code, source(spec.key)
        except Exception:
            log.exception("provider_failed", point=point.name)


def _named(code: str, one: T) -> T:
    return replace(one, name=f"{code}.{one.name}")


def _column(code: str, column: Column) -> Column:
    return replace(
        column,
        name=f"{code}.{column.name}",
        value=lambda row: row.loaders[code].value(row.id, column.name),
        is_default=False,
    )


def _enriching(
    spec: ListSpec, parts: Mapping[str, ListPart]
) -> Callable[[Session, Sequence[Any]], Sequence[Any]]:
    def enrich(session: Session, rows: Sequence[Any]) -> Sequence[Any]:
        own = spec.enrich(session, rows) if spec.enrich else rows
        ids = [row.id for row in rows]
        loaders = {code: _Loader(session, ids, part) for code, part in parts.items() if part.columns}
        return [_Row(row, loaders) for row in own]

    return enrich

"""Reading a list: filters, search, keyset pages. A deep page costs what the first one does."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    and_,
    func,
    literal,
    or_,
    select,
    tuple_,
    union_all,
)
from sqlalchemy.orm import Session

from app.core.database import acting_in
from app.modules.pagekit.list_state import ListState, Place
from app.modules.pagekit.lists import ListSpec, element

MAX_COUNTED = 10_000
CHUNK = 500


@dataclass(frozen=True, slots=True)
class ListPage:
    """Rows of a page, the places before and after it (None at the ends), and how many rows there are in all.

    ``total`` is counted no further than ``MAX_COUNTED`` + 1; None where it was not asked for.
    """

    rows: Sequence[Row[Any]]
    previous: Place | None
    next: Place | None
    total: int | None


def read_page(
    session: Session, spec: ListSpec, state: ListState, language: str, *, is_counted: bool = True
) -> ListPage:
    """The page that ``state`` asks for; the first one where its place is none of this list."""
    matching = narrowed(spec, spec.select(session, language), state)
    expression, is_descending = _order_of(spec, state)
    place = _usable(state.place, expression)
    is_backwards = place is not None and place.is_before
    within = (
        matching.where(_beyond(expression, element(spec.key), place, is_descending)) if place else matching
    )
    ordered = within.add_columns(expression.label("sort_value")).order_by(
        *_ordering(
            expression, element(spec.key), is_descending != is_backwards, is_last_null=not is_backwards
        )
    )
    with _scope_of(session, spec):
        found = session.execute(ordered.limit(state.size + 1)).all()
    rows = list(found[: state.size])
    if is_backwards:
        rows.reverse()
    has_more = len(found) > state.size
    has_previous, has_next = (has_more, True) if is_backwards else (place is not None, has_more)
    total = None
    if is_counted:  # what stands on one page is counted already: a rare word is not looked for twice
        total = len(rows) if place is None and not has_more else count(session, spec, matching)
    return ListPage(
        _enriched(session, spec, rows),
        _at(rows[0], is_before=True) if rows and has_previous else None,
        _at(rows[-1], is_before=False) if rows and has_next else None,
        total,
    )


def narrowed(spec: ListSpec, rows: Select[Any], state: ListState) -> Select[Any]:
    """Only the rows that search and filters leave."""
    for filter_ in spec.filters:
        values = state.filters.get(filter_.name)
        if values:
            rows = rows.where(filter_.apply(values))
    return rows.where(spec.search(state.query)) if spec.search and state.query else rows


def count(session: Session, spec: ListSpec, rows: Select[Any]) -> int:
    """How many rows, counted no further than one above ``MAX_COUNTED``."""
    one = rows.with_only_columns(literal(1).label("one"), maintain_column_froms=True)
    limited = one.order_by(None).limit(MAX_COUNTED + 1).subquery()
    with _scope_of(session, spec):
        return session.scalar(select(func.count()).select_from(limited)) or 0


def read_all(
    session: Session, spec: ListSpec, state: ListState, language: str
) -> Iterator[Sequence[Row[Any]]]:
    """All matching rows in the list's order, in chunks of ``CHUNK``."""
    state = replace(state, size=CHUNK, place=None)
    while True:
        page = read_page(session, spec, state, language, is_counted=False)
        if page.rows:
            yield page.rows
        if page.next is None:
            return
        state = state.at(page.next, 1)


def read_ids(session: Session, spec: ListSpec, ids: Sequence[UUID], language: str) -> Sequence[Row[Any]]:
    """The rows with these ids that the scope may see."""
    chosen = spec.select(session, language).where(spec.key.in_(ids)).order_by(spec.key)
    with _scope_of(session, spec):
        found = session.execute(chosen).all()
    return _enriched(session, spec, found)


def neighbours(
    session: Session, spec: ListSpec, state: ListState, row_id: UUID, language: str
) -> tuple[Row[Any] | None, Row[Any] | None]:
    """The rows before and after a row in the list's order; none where the row is not among those that match."""
    expression, is_descending = _order_of(spec, state)
    key = element(spec.key)
    matching = narrowed(spec, spec.select(session, language), state).add_columns(
        expression.label("sort_value")
    )
    sides = []
    with _scope_of(session, spec):
        here = session.execute(matching.where(key == row_id)).one_or_none()
        if here is None:
            return None, None
        for is_before in (True, False):
            ordering = _ordering(expression, key, is_descending != is_before, is_last_null=not is_before)
            beyond = matching.add_columns(literal(is_before).label("is_before")).where(
                _beyond(expression, key, _at(here, is_before=is_before), is_descending)
            )
            sides.append(select(beyond.order_by(*ordering).limit(1).subquery()))
        rows = session.execute(union_all(*sides)).all()
    found = {row.is_before: shown for row, shown in zip(rows, _enriched(session, spec, rows), strict=True)}
    return found.get(True), found.get(False)


def facets(
    session: Session, spec: ListSpec, state: ListState, name: str, values: Sequence[str], language: str
) -> Mapping[str, int]:
    """How many rows each value of a filter would leave, the other filters and the search standing; one query."""
    filter_ = next(one for one in spec.filters if one.name == name)
    others = {other: chosen for other, chosen in state.filters.items() if other != name}
    matching = narrowed(spec, spec.select(session, language), replace(state, filters=others))
    counts = [func.count().filter(filter_.apply([value])) for value in values]
    with _scope_of(session, spec):
        row = session.execute(
            matching.with_only_columns(*counts, maintain_column_froms=True).order_by(None)
        ).one()
    return dict(zip(values, row, strict=True))


def _enriched(session: Session, spec: ListSpec, rows: Sequence[Row[Any]]) -> Sequence[Row[Any]]:
    return spec.enrich(session, rows) if spec.enrich else rows


def _scope_of(session: Session, spec: ListSpec) -> AbstractContextManager[Any]:
    return acting_in(session, spec.scope) if spec.scope else nullcontext()


def _order_of(spec: ListSpec, state: ListState) -> tuple[ColumnElement[Any], bool]:
    name = state.sort or spec.default_sort
    return spec.sorts()[name.removeprefix("-")], name.startswith("-")


def _is_nullable(expression: ColumnElement[Any]) -> bool:
    return bool(getattr(expression, "nullable", True))


def _ordering(
    expression: ColumnElement[Any],
    key: ColumnElement[Any],
    is_descending: bool,
    *,
    is_last_null: bool,
) -> list[ColumnElement[Any]]:
    """Rows without a value stand at the list's end, whichever way it is sorted."""
    first = expression.desc() if is_descending else expression.asc()
    if _is_nullable(expression):
        first = first.nulls_last() if is_last_null else first.nulls_first()
    return [first, key.desc() if is_descending else key.asc()]


def _beyond(
    expression: ColumnElement[Any], key: ColumnElement[Any], place: Place, is_descending: bool
) -> ColumnElement[bool]:
    is_down = is_descending != place.is_before
    edge = literal(_typed(place.value, expression), expression.type)
    here = literal(UUID(place.key), key.type)
    key_beyond = key < here if is_down else key > here
    if not _is_nullable(expression):
        pair, edges = tuple_(expression, key), tuple_(edge, here)
        return pair < edges if is_down else pair > edges
    if place.value is None:
        at_edge = and_(expression.is_(None), key_beyond)
        return or_(at_edge, expression.is_not(None)) if place.is_before else at_edge
    beyond = expression < edge if is_down else expression > edge
    found = or_(beyond, and_(expression == edge, key_beyond))
    return found if place.is_before else or_(found, expression.is_(None))


def _usable(place: Place | None, expression: ColumnElement[Any]) -> Place | None:
    if place is None:
        return None
    try:
        UUID(place.key)
        _typed(place.value, expression)
    except (ValueError, TypeError, ArithmeticError):
        return None
    return place


def _typed(value: Any, expression: ColumnElement[Any]) -> Any:
    """A value out of JSON as the column's own type; ValueError when it is none."""
    if value is None:
        if not _is_nullable(expression):
            raise ValueError
        return None
    wanted = expression.type.python_type
    if wanted in (datetime, date):
        return wanted.fromisoformat(value)
    if wanted in (Decimal, UUID):
        return wanted(value)
    if not isinstance(value, wanted):
        raise TypeError
    return value


def _at(row: Row[Any], *, is_before: bool) -> Place:
    value = row.sort_value
    return Place(value.isoformat() if isinstance(value, date) else value, str(row.id), is_before)
